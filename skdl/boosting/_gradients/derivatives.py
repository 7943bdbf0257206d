"""What a round of boosting needs of the loss, over all rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

import numpy as np
from numpy.typing import DTypeLike

from skdl._config import use_numba
from skdl._typing import Array, Shape
from skdl.losses import Loss, NotFiniteError
from skdl.ops._threads import run_chunks

_ROWS = 65536  # rows of a chunk; the sums of chunks are added in their order


@dataclass
class Derivatives:
    """Loss and derivatives of all rows, weights included.

    Parameters
    ----------
    losses : float64 ndarray of shape (k,) or (1,)
        Weighted mean of the losses: of each output, where a row's loss is their sum,
        else of all.
    g : ndarray of shape (k, n)
        Gradients.
    h : ndarray of shape (k, n) or None
        Hessians; None where the loss has none or they are all 1.
    """

    losses: Array
    g: Array
    h: Array | None

    @property
    def loss(self) -> float:
        """Weighted mean of the rows' losses."""
        return float(self.losses.sum())


def derivatives(
    loss: Loss,
    y: Array,
    raw: Array,
    weight: Array | None,
    memory: dict[str, Array],
    least: Array | None = None,
) -> Derivatives:
    """Evaluate a loss on all rows.

    Parameters
    ----------
    loss : Loss
        The loss.
    y : ndarray of shape (n,) or (n, k)
        Targets, as the loss wants them.
    raw : float64 ndarray of shape (n, k)
        Raw predictions.
    weight : float64 ndarray of shape (n,) or None
        Sample weights.
    memory : dict
        Where arrays are kept from round to round.
    least : float64 ndarray of shape (k,), default=None
        Smallest Hessian of each output for a gradient of 1 or −1, see `TrustRegion`;
        None: 0.

    Returns
    -------
    derivatives : Derivatives
        Loss, gradients and Hessians.

    Raises
    ------
    NotFiniteError
        If a loss is not finite, or a derivative of a custom loss.
    ValueError
        If a custom loss returns a wrong shape.
    """
    least = np.zeros(raw.shape[1]) if least is None else least
    if loss.twin and use_numba():
        result = _compiled(loss, y, raw, weight, memory, least)
    else:
        result = _reference(loss, y, raw, weight, least)
    if not np.isfinite(result.loss):
        raise NotFiniteError(
            f"The loss {type(loss).__name__} is {result.loss}: the steps are too "
            "long or the targets too large. Lower learning_rate, raise "
            "l2_regularization, or scale the targets."
        )
    return result


def _reference(
    loss: Loss, y: Array, raw: Array, weight: Array | None, least: Array
) -> Derivatives:
    if loss.verified and y.ndim == 2 and raw.shape[1] > 1:
        # Outputs apart: NumPy's loops over rows of a few numbers are slow.
        values, g, h = loss.derivatives(y, np.asfortranarray(raw), _by_columns)
    else:
        values, g, h = loss.derivatives(y, raw)
    own = None if loss.verified else True
    g = np.array(g.T, dtype=np.float64, order="C", copy=own)
    if loss.constant_hessian and weight is None:
        h = None
    if h is not None:
        h = np.array(h.T, dtype=np.float64, order="C")
        np.maximum(h, least[:, None] * np.abs(g), out=h)
    if weight is not None:
        g *= weight
        if h is not None:
            h *= weight
    return Derivatives(mean_losses(y, values, weight), g, h)


def _by_columns(shape: Shape, dtype: DTypeLike = np.float64) -> Array:
    return np.empty(shape, dtype, order="F")


def mean_losses(y: Array, values: Array, weight: Array | None) -> Array:
    """Return the weighted mean of losses, of each output where they are separate.

    Parameters
    ----------
    y : ndarray of shape (n,) or (n, k)
        Targets; classes share their raw predictions.
    values : float64 ndarray of shape (n,) or (n, k)
        Losses of rows, or of rows and outputs.
    weight : float64 ndarray of shape (n,) or None
        Sample weights.

    Returns
    -------
    losses : float64 ndarray of shape (1,) or (k,)
        The means.
    """
    values = values.reshape(len(values), -1)
    if y.ndim == 1 and values.shape[1] > 1:
        values = values.sum(axis=1, keepdims=True)
    if weight is None:
        return values.sum(axis=0) / len(values)
    return (values * weight[:, None]).sum(axis=0) / weight.sum()


def _compiled(
    loss: Loss,
    y: Array,
    raw: Array,
    weight: Array | None,
    memory: dict[str, Array],
    least: Array,
) -> Derivatives:
    kernel: Callable[..., None] = getattr(
        import_module("skdl.boosting._numba.derivatives"), loss.twin
    )
    y = np.ascontiguousarray(y)  # each layout would be compiled by itself
    n, k = raw.shape
    has_h = not loss.constant_hessian or weight is not None
    if "g" not in memory:
        memory["g"] = np.empty((k, n))
        memory["h"] = np.empty((k, n if has_h else 0))
    g, h = memory["g"], memory["h"]
    weighted = weight is not None
    weights = np.empty(0) if weight is None else weight
    n_chunks = -(-n // _ROWS)
    totals = np.empty((n_chunks, k if y.ndim == 2 else 1))

    def evaluate(chunk: int) -> None:
        start, end = chunk * _ROWS, min(n, (chunk + 1) * _ROWS)
        rows = start, end
        kernel(y, raw, weights, weighted, least, *rows, g, h, totals[chunk])

    run_chunks(evaluate, n_chunks)
    total = n if weight is None else float(weight.sum())
    return Derivatives(totals.sum(axis=0) / total, g, h if has_h else None)
