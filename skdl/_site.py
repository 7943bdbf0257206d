"""Links from the HTML representation in notebooks to the reference."""

from __future__ import annotations

import sys
from itertools import takewhile

SITE = "https://skdl.readthedocs.io/en/stable/"  # as in pyproject.toml
PAGES = SITE + "api/generated/{module}.{name}.html"


def page_of(cls: type) -> dict[str, str]:
    """Return what the address of a class's page consists of.

    Parameters
    ----------
    cls : type
        A class of skdl.

    Returns
    -------
    parts : dict
        The first package that exports the class, as ``module``, and its ``name``.
    """
    path = list(takewhile(lambda p: not p.startswith("_"), cls.__module__.split(".")))
    packages = [".".join(path[:n]) for n in range(1, len(path) + 1)]
    exports = (m for m in packages if cls.__name__ in _exported(m))
    return {"module": next(exports, packages[-1]), "name": cls.__name__}


def _exported(module: str) -> list[str]:
    return getattr(sys.modules.get(module), "__all__", [])
