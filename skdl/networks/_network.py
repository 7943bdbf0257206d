"""A chain of layers with its arrays."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike
from scipy import sparse

from skdl import initializers
from skdl._params import ParamVector
from skdl._typing import Array, Shape, Snapshot, Tree
from skdl.initializers import Initializer
from skdl.layers import (
    Arena,
    Context,
    Layer,
    ParamSpec,
    backward_chain,
    build_chain,
    forward_chain,
    resolve_chain,
)
from skdl.networks._describe import describe
from skdl.ops import _blas

# Rows that predict takes at a time: their activations stay in the cache.
_CHUNK_BYTES = 2**19


class Network:
    """Layers, their trainable arrays in one vector, and their running statistics.

    Parameters
    ----------
    layers : sequence of Layer or str
        The layers; copies are kept.
    input_shape : tuple of int
        Shape of one sample.
    dtype : dtype, default=np.float64
        Type of all arrays.
    initializer : str or Initializer, default="auto"
        For weights whose layer says "auto". "auto" again is what suits the activation
        that follows, and Xavier uniform where none does.

    Attributes
    ----------
    params : ParamVector
        Trainable arrays, named "layer.array".
    state : ParamVector
        Running statistics.
    output_shape : tuple of int
        Shape of one sample of the output.

    Raises
    ------
    ValueError
        If the layers do not fit together.
    """

    def __init__(
        self,
        layers: Sequence[Layer | str],
        input_shape: Shape,
        dtype: DTypeLike = np.float64,
        initializer: str | Initializer = "auto",
    ) -> None:
        self.layers = resolve_chain(layers)
        self.input_shape = tuple(input_shape)
        self.dtype = np.dtype(dtype)
        self.output_shape, specs = build_chain(self.layers, self.input_shape)
        self._specs = dict(_flatten(specs))
        for name, spec in self._specs.items():
            if _is_auto(spec.initializer):
                choice = spec.suggested or "xavier_uniform"
                choice = choice if _is_auto(initializer) else initializer
                self._specs[name] = spec._replace(initializer=choice)
        self.params = ParamVector(self._shapes(trainable=True), self.dtype)
        self.state = ParamVector(self._shapes(trainable=False), self.dtype)

    def _shapes(self, trainable: bool) -> dict[str, Shape]:
        return {
            name: spec.shape
            for name, spec in self._specs.items()
            if spec.trainable == trainable
        }

    @property
    def accepts_sparse(self) -> bool:
        """Whether the input may be a sparse matrix."""
        return bool(self.layers) and self.layers[0].accepts_sparse

    def check_input(self, X: Any) -> None:
        """Raise if the first layer cannot take this kind of input.

        Parameters
        ----------
        X : {ndarray, sparse matrix}
            Input.

        Raises
        ------
        ValueError
            If it is sparse and the first layer takes none.
        """
        if sparse.issparse(X) and not self.accepts_sparse:
            raise ValueError(
                "Sparse X needs a first layer that takes it (Dense), got "
                f"{self.layers[:1]}; use X.toarray()."
            )

    def check_trainable(self) -> None:
        """Raise if a gradient cannot pass.

        Raises
        ------
        ValueError
            If a layer has no derivative.
        """
        for layer in self.layers:
            layer.check_trainable()

    def initialize(self, rng: np.random.Generator) -> None:
        """Draw the starting values of all arrays, in place.

        Parameters
        ----------
        rng : numpy.random.Generator
            The source of randomness.
        """
        for name, spec in self._specs.items():
            target = (self.params if spec.trainable else self.state)[name]
            initializer = initializers.get(spec.initializer)
            target[...] = initializer(spec.shape, rng, self.dtype)

    def tree(self, params: ParamVector) -> Tree:
        """Return the arrays by layer: the given parameters, the network's statistics.

        Parameters
        ----------
        params : ParamVector
            Parameters in the network's layout.

        Returns
        -------
        tree : dict
            What `forward` and `backward` take.
        """
        return _merge(params.tree, self.state.tree)

    def forward(self, tree: Tree, x: Any, ctx: Context) -> tuple[Array, list[Any]]:
        """Run all layers.

        Parameters
        ----------
        tree : dict
            Arrays, see `tree`.
        x : {ndarray, sparse matrix} of shape (n,) + input_shape
            Input.
        ctx : Context
            Mode, randomness and memory.

        Returns
        -------
        raw : ndarray of shape (n,) + output_shape
            Output.
        caches : list
            For `backward`.
        """
        return forward_chain(self.layers, tree, x, ctx)

    def backward(
        self, tree: Tree, grads: Tree, caches: list[Any], dy: Array, ctx: Context
    ) -> Any:
        """Write the gradients of all parameters.

        Parameters
        ----------
        tree, grads : dict
            Arrays, and where their gradients go.
        caches : list
            From `forward`.
        dy : ndarray of shape (n,) + output_shape
            Gradient with respect to the output.
        ctx : Context
            The context of the forward pass.

        Returns
        -------
        dx : ndarray of shape (n,) + input_shape or None
            Gradient with respect to the input, where ``ctx.want_dx``.
        """
        return backward_chain(self.layers, tree, grads, caches, dy, ctx)

    def predict(self, X: Any, n_layers: int | None = None) -> Array:
        """Return the output, or that of an inner layer, without changing anything.

        Parameters
        ----------
        X : {ndarray, sparse matrix} of shape (n,) + input_shape
            Input.
        n_layers : int, default=None
            Stop after this many layers; None runs all.

        Returns
        -------
        raw : ndarray of shape (n, ...)
            A fresh array.
        """
        self.check_input(X)
        layers = self.layers if n_layers is None else self.layers[:n_layers]
        tree = self.tree(self.params)
        if X.shape[0] * self.params.size < _blas.SMALL:  # one thread's work in any case
            return self._predict(layers, tree, X)
        with _blas.one_blas_thread():
            return self._predict(layers, tree, X)

    def _predict(self, layers: list[Layer], tree: Tree, X: Any) -> Array:
        n = X.shape[0]
        widest = max((shape[-1] for shape in self.params.shapes.values()), default=1)
        chunk = max(1024, _CHUNK_BYTES // (widest * self.dtype.itemsize))
        if n <= chunk:
            ctx = Context(train=False, dtype=self.dtype)
            return np.array(forward_chain(layers, tree, self._cast(X), ctx)[0])
        arena = Arena(self.dtype)
        ctx = Context(train=False, dtype=self.dtype, arena=arena)
        out: Array | None = None
        for start in range(0, n, chunk):
            arena.reset()
            part = X[start : start + chunk]
            y = forward_chain(layers, tree, self._cast(part), ctx)[0]
            if out is None:
                out = np.empty((n, *y.shape[1:]), dtype=self.dtype)
            out[start : start + len(y)] = y
        assert out is not None
        return out

    def _cast(self, X: Any) -> Any:
        return X.astype(self.dtype, copy=False)

    def describe(self) -> str:
        """Return a table of the layers, the shapes of their outputs, their parameters.

        Returns
        -------
        table : str
            A line a layer; `repr` shows it too.
        """
        return describe(self)

    __repr__ = describe

    def snapshot(self) -> Snapshot:
        """Return copies of all numbers.

        Returns
        -------
        snapshot : tuple of ndarray
            Parameters and running statistics.
        """
        return self.params.vector.copy(), self.state.vector.copy()

    def restore(self, snapshot: Snapshot) -> None:
        """Put the numbers of a snapshot back, in place.

        Parameters
        ----------
        snapshot : tuple of ndarray
            From `snapshot`.
        """
        self.params.vector[...], self.state.vector[...] = snapshot

    def copy(self) -> Network:
        """Return an independent copy.

        Returns
        -------
        network : Network
            The copy.
        """
        new = copy.copy(self)
        new.params = self.params.like(self.params.vector.copy())
        new.state = self.state.like(self.state.vector.copy())
        return new


def _flatten(specs: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in specs.items():
        if isinstance(value, dict):
            yield from _flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", ParamSpec(*value)


def _merge(a: Tree, b: Tree) -> dict[str, Any]:
    merged = dict(a)
    for key, value in b.items():
        inner = merged.get(key)
        merged[key] = _merge(inner, value) if isinstance(inner, dict) else value
    return merged


def _is_auto(initializer: str | Initializer) -> bool:
    return isinstance(initializer, str) and initializer == "auto"
