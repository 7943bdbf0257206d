"""The training loop of gradient boosting."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from skdl._best import Best, round_best
from skdl._compat import call_hooks, without_callbacks
from skdl._digest import digest
from skdl._report import Report
from skdl._typing import Array
from skdl._warn import warn
from skdl.boosting._ensemble.ensemble import Ensemble
from skdl.boosting._inputs.data import TrainingData
from skdl.boosting._run.callbacks import SavedRun
from skdl.boosting._run.descent import Descent
from skdl.boosting._run.recipe import Recipe
from skdl.boosting._run.report import round_report
from skdl.boosting._steps.path import Path


class Booster(Protocol):
    """An estimator as a run sees it.

    Attributes
    ----------
    verbose : int
        How much is printed.
    """

    verbose: int
    _known_raw: tuple[Any, Array] | None

    def _fitted_attributes(
        self, ensemble: Ensemble, history: dict[str, list[float]], best: Best
    ) -> dict[str, Any]: ...


@dataclass
class Run:
    """Training from one ensemble to a larger one.

    Parameters
    ----------
    estimator : Booster
        Whose parameters and callbacks count.
    problem : TrainingData
        The data.
    ensemble : Ensemble
        Where to start; its lists grow.
    recipe : Recipe
        What rounds are made with.
    history : dict of str to list of float
        Curves so far; they grow.
    best : Best
        Early stopping, and the best round so far.
    scorer : callable or None
        Scores validation data; None monitors the loss.
    notes : dict
        What callbacks remember of the run; a checkpoint keeps it.

    Attributes
    ----------
    task : CallbackContext or None
        The callbacks' context of the fit, whose subtasks are the rounds.
    stop_reason : str
        Why the run ended: "n_estimators", "no_improvement", "no_progress", "callback"
        or "interrupted".
    """

    estimator: Booster
    problem: TrainingData
    ensemble: Ensemble
    recipe: Recipe
    history: dict[str, list[float]]
    best: Best
    scorer: Any
    notes: dict[str, Any] = field(default_factory=dict)
    task: Any = None
    stop_reason: str = ""

    @property
    def n_rounds(self) -> int:
        """Rounds done."""
        return len(self.ensemble.rounds)

    @cached_property
    def data_digest(self) -> str:
        """Digest of the training rows, by which a run knows its data again."""
        p = self.problem
        return digest(p.X, p.y, p.weight)

    # ---- what callbacks use, as they do of a network's trainer

    model = None  # whose weights could be copied

    @property
    def n_done(self) -> int:
        """Rounds done."""
        return self.n_rounds

    def follow(
        self, patience: float, tol: float, higher_is_better: bool, keep_weights: bool
    ) -> Best:
        """Return what stops as `n_iter_no_change` does.

        Parameters
        ----------
        patience : float
            As `n_iter_no_change`.
        tol : float
            Smallest improvement.
        higher_is_better : bool
            Whether the number is a score.
        keep_weights : bool
            Whether only the rounds up to the best are kept.

        Returns
        -------
        best : Best
            Its memory is empty.
        """
        return round_best(patience, tol, higher_is_better, keep_weights)

    def keep_best(self, best: Best) -> None:
        """Keep the rounds up to the best.

        Parameters
        ----------
        best : Best
            Nothing happens where it does not keep them, or has seen none.
        """
        if best.keep_weights and best.epoch:
            self.keep(best.epoch)

    def keep(self, n_rounds: int) -> None:
        """Drop the rounds after the first.

        Parameters
        ----------
        n_rounds : int
            How many to keep.
        """
        self.ensemble = self.ensemble.truncated(n_rounds)
        self.best = self.best.kept_to(n_rounds)

    def saved(self) -> SavedRun:
        """Return the run as it is now, to be stored.

        Returns
        -------
        saved : SavedRun
            Shares nothing that the run changes later.
        """
        fitted = without_callbacks(self.estimator)
        ended = self.stop_reason != ""
        values = self.fitted() if ended else self._attributes()
        for name, value in values.items():
            setattr(fitted, name, value)
        whole = len(values["ensemble_"].rates) == len(self.history["loss"])
        return SavedRun(
            fitted,
            self.stop_reason in ("", "n_estimators") and whole,
            best=copy.copy(self.best),
            notes=dict(self.notes),
        )

    def fitted(self) -> dict[str, Any]:
        """Return the attributes of the model that the run leaves.

        Returns
        -------
        attributes : dict
            By name.
        """
        return self.estimator._fitted_attributes(self.ensemble, self.history, self.best)

    def train(self, n_rounds: int, root: Any) -> None:
        """Do the rounds up to `n_rounds`.

        Parameters
        ----------
        n_rounds : int
            Rounds in all.
        root : CallbackContext
            Of the fit.
        """
        self.begin(root)
        self._report  # noqa: B018 (its clock starts)
        # Overflow shows as a loss that is not finite, which is an error of its own.
        with np.errstate(over="ignore", invalid="ignore"):
            self._start()
            self._rounds(n_rounds, root)
        self.stop_reason = self.stop_reason or "n_estimators"
        self._print_end()
        call_hooks(self.estimator, "on_training_end", self)

    def begin(self, root: Any) -> None:
        """Let callbacks see the run before its first round.

        Parameters
        ----------
        root : CallbackContext
            Of the fit.
        """
        self.task = root
        call_hooks(self.estimator, "on_training_begin", self)

    def _rounds(self, n_rounds: int, root: Any) -> None:
        n_before = self.n_rounds
        n_done, lengths = n_before, self._lengths()
        try:
            for t in range(n_before, n_rounds):
                X, y = self.problem.shown
                context = root.subcontext(task_name="tree")
                context.call_on_fit_task_begin(estimator=self.estimator, X=X, y=y)
                if not self.descent.go(t):
                    self.stop_reason = "no_progress"
                    self.descent.warn()
                    break
                self._follow()
                if self._record():
                    self.stop_reason = "no_improvement"
                n_done, lengths = t + 1, self._lengths()
                weight = self.problem.weight
                if context.call_on_fit_task_end(
                    estimator=self.estimator,
                    X=X,
                    y=y,
                    metadata={} if weight is None else {"sample_weight": weight},
                    reconstruction_attributes=self._attributes,
                ):
                    self.stop_reason = self.stop_reason or "callback"
                if self.stop_reason:
                    break
        except KeyboardInterrupt:
            self.stop_reason = "interrupted"
            warn(f"Fit interrupted after {n_done} rounds; the model is kept as it is.")
            self.ensemble = self.ensemble.truncated(n_done)
            for name, length in lengths.items():
                del self.history[name][length:]

    def _lengths(self) -> dict[str, int]:
        return {name: len(curve) for name, curve in self.history.items()}

    def _attributes(self) -> dict[str, Any]:
        """The model as it is now; the best round is kept at the end."""
        ensemble = self.ensemble.truncated(len(self.ensemble.rounds))
        best = copy.copy(self.best)
        best.keep_weights = False
        return self.estimator._fitted_attributes(ensemble, self.history, best)

    def _start(self) -> None:
        """Raw predictions of the ensemble so far, also on the validation rows."""
        p, ensemble = self.problem, self.ensemble
        self.descent = Descent(p, ensemble, self.recipe, ensemble.start(p.X))
        self.path_val = None
        if p.X_val is not None:
            self.path_val = Path(ensemble.rule, ensemble.start(p.X_val))
            for t, rate in enumerate(ensemble.rates):
                values = ensemble.rounds[t].values(p.X_val)
                self.path_val.step(values, rate, ensemble.corrections.get(t))
        self._start_best()

    def _start_best(self) -> None:
        """Let early stopping start from the ensemble so far, on the data at hand.

        The best value of the fit before is one of other validation data, unless the
        loss now is the one recorded last.
        """
        if self.path_val is None or not self.ensemble.rounds:
            return
        loss = self._val_loss()
        recorded = self.history["val_loss"][-1:]
        if recorded and np.isclose(recorded[0], loss, rtol=1e-9, atol=0.0):
            return
        value = loss if self.scorer is None else self._score(self.path_val.values)
        self.best.start(value, len(self.ensemble.rounds))

    def _val_loss(self) -> float:
        p = self.problem
        assert self.path_val is not None
        assert p.y_val is not None
        return self.ensemble.loss(p.y_val, self.path_val.values, p.weight_val)

    def _follow(self) -> None:
        """Let the validation rows take the last step, too."""
        if self.path_val is None or self.problem.X_val is None:
            return
        t = self.n_rounds - 1
        ensemble = self.ensemble
        values = ensemble.rounds[t].values(self.problem.X_val)
        self.path_val.step(values, ensemble.rates[t], ensemble.corrections.get(t))

    def _record(self) -> bool:
        """Enter a round in the history; return whether to stop early."""
        train_loss = self.descent.here.loss
        self.history["loss"].append(train_loss)
        stop = self._validate(train_loss)
        self._print_round()
        return stop

    def _validate(self, train_loss: float) -> bool:
        if self.path_val is None:
            self.recipe.steps.observe(train_loss)
            return False
        loss = self._val_loss()
        self.history["val_loss"].append(loss)
        self.recipe.steps.observe(loss)
        value = loss
        if self.scorer is not None:
            value = self._score(self.path_val.values)
            self.history["val_score"].append(value)
        return self.best.observe(value, len(self.ensemble.rounds))

    def _score(self, raw: Array) -> float:
        """The scorer's value, from the raw predictions at hand."""
        fitted = copy.copy(self.estimator)
        for name, value in self._attributes().items():
            setattr(fitted, name, value)
        assert self.problem.shown_val is not None
        X, y, weight = self.problem.shown_val
        fitted._known_raw = (X, raw)
        if weight is None:
            return float(self.scorer(fitted, X, y))
        return float(self.scorer(fitted, X, y, sample_weight=weight))

    # ---- what `verbose` prints

    @cached_property
    def _report(self) -> Report:
        name, p = type(self.estimator).__name__, self.problem
        n, n_features = p.X.shape
        title = f"{name}: {n:,} rows, {n_features:,} features"
        if p.X_val is not None:
            title += f", {p.X_val.shape[0]:,} rows for validation"
        return round_report(title, self.estimator.verbose, header=self.n_rounds == 0)

    def _print_round(self) -> None:
        if not self._report.every:
            return
        row = {name: curve[-1] for name, curve in self.history.items()}
        row.update(self.ensemble.rounds[-1].sizes())
        validated = self.path_val is not None
        is_best = validated and self.best.epoch == self.n_rounds
        self._report.epoch(self.n_rounds, row, is_best)

    def _print_end(self) -> None:
        n, best = len(self.history["loss"]), self.best
        text = {
            "n_estimators": f"Done: {n} round{'s' * (n > 1)}.",
            "callback": f"Stopped after round {n} by a callback.",
            "interrupted": f"Interrupted after round {n}.",
            "no_progress": f"Stopped after round {n}: no step lowers the loss.",
            "no_improvement": (
                f"Stopped after round {n}: no improvement by {best.tol:g} for "
                f"{best.waiting} rounds."
            ),
        }.get(self.stop_reason, f"Stopped after round {n}: {self.stop_reason}.")
        if self.path_val is not None and best.epoch:
            text += f" The best round on validation data is {best.epoch}"
            text += ", the last that is kept." if best.keep_weights else "."
        self._report.end(text)
