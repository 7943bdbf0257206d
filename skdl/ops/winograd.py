"""3×3 convolutions by Winograd's minimal filtering, F(4×4, 3×3).

Y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A for patches d of 6×6 pixels and filters g (Lavin & Gray
2016): 36 products in place of 144 for 16 pixels of the output. Sums of large numbers
that cancel cost some accuracy: errors are about 5·10⁻⁶ to 10⁻⁵ of the largest result in
single precision, where those of the direct way are 3·10⁻⁷.
"""

from __future__ import annotations

import numpy as np

from skdl._typing import Array
from skdl.ops.geometry import Conv

TILE = 4  # pixels of the output along a side
PATCH = 6  # and of the input
FEW = 64  # patches
COLUMNS = 32  # channels and filters come in multiples of it

OUTPUT = (  # Aᵀ
    (1, 1, 1, 1, 1, 0),
    (0, 1, -1, 2, -2, 0),
    (0, 1, 1, 4, 4, 0),
    (0, 1, -1, 8, -8, 1),
)
INPUT = (  # Bᵀ
    (4, 0, -5, 0, 1, 0),
    (0, -4, -4, 1, 1, 0),
    (0, 4, -4, -1, 1, 0),
    (0, -2, -1, 2, 1, 0),
    (0, 2, -1, -2, 1, 0),
    (0, 4, 0, -5, 0, 1),
)
_FILTERS = np.array(  # G
    [
        [1 / 4, 0, 0],
        [-1 / 6, -1 / 6, -1 / 6],
        [-1 / 6, 1 / 6, -1 / 6],
        [1 / 24, 1 / 12, 1 / 6],
        [1 / 24, -1 / 12, 1 / 6],
        [0, 0, 1],
    ]
)
# Both sides at once: (36, 9).
_BOTH = np.kron(_FILTERS, _FILTERS).astype(np.float32)


def fits(conv: Conv, dtype: np.dtype) -> bool:
    """Return whether a convolution may be computed in this way.

    Parameters
    ----------
    conv : Conv
        The geometry.
    dtype : dtype
        Type of the numbers.

    Returns
    -------
    fits : bool
        For single precision, filters of 3×3, stride and dilation 1, padding up to 2,
        one group, and channels and filters in multiples of 32.
    """
    return (
        dtype == np.float32
        and conv.groups == 1
        and conv.channels % COLUMNS == conv.filters % COLUMNS == 0
        and all(axis[2:5] == (3, 1, 1) and axis.before <= 2 for axis in conv.axes)
    )


def pays(conv: Conv, n: int) -> bool:
    """Return whether so many pictures have enough patches.

    The filters are transformed anew for each call: for few patches that takes longer
    than what it saves.

    Parameters
    ----------
    conv : Conv
        The geometry.
    n : int
        Number of pictures.

    Returns
    -------
    pays : bool
        Whether there are more than `FEW` patches.
    """
    down, across = (-(-axis.out // TILE) for axis in conv.axes)
    return n * down * across > FEW


def transform_filters(W: Array, out: Array) -> Array:
    """Return G g Gᵀ for each pair of channels.

    Parameters
    ----------
    W : ndarray of shape (3, 3, c, k)
        Filters.
    out : ndarray of shape (36, c, k)
        Receives them.

    Returns
    -------
    out : ndarray of shape (36, c, k)
        The transformed filters.
    """
    flat = np.ascontiguousarray(W).reshape(9, -1)
    np.matmul(_BOTH, flat, out=out.reshape(PATCH * PATCH, -1))
    return out
