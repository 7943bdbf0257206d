"""Digits pasted on textures: pictures whose boxes and masks are known exactly."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from scipy.ndimage import zoom
from sklearn.utils import Bunch

from skdl._compat import Interval, Real, validate_parameter_constraints
from skdl._typing import Array
from skdl.datasets._pictures import load_mnist, load_textures

_INK = 0.5  # a pixel with so much ink belongs to the digit


class Scene(NamedTuple):
    """A picture of digits on a texture.

    Attributes
    ----------
    image : uint8 ndarray of shape (size, size)
        The picture.
    digits : int ndarray of shape (n_digits,)
        What is there, the one on top last.
    boxes : float ndarray of shape (n_digits, 4)
        Centre x and y, width and height of each, in units of the picture: the smallest
        box around its pixels.
    instances : uint8 ndarray of shape (size, size)
        0 for the background, and the number of the digit, from 1, for its pixels.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.datasets import Scene
    >>> box, mask = np.array([[0.5, 0.5, 0.25, 0.5]]), np.zeros((8, 8), np.int64)
    >>> scene = Scene(np.zeros((8, 8)), np.array([3]), box, mask)
    >>> scene.target
    array([1.  , 0.5 , 0.5 , 0.25, 0.5 ])
    """

    image: Array
    digits: Array
    boxes: Array
    instances: Array

    @property
    def labels(self) -> Array:
        """0 for the background, and one more than the digit for its pixels."""
        return np.r_[0, self.digits + 1][self.instances]

    @property
    def target(self) -> Array:
        """Present, centre x, y, width and height of the first digit; else 0 and NaN."""
        if not len(self.digits):
            return np.array([0.0, *4 * [np.nan]])
        return np.r_[1.0, self.boxes[0]]


class DigitScenes(Sequence[Scene]):
    """Digits pasted on textures, with their boxes and masks.

    A scene is made when it is asked for, from the seed and its number alone: the same
    one each time, whatever was asked for before. Of a million scenes none costs memory.

    Parameters
    ----------
    n_scenes : int, default=1000
        Number of scenes.
    size : int, default=48
        Pixels along a side.
    n_digits : int or pair of int, default=1
        How many digits a scene has, or the fewest and the most. They may cover each
        other; the box is that of the digit without what covers it.
    empty : float, default=0.0
        Share of scenes without any, in [0, 1].
    scale : pair of float, default=(0.6, 1.2)
        Smallest and largest height of a digit's picture, in units of those given (28
        pixels for MNIST).
    overhang : float, default=0.0
        Largest part of a digit's picture, along each side, that may lie outside, in [0,
        0.5): its box then reaches over the edge, and its mask ends there.
    random_state : int, default=0
        Seed; not negative.
    digits : tuple of (ndarray of shape (n, h, w), ndarray of shape (n,)), default=None
        Pictures with dark ground, of whole numbers up to 255 or of shares, and their
        classes; None takes `load_mnist`.
    textures : sequence of ndarray of shape (h, w), default=None
        Grey backgrounds of whole numbers up to 255, at least as large as a scene; None
        takes `load_textures`.

    Raises
    ------
    ValueError, TypeError
        If a setting is out of range.
    ImportError
        If a package is missing whose pictures are needed; the message names it.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_digits
    >>> from skdl.datasets import DigitScenes
    >>> images = load_digits().images / 16
    >>> ground = np.full((32, 32), 60, np.uint8)
    >>> scenes = DigitScenes(100, 32, scale=(1.0, 2.0), textures=[ground],
    ...                      digits=(images, load_digits().target))
    >>> scene = scenes[7]
    >>> scene.image.shape, scene.boxes.shape
    ((32, 32), (1, 4))
    >>> scenes.load(10).images.shape
    (10, 32, 32)
    """

    _constraints: dict[str, Any] = {
        "n_scenes": [Interval(Integral, 0, None, closed="left")],
        "size": [Interval(Integral, 4, None, closed="left")],
        "empty": [Interval(Real, 0, 1, closed="both")],
        "overhang": [Interval(Real, 0, 0.5, closed="left")],
        "random_state": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(
        self,
        n_scenes: int = 1000,
        size: int = 48,
        *,
        n_digits: int | Sequence[int] = 1,
        empty: float = 0.0,
        scale: Sequence[float] = (0.6, 1.2),
        overhang: float = 0.0,
        random_state: int = 0,
        digits: tuple[Any, Any] | None = None,
        textures: Sequence[Any] | None = None,
    ) -> None:
        given = {
            "n_scenes": n_scenes,
            "size": size,
            "empty": empty,
            "overhang": overhang,
            "random_state": random_state,
        }
        validate_parameter_constraints(self._constraints, given, type(self).__name__)
        self.n_scenes, self.size = int(n_scenes), int(size)
        self.empty, self.overhang = float(empty), float(overhang)
        self.random_state = int(random_state)
        self.n_digits = _pair(n_digits, "n_digits", 1)
        self.scale = _pair(scale, "scale", 0)
        self._ink, self._classes = _read_digits(digits)
        self._textures = _read_textures(textures, self.size)
        tallest = self.scale[1] * max(self._ink.shape[1:])
        if round(tallest) > self.size:
            raise ValueError(
                f"A digit may be {round(tallest)} pixels high, a scene has {self.size}:"
                f" use a larger size, or a scale of at most {self.size / tallest:.2g} "
                f"times {self.scale[1]:g}."
            )

    def __len__(self) -> int:
        return self.n_scenes

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(self.n_scenes))]
        i = int(index)
        if not -self.n_scenes <= i < self.n_scenes:
            raise IndexError(f"There are {self.n_scenes} scenes, got {index}.")
        return self._make(np.random.default_rng((self.random_state, i % self.n_scenes)))

    def __iter__(self) -> Iterator[Scene]:
        return (self[i] for i in range(self.n_scenes))

    def load(self, n_scenes: int | None = None) -> Bunch:
        """Return the first scenes as arrays.

        Parameters
        ----------
        n_scenes : int, default=None
            How many; None takes all.

        Returns
        -------
        bunch : Bunch
            ``images`` (n, size, size) in uint8; ``target`` (n, 5): present, centre x
            and y, width and height of the first digit, 0 and NaN where there is none;
            ``labels`` (n, size, size): 0 for the background, else one more than the
            digit; ``digits`` (n,): the first digit, -1 where there is none.
        """
        scenes = self[: self.n_scenes if n_scenes is None else n_scenes]
        shape = (0, self.size, self.size)
        return Bunch(
            images=np.array([s.image for s in scenes] or np.empty(shape, np.uint8)),
            target=np.array([s.target for s in scenes] or np.empty((0, 5))),
            labels=np.array([s.labels for s in scenes] or np.empty(shape, int)),
            digits=np.array([[*s.digits, -1][0] for s in scenes], dtype=int),
        )

    def _make(self, rng: np.random.Generator) -> Scene:
        size = self.size
        image = self._ground(rng)
        instances = np.zeros((size, size), np.uint8)
        low, high = self.n_digits
        n = 0 if rng.random() < self.empty else int(rng.integers(low, high + 1))
        classes, boxes = [], []
        for number in range(1, n + 1):
            which = int(rng.integers(len(self._ink)))
            factor = rng.uniform(*self.scale)
            ink = np.clip(zoom(self._ink[which], factor, order=1), 0, 1)
            rows, columns = np.nonzero(ink >= _INK)
            y0, y1, x0, x1 = (
                rows.min(),
                rows.max() + 1,
                columns.min(),
                columns.max() + 1,
            )
            top = self._place(len(ink), (y0 + y1) / 2, rng)
            left = self._place(len(ink[0]), (x0 + x1) / 2, rng)
            centre = left + (x0 + x1) / 2, top + (y0 + y1) / 2
            boxes.append(np.array([*centre, x1 - x0, y1 - y0]) / size)
            classes.append(self._classes[which])
            there, part = _overlap(top, left, ink, size)
            brightness = rng.uniform(0.8, 1.0)
            image[there] += part * (brightness - image[there])
            instances[there][part >= _INK] = number
        return Scene(
            np.rint(255 * image).astype(np.uint8),
            np.array(classes, int),
            np.array(boxes, float).reshape(-1, 4),
            instances,
        )

    def _ground(self, rng: np.random.Generator) -> Array:
        """Return a piece of a texture, turned, at most half as bright as ink."""
        texture = self._textures[int(rng.integers(len(self._textures)))]
        top, left = (int(rng.integers(n - self.size + 1)) for n in texture.shape)
        piece = texture[top : top + self.size, left : left + self.size]
        piece = np.rot90(piece, int(rng.integers(4)))
        return piece * (rng.uniform(0.3, 0.6) / 255)

    def _place(self, length: int, centre: float, rng: np.random.Generator) -> int:
        """Return where a digit's picture begins along an axis: its centre is inside."""
        out = int(self.overhang * length)
        first = max(-out, math.ceil(-centre))
        last = min(self.size - length + out, math.floor(self.size - centre))
        return int(rng.integers(first, last + 1))


