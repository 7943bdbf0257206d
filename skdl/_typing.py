"""Types that the whole package writes down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]
Shape = tuple[int, ...]
Tree = Mapping[str, Any]  # arrays by name, nested as the layers are
Snapshot = tuple[Array, Array]  # parameters and running statistics of a network
