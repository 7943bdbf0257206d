"""3×3 convolutions by Winograd's minimal filtering, F(4×4, 3×3).

Y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A for patches d of 6×6 pixels and filters g (Lavin & Gray
2016): 36 products in place of 144 for 16 pixels of the output. Sums of large numbers
that cancel cost some accuracy: errors are about 5·10⁻⁶ to 10⁻⁵ of the largest result in
single precision, where those of the direct way are 3·10⁻⁷. The gradient to the filters
is Gᵀ[Σ (A dy Aᵀ) ⊙ (Bᵀ d B)]G, as many products again.
"""

from __future__ import annotations

import numpy as np

from skdl.ops.geometry import Conv

TILE = 4  # pixels of the output along a side
PATCH = 6  # and of the input
FEW = 64  # patches, for filters that are transformed anew
FEW_KEPT = 8  # and for those that were kept
FULL = 9  # of the 16 pixels of a tile, on average more than these are of the output
MOST = 2**17  # channels · filters: 36 products of them leave the cache
MOST_GRADIENTS = 2**14  # and of the gradient to the filters, of which there are sums
COLUMNS = 16  # channels and filters come in multiples of it

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
FILTERS = (  # G
    (1 / 4, 0, 0),
    (-1 / 6, -1 / 6, -1 / 6),
    (-1 / 6, 1 / 6, -1 / 6),
    (1 / 24, 1 / 12, 1 / 6),
    (1 / 24, -1 / 12, 1 / 6),
    (0, 0, 1),
)


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
        For single precision, filters of 3×3, stride and dilation 1, padding up to 2 on
        each side, one group, and channels and filters in multiples of 16.
    """
    return (
        dtype == np.float32
        and conv.groups == 1
        and conv.channels % COLUMNS == conv.filters % COLUMNS == 0
        and all(axis[2:5] == (3, 1, 1) for axis in conv.axes)
        # Beyond it the gradient's frame would have to be smaller than the gradient.
        and all(max(axis.before, axis.after) <= 2 for axis in conv.axes)
    )


def pays(conv: Conv, n: int, kept: bool, most: int = MOST) -> bool:
    """Return whether it is faster for so many pictures.

    To transform the filters takes longer than what it saves for few patches, and of
    transformed filters there are four times as many numbers to read.

    Parameters
    ----------
    conv : Conv
        The geometry.
    n : int
        Number of pictures.
    kept : bool
        Whether the filters are transformed once for many calls.
    most : int, default=MOST
        Channels · filters up to which it is.

    Returns
    -------
    pays : bool
        Whether there are more than `FEW` patches, or `FEW_KEPT`, that are full enough.
    """
    down, across = (-(-axis.out // TILE) for axis in conv.axes)
    pixels = conv.axes[0].out * conv.axes[1].out
    return (
        n * down * across > (FEW_KEPT if kept else FEW)
        and pixels > FULL * down * across
        and conv.channels * conv.filters <= most
    )
