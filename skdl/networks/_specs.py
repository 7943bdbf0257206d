"""The arrays of layers, before there are any."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from skdl.layers import ParamSpec


def flatten(specs: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, ParamSpec]]:
    """Go through nested specs.

    Parameters
    ----------
    specs : dict
        What `Layer.build` or `build_chain` returns.
    prefix : str, default=""
        What the names begin with.

    Yields
    ------
    name : str
        Name of an array: the keys, joined by dots.
    spec : ParamSpec
        The array.
    """
    for key, value in specs.items():
        if isinstance(value, dict):
            yield from flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", ParamSpec(*value)
