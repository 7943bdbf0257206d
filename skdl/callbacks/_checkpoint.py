"""Checkpoints: a run that was cut off goes on where it stood."""

from __future__ import annotations

import os
import pickle
import tempfile
import time
from pathlib import Path
from typing import Any

import joblib
import numpy as np

from skdl._runs import KeptRun, TrainingRun
from skdl._settings import COUNT, checked
from skdl.callbacks._callback import STEPS, TrainingCallback
from skdl.training import TrainingState

_FORMAT = 3
_DATA = "Checkpoint: digest of the data"
# Settings that may differ between the run that was cut off and the one that goes on.
_FREE = ("max_iter", "n_estimators", "n_jobs", "verbose", "warm_start")
_PAUSE = 5.0  # seconds between saves, at least
_TIMES = 20.0  # the pause is so many times as long as the save before


class _Clock:
    """When a run was saved last, and how long that took, in seconds."""

    def __init__(self) -> None:
        self.last = time.monotonic()
        self.took = 0.0

    def is_time(self) -> bool:
        pause = max(_PAUSE, _TIMES * self.took)
        return time.monotonic() - self.last >= pause

    def saved(self, start: float) -> None:
        self.last = time.monotonic()
        self.took = self.last - start


class Checkpoint(TrainingCallback[TrainingRun]):
    """Save a run as it goes, and go on with it when `fit` is called again.

    The file is written beside and renamed, so that a crash never leaves half of one.
    When `fit` starts and the file holds an unfinished run of an estimator of the same
    settings, training goes on from there, and ends with the same bits as if it had
    never been cut off. A finished run is taken as it is, without training, unless it
    ended at `max_iter`, more epochs are asked for now, and no best weights were brought
    back. Delete the file to begin anew. A file is for one model on one set of training
    data: not for the folds of a cross-validation or the candidates of a grid search.

    It acts on networks, and on gradient boosting with rounds for epochs and
    `n_estimators` for `max_iter`.

    Parameters
    ----------
    path : str or path-like
        The file. It holds pickled objects: load only files that you trust.
    every : int, default=None
        Save after each so many epochs (rounds), when the next one begins. None saves at
        intervals of time, of at least five seconds and of twenty times what the save
        before has taken: however large the model and short its rounds, that costs a
        twentieth of the time. The end of training is always saved, and so is each call
        of `partial_fit`. A save writes the whole model.
    resume : bool, default=True
        Whether `fit` goes on with the file's run. False overwrites it.

    Raises
    ------
    ValueError
        If `every` is less than 1; in fit, if the file belongs to another model or
        other data, or is no checkpoint, or the estimator is AdaBoost, which cannot go
        on.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from sklearn.datasets import load_iris
    >>> from skdl import MLPClassifier
    >>> from skdl.callbacks import Checkpoint
    >>> X, y = load_iris(return_X_y=True)
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "iris.skdl"
    >>> net = MLPClassifier(optimizer="lbfgs", alpha=1.0, random_state=0)
    >>> net = net.set_callbacks(Checkpoint(path)).fit(X, y)
    >>> Checkpoint.load(path).score(X, y) == net.score(X, y)
    True
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        every: int | None = None,
        resume: bool = True,
    ) -> None:
        super().__init__()
        settings = checked(
            type(self).__name__,
            {"every": [*COUNT, None], "resume": ["boolean"]},
            {"every": every, "resume": resume},
        )
        self.path = Path(path)
        self.every: int | None = settings["every"]
        self.resume: bool = settings["resume"]
        self._clocks: dict[Any, _Clock] = {}

    @staticmethod
    def load(path: str | os.PathLike[str]) -> Any:
        """Return the estimator as it was when the file was written.

        Parameters
        ----------
        path : str or path-like
            The file; it must be trusted.

        Returns
        -------
        estimator : estimator
            It can predict, and a network can go on with `partial_fit`.

        Raises
        ------
        ValueError
            If the file is no checkpoint.
        """
        content = _read(Path(path))
        estimator = content["estimator"]
        if isinstance(content["state"], TrainingState):
            estimator._training_state = content["state"]
        return estimator

    def resume_run(self, estimator: Any) -> KeptRun | None:
        """Return the run in the file, if there is one to go on with.

        Parameters
        ----------
        estimator : estimator
            The estimator that is being fitted.

        Returns
        -------
        run : KeptRun or None
            The run, of a network or of boosting.

        Raises
        ------
        ValueError
            If the file holds a run of another model.
        """
        content = self._content(estimator)
        if content is None:
            return None
        run: KeptRun = content["state"]
        run.notes[_DATA] = content["data"]
        return run

    def _content(self, estimator: Any) -> dict[str, Any] | None:
        """What the file holds, if it is to be gone on with."""
        if not (self.resume and self.path.exists()):
            return None
        content = _read(self.path)
        if content["settings"] != _settings(estimator):
            raise ValueError(
                f"The checkpoint {self.path} belongs to an estimator of other settings "
                "(or of another class). Use another path, delete the file, or pass "
                "resume=False."
            )
        return content

    def on_training_begin(self, estimator: Any, trainer: TrainingRun) -> None:
        super().on_training_begin(estimator, trainer)
        self._clocks[trainer.task] = _Clock()
        seen = trainer.notes.pop(_DATA, None)
        if seen is not None and seen != trainer.data_digest:
            raise ValueError(
                f"The checkpoint {self.path} belongs to other training data. Use "
                "another path, delete the file, or pass resume=False. One file cannot "
                "serve the folds of a cross-validation or a grid search."
            )

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        """Save the epochs or rounds before, now that all callbacks have seen them.

        Parameters
        ----------
        estimator : estimator
            The estimator that is being fitted.
        context : CallbackContext
            The task.
        """
        run = self._trainers.get(context.parent)
        if run is None or context.task_id == 0:
            return
        if context.task_name in STEPS and self._is_time(run):
            self._save(estimator, run)

    def _is_time(self, run: TrainingRun) -> bool:
        if self.every is None:
            return self._clocks[run.task].is_time()
        return run.n_done % self.every == 0

    def teardown(self, estimator: Any, context: Any) -> None:
        super().teardown(estimator, context)
        for task in context:
            self._clocks.pop(task, None)

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_clocks": {}}

    def on_training_end(self, estimator: Any, trainer: TrainingRun) -> None:
        """Save the finished run.

        Parameters
        ----------
        estimator : estimator
            The estimator that is being fitted.
        trainer : TrainingRun
            The run.
        """
        super().on_training_end(estimator, trainer)
        # An interrupted epoch cannot be gone on with: the file keeps the ones before.
        if trainer.stop_reason != "interrupted":
            self._save(estimator, trainer)

    def _save(self, estimator: Any, run: TrainingRun) -> None:
        start = time.monotonic()
        fitted, state = estimator._saved(run)
        content = {
            "format": _FORMAT,
            "settings": _settings(estimator),
            "data": run.data_digest,
            "estimator": fitted,
            "state": state,
        }
        _write(content, self.path)
        self._clocks[run.task].saved(start)

    def check_booster(self, estimator: Any) -> None:
        """Accept boosters: those that cannot go on refuse by themselves.

        Parameters
        ----------
        estimator : estimator
            The booster that is to be fitted.
        """


def _settings(estimator: Any) -> str:
    """Return a digest of the settings that decide what training does."""
    params = estimator.get_params(deep=False)
    kept = {name: value for name, value in params.items() if name not in _FREE}
    if isinstance(kept["random_state"], np.random.RandomState):
        kept["random_state"] = None  # it has moved on since; the run has its own state
    return joblib.hash((type(estimator).__qualname__, sorted(kept.items())))


def _write(content: dict[str, Any], path: Path) -> None:
    """Write beside and rename: the old file stays whole until the new one is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            pickle.dump(content, file, protocol=5)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            content = pickle.load(file)
    except FileNotFoundError:
        raise
    except Exception as error:
        raise ValueError(
            f"{path} is no checkpoint that can be read: {error}"
        ) from error
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise ValueError(f"{path} is no checkpoint of this version of skdl.")
    return content
