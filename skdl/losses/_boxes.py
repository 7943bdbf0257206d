"""The loss of one object's box: is it there, where, and how large."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from scipy.special import expit, logit

from skdl._settings import NOT_NEGATIVE
from skdl._typing import Array
from skdl.losses._loss import Empty, Loss, register

_CENTRE, _SIZE = slice(1, 3), slice(3, 5)


@register("box")
class BoxLoss(Loss):
    """Whether an object is in a picture, where its centre is, and its size.

    With raw predictions z the presence is p = σ(z₀), the centre x = σ(z₁), y = σ(z₂),
    the size w = exp(z₃), h = exp(z₄). The loss is the sum of five parts::

        BCE(p, present)
        + present·box_weight·[BCE(x, x_c) + BCE(y, y_c)
                              + (z₃ − ln width)² + (z₄ − ln height)²],

    BCE(p, t) = −t·ln p − (1−t)·ln(1−p). Of the logarithms the same relative error costs
    the same, for small objects and for large ones.

    Targets have five columns: present (0 or 1), x_c and y_c in [0, 1], width and height
    > 0, in units of the picture. Where nothing is there the last four do not count and
    may be NaN.

    Parameters
    ----------
    box_weight : float, default=1.0
        What the four parts of the box are multiplied by; not negative. More counts
        place and size against the presence.

    Raises
    ------
    ValueError
        When called, or in `fit`, if `box_weight` is negative.

    Notes
    -----
    The cross-entropy of a centre is smallest where it is right, and not 0 there: x_c
    lies between 0 and 1.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.losses import BoxLoss
    >>> loss = BoxLoss()
    >>> y = np.array([[1, 0.5, 0.5, 0.2, 0.4], [0, np.nan, np.nan, np.nan, np.nan]])
    >>> predicted = [[0.99, 0.5, 0.5, 0.2, 0.4], [0.01, 0.1, 0.1, 0.1, 0.1]]
    >>> raw = loss.link(np.array(predicted))
    >>> loss.gradient(y, raw).round(2) + 0.0  # the box is right, and none where none is
    array([[-0.01,  0.  ,  0.  ,  0.  ,  0.  ],
           [ 0.01,  0.  ,  0.  ,  0.  ,  0.  ]])
    >>> round(BoxLoss(box_weight=0)(y, raw), 2)  # the presence alone
    0.01
    """

    verified = True
    task = "boxes"
    has_hessian = True
    parts: ClassVar[tuple[str, ...]] = ("presence", "x", "y", "width", "height")

    _parameter_constraints: dict[str, Any] = {
        "box_weight": NOT_NEGATIVE,
    }

    def __init__(self, box_weight: float = 1.0) -> None:
        self.box_weight = box_weight

    def evaluate(
        self, y: Array, raw: Array, empty: Empty = np.empty
    ) -> tuple[Array, Array]:
        target, there = self._targets(y, raw)
        loss = np.logaddexp(raw, 0.0, out=empty(raw.shape, raw.dtype))
        loss -= target * raw  # BCE of a sigmoid; the sizes are overwritten
        gradient = expit(raw, out=empty(raw.shape, raw.dtype))
        gradient -= target
        error = raw[:, _SIZE] - target[:, _SIZE]
        loss[:, _SIZE] = error * error
        gradient[:, _SIZE] = 2.0 * error
        counts = self.box_weight * there
        loss[:, 1:] *= counts
        gradient[:, 1:] *= counts
        return loss, gradient

    def hessian(self, y: Array, raw: Array) -> Array:
        there = self._targets(y, raw)[1]
        p = expit(raw)
        hessian = p * (1.0 - p)
        hessian[:, _SIZE] = 2.0
        hessian[:, 1:] *= self.box_weight * there
        return hessian

    def _targets(self, y: Array, raw: Array) -> tuple[Array, Array]:
        """Return what raw predictions are compared with, and where a box is."""
        there = (y[:, :1] > 0.5).astype(raw.dtype)
        target = np.where(there > 0, y, 0.5).astype(raw.dtype)
        target[:, :1] = there
        target[:, _SIZE] = np.log(target[:, _SIZE])
        return target, there

    def inverse_link(self, raw: Array) -> Array:
        prediction = expit(raw)
        prediction[:, _SIZE] = np.exp(raw[:, _SIZE])
        return prediction

    def link(self, prediction: Array) -> Array:
        raw = np.log(prediction)
        raw[:, :3] = logit(prediction[:, :3])
        return raw

    def check_targets(self, y: Array) -> None:
        if y.ndim != 2 or y.shape[1] != 5:
            raise ValueError(
                "Targets of boxes must have five columns, present, x_c, y_c, width and "
                f"height, got shape {y.shape}."
            )
        if not np.isin(y[:, 0], (0, 1)).all():
            raise ValueError(
                "The first column of y says whether an object is there, 0 or 1, got "
                f"{np.unique(y[:, 0])[:5].tolist()}."
            )
        boxes = y[y[:, 0] == 1, 1:]
        _raise_unless(
            np.isfinite(boxes).all(axis=1), y, "is not finite though an object is there"
        )
        inside = ((boxes[:, :2] >= 0) & (boxes[:, :2] <= 1)).all(axis=1)
        _raise_unless(
            inside,
            y,
            "has its centre outside the picture: x_c and y_c must lie in [0, 1] (the "
            "box itself may reach over the edge). Divide pixels by the picture's width "
            "and height, and mark objects with their centre outside as not present",
        )
        _raise_unless(
            (boxes[:, 2:] > 0).all(axis=1), y, "has a width or height that is not > 0"
        )

    def init_raw(self, y: Array, weight: Array | None = None) -> Array:
        eps = np.finfo(np.float64).eps
        raw = np.zeros(5)
        there = y[:, 0] > 0.5
        share = np.average(there, weights=weight)
        raw[0] = logit(np.clip(share, eps, 1.0 - eps))
        w = None if weight is None else weight[there]
        if there.any() and (w is None or w.any()):
            box = y[there, 1:].astype(np.float64)
            centre = np.average(box[:, :2], axis=0, weights=w)
            raw[_CENTRE] = logit(np.clip(centre, eps, 1.0 - eps))
            raw[_SIZE] = np.average(np.log(box[:, 2:]), axis=0, weights=w)
        return raw

    def n_raw_for_targets(self, n_targets: int) -> int:
        return 5


def _raise_unless(good: Any, y: Array, what: str) -> None:
    """Raise for the first box that is not good."""
    if good.all():
        return
    row = int(np.flatnonzero(y[:, 0] == 1)[np.argmin(good)])
    raise ValueError(f"The box of picture {row}, {y[row, 1:].tolist()}, {what}.")
