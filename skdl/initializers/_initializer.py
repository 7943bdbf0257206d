"""What an initializer is, and the registry of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from skdl._base import ParameterObject
from skdl._registry import Registry


class Initializer(ParameterObject):
    """Base of initializers: ``initializer(shape, rng, dtype) -> array``.

    A subclass defines `draw`.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.initializers import Initializer
    >>> class Eye(Initializer):
    ...     def draw(self, shape, rng):
    ...         return np.eye(*shape)
    >>> Eye()((2, 3), np.random.default_rng(0))
    array([[1., 0., 0.],
           [0., 1., 0.]])
    """

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[Any]:
        """Draw an array in double precision.

        Parameters
        ----------
        shape : tuple of int
            Shape of the parameter; the last axis is the output.
        rng : numpy.random.Generator
            The source of randomness.

        Returns
        -------
        values : ndarray of the given shape
            The starting values.
        """
        raise TypeError(f"{type(self).__name__} must define draw(shape, rng).")

    def __call__(
        self,
        shape: tuple[int, ...],
        rng: np.random.Generator,
        dtype: DTypeLike = np.float64,
    ) -> NDArray[Any]:
        """Return starting values of the given shape and type.

        Parameters
        ----------
        shape : tuple of int
            Shape of the parameter; the last axis is the output.
        rng : numpy.random.Generator
            The source of randomness. Both precisions draw the same numbers.
        dtype : dtype, default=np.float64
            Type of the result.

        Returns
        -------
        values : ndarray of the given shape
            The starting values.

        Raises
        ------
        ValueError, TypeError
            If a setting is out of range.
        """
        return self.settled().draw(shape, rng).astype(dtype, copy=False)


registry: Registry[Initializer] = Registry(
    "initializer", Initializer, reserved=("auto",)
)
register = registry.register
get = registry.get
names = registry.names


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return the number of inputs and outputs that one weight array connects.

    Parameters
    ----------
    shape : tuple of int
        (n_in, n_out) of a dense layer, or kernel + (n_in, n_out) of a convolution
        with n_in input channels per group; a vector has both fans equal.

    Returns
    -------
    fan_in, fan_out : int
        Numbers of connections into one output and out of one input.

    Examples
    --------
    >>> from skdl.initializers import fans
    >>> fans((64, 10))  # a dense layer
    (64, 10)
    >>> fans((3, 3, 16, 32))  # a convolution of 3×3, from 16 to 32 channels
    (144, 288)
    """
    if len(shape) < 2:
        size = shape[0] if shape else 1
        return size, size
    receptive_field = math.prod(shape[:-2])
    return shape[-2] * receptive_field, shape[-1] * receptive_field
