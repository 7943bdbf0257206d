"""Pictures as users have them: in three or four dimensions, or in flat rows."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from scipy import sparse
from sklearn.utils.validation import check_array, check_X_y

from skdl._compat import validate_data
from skdl._picture_shape import CHANNELS, PICTURE, given_shape
from skdl._typing import Array, Shape
from skdl.neural_network._rows import are_given

_FEW = 2**16  # numbers that are checked fast


class ReadsPictures(Protocol):
    """An estimator for pictures.

    Attributes
    ----------
    input_shape : tuple of int or None
        Their shape, as the user gave it.
    input_shape_ : tuple of (int, int, int)
        Their shape in `fit`.
    """

    input_shape: Any
    input_shape_: Shape


def read_pictures(
    estimator: ReadsPictures, X: Any, y: Any, reset: bool
) -> tuple[Any, Any]:
    """Check pictures and targets as they come.

    Parameters
    ----------
    estimator : estimator
        Has `input_shape` and, unless `reset`, `input_shape_`; gets the number and names
        of features of flat rows.
    X : array-like of shape (n, h, w, c), (n, h, w) or (n, n_features)
        Pictures.
    y : array-like or "no_validation"
        Targets.
    reset : bool
        Whether shapes are learned, and not compared.

    Returns
    -------
    X : ndarray of shape (n, h, w, c) or (n, n_features)
        Pictures, their numbers of the type they came in.
    y : ndarray or "no_validation"
        Targets.

    Raises
    ------
    ValueError
        If these are no pictures, or not of the shape that is expected.
    """
    if isinstance(X, (list, tuple)):
        X = _stacked(X)
    if not reset and not are_given(y) and _is_plain(X):
        _check_known(X.shape if X.ndim == 4 else (*X.shape, 1), estimator.input_shape_)
        return (X if X.ndim == 4 else X[..., None]), y
    with_y = are_given(y)
    if sparse.issparse(X) or getattr(X, "ndim", 2) <= 2:
        if with_y:
            return validate_data(
                estimator, X, y, multi_output=True, dtype=None, reset=reset
            )
        return validate_data(estimator, X, dtype=None, reset=reset), y
    if X.ndim > 4:
        raise ValueError(
            "X must be pictures of shape (n_samples, height, width, channels), "
            f"(n_samples, height, width) or flat, got shape {X.shape}."
        )
    options = {"dtype": None, "allow_nd": True, "estimator": estimator}
    if with_y:
        X, y = check_X_y(X, y, multi_output=True, **options)
    else:
        X = check_array(X, input_name="X", **options)
    pictures = X[..., None] if X.ndim == 3 else X
    if 0 in pictures.shape:
        raise ValueError(f"X has pictures without pixels: shape {X.shape}.")
    if reset:
        _check_new(pictures.shape, given_shape(estimator.input_shape))
    else:
        _check_known(pictures.shape, estimator.input_shape_)
    return pictures, y


def _stacked(X: Any) -> Array:
    """Return pictures of a list as one array."""
    shapes = [_shape_of(picture) for picture in X]
    other = next((i for i, shape in enumerate(shapes) if shape != shapes[0]), None)
    if other is not None:
        raise ValueError(
            f"The pictures of X must be of one size: picture {other} has the shape "
            f"{shapes[other]}, the first {shapes[0]}. Bring them to one size."
        )
    return np.asarray(X)


def _shape_of(picture: Any) -> Shape | None:
    try:
        return np.shape(picture)
    except ValueError:  # lines of different lengths
        return None


def _is_plain(X: Any) -> bool:
    """Return whether scikit-learn's checks would return an array as it is.

    They take longer than a small network does for one picture.
    """
    if type(X) is not np.ndarray or X.ndim not in (3, 4) or not 0 < X.size <= _FEW:
        return False
    return X.dtype.kind in "iub" or (X.dtype.kind == "f" and bool(np.isfinite(X).all()))


def _check_new(shape: Shape, given: Shape | None) -> None:
    """Raise if pictures are not of the shape given, or have their channels first."""
    _, h, w, c = shape
    if given == (h, w, c):
        return
    first = h in CHANNELS and min(w, c) >= PICTURE
    if (given is None and first) or given == (w, c, h):
        raise ValueError(
            f"X has shape {shape}, which looks like (n_samples, channels, height, "
            "width); channels come last: pass np.moveaxis(X, 1, -1)."
            + (
                f" If these are pictures of {h}×{w} pixels with {c} channels, say so: "
                f"input_shape={(h, w, c)}."
                if given is None
                else ""
            )
        )
    if given is not None:
        raise ValueError(
            f"X has pictures of shape {(h, w, c)}, but input_shape={given}."
        )


def _check_known(shape: Shape, known: Shape) -> None:
    """Raise if pictures have other channels than those the network was fitted on."""
    n, h, w, c = shape
    if c == known[-1]:
        return  # of another size, perhaps: the network knows whether it takes that
    hint = ""
    if h == known[-1]:
        hint = " The channels seem to come first: pass np.moveaxis(X, 1, -1)."
    elif (n, h, w) == known and c == 1:
        hint = " One picture alone needs an axis in front: X[None]."
    raise ValueError(
        f"X has pictures of shape {(h, w, c)}, but {known} is expected: the number of "
        f"channels must be {known[-1]}.{hint}"
    )


def divisor_of(X: Array) -> float | None:
    """Return what whole-number pictures are divided by.

    Parameters
    ----------
    X : ndarray
        Pictures to train on.

    Returns
    -------
    divisor : float or None
        The smallest 2ᵏ − 1 that no number exceeds (255 for bytes above 127); None for
        other numbers, which are taken as they are, and where there is nothing to do.
    """
    if X.dtype.kind not in "iu":
        return None
    largest = max(int(X.max()), -int(X.min()))
    return float(2 ** largest.bit_length() - 1) if largest > 1 else None
