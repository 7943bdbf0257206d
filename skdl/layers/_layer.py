"""What a layer is, the registry, and chains of layers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple

from skdl import activations
from skdl._base import ParameterObject
from skdl._registry import Registry
from skdl._typing import Array, Shape, Tree
from skdl.initializers import Initializer
from skdl.layers._context import Context
from skdl.ops.window import Axis, Spread

_NOTHING: dict[str, Any] = {}


class ParamSpec(NamedTuple):
    """One array of a layer: its shape, its start, and how it is trained.

    Running statistics are arrays with ``trainable=False``: kept and pickled with the
    network, but not seen by the optimizer.

    Attributes
    ----------
    shape : tuple of int
        Its shape.
    initializer : str or Initializer
        Its start; "auto" is what suits the activation that follows.
    trainable : bool
        Whether it is a parameter: it has a gradient.
    penalised : bool
        Whether penalties (alpha, l1) act on it: yes for the weights of affine maps.
    rate : float
        What the learning rate is multiplied by, from 0; 0 freezes the array.
    suggested : str or None
        What "auto" means, noted by the chain that the layer stands in.
    sparse : bool
        Whether it is a table of which a batch looks up few rows: an optimizer then
        changes these alone. The layer asks ``ctx.touched`` for the place of its
        gradient (`skdl._touched.RowGradient`).
    """

    shape: Shape
    initializer: str | Initializer = "auto"
    trainable: bool = True
    penalised: bool = False
    rate: float = 1.0
    suggested: str | None = None
    sparse: bool = False


class Inside(NamedTuple):
    """A layer inside another one.

    Attributes
    ----------
    key : str
        Its key among the specs of the outer layer, such as "0" or "skip.0".
    layer : Layer
        The layer.
    input_shape : tuple of int
        Shape of one sample of its input.
    """

    key: str
    layer: Layer
    input_shape: Shape


class TooSmallError(ValueError):
    """A layer needs an input of more pixels or steps than it gets."""


class Layer(ParameterObject):
    """Base of layers: hyper-parameters alone; arrays and caches live outside.

    A subclass defines `build`, `forward` and `backward`. The arrays of an affine map
    are called "W" (its weights) and "b" (its biases).

    Attributes
    ----------
    accepts_sparse : bool
        Whether the input may be a SciPy sparse matrix (of a first layer, that is).
    accepts_integers : bool
        Whether the layer takes numbers of any type as they come (of a first layer, that
        is): token ids, the bytes of pictures. Other layers get them in the network's
        type, batch by batch.
    fuses_floor : bool
        Whether its forward pass heeds ``ctx.floor``: a ReLU behind it then costs no
        pass over memory of its own.
    unfuses_floor : bool
        Whether its backward pass heeds what its forward pass has fused: the ReLU behind
        it has nothing left to do there either.
    fuses_sum : bool
        Whether its forward pass heeds ``ctx.other``: an addition to its output then
        costs no pass of its own.
    floor : float or None
        A layer that is max(x, floor) says so; None for all others.
    is_side : bool
        Whether the layers inside lead to an output of their own, in training only; to
        those behind it the layer is the identity.
    undoes_floor : bool
        Whether its backward pass heeds ``ctx.floor``: of a ReLU in front of it, whose
        own then has nothing left to do.
    gives_rows, takes_rows : bool
        Whether it heeds ``ctx.as_rows`` in its forward pass, by which it may give rows
        of a table in place of an array (`skdl.layers._rows.Rows`); whether it takes
        them, and returns the gradient of the table.
    is_affine : bool
        Whether it is an affine map with weights "W": the activation that follows it
        suits the start of its weights, and of none before it.
    """

    accepts_sparse: ClassVar[bool] = False
    accepts_integers: ClassVar[bool] = False
    is_side: ClassVar[bool] = False
    is_affine: ClassVar[bool] = False
    gives_rows: ClassVar[bool] = False
    takes_rows: ClassVar[bool] = False
    fuses_floor: ClassVar[bool] = False
    unfuses_floor: ClassVar[bool] = False
    fuses_sum: ClassVar[bool] = False
    undoes_floor: ClassVar[bool] = False

    # What a network says of its own copy of a layer, see `skdl.networks.set_rates`:
    # what its learning rate is multiplied by; whether its arrays stay as they are.
    _rate: float = 1.0
    _frozen: bool = False

    @property
    def floor(self) -> float | None:
        """See the attributes of the class."""
        return None

    def build(self, input_shape: Shape) -> tuple[Shape, dict[str, Any]]:
        """Say what the layer needs.

        Parameters
        ----------
        input_shape : tuple of int
            Shape of one sample.

        Returns
        -------
        output_shape : tuple of int
            Shape of one sample of the output.
        specs : dict
            Parameter names mapped to ``(shape, initializer)`` or `ParamSpec`; layers
            that hold layers nest the dictionaries. The initializer "auto" is chosen by
            the activation that follows.

        Raises
        ------
        ValueError
            If a hyper-parameter or the input's shape is out of range; `TooSmallError`
            if it would fit with more pixels or steps.
        """
        return input_shape, {}

    def forward(self, params: Tree, x: Any, ctx: Context) -> tuple[Any, Any]:
        """Compute the output.

        Parameters
        ----------
        params : mapping of str to ndarray
            The arrays that `build` asked for.
        x : ndarray of shape (n,) + input_shape
            Input; it must not be changed.
        ctx : Context
            Mode, randomness and memory.

        Returns
        -------
        y : ndarray of shape (n,) + output_shape
            Output.
        cache : object
            What `backward` needs; None unless ``ctx.train``.
        """
        raise TypeError(f"{type(self).__name__} must define forward.")

    def backward(
        self, params: Tree, grads: Tree, cache: Any, dy: Array, ctx: Context
    ) -> Any:
        """Write the gradients of the parameters, return that of the input.

        Parameters
        ----------
        params, grads : mapping of str to ndarray
            The parameters, and the arrays that receive their gradients.
        cache : object
            What `forward` returned.
        dy : ndarray of shape (n,) + output_shape
            Gradient with respect to the output; it must not be changed.
        ctx : Context
            The context of the forward pass.

        Returns
        -------
        dx : ndarray of shape (n,) + input_shape or None
            Gradient with respect to the input; None where ``ctx.want_dx`` is False
            and it would cost.
        """
        raise TypeError(f"{type(self).__name__} must define backward.")

    def mirror(self, input_shape: Shape) -> Layer | None:
        """Return the layer that takes its place in a decoder.

        Parameters
        ----------
        input_shape : tuple of int
            Shape of one sample.

        Returns
        -------
        layer : Layer or None
            From the shape of its output to that of its input; None where they are the
            same, and a copy of the layer itself stands there.

        Raises
        ------
        ValueError
            If there is none.
        """
        if self.build(input_shape)[0] != input_shape:
            raise ValueError("it has no mirror image.")
        return None

    def with_head(self, head: Callable[[Shape], list[Layer]]) -> Layer:
        """Return the layer, told what leads to raw predictions.

        Parameters
        ----------
        head : callable
            Gives the last layers for the shape of a sample in front of them.

        Returns
        -------
        layer : Layer
            A layer that has no output of its own is returned as it is.
        """
        return self

    def predicting(self) -> Layer:
        """Return a layer that does in training what this one does in prediction.

        So predictions can be differentiated. It uses the same arrays, or fewer.

        Returns
        -------
        layer : Layer
            This layer, if it does the same in both.
        """
        return self

    # ---- what tells about a network, see `skdl.networks.describe`

    def inside(self, input_shape: Shape) -> list[list[Inside]]:
        """Return the layers inside this one: chains, all of which get its input.

        Parameters
        ----------
        input_shape : tuple of int
            Shape of one sample.

        Returns
        -------
        chains : list of list of Inside
            Empty for layers that hold none.
        """
        return []

    def windows(self, input_shape: Shape) -> tuple[Axis | Spread, ...] | None:
        """Return which positions of the input each position of the output looks at.

        Not by way of the layers inside, which say so themselves.

        Parameters
        ----------
        input_shape : tuple of int
            Shape of one sample; all axes but the last one are positions.

        Returns
        -------
        windows : tuple of Axis or Spread, or None
            One an axis; by default each position sees itself alone. None: there is no
            way but through the layers inside.
        """
        return tuple(Axis(n, n, 1) for n in input_shape[:-1])

    def multiply_adds(self, input_shape: Shape) -> int:
        """Return how many products of weights a sample costs, those inside left out.

        Parameters
        ----------
        input_shape : tuple of int
            Shape of one sample.

        Returns
        -------
        number : int
            Products that are added up, in prediction.
        """
        return 0

    def check_trainable(self) -> None:
        """Raise if a gradient cannot pass through the layer.

        Raises
        ------
        ValueError
            If it cannot.
        """


class _LayerRegistry(Registry[Layer]):
    """Layers by name, and activations by theirs: "relu" is ``Activation("relu")``."""

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or name in activations.registry

    def _taken(self, name: str) -> bool:
        return name in self  # a layer would hide the activation of its name

    def get(self, spec: str | Layer | Any) -> Layer:
        if not isinstance(spec, str) or super().__contains__(spec):
            return super().get(spec)
        if spec not in self:
            raise ValueError(
                f"Unknown layer {spec!r}. "
                f"Known layers: {self.listed()}; "
                f"activations work too: {activations.registry.listed()}."
                f"{self.close_to(spec) or activations.registry.close_to(spec)}"
            )
        return super().get("activation").set_params(function=spec)


registry = _LayerRegistry("layer", Layer)
register = registry.register
get = registry.get
names = registry.names


# ---- chains: what networks and layers that hold layers have in common


def resolve_chain(layers: Sequence[str | Layer]) -> list[Layer]:
    """Return copies of the layers that are ready for use: names made objects.

    Parameters
    ----------
    layers : sequence of str or Layer
        The layers.

    Returns
    -------
    layers : list of Layer
        The copies.

    Raises
    ------
    TypeError
        If it is not a sequence of layers.
    ValueError
        If a name is unknown, or a setting is out of range; the message names the layer.
    """
    if isinstance(layers, (str, Layer)) or not isinstance(layers, Sequence):
        raise TypeError(
            f"layers must be a list of layers or names, got {layers!r}; "
            'for example [Dense(64), "relu", Dropout(0.2)].'
        )
    settled = []
    for i, layer in enumerate(map(get, layers)):
        try:
            settled.append(layer.settled())
        except ValueError as error:
            raise ValueError(f"Layer {i} ({layer!r}): {error}") from error
    return settled


def build_chain(
    layers: Sequence[Layer], input_shape: Shape
) -> tuple[list[Shape], dict[str, Any]]:
    """Build layers one after another, with the keys "0", "1" and so on.

    Parameters
    ----------
    layers : sequence of Layer
        The layers.
    input_shape : tuple of int
        Shape of one sample.

    Returns
    -------
    shapes : list of tuple of int
        Shape of one sample before the first layer, and behind each.
    specs : dict
        Specs of the layers that have parameters.

    Raises
    ------
    TooSmallError
        If the input has too few pixels or steps for a layer; the message names it, and
        the smallest input that fits.
    ValueError
        If a layer does not fit; the message names it.
    """
    try:
        return _build_chain(layers, input_shape)
    except TooSmallError as error:
        fitting = _smallest_input(layers, input_shape)
        hint = "" if fitting is None else f" The smallest input that fits is {fitting}."
        raise TooSmallError(f"{error}{hint}") from error


def _build_chain(
    layers: Sequence[Layer], input_shape: Shape
) -> tuple[list[Shape], dict[str, Any]]:
    specs: dict[str, Any] = {}
    shapes = [input_shape]
    for i, layer in enumerate(layers):
        try:
            shape, spec = layer.build(shapes[-1])
        except ValueError as error:
            kind = TooSmallError if isinstance(error, TooSmallError) else ValueError
            raise kind(f"Layer {i} ({layer!r}): {error}") from error
        shapes.append(shape)
        if spec:
            name = _suggestion(layers[i + 1 :])
            specs[str(i)] = _completed(spec, name, layer._rate)
    return shapes, specs


_LARGEST = 2**14  # pixels or steps along an axis


def _smallest_input(layers: Sequence[Layer], input_shape: Shape) -> Shape | None:
    """Find the smallest input of the same channels that fits, all sides alike."""

    def of_side(side: int) -> Shape:
        return (*(max(side, n) for n in input_shape[:-1]), input_shape[-1])

    def fits(side: int) -> bool:
        try:
            _build_chain(layers, of_side(side))
        except TooSmallError:
            return False
        return True

    low = min(input_shape[:-1], default=_LARGEST)  # does not fit
    high = 2 * low
    while high < _LARGEST and not fits(high):
        low, high = high, 2 * high
    if high >= _LARGEST:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    return of_side(high)


def _suggestion(following: Sequence[Layer]) -> str | None:
    """Name the initializer that suits the next activation, if there is one."""
    for layer in following:
        name = getattr(layer, "suggested_initializer", None)
        if name is not None:
            return name
        if layer.is_affine:  # no activation in between
            break
    return None


def _completed(spec: Any, name: str | None, rate: float) -> Any:
    """Note in a (nested) spec what the chain knows: the pace, the start that suits."""
    if isinstance(spec, dict):
        return {key: _completed(value, name, rate) for key, value in spec.items()}
    spec = ParamSpec(*spec)
    return spec._replace(
        suggested=spec.suggested or name,  # an inner chain has noted its own
        rate=spec.rate * rate if spec.trainable and rate != 1 else spec.rate,
    )


def mirrored_chain(layers: Sequence[Layer], input_shape: Shape) -> list[Layer]:
    """Return the mirror image of layers: from their output back to their input.

    What changes the shape of samples comes in the opposite order, each layer as its
    `Layer.mirror`. What keeps it (activations, norms, dropout, residual blocks) follows
    the layer that leads to the place where it stood, in the order it had. What stood at
    either end is left out.

    Parameters
    ----------
    layers : sequence of Layer
        The layers, such as `resolve_chain` returns them.
    input_shape : tuple of int
        Shape of one sample.

    Returns
    -------
    mirrored : list of Layer
        The layers, with arrays of their own.

    Raises
    ------
    ValueError
        If a layer has no mirror image; the message names it.
    """
    shapes = build_chain(layers, input_shape)[0]
    mirrored: list[Layer] = []
    kept: list[Layer] = []  # behind the layer at hand
    for i in reversed(range(len(layers))):
        try:
            image = layers[i].mirror(shapes[i])
        except ValueError as error:
            raise ValueError(f"Layer {i} ({layers[i]!r}): {error}") from error
        if image is None:
            if not layers[i].is_side:
                kept.insert(0, layers[i])
            continue
        mirrored += [*kept, image] if mirrored else [image]
        kept = []
    return resolve_chain(mirrored)


def inside_chain(
    layers: Sequence[Layer], input_shape: Shape, prefix: str = ""
) -> list[Inside]:
    """Return the layers of a chain with their keys and shapes.

    Parameters
    ----------
    layers : sequence of Layer
        The layers.
    input_shape : tuple of int
        Shape of one sample.
    prefix : str, default=""
        What the keys begin with.

    Returns
    -------
    chain : list of Inside
        One a layer.
    """
    shapes = build_chain(layers, input_shape)[0]
    return [
        Inside(f"{prefix}{i}", layer, shape)
        for i, (layer, shape) in enumerate(zip(layers, shapes, strict=False))
    ]


def forward_chain(
    layers: Sequence[Layer],
    params: Tree,
    x: Any,
    ctx: Context,
    end: tuple[Any, float] | None = None,
) -> tuple[Any, list[Any]]:
    """Run layers one after another.

    Parameters
    ----------
    layers : sequence of Layer
        The layers.
    params : mapping
        Arrays by layer key.
    x : ndarray of shape (n, ...)
        Input.
    ctx : Context
        Mode, randomness and memory.
    end : tuple of (ndarray, float), default=None
        What the last layer, which `fuses_sum`, adds to its output, and the floor under
        the sum.

    Returns
    -------
    y : ndarray of shape (n, ...)
        Output of the last layer.
    caches : list
        One cache a layer.
    """
    caches: list[Any] = []
    done = False  # by the layer before
    for i, layer in enumerate(layers):
        if done:
            ctx.floor, done = -math.inf, False
            caches.append(x if ctx.train else None)
            continue
        if layer.fuses_floor and i + 1 < len(layers):
            floor = layers[i + 1].floor
            if floor is not None:
                ctx.floor, done = floor, True
        if layer.gives_rows:
            ctx.as_rows = i + 1 < len(layers) and layers[i + 1].takes_rows
        if end is not None and i + 1 == len(layers):
            ctx.other, ctx.floor = end
        x, cache = layer.forward(params.get(str(i), _NOTHING), x, ctx)
        caches.append(cache)
    if end is not None:
        ctx.other, ctx.floor = None, -math.inf
    return x, caches


def backward_chain(
    layers: Sequence[Layer],
    params: Tree,
    grads: Tree,
    caches: list[Any],
    dy: Array,
    ctx: Context,
) -> Any:
    """Go back through layers, the chain rule one layer at a time.

    Parameters
    ----------
    layers : sequence of Layer
        The layers.
    params, grads : mapping
        Arrays by layer key; gradients are written. Without ``ctx.want_dx`` the layers
        below the first key of `grads` are left out.
    caches : list
        What `forward_chain` returned.
    dy : ndarray of shape (n, ...)
        Gradient with respect to the output.
    ctx : Context
        The context of the forward pass.

    Returns
    -------
    dx : ndarray of shape (n, ...) or None
        Gradient with respect to the input, None if not wanted.
    """
    want_dx = ctx.want_dx
    first = 0
    if not want_dx:  # nothing below the first layer that learns is needed
        first = next((i for i in range(len(layers)) if str(i) in grads), len(layers))
    for i in range(len(layers) - 1, first - 1, -1):
        if ctx.floor > -math.inf:  # the layer behind has done it
            ctx.floor = -math.inf
            continue
        if i > first and layers[i - 1].unfuses_floor and layers[i].floor == 0:
            continue  # the layer in front will do it
        key = str(i)
        ctx.want_dx = want_dx or i > first
        if layers[i].undoes_floor and i > first and layers[i - 1].floor == 0:
            ctx.floor = 0.0
        dy = layers[i].backward(
            params.get(key, _NOTHING), grads.get(key, _NOTHING), caches[i], dy, ctx
        )
    ctx.want_dx = want_dx
    return dy if want_dx else None