def _overlap(top: int, left: int, ink: Array, size: int) -> tuple[Any, Array]:
    """Return the part of a scene that a digit covers, and that part of the digit."""
    h, w = ink.shape
    rows = slice(max(0, top), min(size, top + h))
    columns = slice(max(0, left), min(size, left + w))
    part = ink[
        rows.start - top : rows.stop - top, columns.start - left : columns.stop - left
    ]
    return (rows, columns), part


def _pair(value: Any, name: str, least: float) -> tuple[Any, Any]:
    both = (value, value) if np.ndim(value) == 0 else tuple(value)
    kind = Integral if least else Real
    if (
        len(both) != 2
        or not all(isinstance(v, kind) for v in both)
        or not (least <= both[0] <= both[1])
        or not both[0]
    ):
        raise ValueError(
            f"{name} must be a number or (smallest, largest), "
            f"{'at least 1' if least else 'positive'}, got {value!r}."
        )
    return both


def _read_digits(digits: tuple[Any, Any] | None) -> tuple[Array, Array]:
    """Return pictures in [0, 1] and classes; those without ink are left out."""
    if digits is None:
        bunch = load_mnist()
        digits = bunch.images, bunch.target
    images, classes = (np.asarray(part) for part in digits)
    if images.ndim != 3 or len(images) != len(classes) or not len(images):
        raise ValueError(
            "digits must be pictures (n, height, width) and their n classes, got "
            f"shapes {images.shape} and {classes.shape}."
        )
    scaled = images / (255.0 if images.dtype.kind in "iu" else 1.0)
    if scaled.min() < 0 or scaled.max() > 1:
        raise ValueError(
            "digits must be whole numbers up to 255 or shares from 0 to 1, got numbers "
            f"from {images.min():g} to {images.max():g}."
        )
    seen = scaled.max(axis=(1, 2)) > 0.9  # there is some left when they are shrunk
    if not seen.any():
        raise ValueError("digits are all dark: ink must come up to 1, or 255.")
    return scaled[seen], classes[seen]


def _read_textures(textures: Sequence[Any] | None, size: int) -> list[Array]:
    given = load_textures().values() if textures is None else textures
    found = [np.asarray(texture) for texture in given]
    if not found:
        raise ValueError("textures must have at least one.")
    for texture in found:
        if texture.ndim != 2 or min(texture.shape) < size:
            raise ValueError(
                f"textures must be grey and at least {size}×{size}, as scenes are; got "
                f"shape {texture.shape}."
            )
    return found
