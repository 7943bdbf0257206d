"""What a transform of training pictures is, and the registry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from skdl._base import ParameterObject
from skdl._registry import Registry
from skdl._typing import Array

Empty = Callable[..., Array]


class Transform(ParameterObject):
    """Base of transforms: hyper-parameters alone; the randomness comes from outside.

    A subclass defines `pictures`, or, if targets change too, `__call__`. The parts of a
    batch that come in must not be changed: they may be the user's.

    Attributes
    ----------
    mixes : bool
        Whether targets of several samples are mixed. Classes then come as shares,
        (n, n_classes).
    moves : bool
        Whether pixels come to other places. A label map or a box would have to move
        with them.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.augment import Transform
    >>> class Negative(Transform):
    ...     def pictures(self, x, rng, empty=np.empty):
    ...         return 255 - x
    >>> x = np.array([0, 200], np.uint8).reshape(1, 1, 2, 1)
    >>> Negative().pictures(x, np.random.default_rng(0)).ravel()
    array([255,  55], dtype=uint8)
    >>> from skdl import CNNClassifier
    >>> model = CNNClassifier(augment=[Negative(), "shift"])
    """

    mixes: ClassVar[bool] = False
    moves: ClassVar[bool] = False

    def __call__(
        self,
        x: Array,
        y: Array,
        weight: Array | None,
        rng: np.random.Generator,
        empty: Empty = np.empty,
    ) -> tuple[Array, Array, Array | None]:
        """Change a batch.

        Parameters
        ----------
        x : ndarray of shape (n, h, w, c)
            Pictures, of bytes or of any other type.
        y : ndarray of shape (n, ...)
            Targets, as the loss takes them.
        weight : ndarray of shape (n,) or None
            Weights of the samples; None means 1 each.
        rng : numpy.random.Generator
            The source of randomness.
        empty : callable, default=numpy.empty
            ``empty(shape, dtype)`` gives memory for results.

        Returns
        -------
        x : ndarray of shape (n, h, w, c)
            Pictures of the same type.
        y : ndarray of shape (n, ...)
            Their targets.
        weight : ndarray of shape (n,) or None
            Their weights.
        """
        return self.pictures(x, rng, empty), y, weight

    def pictures(
        self, x: Array, rng: np.random.Generator, empty: Empty = np.empty
    ) -> Array:
        """Change the pictures of a batch.

        Parameters
        ----------
        x : ndarray of shape (n, h, w, c)
            Pictures, of bytes or of any other type; they must not be changed.
        rng : numpy.random.Generator
            The source of randomness.
        empty : callable, default=numpy.empty
            ``empty(shape, dtype)`` gives memory for results.

        Returns
        -------
        x : ndarray of shape (n, h, w, c)
            Pictures of the same type.
        """
        raise TypeError(f"{type(self).__name__} must define pictures.")


registry = Registry("transform", Transform)
register = registry.register
get = registry.get
names = registry.names


def resolve(transforms: Sequence[Transform | str] | None) -> list[Transform]:
    """Return transforms that are ready for use.

    Parameters
    ----------
    transforms : sequence of Transform or str, or None
        In their order; None is none.

    Returns
    -------
    transforms : list of Transform
        Copies with checked settings.

    Raises
    ------
    TypeError
        If it is not a sequence of transforms.
    ValueError
        If a name is unknown or a setting is out of range.

    Examples
    --------
    >>> from skdl.augment import Shift, resolve
    >>> resolve([Shift(2), "flip"])
    [Shift(largest=2), Flip()]
    >>> resolve(None)
    []
    """
    if transforms is None:
        return []
    if isinstance(transforms, str) or not hasattr(transforms, "__iter__"):
        raise TypeError(
            "Transforms must come in a list, such as [Shift(2), 'flip'], got "
            f"{transforms!r}."
        )
    return [registry.get(transform).settled() for transform in transforms]


def rounded(values: Array, out: Array) -> Array:
    """Write real numbers to pictures of any type, whole ones rounded and clipped.

    Parameters
    ----------
    values : ndarray
        Numbers; overwritten.
    out : ndarray of the same shape
        Receives them.

    Returns
    -------
    out : ndarray
        The pictures.
    """
    if out.dtype.kind in "iu":
        bounds = np.iinfo(out.dtype)
        np.rint(values, out=values)
        np.clip(values, bounds.min, bounds.max, out=values)
    elif out.dtype.kind == "b":
        return np.greater(values, 0.5, out=out)
    np.copyto(out, values, casting="unsafe")
    return out


def real_type(x: Array) -> Any:
    """Return the type in which pictures are computed.

    Parameters
    ----------
    x : ndarray
        Pictures.

    Returns
    -------
    dtype : dtype
        Their own if they are real numbers; float32 for bytes.
    """
    if x.dtype.kind == "f":
        return x.dtype
    return np.dtype(np.float32 if x.dtype.itemsize == 1 else np.float64)
