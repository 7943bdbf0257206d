"""Shapes of pictures: as users give them, and those of flat rows."""

from __future__ import annotations

import math
from typing import Any

from skdl._compat import Integral
from skdl._typing import Shape

_STRIP = 32  # as many flat features may be one row of pixels
CHANNELS = (1, 3, 4)
PICTURE = 8  # pixels along a side that are a picture's without doubt


def given_shape(input_shape: Any) -> Shape | None:
    """Return the parameter `input_shape` as height, width and channels.

    Parameters
    ----------
    input_shape : sequence of int or None
        What the user passed: (h, w, c), or (h, w) for one channel.

    Returns
    -------
    shape : tuple of (int, int, int) or None
        None if nothing was passed.

    Raises
    ------
    ValueError
        If it is no such shape.
    """
    if input_shape is None:
        return None
    shape = tuple(input_shape)
    whole = all(isinstance(n, Integral) and int(n) >= 1 for n in shape)
    if len(shape) not in (2, 3) or not whole:
        raise ValueError(
            "input_shape must be (height, width, channels), or (height, width) for one "
            f"channel, got {input_shape!r}."
        )
    h, w, c = (*map(int, shape), 1)[:3]
    if c > 4 and h in CHANNELS and h < PICTURE <= w == c:
        raise ValueError(
            f"input_shape={input_shape!r} looks like (channels, height, width); "
            f"channels come last: input_shape={(w, c, h)}, and X.reshape(-1, {h}, {w}, "
            f"{c}).transpose(0, 2, 3, 1) where X has them first."
        )
    return h, w, c


def flat_shape(given: Shape | None, n_features: int) -> Shape:
    """Return the shape of pictures that come as rows of numbers.

    Parameters
    ----------
    given : tuple of (int, int, int) or None
        What the user said.
    n_features : int
        Numbers in a row.

    Returns
    -------
    shape : tuple of (int, int, int)
        What was given; else a grey square; of few numbers that are no square one row
        of pixels.

    Raises
    ------
    ValueError
        If the numbers do not make such a picture.
    """
    if given is not None:
        if math.prod(given) == n_features:
            return given
        raise ValueError(
            f"input_shape={given} has {math.prod(given)} numbers, but the rows of X "
            f"have {n_features} features."
        )
    side = math.isqrt(n_features)
    if side * side == n_features:
        return side, side, 1
    if n_features <= _STRIP:
        return 1, n_features, 1
    colour = math.isqrt(n_features // 3)
    hint = f", such as {(colour, colour, 3)}" if 3 * colour**2 == n_features else ""
    raise ValueError(
        f"X has {n_features} features, which make no grey square: pass "
        f"input_shape=(height, width, channels){hint}, or X of shape (n_samples, "
        "height, width, channels)."
    )
