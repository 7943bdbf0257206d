"""What users pass to `fit`, in one object."""

from __future__ import annotations

from typing import Any, NamedTuple


class Request(NamedTuple):
    """What the user passed to `fit` or `partial_fit`.

    Parameters
    ----------
    X, y : object
        Rows and targets; y is None where there are none: those of validation have none
        either.
    sample_weight : array-like of shape (n,), default=None
        Weights.
    X_val, y_val, sample_weight_val : object, default=None
        The same for validation.
    classes : array-like, default=None
        All classes that will come.
    incremental : bool, default=False
        Whether this is one of several calls, as of `partial_fit`.
    """

    X: Any
    y: Any
    sample_weight: Any = None
    X_val: Any = None
    y_val: Any = None
    sample_weight_val: Any = None
    classes: Any = None
    incremental: bool = False

    def check(self) -> None:
        """Raise if a part of the validation data is missing.

        Raises
        ------
        ValueError
            If X_val or y_val stands alone, or weights without them.
        """
        targets = self.y is not None or self.y_val is not None
        if targets and (self.X_val is None) != (self.y_val is None):
            given, missing = "X_val", "y_val"
            if self.X_val is None:
                given, missing = missing, given
            raise ValueError(f"{given} was given without {missing}; give both.")
        if self.sample_weight_val is not None and self.X_val is None:
            missing = "X_val and y_val" if targets else "X_val"
            raise ValueError(f"sample_weight_val was given without {missing}.")
