"""What a round of boosting needs of the loss, over all rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

import numpy as np

from skdl._config import use_numba
from skdl._typing import Array
from skdl.losses import Loss
from skdl.ops._threads import run_chunks

_ROWS = 65536  # rows of a chunk; the sums of chunks are added in their order


@dataclass
class Derivatives:
    """Loss and derivatives of all rows, weights included.

    Parameters
    ----------
    loss : float
        Weighted mean of the losses.
    g : ndarray of shape (k, n)
        Gradients.
    h : ndarray of shape (k, n) or None
        Hessians; None where the loss has none or they are all 1.
    """

    loss: float
    g: Array
    h: Array | None


def derivatives(
    loss: Loss, y: Array, raw: Array, weight: Array | None, memory: dict[str, Array]
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

    Returns
    -------
    derivatives : Derivatives
        Loss, gradients and Hessians.

    Raises
    ------
    ValueError
        If a loss is not finite, or a custom loss returns a wrong shape or a derivative
        that is not finite.
    """
    if loss.twin and use_numba():
        result = _compiled(loss, y, raw, weight, memory)
    else:
        result = _reference(loss, y, raw, weight)
    if not np.isfinite(result.loss):
        raise ValueError(
            f"The loss {type(loss).__name__} is {result.loss}: the steps are too "
            "long or the targets too large. Lower learning_rate, raise "
            "l2_regularization, or scale the targets."
        )
    return result


def _reference(loss: Loss, y: Array, raw: Array, weight: Array | None) -> Derivatives:
    values, g, h = loss.derivatives(y, raw)
    g = np.array(g.T, dtype=np.float64, order="C")
    if h is not None:
        h = np.array(h.T, dtype=np.float64, order="C")
    if loss.constant_hessian and weight is None:
        h = None
    if weight is not None:
        values = values * (weight if values.ndim == 1 else weight[:, None])
        g *= weight
        if h is not None:
            h *= weight
    total = len(raw) if weight is None else float(weight.sum())
    return Derivatives(float(values.sum()) / total, g, h)


def _compiled(
    loss: Loss,
    y: Array,
    raw: Array,
    weight: Array | None,
    memory: dict[str, Array],
) -> Derivatives:
    kernel: Callable[..., float] = getattr(
        import_module("skdl.boosting._numba.derivatives"), loss.twin
    )
    n, k = raw.shape
    has_h = not loss.constant_hessian or weight is not None
    if "g" not in memory:
        memory["g"] = np.empty((k, n))
        memory["h"] = np.empty((k, n if has_h else 0))
    g, h = memory["g"], memory["h"]
    weighted = weight is not None
    weights = np.empty(0) if weight is None else weight
    n_chunks = -(-n // _ROWS)
    totals = np.empty(n_chunks)

    def evaluate(chunk: int) -> None:
        start, end = chunk * _ROWS, min(n, (chunk + 1) * _ROWS)
        totals[chunk] = kernel(y, raw, weights, weighted, start, end, g, h)

    run_chunks(evaluate, n_chunks)
    total = n if weight is None else float(weight.sum())
    return Derivatives(float(totals.sum()) / total, g, h if has_h else None)
