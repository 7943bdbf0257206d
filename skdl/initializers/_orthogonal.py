"""Orthogonal starting weights."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skdl._settings import NUMBER
from skdl.initializers._initializer import Initializer, register


@register("orthogonal")
class Orthogonal(Initializer):
    """A random matrix with orthonormal columns, or rows where there are fewer of them.

    All axes but the last are taken together as the rows (Saxe et al. 2014). The signs
    of the QR factors are fixed, so that the matrix is uniform among the orthogonal
    ones (Mezzadri 2007).

    Parameters
    ----------
    gain : float, default=1.0
        Factor on the matrix. With 1 a square one keeps the length of what it
        multiplies, step after step of a recurrent layer.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.initializers import Orthogonal
    >>> W = Orthogonal(gain=2)((50, 3), np.random.default_rng(0))
    >>> np.allclose(W.T @ W, 4 * np.eye(3))
    True
    """

    _parameter_constraints: dict[str, Any] = {
        "gain": NUMBER,
    }

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[Any]:
        if len(shape) < 2:
            raise ValueError(
                f"The orthogonal initializer needs two axes or more, got {shape}; "
                'for biases use "zeros".'
            )
        n_rows, n_columns = math.prod(shape[:-1]), shape[-1]
        tall = rng.normal(size=(max(n_rows, n_columns), min(n_rows, n_columns)))
        q, r = np.linalg.qr(tall)
        q *= np.sign(np.diagonal(r))
        if n_rows < n_columns:
            q = q.T
        return self.gain * q.reshape(shape)
