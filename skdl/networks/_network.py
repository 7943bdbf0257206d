"""A chain of layers with its arrays."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
from numpy.typing import DTypeLike
from scipy import sparse

from skdl import initializers
from skdl._config import use_numba
from skdl._params import ParamVector
from skdl._ragged import Ragged, join_steps, pad_rows
from skdl._settings import NOT_NEGATIVE, checked
from skdl._typing import Array, Shape, Snapshot, Tree
from skdl.initializers import Initializer
from skdl.layers import (
    Arena,
    Context,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Inside,
    Layer,
    LayerList,
    ParamSpec,
    backward_chain,
    build_chain,
    fold_norms,
    forward_chain,
    inside_chain,
    resolve_chain,
)
from skdl.networks._describe import describe
from skdl.networks._ready import FEW, Ready, merge
from skdl.networks._specs import flatten
from skdl.ops import _blas
from skdl.ops.linear import SHARED

# What predict takes at a time: so many bytes of the largest activation, which stay in
# the cache.
_CHUNK_BYTES = 2**20

_COMPILED = Conv2D, DepthwiseConv2D  # where Numba is


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
    shapes : list of tuple of int
        Shape of one sample: of the input, and behind each layer.

    Raises
    ------
    TooSmallError
        If the input has too few pixels or steps for a layer.
    ValueError
        If the layers do not fit together.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.layers import Dense
    >>> from skdl.networks import Network
    >>> network = Network([Dense(3), "relu", Dense(2)], input_shape=(4,))
    >>> network.shapes, network.params.size
    ([(4,), (3,), (3,), (2,)], 23)
    >>> network.initialize(np.random.default_rng(0))
    >>> network.predict(np.ones((5, 4))).shape
    (5, 2)
    >>> network.predict(np.ones((5, 4)), n_layers=2).shape  # what the hidden units say
    (5, 3)
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
        self.shapes, specs = build_chain(self.layers, self.input_shape)
        self._specs = dict(flatten(specs))
        for name, spec in self._specs.items():
            if _is_auto(spec.initializer):
                suggested = spec.suggested or "xavier_uniform"
                choice = suggested if _is_auto(initializer) else initializer
                self._specs[name] = spec._replace(initializer=choice)
        params = {n: spec for n, spec in self._specs.items() if spec.trainable}
        self.params = ParamVector(
            {name: spec.shape for name, spec in params.items()},
            self.dtype,
            penalised=[name for name, spec in params.items() if spec.penalised],
            rates={n: _rate(n, spec) for n, spec in params.items() if spec.rate != 1},
            sparse=[name for name, spec in params.items() if spec.sparse],
        )
        statistics = {n: s.shape for n, s in self._specs.items() if not s.trainable}
        self.state = ParamVector(statistics, self.dtype)

    @property
    def output_shape(self) -> Shape:
        """Shape of one sample of the output."""
        return self.shapes[-1]

    @property
    def accepts_sparse(self) -> bool:
        """Whether the input may be a sparse matrix."""
        return bool(self.layers) and self.layers[0].accepts_sparse

    @property
    def convolves(self) -> bool:
        """Whether one of the layers is a convolution, which Numba compiles."""
        known = self.layers.known
        if "convolves" not in known:
            known["convolves"] = any(
                isinstance(inner.layer, _COMPILED)
                for item in inside_chain(self.layers, self.input_shape)
                for inner in item.walk()
            )
        return known["convolves"]

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
        """Raise if a gradient cannot pass, or would change nothing.

        Raises
        ------
        ValueError
            If a layer has no derivative, or all arrays are frozen.
        """
        for layer in self.layers:
            layer.check_trainable()
        if self.params.size and not self.params.n_active:
            raise ValueError(
                "Every array of the network is frozen (its learning-rate multiplier is "
                "0): there is nothing to train."
            )

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

    def affine_maps(self) -> list[tuple[Array, Array]]:
        """Return weights and biases of the affine layers, in their order.

        Returns
        -------
        maps : list of (ndarray, ndarray)
            Views into the network: W, and b of shape (n_out,). A layer without biases
            has zeros that cannot be written to.
        """
        maps = []
        for name in self.params:
            *path, leaf = name.split(".")
            if leaf != "W":
                continue
            W, bias = self.params[name], ".".join([*path, "b"])
            if bias in self.params.shapes:
                b = self.params[bias]
            else:
                b = np.broadcast_to(np.zeros((), self.dtype), W.shape[-1:])
            maps.append((W, b))
        return maps

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
        return merge(params.tree, self.state.tree)

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
        return forward_chain(self.layers, tree, self._cast(x, ctx), ctx)

    def _cast(self, x: Any, ctx: Context) -> Any:
        if x.dtype == self.dtype or (self.layers and self.layers[0].accepts_integers):
            return x
        return ctx.cast(x)

    def backward(
        self, tree: Tree, grads: Tree, caches: list[Any], dy: Array, ctx: Context
    ) -> Any:
        """Write the gradients of all parameters.

        Parameters
        ----------
        tree, grads : dict
            Arrays, and where their gradients go, see `gradient_tree`.
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

    def gradient_tree(self, gradient: ParamVector) -> Tree:
        """Return where gradients go: by layer, from the first that learns.

        Parameters
        ----------
        gradient : ParamVector
            Memory in the layout of the parameters.

        Returns
        -------
        grads : dict
            What `backward` takes. Frozen layers at the beginning are left out: no
            gradient needs to come down to them.
        """
        learning = {n.partition(".")[0] for n in self.params if self.params.learns(n)}
        first = min(map(int, learning), default=len(self.layers))
        return {k: node for k, node in gradient.tree.items() if int(k) >= first}

    def predict(self, X: Any, n_layers: int | None = None) -> Any:
        """Return the output, or that of an inner layer, without changing anything.

        Parameters
        ----------
        X : {ndarray, sparse matrix} of shape (n,) + input_shape or Ragged
            Input.
        n_layers : int, default=None
            Stop after this many layers; None runs all.

        Returns
        -------
        raw : ndarray of shape (n, ...) or Ragged
            A fresh array; of sequences of different lengths as many steps as each has,
            if the layers keep them apart.
        """
        with nullcontext() if self._is_little(X) else self.computing(X.shape[0]):
            parts = [np.array(raw) for _, raw in self.predict_parts(X, n_layers)]
        if isinstance(X, Ragged) and self.keeps_steps(n_layers):
            return join_steps(parts, X)
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def predict_parts(
        self, X: Any, n_layers: int | None = None
    ) -> Iterator[tuple[slice, Array]]:
        """Yield the output of some rows after the other.

        Parameters
        ----------
        X : {ndarray, sparse matrix} of shape (n,) + input_shape or Ragged
            Input.
        n_layers : int, default=None
            Stop after this many layers; None runs all.

        Yields
        ------
        rows : slice
            Which rows.
        raw : ndarray of shape (n_rows, ...)
            Their output, in memory that the next part or prediction overwrites.
            Sequences are padded to the longest of them.
        """
        self.check_input(X)
        sized = self.at(X.shape[1:]) if isinstance(X, np.ndarray) else self
        layers, tree, ready = self._for_predictions(n_layers)
        n, fitting = X.shape[0], sized._fitting(X.dtype, n_layers)
        chunk = max(1, fitting)
        if n > min(fitting, FEW) or sized is not self:
            ready = None  # scratch memory is not kept for large pictures, nor all sizes
        single = n == 1 and use_numba() and self.convolves
        if ready is not None and single and ready.replays(self.input_shape):
            x = self._cast(X, Context(train=False, dtype=self.dtype))
            yield slice(0, 1), ready.predict_one(tree, self.params, x)
            return
        if ready is not None:
            arena: Arena | None = ready.take_arena()
        else:
            arena = Arena(self.dtype) if n > chunk else None
        ctx = Context(train=False, dtype=self.dtype, arena=arena)
        ctx.single = single
        for start in range(0, max(n, 1), chunk):
            if arena is not None:
                arena.reset()
            rows = slice(start, min(start + chunk, n))
            x, lengths = pad_rows(X if n <= chunk else X[rows], ctx.empty)
            ctx.begin(lengths=lengths)
            yield rows, forward_chain(layers, tree, self._cast(x, ctx), ctx)[0]
        if ready is not None and arena is not None:
            ready.give_back(arena)

    def _for_predictions(
        self, n_layers: int | None
    ) -> tuple[Sequence[Layer], Tree, Ready | None]:
        """Return a chain for predictions, its arrays, and what is kept for them.

        What convolutions take is kept until one of its numbers has changed, if it is
        not much: to make it takes as long as a picture.
        """
        layers = self.layers if n_layers is None else self.layers[:n_layers]
        chain, tree = fold_norms(layers), self.tree(self.params)
        if not (chain.changes or (chain.sources and use_numba())):
            return chain.layers, tree, None
        if layers is self.layers:  # a part will be another list next time
            ready = chain.last
            if ready is None or not ready.suits(self.params, self.state):
                ready = chain.last = Ready(self.layers, self.params, self.state)
            if ready.arrays is not None:
                return chain.layers, {**ready.arrays, **chain.rest(tree)}, ready
        return chain.layers, chain.arrays(tree), None

    def computing(self, n_rows: int) -> AbstractContextManager[None]:
        """Return a block in which BLAS has the threads that suit the network.

        One, but for networks of flat samples with large products: they do little else.

        Parameters
        ----------
        n_rows : int
            Rows of a batch, or of a prediction.

        Returns
        -------
        block : context manager
            For `with`.
        """
        largest = max(map(math.prod, self.params.shapes.values()), default=0)
        is_flat = all(len(shape) == 1 for shape in self.shapes)
        if is_flat and n_rows * largest >= SHARED:
            return _blas.library_threads()
        return _blas.one_blas_thread()

    def _is_little(self, X: Any) -> bool:
        """Whether a prediction asks nothing of BLAS that it would share."""
        n = X.shape[0]
        if n >= _blas.SMALL:
            return False
        # X may have other steps or pixels than fit.
        times = math.prod(X.shape[1:]) / max(1, math.prod(self.input_shape))
        key, known = (use_numba(), n == 1), self.layers.known
        if key not in known:
            known[key] = self._blas_products(*key)
        return n * times * known[key] < _blas.SMALL

    def _blas_products(self, compiled: bool, single: bool) -> int:
        """Return how many multiplications BLAS has for a sample, or too many.

        Where convolutions are compiled it has none of theirs, nor for a single picture
        those of dense layers that have a row of it.
        """
        inside = inside_chain(self.layers, self.input_shape)
        items = {item.key: item for first in inside for item in first.walk()}

        def is_left(item: Inside) -> bool:
            if not (compiled and self.convolves):
                return True
            is_row = single and len(item.input_shape) == 1
            return type(item.layer) not in (
                (*_COMPILED, Dense) if is_row else _COMPILED
            )

        total = 0
        for name, shape in self.params.shapes.items():
            owner = name.rpartition(".")[0]
            while owner not in items:  # of a part of a layer
                owner = owner.rpartition(".")[0]
            if len(shape) > 1 and is_left(items[owner]):
                # Weights act at each step or pixel again.
                i = int(name.partition(".")[0])
                pixels = max(math.prod(s[:-1]) for s in self.shapes[i : i + 2])
                total += math.prod(shape) * pixels
        return total

    def at(self, input_shape: Shape) -> Network:
        """Return the network for predictions of samples of another size.

        It has the same arrays.

        Parameters
        ----------
        input_shape : tuple of int
            Shape of one sample.

        Returns
        -------
        network : Network
            This one, if its samples have that shape.

        Raises
        ------
        TooSmallError
            If the input has too few pixels or steps for a layer.
        ValueError
            If the arrays would be of other shapes.
        """
        if tuple(input_shape) == self.input_shape:
            return self
        network = self.predicting()
        network.input_shape = tuple(input_shape)
        network.shapes, specs = build_chain(network.layers, network.input_shape)
        shapes = {name: spec.shape for name, spec in flatten(specs)}
        for name, spec in self._specs.items():
            # What is for training only, such as a second head, need not fit.
            if shapes.get(name, spec.shape) != spec.shape:
                layer = self.layers[int(name.partition(".")[0])]
                raise ValueError(
                    f"The network was made for samples of shape {self.input_shape}, "
                    f"got {network.input_shape}: the weights of {layer!r} do not fit. "
                    "A network of pictures takes them in all sizes if GlobalAvgPool "
                    "stands where others have Flatten."
                )
        return network

    def behind(self, n_layers: int) -> Network:
        """Return the layers behind the first ones as a network of its own.

        Parameters
        ----------
        n_layers : int
            So many layers are left out.

        Returns
        -------
        network : Network
            With copies of their arrays.
        """
        shape = self.shapes[n_layers]
        network = Network(self.layers[n_layers:], shape, self.dtype)
        for mine, its in ((network.params, self.params), (network.state, self.state)):
            for name in mine:
                index, _, rest = name.partition(".")
                mine[name][...] = its[f"{int(index) + n_layers}.{rest}"]
        return network

    def predicting(self) -> Network:
        """Return a network that does in training what this one does in prediction.

        Nothing is dropped, batch normalisation takes its running statistics and leaves
        them as they are, and there are no auxiliary heads: so its backward pass gives
        the gradients of predictions.

        Returns
        -------
        network : Network
            Has the same arrays.
        """
        network = copy.copy(self)
        network.layers = LayerList(layer.predicting() for layer in self.layers)
        return network

    def _fitting(self, dtype: np.dtype[Any], n_layers: int | None) -> int:
        """Rows whose activations stay in the cache."""
        shapes = self.shapes if n_layers is None else self.shapes[: n_layers + 1]
        # Input of the network's type is there already, other is cast.
        made = shapes[1:] if dtype == self.dtype else shapes
        widest = max(map(math.prod, made), default=1)
        return _CHUNK_BYTES // (max(widest, 1) * self.dtype.itemsize)

    def keeps_steps(self, n_layers: int | None = None) -> bool:
        """Return whether the first axis of a sample goes through the layers as it is.

        Parameters
        ----------
        n_layers : int, default=None
            So many layers; None means all.

        Returns
        -------
        keeps : bool
            Sequences then have an output for each step.
        """
        shapes = self.shapes if n_layers is None else self.shapes[: n_layers + 1]
        first = shapes[0][:1]
        behind = all(len(shape) > 1 and shape[:1] == first for shape in shapes[1:])
        return behind and bool(first)

    def describe(self) -> str:
        """Return a table of the layers, see `skdl.networks.describe`.

        Returns
        -------
        table : str
            A line a layer; `repr` shows it too.
        """
        return describe(self.layers, self.input_shape, self.dtype)

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

    def take(self, other: Network) -> bool:
        """Take over the numbers of a network that has the same arrays, in place.

        Parameters
        ----------
        other : Network
            Its arrays have the shapes of these, in their order; it may be of another
            precision, or freeze others.

        Returns
        -------
        same : bool
            Whether they stand at the same places of the vector of parameters.
        """
        for mine, its in ((self.params, other.params), (self.state, other.state)):
            for name, its_name in zip(mine, its, strict=True):
                mine[name][...] = its[its_name]
        return self.params.starts == other.params.starts

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


def _rate(name: str, spec: ParamSpec) -> float:
    settings = {"rate": spec.rate}
    return checked(f"The ParamSpec of {name}", {"rate": NOT_NEGATIVE}, settings)["rate"]


def _is_auto(initializer: str | Initializer) -> bool:
    return isinstance(initializer, str) and initializer == "auto"
