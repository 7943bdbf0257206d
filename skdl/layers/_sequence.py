"""Layers of symbols, and of both directions of time."""

from __future__ import annotations

import copy
from typing import Any, Self

import numpy as np

from skdl import initializers
from skdl._settings import COUNT
from skdl._typing import Array, Shape, Tree
from skdl.initializers import Initializer
from skdl.layers._chain import build_chain
from skdl.layers._context import Context
from skdl.layers._layer import (
    Inside,
    Layer,
    ParamSpec,
    register,
    registry,
)
from skdl.layers._recurrent import Recurrent
from skdl.layers._rows import Rows
from skdl.ops.embedding import add_up_rows, take_rows
from skdl.ops.window import Axis

# So many rows, of those that come, are worth being handed on as a table.
_REPEATED = 0.75


@register("embedding")
class Embedding(Layer):
    """A row of a table for each symbol: y = E[x].

    Samples are whole numbers from 0 to vocabulary − 1, of any shape; ids and padding
    are taken as they come.

    Parameters
    ----------
    vocabulary : int, default=256
        Number of symbols; at least 1.
    units : int, default=32
        Numbers that stand for a symbol; at least 1.
    initializer : str or Initializer, default="auto"
        Start of E, of shape (vocabulary, units). "auto" is normal of standard deviation
        1, whatever the network's `initializer`: what weights on inputs of variance 1
        are made for.
    sparse : bool, default=False
        Whether an update changes the rows of those symbols alone that come in its
        batch: its time then does not grow with the vocabulary. With SGD the result is
        the same. Optimizers that remember leave the memory of the other rows as it is,
        too, where it would fade and move them on; so do PyTorch's ``SparseAdam`` and
        "lazy" Adam. Their weights do not decay either. Of `FirstOrder` optimizers; the
        others change all rows.

    Raises
    ------
    ValueError
        When a network is built, if a setting is out of range; in training and
        prediction, if a symbol is.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.layers import Embedding
    >>> from skdl.networks import Network
    >>> network = Network([Embedding(vocabulary=3, units=2)], (4,))
    >>> network.params["0.E"][...] = [[0, 0], [1, -1], [5, 5]]
    >>> network.predict(np.array([[2, 0, 1, 2]]))
    array([[[ 5.,  5.],
            [ 0.,  0.],
            [ 1., -1.],
            [ 5.,  5.]]])
    """

    accepts_integers = True
    gives_rows = True
    _registries = {"initializer": initializers.registry}
    _parameter_constraints: dict[str, Any] = {
        "vocabulary": COUNT,
        "units": COUNT,
        "sparse": ["boolean"],
    }

    def __init__(
        self,
        vocabulary: int = 256,
        units: int = 32,
        initializer: str | Initializer = "auto",
        sparse: bool = False,
    ) -> None:
        self.vocabulary = vocabulary
        self.units = units
        self.initializer = initializer
        self.sparse = sparse

    def build(self, input_shape: Shape) -> tuple[Shape, dict[str, Any]]:
        shape = (self.vocabulary, self.units)
        start = table_start(self.initializer, 1.0)
        spec = ParamSpec(shape, start, sparse=self.sparse)
        return (*input_shape, self.units), {"E": spec}

    def windows(self, input_shape: Shape) -> tuple[Axis, ...]:
        return tuple(Axis(n, n, 1) for n in input_shape)

    def forward(self, params: Tree, x: Any, ctx: Context) -> tuple[Any, Any]:
        ids, E = x.astype(np.intp, copy=False), params["E"]
        if ids.size and not 0 <= ids.min() <= ids.max() < self.vocabulary:
            raise ValueError(
                f"Symbols must be whole numbers from 0 to {self.vocabulary - 1}, got "
                f"{ids.min()} to {ids.max()}."
            )
        symbols, which = self._used(ids) if ctx.train or ctx.as_rows else (None, ids)
        n_rows = self.vocabulary if symbols is None else len(symbols)
        if ctx.as_rows and n_rows <= _REPEATED * ids.size:
            if symbols is not None:
                E = take_rows(E, symbols, ctx.empty((n_rows, self.units)))
            return Rows(E, which), (symbols, which, True) if ctx.train else None
        y = take_rows(E, ids, ctx.empty((*x.shape, self.units)))
        return y, (symbols, which, False) if ctx.train else None

    def backward(
        self, params: Tree, grads: Tree, cache: Any, dy: Array, ctx: Context
    ) -> Any:
        dE, (symbols, which, as_rows) = grads["E"], cache
        if symbols is None:
            if as_rows:
                dE[...] = dy
            else:
                add_up_rows(dy, which, dE)
            return
        if not as_rows:
            dy = add_up_rows(dy, which, ctx.empty((len(symbols), self.units)))
        place = None if ctx.touched is None else ctx.touched.of(dE)
        if place is not None:
            place.put(symbols, dy)
        else:
            dE[...] = 0
            dE[symbols] = dy

    def _used(self, ids: Array) -> tuple[Array | None, Array]:
        """Return the symbols that come, None for all, and which of them come where."""
        if self.vocabulary <= ids.size and not self.sparse:
            return None, ids
        symbols, which = np.unique(ids, return_inverse=True)
        return symbols, which.reshape(ids.shape)


