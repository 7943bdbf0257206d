"""A training run at the end of an epoch."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field

import numpy as np

from skdl._best import Best
from skdl._runs import KeptRun
from skdl.networks import Network
from skdl.optimizers import OptimizerState


@dataclass
class TrainingState(KeptRun):
    """All that is needed to go on with training as if it had never stopped.

    Attributes
    ----------
    best : Best or None
        The best epoch so far.
    notes : dict
        What callbacks remember of the run, by names of their own. A checkpoint keeps
        it too.
    network : Network
        The network.
    optimizer_state : OptimizerState
        What the optimizer remembers.
    rng : numpy.random.Generator
        Shuffles and drops.
    seed : int
        Where the run's randomness came from: the validation split follows from it.
    history : dict of str to list of float
        One entry an epoch: "loss", "learning_rate" and, with validation data,
        "val_loss" and "val_score".
    n_seen : int
        Samples seen, counted with repetition.
    kept : Best or None
        The best epoch of an optimizer that leaves minima (`Jog`): its weights come back
        at the end.
    finished : bool
        Whether the run came to its end.
    stopped_early : bool
        Whether it ended for want of improvement.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.layers import Dense
    >>> from skdl.networks import Network
    >>> from skdl.optimizers import Adam
    >>> from skdl.training import TrainingState
    >>> network, rng = Network([Dense(1)], (1,)), np.random.default_rng(0)
    >>> state = TrainingState(network, Adam().init(network.params.size), rng, seed=0)
    >>> saved = state.copy()  # shares nothing with the run
    >>> state.network.params.vector[:] = 5.0
    >>> saved.network.params.vector, saved.epoch, saved.goes_on
    (array([0., 0.]), 0, True)
    """

    network: Network
    optimizer_state: OptimizerState
    rng: np.random.Generator
    seed: int
    history: dict[str, list[float]] = field(default_factory=dict)
    n_seen: int = 0
    kept: Best | None = None
    finished: bool = False
    stopped_early: bool = False

    @property
    def epoch(self) -> int:
        """Epochs done."""
        return self.optimizer_state.epoch

    @property
    def loss(self) -> float:
        """Training loss of the weights at hand; NaN before the first epoch."""
        losses = self.history.get("loss")
        if not losses:
            return math.nan
        return losses[self.kept.epoch - 1 if self.kept is not None else -1]

    @property
    def goes_on(self) -> bool:
        """Whether more epochs would go on as if the run had never stopped.

        Not if it ended by itself, or with weights that are not those of its last epoch.
        """
        planned = self.optimizer_state.n_epochs
        kept_best = self.kept is not None or (
            self.best is not None and self.best.weights is not None
        )
        return not self.finished or (self.epoch >= planned > 0 and not kept_best)

    def copy(self) -> TrainingState:
        """Return an independent copy.

        Returns
        -------
        state : TrainingState
            The copy.
        """
        rng = np.random.Generator(type(self.rng.bit_generator)())
        rng.bit_generator.state = self.rng.bit_generator.state
        return TrainingState(
            network=self.network.copy(),
            optimizer_state=self.optimizer_state.copy(),
            rng=rng,
            seed=self.seed,
            best=copy.copy(self.best),  # kept weights are never written to
            history={name: list(values) for name, values in self.history.items()},
            n_seen=self.n_seen,
            kept=copy.copy(self.kept),
            finished=self.finished,
            stopped_early=self.stopped_early,
            notes=copy.deepcopy(self.notes),
        )
