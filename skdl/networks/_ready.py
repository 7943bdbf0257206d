"""What convolutions take in predictions, kept until a number of it has changed."""

from __future__ import annotations

from typing import Any

from skdl._params import ParamVector
from skdl._typing import Tree
from skdl.layers import Arena, LayerList, fold_norms
from skdl.networks._excerpt import Excerpt

FEW = 4  # pictures: fresh memory for them costs as much as their arithmetic
_REMEMBERED = 2**20  # bytes of weights: to compare them takes 0.05 ms


class Ready:
    """Arrays of a chain's convolutions with room for what compiled code makes of them.

    Parameters
    ----------
    layers : LayerList
        The chain; `fold_norms` makes what predictions use of it.
    params, state : ParamVector
        Parameters and running statistics of the network.

    Attributes
    ----------
    arrays : dict or None
        Arrays by layer key, norms folded into them; None where it would take longer to
        see whether they have changed than to make them.
    """

    def __init__(
        self, layers: LayerList, params: ParamVector, state: ParamVector
    ) -> None:
        chain = fold_norms(layers)
        sources = [
            [name for name in vector if name.partition(".")[0] in chain.sources]
            for vector in (params, state)
        ]
        size = sum(params[name].size for name in sources[0])
        self.arrays: dict[str, Any] | None = None
        if size * params.vector.itemsize <= _REMEMBERED:
            # Of copies, which nobody changes while they are compared with.
            self._params, self._state = (
                Excerpt(vector, names)
                for vector, names in zip((params, state), sources, strict=True)
            )
            trees = self._params.copies.tree, self._state.copies.tree
            self.arrays = _with_room(chain.arrays(merge(*trees)))
        self._arenas: list[Arena] = []  # one for each thread that predicts
        self._dtype = params.vector.dtype

    def suits(self, params: ParamVector, state: ParamVector) -> bool:
        """Return whether the arrays are still those of a network.

        Parameters
        ----------
        params, state : ParamVector
            Its parameters and running statistics.

        Returns
        -------
        suits : bool
            Whether all numbers that they were made of are the same.
        """
        if self.arrays is None:
            return True
        return self._params.equals(params) and self._state.equals(state)

    def take_arena(self) -> Arena:
        """Return scratch memory that no other thread uses.

        Returns
        -------
        arena : Arena
            Of the last prediction of `FEW` pictures, to be given back.
        """
        try:
            arena = self._arenas.pop()
        except IndexError:
            return Arena(self._dtype)
        arena.reset()
        return arena

    def give_back(self, arena: Arena) -> None:
        """Keep scratch memory for the next prediction.

        Parameters
        ----------
        arena : Arena
            What `take_arena` returned.
        """
        self._arenas.append(arena)


def _with_room(arrays: Tree) -> dict[str, Any]:
    found = {k: _with_room(v) if isinstance(v, dict) else v for k, v in arrays.items()}
    if "W" in found:
        found["packed"] = {}
    return found


def merge(a: Tree, b: Tree) -> dict[str, Any]:
    """Return a tree with the arrays of two.

    Parameters
    ----------
    a, b : dict
        Arrays, nested by name.

    Returns
    -------
    merged : dict
        All of them.
    """
    merged = dict(a)
    for key, value in b.items():
        inner = merged.get(key)
        merged[key] = merge(inner, value) if isinstance(inner, dict) else value
    return merged
