"""The contract of initializers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from skdl import initializers
from skdl._typing import Shape
from skdl.initializers import Initializer
from skdl.testing._assert import (
    attributes,
    check_parameter_object,
    equal,
    finite,
    same,
)

SHAPES = ((7, 5), (4, 9), (3, 3, 2, 6))


def check_initializer(
    initializer: str | Initializer,
    shapes: Sequence[Shape] = SHAPES,
    *,
    seed: int = 0,
) -> None:
    """Check that an initializer keeps the contract of `Initializer`.

    It gives finite values of the shape and type asked for, in memory of the caller's
    own; draws from the generator that it gets and from nothing else, so that the same
    seed gives the same bits; both precisions draw the same numbers; the object clones
    and pickles and does not change itself.

    Parameters
    ----------
    initializer : str or Initializer
        Name or instance.
    shapes : sequence of tuple of int, default=((7, 5), (4, 9), (3, 3, 2, 6))
        What to draw: the weights of a dense layer and of a convolution.
    seed : int, default=0
        Seed of the draws.

    Raises
    ------
    AssertionError
        If the initializer breaks its contract.

    Examples
    --------
    >>> from skdl.testing import check_initializer
    >>> check_initializer("he_normal")
    """
    initializer = initializers.get(initializer)
    check_parameter_object(initializer)
    before, world = attributes(initializer), _global_state()
    for shape in shapes:
        _check_draw(initializer, tuple(shape), seed)
    assert attributes(initializer) == before, (
        f"{initializer!r} changed its own attributes"
    )
    assert _global_state() == world, (
        f"{initializer!r} draws from NumPy's global generator; draw from rng alone"
    )


def _check_draw(initializer: Initializer, shape: Shape, seed: int) -> None:
    name = f"{initializer!r} of shape {shape}"

    def draw(dtype: Any = np.float64) -> Any:
        return initializer(shape, np.random.default_rng(seed), dtype)

    values = draw()
    equal(type(values), np.ndarray, f"{name}: type")
    equal(values.shape, shape, f"{name}: shape")
    equal(values.dtype, np.dtype(np.float64), f"{name}: type of the values")
    finite(values, name)
    again = draw()
    same(again, values, f"{name}: a second draw with the same seed")
    assert not np.shares_memory(again, values), f"{name}: two draws share memory"
    assert values.flags.writeable, f"{name} is read-only; training changes it in place"
    single = draw(np.float32)
    equal(single.dtype, np.dtype(np.float32), f"{name}: type of float32 values")
    same(single, values.astype(np.float32), f"{name}: the draw in float32")


def _global_state() -> str:
    return repr(np.random.get_state(legacy=False))  # noqa: NPY002
