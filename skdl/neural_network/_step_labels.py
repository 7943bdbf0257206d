"""Labels of the steps of sequences, as users have them."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from skdl._ragged import Ragged
from skdl._typing import Array


def read_labels(y: Any, X: Ragged, width: int | None) -> Ragged:
    """Check labels, one for each step.

    Parameters
    ----------
    y : list of array-like of shape (length,), or array-like of shape (n, n_steps)
        Labels of each sequence; a string is one of characters. An array may be padded
        as X is, with any label.
    X : Ragged
        The sequences.
    width : int or None
        Steps of the padded array that they came in.

    Returns
    -------
    y : Ragged
        Labels, as many as X has steps.

    Raises
    ------
    ValueError
        If they are of another number, or no labels; the message names the first
        sequence whose length is another.
    """
    if y is None:
        raise ValueError("requires y to be passed, but the target y is None.")
    if hasattr(y, "iloc"):
        y = np.asarray(y)
    padded = isinstance(y, np.ndarray) and y.ndim == 2 and y.shape[1] == width
    if width is not None and padded and len(y) == len(X):
        own = np.arange(width) < X.lengths[:, None]
        return Ragged(y[own], X.offsets)
    if getattr(y, "ndim", 1) == 0 or isinstance(y, str):
        raise ValueError(
            f"y must have a sequence of labels for each sequence of X, got {y!r:.80}."
        )
    if len(y) != len(X):
        raise ValueError(
            "Found input variables with inconsistent numbers of samples: "
            f"[{len(X)}, {len(y)}]: y must have a sequence of labels for each of X."
        )
    numbered = enumerate(zip(y, X.lengths, strict=True))
    parts = [_labels(labels, n, i) for i, (labels, n) in numbered]
    return Ragged(np.concatenate(parts), X.offsets)


def _labels(labels: Any, n: int, i: int) -> Array:
    """Return the labels of one sequence."""
    if isinstance(labels, str):
        labels = list(labels)
    try:
        array = np.asarray(labels)
    except ValueError:
        array = np.empty((0, 0))
    if array.ndim != 1:
        _no_labels(labels, i)
    if len(array) != n:
        raise ValueError(
            f"Each step needs one label: sequence {i} of X has {n} steps, y has "
            f"{len(array)} labels for it."
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError(f"Input y contains NaN or infinity: sequence {i}.")
    return array


def _no_labels(labels: Any, i: int) -> NoReturn:
    raise ValueError(
        f"y must have a sequence of labels for each sequence of X: element {i} is "
        f"{labels!r:.80}."
    )
