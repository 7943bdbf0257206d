"""The classic filters of image processing, as starts of convolutions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skdl._compat import StrOptions
from skdl.initializers._initializer import Initializer

_KERNELS = {
    "edges": [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]],
    "sharpen": [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
    "blur": np.full((3, 3), 1 / 9),
}


class Kernel(Initializer):
    """One fixed filter for every output channel of a convolution.

    It acts on the mean of the input channels; in `skdl.layers.DepthwiseConv2D`, on each
    channel alone. "edges" answers where a pixel differs from its eight neighbours,
    "sharpen" adds its difference from four of them, "blur" is the mean of a window.
    Without a name in the registry, as it suits filters of its own size alone.

    Parameters
    ----------
    kernel : {"edges", "sharpen", "blur"} or array-like of shape (h, w), default="edges"
        The filter; the named ones are 3×3. As in all of deep learning it is not
        flipped.

    Raises
    ------
    ValueError
        When called, if the array is no filter, or the weights are not those of a
        convolution with filters of its size.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.initializers import Kernel
    >>> from skdl.layers import DepthwiseConv2D
    >>> from skdl.networks import Network
    >>> layer = DepthwiseConv2D(padding="same", bias=False, initializer=Kernel("blur"))
    >>> network = Network([layer], (5, 5, 3))
    >>> network.initialize(np.random.default_rng(0))
    >>> float(network.predict(np.ones((1, 5, 5, 3)))[0, 2, 2, 0].round(6))
    1.0
    """

    _parameter_constraints: dict[str, Any] = {
        "kernel": [StrOptions(set(_KERNELS)), "array-like"]
    }

    def __init__(self, kernel: str | ArrayLike = "edges") -> None:
        self.kernel = kernel

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[Any]:
        given: Any = self.kernel
        kernel = np.asarray(_KERNELS[given] if isinstance(given, str) else given, float)
        if kernel.ndim != 2 or not kernel.size or not np.isfinite(kernel).all():
            raise ValueError(
                f"kernel must be a matrix of finite numbers, got {self.kernel!r}."
            )
        if len(shape) != 4 or shape[:2] != kernel.shape:
            raise ValueError(
                f"The kernel is {kernel.shape[0]}×{kernel.shape[1]}; it is for weights "
                f"(*{kernel.shape}, channels, filters) of a convolution, got shape "
                f"{shape}."
            )
        return np.broadcast_to(kernel[:, :, None, None] / shape[2], shape).copy()
