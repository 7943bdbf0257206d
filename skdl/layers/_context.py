"""What a layer is told besides its input: mode, randomness and memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from skdl._config import use_numba
from skdl._touched import TouchedRows
from skdl._typing import Array, Shape
from skdl.layers._arena import AnyShape, Arena

NO_FLOOR = -math.inf  # one object, which `Context.again` knows again


class SideOutput:
    """An output besides the main one, that is trained on the same targets.

    A layer appends it to ``ctx.sides`` in its forward pass and keeps it in its cache;
    the objective writes `gradient` before the backward pass begins.

    Parameters
    ----------
    raw : ndarray of shape (n, ..., k)
        Raw predictions, of the shape of the network's.
    weight : float
        What its loss is multiplied by.

    Attributes
    ----------
    gradient : ndarray of the shape of `raw` or None
        Derivative of the objective with respect to `raw`.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.layers import AuxiliaryHead, Context, Dense
    >>> from skdl.networks import Network
    >>> network = Network([AuxiliaryHead([Dense(2)], weight=0.3)], (4,))
    >>> ctx = Context(train=True)
    >>> y, _ = network.forward(network.tree(network.params), np.ones((5, 4)), ctx)
    >>> side = ctx.sides[0]
    >>> side.raw.shape, side.weight, side.gradient  # that the objective will write
    ((5, 2), 0.3, None)
    """

    def __init__(self, raw: Array, weight: float) -> None:
        self.raw = raw
        self.weight = weight
        self.gradient: Array | None = None


class Kept:
    """A state that one layer leaves and another goes on from.

    Parameters
    ----------
    state : object
        The state.

    Attributes
    ----------
    gradient : object
        How the loss changes with it, set in the backward pass of the layer that went on
        from it; None: it does not, or no gradient is to pass.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.layers import Carried
    >>> carried = Carried()
    >>> kept = carried.put(np.array([1.0, 2.0]))  # by a layer, at the end of a window
    >>> carried.turn()
    >>> carried.take(), carried.taken is kept  # by the same layer, in the next one
    (array([1., 2.]), True)
    """

    __slots__ = ("gradient", "state")

    def __init__(self, state: Any) -> None:
        self.state = state
        self.gradient: Any = None


class Carried:
    """States that go on from window to window, or from an encoder to a decoder.

    Layers are visited in the same order in every window: each takes what it put in the
    window before. Between windows the gradient is cut, as the window before has done
    its backward pass. Where one chain of layers goes on from another's states in the
    same step it passes.

    Parameters
    ----------
    before : sequence of Kept, default=()
        What the layers begin with, in their order.
    within_step : bool, default=False
        Whether states are used in the same step only, so that they may lie in scratch
        memory.

    Attributes
    ----------
    taken : Kept or None
        Where the layer at hand has its state from, to leave its gradient there.
    kept : list of Kept
        What layers have put in this window, in their order.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.layers import LSTM, Carried, Context
    >>> from skdl.networks import Network
    >>> network, rng = Network([LSTM(4)], (6, 2)), np.random.default_rng(0)
    >>> network.initialize(rng)
    >>> x, ctx, carried = rng.normal(size=(1, 6, 2)), Context(train=False), Carried()
    >>> for window in (x[:, :3], x[:, 3:]):
    ...     ctx.begin(carried=carried)
    ...     y, _ = network.forward(network.tree(network.params), window, ctx)
    ...     carried.turn()
    >>> np.allclose(y, network.predict(x)[:, 3:])  # as if read in one go
    True
    """

    def __init__(self, before: Sequence[Kept] = (), within_step: bool = False) -> None:
        self.within_step = within_step
        self.taken: Kept | None = None
        self.kept: list[Kept] = []
        self._before = list(before)
        self._position = 0

    def turn(self) -> None:
        """Begin the next window."""
        self._before, self.kept = self.kept, []
        self._position = 0

    def take(self) -> Any:
        """Return what the layer at hand put in the last window.

        Returns
        -------
        state : object
            None in the first window.
        """
        if self._position >= len(self._before):
            self.taken = None
            return None
        self.taken = self._before[self._position]
        self._position += 1
        return self.taken.state

    def put(self, state: Any) -> Kept:
        """Keep a state for the next window.

        Parameters
        ----------
        state : object
            Not scratch memory, unless ``within_step``: it must outlive the step.

        Returns
        -------
        kept : Kept
            Where the gradient of the state is to be found in the backward pass.
        """
        kept = Kept(state)
        self.kept.append(kept)
        return kept


class StateGradients(NamedTuple):
    """How a loss changes with the states of a recurrent layer, from its backward pass.

    Attributes
    ----------
    layer : object
        The layer.
    gradients : list of ndarray of shape (n_steps, n, units)
        ∂L/∂s_t for each array of the state (of LSTM h and c), in the order in which the
        layer takes the steps, all ways from s_t to the loss included.
    lengths : ndarray of int of shape (n,) or None
        Steps of each sequence; None: all of them.
    after : int
        Steps of other layers that go on from its last state.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.layers import RNN, Context
    >>> from skdl.networks import Network
    >>> network = Network([RNN(1, "relu", return_sequences=False)], (4, 1))
    >>> network.params["0.W"][...] = 1.0
    >>> network.params["0.U"][...] = 0.5  # half of the state is left at each step
    >>> tree, ctx = network.tree(network.params), Context(train=True)
    >>> ctx.flow, grads = [], network.gradient_tree(network.params.like())
    >>> y, caches = network.forward(tree, np.ones((1, 4, 1)), ctx)
    >>> dx = network.backward(tree, grads, caches, np.ones((1, 1)), ctx)
    >>> ctx.flow[0].gradients[0].ravel()
    array([0.125, 0.25 , 0.5  , 1.   ])
    """

    layer: Any
    gradients: list[Array]
    lengths: Array | None
    after: int = 0


class Context:
    """What a layer is told besides its input.

    Parameters
    ----------
    train : bool
        Training: layers keep what their backward pass needs, drop units and update
        running statistics. Otherwise they change nothing and keep nothing, so that
        many threads can predict with one network.
    rng : numpy.random.Generator, default=None
        The source of randomness; needed by layers that draw while training.
    dtype : dtype, default=np.float64
        Type of the activations.
    arena : Arena, default=None
        Scratch memory; None gives fresh arrays.

    Attributes
    ----------
    want_dx : bool
        Whether `backward` is to compute the gradient with respect to its input. The
        first layer that learns need not.
    as_rows : bool
        Whether a layer that `gives_rows` may do so: the next one takes them.
    floor : float
        The least value of the output of the layer at hand, if it `fuses_floor`: 0 where
        the next layer is a ReLU, which then has nothing left to do. In the backward
        pass 0 where the layer `undoes_floor` and the one in front of it is a ReLU.
    other : ndarray or None
        What is added to the output of the layer at hand before its floor, if it
        `fuses_sum`; who adds it also undoes the floor in the backward pass. There it is
        what is added to the gradient of its input, if it `fuses_gradients`.
    moments : tuple of two ndarray, bool or None
        Means of the channels of each sample and sums of their squared deviations, that
        a layer which `gives_moments` has left for the norm behind it; True where it is
        to do so.
    single : bool
        Whether this is a prediction for one picture by a network whose convolutions are
        compiled: then so are its products of a vector and a matrix.
    lengths : ndarray of int of shape (n,) or None
        How many of the steps along the first axis of each sample are its own; the rest
        is padding. None: all of them.
    carried : Carried or None
        The states that recurrent layers hand from one window of a sequence to the next;
        None: each batch begins anew.
    targets : ndarray of shape (n, ...) or None
        The targets of the batch, as the loss takes them, for layers that are told what
        came before (teacher forcing); None where they are not known.
    touched : TouchedRows or None
        The gradients of tables that an optimizer changes row by row; None: it changes
        all numbers.
    sides : list of SideOutput
        What layers give to the objective besides the output; collected while training.
    flow : list of StateGradients or None
        Where recurrent layers note the gradients of their states in the backward pass,
        the last layer first, a shortcut's before those it goes around; None: nowhere.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.layers import Context, Dropout, PoolSteps
    >>> x = np.ones((1, 1000))
    >>> y, _ = Dropout(0.5).forward({}, x, Context(True, np.random.default_rng(0)))
    >>> np.unique(y), Dropout(0.5).forward({}, x, Context(train=False))[0] is x
    (array([0., 2.]), True)
    >>> ctx = Context(train=False)
    >>> ctx.begin(lengths=np.array([2]))  # the third step is padding
    >>> PoolSteps().forward({}, np.array([[[1.0], [3.0], [99.0]]]), ctx)[0]
    array([[2.]])
    """

    __slots__ = (
        "_arena",
        "_repeats",
        "as_rows",
        "carried",
        "dtype",
        "empty",
        "floor",
        "flow",
        "lengths",
        "moments",
        "other",
        "rng",
        "sides",
        "single",
        "targets",
        "touched",
        "train",
        "want_dx",
    )

    def __init__(
        self,
        train: bool,
        rng: np.random.Generator | None = None,
        dtype: DTypeLike = np.float64,
        arena: Arena | None = None,
    ) -> None:
        self.train = train
        self.rng = rng
        self.dtype = np.dtype(dtype)
        self.want_dx = True
        self.as_rows = False
        self.floor = NO_FLOOR
        self.other: Array | None = None
        self.moments: Any = None
        self.single = False
        self.lengths: Array | None = None
        self.carried: Carried | None = None
        self.targets: Array | None = None
        self.sides: list[SideOutput] = []
        self.flow: list[StateGradients] | None = None
        self.touched: TouchedRows | None = None
        self._arena = arena
        self._repeats = False
        self.empty = self._fresh if arena is None else arena.empty

    def begin(
        self,
        rng: np.random.Generator | None = None,
        lengths: Array | None = None,
        carried: Carried | None = None,
        targets: Array | None = None,
    ) -> None:
        """Begin a batch: what the last one left is forgotten.

        Parameters
        ----------
        rng : numpy.random.Generator, default=None
            The source of randomness.
        lengths : ndarray of int of shape (n,), default=None
            See the attribute.
        carried : Carried, default=None
            See the attribute.
        targets : ndarray of shape (n, ...), default=None
            See the attribute.
        """
        self._repeats = self.train and use_numba()  # predictions have `Replay`
        self.rng = rng
        self.as_rows = False
        self.floor = NO_FLOOR
        self.other = None
        self.moments = None
        self.lengths = lengths
        self.carried = carried
        self.targets = targets
        self.sides = []

    def reshape(self, a: Array, shape: Shape) -> Array:
        """Return an array in another shape; see `Arena.reshape`.

        Parameters
        ----------
        a : ndarray
            The array.
        shape : tuple of int
            The shape.

        Returns
        -------
        view : ndarray
            Its numbers.
        """
        arena = self._arena
        return a.reshape(shape) if arena is None else arena.reshape(a, shape)

    def again(
        self,
        what: str,
        n: int,
        arrays: tuple[Any, ...],
        function: Callable[[], Any],
    ) -> Any:
        """Return what a function does with arrays; see `Arena.again`.

        Parameters
        ----------
        what : str
            Name of the operation.
        n : int
            Samples of the batch.
        arrays : tuple of object
            All that the function depends on.
        function : callable
            What calls nothing but compiled code, if that is used.

        Returns
        -------
        result : object
            What it returned.
        """
        if not self._repeats or self._arena is None:
            return function()
        return self._arena.again(what, n, arrays, function)

    def cast(self, x: Any) -> Any:
        """Return the input in the context's type: itself, or in scratch memory.

        Parameters
        ----------
        x : {ndarray, sparse matrix}
            Numbers of any type.

        Returns
        -------
        x : {ndarray, sparse matrix}
            The same numbers.
        """
        if x.dtype == self.dtype:
            return x
        if not isinstance(x, np.ndarray):
            return x.astype(self.dtype)
        out = self.empty(x.shape)
        np.copyto(out, x, casting="unsafe")
        return out

    def _fresh(self, shape: AnyShape, dtype: Any = None) -> Array:
        return np.empty(shape, self.dtype if dtype is None else dtype)

    def uniform(self, shape: AnyShape) -> Array:
        """Return uniform random numbers in [0, 1) of the context's type.

        Parameters
        ----------
        shape : int or tuple of int
            Shape.

        Returns
        -------
        u : ndarray
            Random numbers, in scratch memory.

        Raises
        ------
        ValueError
            If the context has no `rng`.
        """
        out = self.empty(shape)
        self._source().random(dtype=out.dtype.type, out=out)
        return out

    def normal(self, shape: AnyShape) -> Array:
        """Return standard normal random numbers of the context's type.

        Parameters
        ----------
        shape : int or tuple of int
            Shape.

        Returns
        -------
        z : ndarray
            Random numbers, in scratch memory.

        Raises
        ------
        ValueError
            If the context has no `rng`.
        """
        out = self.empty(shape)
        self._source().standard_normal(dtype=out.dtype.type, out=out)
        return out

    def _source(self) -> np.random.Generator:
        if self.rng is None:
            raise ValueError(
                "This layer draws random numbers while training: give the context "
                "(or loss_and_gradient) an rng."
            )
        return self.rng
