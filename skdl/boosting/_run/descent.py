"""The steps of the rounds, none of which may raise the loss of its own rows."""

from __future__ import annotations

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skdl._typing import Array
from skdl._warn import warn
from skdl.boosting._ensemble.ensemble import Ensemble
from skdl.boosting._gradients.derivatives import Derivatives, derivatives, mean_losses
from skdl.boosting._inputs.data import TrainingData
from skdl.boosting._learners.learned import Learned, add_round
from skdl.boosting._run.recipe import Recipe
from skdl.boosting._steps.path import Correction, Path
from skdl.losses import NotFiniteError

HALVINGS = 10  # of a step that raises the loss, before it is given up
TRIES = 4  # to find learners whose step lowers the loss, where they can be others
# Rises that are rounding: relative to the loss, and to the loss at the start, as a
# loss may be a small difference of large numbers.
NOISE, NOISE_OF_START = 1e-10, 1e-13
OVERSHOT = 0.1  # slope at the end of a step, uphill, relative to that at its start


class Descent:
    """Steps on the training rows, and their loss.

    The derivatives that a round needs say what the step before did to the loss, of each
    output where they are separate. Where it rose, the rule first forgets its earlier
    steps (adaptive restart, O'Donoghue & Candès 2015), then the step is halved until
    the loss does not rise. The trust region learns from that. Learners under monotonic
    constraints cannot take back a step that went too far: theirs is shortened, too,
    where the loss clearly rises at its end.

    Parameters
    ----------
    problem : TrainingData
        The data.
    ensemble : Ensemble
        It grows by the rounds.
    recipe : Recipe
        What rounds are made with.
    start : float64 ndarray of shape (n, n_raw)
        Raw predictions before the first round.
    """

    def __init__(
        self,
        problem: TrainingData,
        ensemble: Ensemble,
        recipe: Recipe,
        start: Array,
    ) -> None:
        self.problem = problem
        self.ensemble = ensemble
        self.learners = recipe.learners
        self.steps = recipe.steps
        self.draws = recipe.draws
        self.path = Path(ensemble.rule, start)
        self.trust = self.learners.trust
        self._memory: dict[str, Array] = {}
        for t, rate in enumerate(ensemble.rates):
            values = ensemble.rounds[t].values(problem.X)
            self.path.step(values, rate, ensemble.corrections.get(t))
        self.here = self._derivatives()
        self._start = np.abs(self._losses())

    def _derivatives(self) -> Derivatives:
        p, least = self.problem, self.trust.least(self.steps.rate)
        loss, raw = self.ensemble.loss, self.path.values
        return derivatives(loss, p.y, raw, p.weight, self._memory, least)

    def _losses(self) -> Array:
        """What must not rise: one number for all outputs that steps couple."""
        losses = self.here.losses
        return losses.sum(keepdims=True) if self.learners.shared else losses

    def go(self, t: int) -> bool:
        """Learn from the gradients at hand and take a step.

        Parameters
        ----------
        t : int
            Number of the round, from 0.

        Returns
        -------
        done : bool
            False if no step, however short, keeps the loss from rising: all is then as
            it was before.
        """
        rng = self.draws.rng(t)
        planned = self.steps.rate
        self.steps.next()
        for _ in range(TRIES):
            rows = self.draws.rows(self.problem.X.shape[0], rng)
            self.trust.narrow(self.here, planned, self.ensemble.reach)
            learned = self.learners.fit(self.here, self.path.values, rows, rng)
            if self._take(learned, planned, rows):
                return True
        return False

    def warn(self) -> None:
        """Say that boosting ends where it is."""
        hint = ""
        if self.learners.one_way:
            hint = (
                " Under monotonic_cst a step that went too far cannot be taken back: "
                "lower learning_rate."
            )
        warn(
            f"Boosting ended after {len(self.ensemble.rates)} rounds, which are kept: "
            f"the next step raises the loss {type(self.ensemble.loss).__name__}, "
            f"{self.here.loss:.6g} now, however short it is made. The loss is at its "
            "minimum, its gradients are not its derivatives, or the learners cannot "
            f"follow them.{hint}",
            ConvergenceWarning,
        )

    def _take(self, learned: Learned, rate: float, rows: Array | None) -> bool:
        """Take the longest step that does not raise the loss, and note it.

        An output that no step suits stays where it is; without any that moves, there is
        no step.
        """
        ensemble, path = self.ensemble, self.path
        before, n_raw = self._losses(), ensemble.n_raw
        plain = self.steps.plain and not self.learners.one_way
        grown, values = learned.grown if plain else None, None
        if grown is None:
            values = learned.values(self.problem.X, n_raw)
        lengths = np.ones(n_raw)
        if values is not None:
            lengths = self.learners.lengths(values, path.values, rows)
        change = Correction(lengths.copy(), np.zeros(n_raw, dtype=bool))
        gone = np.zeros(n_raw)
        if values is not None:
            path.mark()
        rose = np.ones(n_raw, dtype=bool)
        gradient = self.here.g.copy() if self.learners.one_way else None
        for i in range(HALVINGS + 2):
            if grown is not None:
                add_round(grown, rate * (change.scale - gone), path.values)
                gone = change.scale.copy()
            elif values is not None:
                if i > 0:
                    path.back()
                path.step(values, rate, change)
            rose[:] = self._rose(before, rows)
            if gradient is not None and not rose.all():
                rose |= self._overshot(gradient, rows)
            if not rose.any():
                break
            if self.steps.plain or i > 0:
                change.scale[rose] *= 0.5 if i < HALVINGS else 0.0
            if not self.steps.plain:
                change.anew |= rose
        worse = self._rises(before, self._losses())  # by rows that were left out
        self.ensemble.reach = self.trust.adapted(
            ensemble.reach, change.scale / lengths, worse
        )
        if not change.scale.any():
            if values is not None:
                path.back()
            return False
        if (change.scale != 1.0).any() or change.anew.any():
            ensemble.corrections[len(ensemble.rates)] = change
        ensemble.rounds.append(learned.round)
        ensemble.rates.append(rate)
        return True

    def _rose(self, before: Array, rows: Array | None) -> Array:
        """Evaluate the loss; return where it rose on the rows learned from.

        Where it did not on all rows, those are not looked at by themselves.
        """
        try:
            self.here = self._derivatives()
        except NotFiniteError as error:
            if "losses" not in error.parts:
                raise
            return np.ones(1, dtype=bool)
        rose = self._rises(before, self._losses())
        if rows is None or not rose.any():
            return rose
        y, weight = self.problem.y[rows], self.problem.weight
        weight = None if weight is None else weight[rows]
        old, new = (
            mean_losses(y, self.ensemble.loss.evaluate(y, raw[rows])[0], weight)
            for raw in (self.path.before, self.path.values)
        )
        if len(rose) < len(old):
            old, new = old.sum(), new.sum()
        return rose & self._rises(old, new)

    def _overshot(self, gradient: Array, rows: Array | None) -> Array:
        """Where the step ends uphill; `gradient` is the one at its start."""
        step = (self.path.values - self.path.before).T
        ends = gradient, self.here.g
        if rows is not None:
            step = step[:, rows]
            ends = gradient[:, rows], self.here.g[:, rows]
        start, end = ((g * step).sum(axis=1) for g in ends)
        overshot: Array = end > OVERSHOT * np.abs(start)
        return overshot

    def _rises(self, before: Array, after: Array) -> Array:
        noise = NOISE * np.abs(before) + NOISE_OF_START * self._start
        rises: Array = after > before + noise
        return rises