def table_start(initializer: str | Initializer, std: float) -> str | Initializer:
    """Return how the rows of a table of symbols begin.

    Parameters
    ----------
    initializer : str or Initializer
        The layer's.
    std : float
        What "auto" means: normal of this standard deviation.

    Returns
    -------
    initializer : str or Initializer
        The same, or what "auto" means.
    """
    is_auto = isinstance(initializer, str) and initializer == "auto"
    return initializers.Normal(std) if is_auto else initializer


@register("bidirectional")
class Bidirectional(Layer):
    """A recurrent layer forwards and another of its kind backwards, outputs joined.

    Each step then knows what comes before and after it (Schuster & Paliwal 1997). Not
    for generation.

    Parameters
    ----------
    layer : str or Recurrent, default="lstm"
        The layer that goes forwards.

    Raises
    ------
    ValueError
        When a network is built, if the layer is not recurrent or does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.layers import RNN, Bidirectional
    >>> from skdl.networks import Network
    >>> layer = RNN(1, "relu", initializer="ones", recurrent_initializer="ones")
    >>> network = Network([Bidirectional(layer)], (3, 1))
    >>> network.initialize(np.random.default_rng(0))
    >>> network.predict(np.array([[[1.0], [2.0], [3.0]]]))  # sums from either end
    array([[[1., 6.],
            [3., 5.],
            [6., 3.]]])
    """

    is_affine = True
    takes_rows = True
    _registries = {"layer": registry}

    def __init__(self, layer: str | Layer = "lstm") -> None:
        self.layer = layer

    def settled(self) -> Self:
        new = super().settled()
        forwards = registry.get(new.layer).settled()
        if not isinstance(forwards, Recurrent):
            raise ValueError(
                f"Bidirectional takes a recurrent layer such as LSTM, got {forwards!r}."
            )
        backwards = copy.copy(forwards)
        forwards.reverse, backwards.reverse = False, True
        new.layer, new._both = forwards, (forwards, backwards)
        return new

    _both: tuple[Recurrent, ...] = ()

    def build(self, input_shape: Shape) -> tuple[Shape, dict[str, Any]]:
        specs: dict[str, Any] = {}
        shape = input_shape
        for key, layer in zip(("forwards", "backwards"), self._both, strict=True):
            shapes, spec = build_chain([layer], input_shape)
            shape, specs[key] = shapes[-1], spec["0"]
        return (*shape[:-1], 2 * shape[-1]), specs

    def inside(self, input_shape: Shape) -> list[list[Inside]]:
        keys = ("forwards", "backwards")
        return [
            [Inside(key, layer, input_shape)]
            for key, layer in zip(keys, self._both, strict=True)
        ]

    def windows(self, input_shape: Shape) -> tuple[Axis, ...] | None:
        return None

    def forward(self, params: Tree, x: Any, ctx: Context) -> tuple[Any, Any]:
        outputs: list[Any] = []
        caches = []
        for key, layer in zip(("forwards", "backwards"), self._both, strict=True):
            y, cache = layer.forward(params[key], x, ctx)
            outputs.append(y)
            caches.append(cache)
        out = ctx.empty((*outputs[0].shape[:-1], 2 * outputs[0].shape[-1]))
        np.concatenate(outputs, axis=-1, out=out)
        return out, caches if ctx.train else None

    def backward(
        self, params: Tree, grads: Tree, cache: Any, dy: Array, ctx: Context
    ) -> Any:
        half = dy.shape[-1] // 2
        dx: list[Any] = []
        for i, (key, layer) in enumerate(
            zip(("forwards", "backwards"), self._both, strict=True)
        ):
            part = ctx.empty((*dy.shape[:-1], half))
            part[...] = dy[..., i * half : (i + 1) * half]
            dx.append(layer.backward(params[key], grads[key], cache[i], part, ctx))
        if not ctx.want_dx:
            return None
        return np.add(dx[0], dx[1], out=ctx.empty(dx[0].shape))
