"""Transforms of what pixels show: brightness, holes, mixtures."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdl._compat import Integral, Interval, Real
from skdl._settings import NUMBER, POSITIVE, SHARE
from skdl._typing import Array
from skdl.augment._place import pixels
from skdl.augment._transform import Empty, Transform, real_type, register, rounded


@register("brightness")
class Brightness(Transform):
    """Each picture times a factor of its own.

    Parameters
    ----------
    change : float, default=0.2
        Factors are drawn evenly from [1 − change, 1 + change]; in [0, 1). Whole numbers
        are rounded, and stay within their type.

    Raises
    ------
    ValueError
        When a network is fitted, if `change` is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.augment import Brightness
    >>> x = np.full((1000, 2, 2, 1), 100, np.uint8)
    >>> y = Brightness(change=0.2).pictures(x, np.random.default_rng(0))
    >>> y.dtype, int(y.min()), int(y.max())
    (dtype('uint8'), 80, 120)
    """

    _parameter_constraints: dict[str, Any] = {"change": SHARE}

    def __init__(self, change: float = 0.2) -> None:
        self.change = change

    def pictures(
        self, x: Array, rng: np.random.Generator, empty: Empty = np.empty
    ) -> Array:
        factor = rng.uniform(1 - self.change, 1 + self.change, (len(x), 1, 1, 1))
        dtype = real_type(x)
        values = np.multiply(x, factor.astype(dtype), out=empty(x.shape, dtype))
        return values if dtype == x.dtype else rounded(values, empty(x.shape, x.dtype))


@register("cutout")
class Cutout(Transform):
    """A square hole in each picture (DeVries & Taylor 2017).

    Parameters
    ----------
    size : int or float, default=0.25
        Side of the hole: pixels (int, at least 1), or a share of the shorter side of
        the picture (float, in (0, 1)), rounded. Its centre is any pixel: the hole may
        lie partly outside.
    fill : float, default=0.0
        What is in it; 0 is black where pictures are not centred.

    Raises
    ------
    ValueError
        When a network is fitted, if a setting is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.augment import Cutout
    >>> x = np.ones((1, 6, 6, 1), int)
    >>> Cutout(size=3).pictures(x, np.random.default_rng(0))[0, ..., 0]
    array([[1, 1, 1, 1, 1, 1],
           [1, 1, 1, 1, 1, 1],
           [1, 1, 1, 1, 1, 1],
           [1, 1, 1, 1, 1, 1],
           [1, 1, 0, 0, 0, 1],
           [1, 1, 0, 0, 0, 1]])
    """

    _parameter_constraints: dict[str, Any] = {
        "size": [
            Interval(Integral, 1, None, closed="left"),
            Interval(Real, 0, 1, closed="neither"),
        ],
        "fill": NUMBER,
    }

    def __init__(self, size: float = 0.25, fill: float = 0.0) -> None:
        self.size = size
        self.fill = fill

    def pictures(
        self, x: Array, rng: np.random.Generator, empty: Empty = np.empty
    ) -> Array:
        n, h, w, _ = x.shape
        side = pixels(self.size, min(h, w))
        corner = rng.integers(0, [[h], [w]], size=(2, n)) - side // 2
        end, start = corner + side, np.maximum(corner, 0)
        out = empty(x.shape, x.dtype)
        out[...] = x
        spans = zip(*start.tolist(), *end.tolist(), strict=True)
        for picture, (top, left, bottom, right) in zip(out, spans, strict=True):
            picture[top:bottom, left:right] = self.fill
        return out


@register("mixup")
class Mixup(Transform):
    """Each sample mixed with another one of its batch (Zhang et al. 2018).

    x ← λx + (1−λ)x′, y ← λy + (1−λ)y′ with λ ~ Beta(alpha, alpha) for each sample;
    classes are mixed as shares. Weights are mixed too, and count the targets: the loss
    of a mixture is that of a sample of weight λw + (1−λ)w′.

    Parameters
    ----------
    alpha : float, default=0.2
        Small: one of the two has almost all of the share. Positive.

    Raises
    ------
    ValueError
        When a network is fitted, if `alpha` is not positive, or the loss takes no
        shares of classes.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.augment import Mixup
    >>> x = np.array([0.0, 100.0]).reshape(2, 1, 1, 1)
    >>> y = np.eye(2)
    >>> mixed, shares, _ = Mixup(alpha=1.0)(x, y, None, np.random.default_rng(3))
    >>> np.allclose(mixed.ravel(), 100 * shares[:, 1]), shares.sum(axis=1)
    (True, array([1., 1.]))
    >>> bool((0 < shares).all())
    True
    """

    mixes = True
    _parameter_constraints: dict[str, Any] = {"alpha": POSITIVE}

    def __init__(self, alpha: float = 0.2) -> None:
        self.alpha = alpha

    def __call__(
        self,
        x: Array,
        y: Array,
        weight: Array | None,
        rng: np.random.Generator,
        empty: Empty = np.empty,
    ) -> tuple[Array, Array, Array | None]:
        n = len(x)
        share = rng.beta(self.alpha, self.alpha, n)
        partner = rng.permutation(n)
        mixed = _mixed(x, partner, share, real_type(x), empty)
        if mixed.dtype != x.dtype:
            mixed = rounded(mixed, empty(x.shape, x.dtype))
        if weight is not None:
            own, other = share * weight, (1.0 - share) * weight[partner]
            total = own + other
            weight = total.astype(weight.dtype)
            share = np.divide(own, total, out=share, where=total > 0)
        return mixed, _mixed(y, partner, share, y.dtype, empty), weight


def _mixed(a: Array, partner: Array, share: Array, dtype: Any, empty: Empty) -> Array:
    """Return share·a + (1 − share)·a[partner]."""
    out, other = empty(a.shape, dtype), empty(a.shape, a.dtype)
    a.take(partner, axis=0, out=other, mode="clip")
    part = share.reshape(-1, *(1,) * (a.ndim - 1)).astype(dtype)
    np.multiply(a, part, out=out)
    if a.dtype == dtype:
        other *= 1 - part
        out += other
        return out
    return np.add(out, other * (1 - part), out=out)
