"""Runs as callbacks keep them, to go on with later."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from skdl._best import Best


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
