"""What an optimizer remembers between updates."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from skdl._touched import TouchedRows
from skdl._typing import Array
from skdl.ops.vector import BLOCK
from skdl.optimizers._rows import Gathered, Parts, dense_parts

# What `step` finds in its namespace besides the slots.
RESERVED = ("theta", "g", "work", "t", "shared", "rate", "part")


def check_slots(owner: str, slots: Sequence[str]) -> None:
    """Raise if vectors of an optimizer cannot have these names.

    Parameters
    ----------
    owner : str
        Name of the optimizer, for the error.
    slots : sequence of str
        The names.

    Raises
    ------
    ValueError
        If a name means something else in `step`, or comes twice.
    TypeError
        If it is no sequence of names.
    """
    if isinstance(slots, str) or not all(isinstance(name, str) for name in slots):
        raise TypeError(
            f"{owner}: slots must be a tuple of names such as ('m',), got {slots!r}."
        )
    for name in slots:
        if name in RESERVED or not name.isidentifier():
            raise ValueError(
                f"{owner}: a slot cannot be named {name!r}. It is an attribute of the "
                f"namespace that step gets, in which {', '.join(RESERVED)} mean "
                "something else; choose another name."
            )
    if len(set(slots)) < len(slots):
        raise ValueError(f"{owner}: slots must differ, got {tuple(slots)}.")


class OptimizerState:
    """What an optimizer remembers between updates.

    Parameters
    ----------
    n : int
        Number of parameters.
    dtype : dtype
        Type of the parameters.
    slots : tuple of str
        Names of the vectors to remember, zero at the start.
    owner : str, default=""
        What the memory belongs to, see `Optimizer.memory_key`.
    schedule_owner : str, default=""
        What the schedule's memory belongs to.

    Attributes
    ----------
    t : int
        Updates done.
    epoch : int
        Epochs done.
    steps_per_epoch, n_epochs : int
        The plan, for the schedules; `n_epochs` is 0 where it is not known.
    slots : dict of str to ndarray of shape (n,)
        The remembered vectors.
    memory : dict
        Numbers that the optimizer remembers.
    schedule_memory : dict
        What its schedule remembers.
    rates : sequence of (int, int, float)
        Parts of the vector, one behind the other, and what their learning rate is
        multiplied by; empty where that is 1 for all.
    touched : TouchedRows or None
        Tables of which the rows alone are changed that the gradient touches.
    gathered : Gathered
        Scratch memory for these rows.

    Raises
    ------
    ValueError
        If a slot has a name that means something else in `step`.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.optimizers import Momentum
    >>> optimizer = Momentum(learning_rate=0.1, momentum=0.5)
    >>> state = optimizer.init(2)
    >>> theta = np.zeros(2)
    >>> optimizer.update(theta, np.array([1.0, -2.0]), state)
    >>> optimizer.update(theta, np.array([1.0, -2.0]), state)
    >>> state.t, state.slots["v"]
    (2, array([-1.5,  3. ]))
    >>> saved = state.copy()  # goes on from here, whatever becomes of `state`
    """

    def __init__(
        self,
        n: int,
        dtype: DTypeLike,
        slots: tuple[str, ...],
        owner: str = "",
        schedule_owner: str = "",
    ) -> None:
        check_slots("OptimizerState", slots)
        self.owner = owner
        self.schedule_owner = schedule_owner
        self.t = 0
        self.epoch = 0
        self.steps_per_epoch = 1
        self.n_epochs = 0
        self.slots: dict[str, Array] = {
            name: np.zeros(n, dtype=dtype) for name in slots
        }
        self.memory: dict[str, Any] = {}
        self.schedule_memory: dict[str, Any] = {}
        self.rates: Sequence[tuple[int, int, float]] = ()
        self.touched: TouchedRows | None = None
        self.gathered = Gathered()
        self._blocks: list[SimpleNamespace] = []
        self._blocks_of: tuple[Array, Array] | None = None

    def dense(self, n: int) -> Parts:
        """Return the parts of the vector in which all numbers change.

        Parameters
        ----------
        n : int
            Length of the vector.

        Returns
        -------
        parts : sequence of (int, int, float)
            As `rates`.
        """
        return dense_parts(n, self.rates, self.touched)

    def blocks(self, theta: Array, grad: Array) -> list[SimpleNamespace]:
        """Return views of θ, g, the slots and scratch memory, block by block.

        Parameters
        ----------
        theta, grad : ndarray of shape (n,)
            Parameters and gradient.

        Returns
        -------
        blocks : list of SimpleNamespace
            Attributes `theta`, `g`, one for each slot, `work` (scratch) and `rate`, the
            multiplier of the learning rate.
        """
        of = self._blocks_of
        if of is not None and of[0] is theta and of[1] is grad:
            return self._blocks
        work = np.empty(min(BLOCK, len(theta)), dtype=theta.dtype)
        self._blocks, self._blocks_of = [], (theta, grad)
        for first, last, rate in self.dense(len(theta)):
            for start in range(first, last, BLOCK):
                part = slice(start, min(start + BLOCK, last))
                block = SimpleNamespace(theta=theta[part], g=grad[part], rate=rate)
                block.work = work[: len(block.g)]
                for name, slot in self.slots.items():
                    setattr(block, name, slot[part])
                self._blocks.append(block)
        return self._blocks

    def plan(
        self,
        steps_per_epoch: int,
        n_epochs: int,
        rates: Sequence[tuple[int, int, float]] = (),
        touched: TouchedRows | None = None,
    ) -> None:
        """Tell how long the coming run is, for the schedules, and what learns how fast.

        Parameters
        ----------
        steps_per_epoch : int
            Updates in an epoch.
        n_epochs : int
            Planned epochs, on top of those done; 0 where it is not known.
        rates : sequence of (int, int, float), default=()
            See the attribute.
        touched : TouchedRows, default=None
            See the attribute.
        """
        self.rates, self.touched, self._blocks_of = rates, touched, None
        self.steps_per_epoch = steps_per_epoch
        self.n_epochs = self.epoch + n_epochs if n_epochs else 0

    def copy(self) -> OptimizerState:
        """Return an independent copy.

        Returns
        -------
        state : OptimizerState
            The copy.
        """
        new = object.__new__(OptimizerState)
        new.__setstate__(self.__getstate__())
        new.slots = {name: slot.copy() for name, slot in self.slots.items()}
        new.memory = dict(self.memory)
        new.schedule_memory = dict(self.schedule_memory)
        return new

    def __getstate__(self) -> dict[str, Any]:
        # Views and scratch are remade.
        return {
            **self.__dict__,
            "touched": None,
            "gathered": None,
            "_blocks": [],
            "_blocks_of": None,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, gathered=Gathered())
