"""Transforms that move pixels: shifts, mirrors, rotations, crops."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdl._compat import Integral, Interval, Real
from skdl._settings import NUMBER
from skdl._typing import Array
from skdl.augment._transform import Empty, Transform, register
from skdl.ops.warp import warp


@register("shift")
class Shift(Transform):
    """Each picture moved by whole pixels, down or up and to a side.

    Parameters
    ----------
    largest : int or float, default=0.1
        The largest shift in either direction: pixels (int), or a share of the height
        and of the width (float, in [0, 1)), rounded. All whole shifts up to it are
        equally probable.
    fill : float, default=0.0
        What comes in from outside; 0 is black where pictures are not centred.

    Raises
    ------
    ValueError
        When a network is fitted, if a setting is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.augment import Shift
    >>> x = np.zeros((1000, 5, 5, 1))
    >>> x[:, 2, 2] = 1  # one bright pixel in the middle
    >>> moved = Shift(1).pictures(x, np.random.default_rng(0))
    >>> moved.mean(axis=0)[..., 0].round(1)
    array([[0. , 0. , 0. , 0. , 0. ],
           [0. , 0.1, 0.1, 0.1, 0. ],
           [0. , 0.1, 0.1, 0.1, 0. ],
           [0. , 0.1, 0.1, 0.1, 0. ],
           [0. , 0. , 0. , 0. , 0. ]])
    """

    moves = True

    _parameter_constraints: dict[str, Any] = {
        "largest": [
            Interval(Integral, 0, None, closed="left"),
            Interval(Real, 0, 1, closed="left"),
        ],
        "fill": NUMBER,
    }

    def __init__(self, largest: float = 0.1, fill: float = 0.0) -> None:
        self.largest = largest
        self.fill = fill

    def pictures(
        self, x: Array, rng: np.random.Generator, empty: Empty = np.empty
    ) -> Array:
        n, h, w, c = x.shape
        p, q = pixels(self.largest, h), pixels(self.largest, w)
        down, right = rng.integers(0, [[2 * p + 1], [2 * q + 1]], size=(2, n))
        framed = empty((n, h + 2 * p, w + 2 * q, c), x.dtype)
        framed[...] = self.fill
        framed[:, p : p + h, q : q + w] = x
        out = empty(x.shape, x.dtype)
        for i, (top, left) in enumerate(
            zip(down.tolist(), right.tolist(), strict=True)
        ):
            out[i] = framed[i, top : top + h, left : left + w]
        return out


def pixels(size: float, side: int) -> int:
    """Return a size in pixels.

    Parameters
    ----------
    size : int or float
        Pixels, or a share of the side.
    side : int
        Pixels along the side.

    Returns
    -------
    n : int
        Not more than the side.
    """
    return min(size if isinstance(size, Integral) else round(size * side), side)


@register("flip")
class Flip(Transform):
    """Some pictures mirrored.

    Parameters
    ----------
    horizontal : bool, default=True
        Whether left and right may be exchanged.
    vertical : bool, default=False
        Whether top and bottom may be exchanged.
    share : float, default=0.5
        The probability of either, in [0, 1].

    Raises
    ------
    ValueError
        When a network is fitted, if a setting is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.augment import Flip
    >>> x = np.arange(4).reshape(1, 2, 2, 1)
    >>> rng = np.random.default_rng(0)
    >>> Flip(share=1).pictures(x, rng)[0, ..., 0]
    array([[1, 0],
           [3, 2]])
    >>> Flip(horizontal=False, vertical=True, share=1).pictures(x, rng)[0, ..., 0]
    array([[2, 3],
           [0, 1]])
    """

    moves = True

    _parameter_constraints: dict[str, Any] = {
        "horizontal": ["boolean"],
        "vertical": ["boolean"],
        "share": [Interval(Real, 0, 1, closed="both")],
    }

    def __init__(
        self, horizontal: bool = True, vertical: bool = False, share: float = 0.5
    ) -> None:
        self.horizontal = horizontal
        self.vertical = vertical
        self.share = share

    def pictures(
        self, x: Array, rng: np.random.Generator, empty: Empty = np.empty
    ) -> Array:
        out = empty(x.shape, x.dtype)
        out[...] = x
        if self.horizontal:
            which = np.flatnonzero(rng.random(len(x)) < self.share)
            out[which] = out[which, :, ::-1]
        if self.vertical:
            which = np.flatnonzero(rng.random(len(x)) < self.share)
            out[which] = out[which, ::-1]
        return out


@register("rotate")
class Rotate(Transform):
    """Each picture turned about its centre, pixels interpolated linearly.

    Parameters
    ----------
    degrees : float, default=15.0
        The largest angle in either direction, in [0, 180]; all are equally probable.
    fill : float, default=0.0
        What comes in from outside; 0 is black where pictures are not centred.

    Raises
    ------
    ValueError
        When a network is fitted, if a setting is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.augment import Rotate
    >>> x = np.zeros((200, 9, 9, 1))
    >>> x[:, 4] = 1  # a line across the middle; where is it three pixels to the right?
    >>> for degrees in (5, 20, 40):
    ...     turned = Rotate(degrees).pictures(x, np.random.default_rng(0))
    ...     print(degrees, sorted(set(turned[:, :, 7, 0].argmax(axis=1).tolist())))
    5 [4]
    20 [3, 4, 5]
    40 [2, 3, 4, 5, 6]
    """

    moves = True

    _parameter_constraints: dict[str, Any] = {
        "degrees": [Interval(Real, 0, 180, closed="both")],
        "fill": NUMBER,
    }

    def __init__(self, degrees: float = 15.0, fill: float = 0.0) -> None:
        self.degrees = degrees
        self.fill = fill

    def pictures(
        self, x: Array, rng: np.random.Generator, empty: Empty = np.empty
    ) -> Array:
        n, h, w, _ = x.shape
        angle = np.deg2rad(rng.uniform(-self.degrees, self.degrees, n))
        cos, sin = np.cos(angle), np.sin(angle)
        maps = np.empty((n, 2, 3))
        maps[:, 0, 0], maps[:, 0, 1] = cos, sin
        maps[:, 1, 0], maps[:, 1, 1] = -sin, cos
        centre = np.array([(h - 1) / 2, (w - 1) / 2])
        maps[:, :, 2] = centre - maps[:, :, :2] @ centre
        return warp(x, maps, empty(x.shape, x.dtype), self.fill, empty)


@register("crop_resize")
class CropResize(Transform):
    """A part of each picture, enlarged to the whole, pixels interpolated linearly.

    Parameters
    ----------
    smallest : float, default=0.8
        The least height and width of the part as a share of the picture's, in (0, 1];
        all shares up to 1, and all places, are equally probable.

    Raises
    ------
    ValueError
        When a network is fitted, if the share is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.augment import CropResize
    >>> ramp = np.tile(np.arange(10.0)[:, None, None], (100, 1, 10, 1))
    >>> parts = CropResize(smallest=0.5).pictures(ramp, np.random.default_rng(0))
    >>> parts.shape
    (100, 10, 10, 1)
    >>> step = parts[:, 5, 0, 0] - parts[:, 4, 0, 0]  # 1 in the whole picture
    >>> print(f"from {step.min():.2f} to {step.max():.2f}")
    from 0.50 to 1.00
    """

    moves = True

    _parameter_constraints: dict[str, Any] = {
        "smallest": [Interval(Real, 0, 1, closed="right")],
    }

    def __init__(self, smallest: float = 0.8) -> None:
        self.smallest = smallest

    def pictures(
        self, x: Array, rng: np.random.Generator, empty: Empty = np.empty
    ) -> Array:
        n, h, w, _ = x.shape
        share = np.asarray(rng.uniform(self.smallest, 1.0, n))
        place: Array = rng.random((n, 2)) * (1.0 - share[:, None])
        maps = np.zeros((n, 2, 3))
        maps[:, 0, 0] = maps[:, 1, 1] = share
        # Pixel i has its centre at i + ½ of the picture's length.
        maps[:, :, 2] = place * (h, w) + 0.5 * share[:, None] - 0.5
        return warp(x, maps, empty(x.shape, x.dtype), None, empty)
