"""Sequences that come with installed packages."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.utils import Bunch

from skdl._typing import Array
from skdl.datasets._packages import folder_of


def load_japanese_vowels() -> Bunch:
    """Return recordings of two Japanese vowels, by nine speakers.

    Each is a sequence of 7 to 29 steps of 12 cepstral coefficients (Kudo, Toyama &
    Shimbo 1999).

    Returns
    -------
    bunch : Bunch
        ``data`` is a list of 270 float ndarrays of shape (n_steps, 12), ``target`` the
        speakers 1 to 9; ``data_test`` and ``target_test`` are 370 others.

    Raises
    ------
    ImportError
        If the package aeon, with which they come, is not installed (``pip install
        --no-deps aeon`` is enough).

    Examples
    --------
    >>> from skdl.datasets import load_japanese_vowels
    >>> voices = load_japanese_vowels()  # doctest: +SKIP
    >>> len(voices.data)  # doctest: +SKIP
    270
    """
    folder = folder_of("aeon", "--no-deps aeon", "The recordings")
    files = folder / "datasets" / "data" / "JapaneseVowels"
    data, target = _read(files / "JapaneseVowels_TRAIN.ts")
    data_test, target_test = _read(files / "JapaneseVowels_TEST.ts")
    return Bunch(data=data, target=target, data_test=data_test, target_test=target_test)


def _read(path: Path) -> tuple[list[Array], Array]:
    """Read a file whose lines are channels, apart by colons, and a label."""
    lines = path.read_text("utf-8").splitlines()
    rows = lines[lines.index("@data") + 1 :]
    data, target = [], []
    for row in filter(None, rows):
        *channels, label = row.split(":")
        steps = [[float(number) for number in c.split(",")] for c in channels]
        data.append(np.array(steps).T.copy())
        target.append(int(label))
    return data, np.array(target)
