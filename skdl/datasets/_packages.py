"""Data that come inside installed packages."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any


def folder_of(package: str, install: str, what: str) -> Path:
    """Return the folder of an installed package, without importing it.

    Parameters
    ----------
    package : str
        Name of the package.
    install : str
        What ``pip install`` takes to get it.
    what : str
        What is read from there, for the error.

    Returns
    -------
    folder : Path
        The folder.

    Raises
    ------
    ImportError
        If the package is not installed; the message says how to.
    """
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ImportError(
            f"{what} come with the package {package}, which is not installed: "
            f"pip install {install}"
        )
    return Path(next(iter(spec.submodule_search_locations)))


def module_of(name: str, install: str, what: str) -> Any:
    """Return a module of an installed package.

    Parameters
    ----------
    name : str
        Name of the module.
    install : str
        What ``pip install`` takes to get it.
    what : str
        What needs it, for the error.

    Returns
    -------
    module : module
        The module.

    Raises
    ------
    ImportError
        If the package is not installed; the message says how to.
    """
    folder_of(name.partition(".")[0], install, what)
    return import_module(name)
