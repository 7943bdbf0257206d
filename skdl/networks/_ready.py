"""What convolutions take in predictions, kept until a number of it has changed."""

from __future__ import annotations

from typing import Any

from skdl._config import n_threads
from skdl._params import ParamVector
from skdl._typing import Array, Shape, Tree
from skdl.layers import Arena, LayerList, fold_norms
from skdl.networks._excerpt import Excerpt
from skdl.networks._replay import Replay

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
        self._replays: dict[Any, list[Replay]] = {}
        self._vector = params.vector
        self._chain = chain
        self._dtype = params.vector.dtype
        self._can_replay: dict[Shape, bool] = {}

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

    def replays(self, input_shape: Shape) -> bool:
        """Return whether single samples are predicted by calling kernels again.

        Parameters
        ----------
        input_shape : tuple of int
            Shape of one sample.

        Returns
        -------
        replays : bool
            Not where arrays are made anew each time.
        """
        known = self._can_replay
        if input_shape not in known:
            layers = self._chain.layers
            kept = self.arrays is not None
            known[input_shape] = kept and Replay.suits(layers, input_shape)
        return known[input_shape]

    def predict_one(self, tree: Tree, params: ParamVector, x: Array) -> Array:
        """Return the output of one sample.

        Parameters
        ----------
        tree : dict
            Arrays of the chain.
        params : ParamVector
            What those of them lie in that are not kept here.
        x : ndarray of shape (1,) + input_shape
            The sample.

        Returns
        -------
        raw : ndarray of shape (1, ...)
            A fresh array.
        """
        if params.vector is not self._vector:
            self._replays, self._vector = {}, params.vector
        # Which kernels are called depends on these.
        free = self._replays.setdefault((x.dtype, n_threads()), [])
        try:
            replay = free.pop()
        except IndexError:
            replay = Replay(self._chain.layers, tree, self._dtype)
        raw = replay.predict(x).copy()
        free.append(replay)
        return raw


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
