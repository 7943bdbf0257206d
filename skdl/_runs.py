"""Runs of networks and of boosters: as callbacks see them, and as they keep them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from skdl._best import Best


class TrainingRun(Protocol):
    """A run as callbacks see it: the `Trainer` of a network, the `Run` of a booster.

    Attributes
    ----------
    task : CallbackContext or None
        The callbacks' context of the run, whose subtasks are its epochs or rounds.
    stop_reason : str
        Why it ended; empty while it goes on.
    """

    task: Any
    stop_reason: str

    @property
    def history(self) -> dict[str, list[float]]:
        """The curves so far, one entry an epoch or a round."""
        ...

    @property
    def notes(self) -> dict[str, Any]:
        """What callbacks remember of the run, by names of their own."""
        ...

    @property
    def n_done(self) -> int:
        """Epochs or rounds done."""
        ...

    @property
    def model(self) -> Any:
        """What has weights that can be copied, or None."""
        ...

    @property
    def data_digest(self) -> str:
        """Digest of the training rows, by which a run knows its data again."""
        ...

    def follow(
        self, patience: float, tol: float, higher_is_better: bool, keep_weights: bool
    ) -> Best:
        """Return what stops as the estimator's own early stopping does."""
        ...

    def keep_best(self, best: Best) -> None:
        """Bring the best weights back, or drop the rounds behind the best."""
        ...


@dataclass(kw_only=True)
class KeptRun:
    """What runs of networks and of boosters have to keep, whatever else they need.

    Attributes
    ----------
    best : Best or None
        The best epoch or round so far.
    notes : dict
        What callbacks remember of the run, by names of their own.
    """

    best: Best | None = None
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def goes_on(self) -> bool:
        """Whether more epochs or rounds would go on as if it had never stopped."""
        raise TypeError(f"{type(self).__name__} must define goes_on.")
