"""Weights as scikit-learn lists them, that write to the network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np

from skdl._typing import Array


class LayerArrays(list[Array]):
    """Arrays of a network, one a layer; setting an entry copies its numbers there.

    Parameters
    ----------
    name : str
        What errors call it.
    arrays : sequence of ndarray
        Views into the network.
    """

    def __init__(self, name: str, arrays: Sequence[Array]) -> None:
        super().__init__(arrays)
        self._name = name

    def __setitem__(self, index: Any, value: Any) -> None:
        targets = self[index]
        if not isinstance(index, slice):
            targets, value = [targets], [value]
        values = [np.asarray(item) for item in value]
        shapes = [target.shape for target in targets]
        if [item.shape for item in values] != shapes:
            raise ValueError(
                f"{self._name}[{index}] has shape {shapes}, got "
                f"{[item.shape for item in values]}; the shapes of a network are fixed."
            )
        if not all(target.flags.writeable for target in targets):
            raise ValueError(
                f"{self._name}[{index}] cannot be set: the layer has no such array, or "
                "the network is read-only."
            )
        for target, item in zip(targets, values, strict=True):
            target[...] = item

    def __reduce__(self) -> Any:
        return list, (list(self),)

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError(
            f"{self._name} has one array for each layer of the network: set an entry, "
            f"as in net.{self._name}[0] = W, or use list(net.{self._name})."
        )

    append = extend = insert = pop = remove = clear = _refuse
    sort = reverse = __delitem__ = __iadd__ = __imul__ = _refuse
