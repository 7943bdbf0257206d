"""Chains of layers: what networks and layers that hold layers have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from skdl._typing import Array, Shape, Tree
from skdl.layers._context import NO_FLOOR, Context
from skdl.layers._layer import Inside, Layer, ParamSpec, TooSmallError, registry
from skdl.layers._links import LayerList, links

_NOTHING: dict[str, Any] = {}


def resolve_chain(layers: Sequence[str | Layer]) -> LayerList:
    """Return copies of the layers that are ready for use: names made objects.

    Parameters
    ----------
    layers : sequence of str or Layer
        The layers.

    Returns
    -------
    layers : LayerList
        The copies.

    Raises
    ------
    TypeError
        If it is not a sequence of layers.
    ValueError
        If a name is unknown, or a setting is out of range; the message names the layer.

    Examples
    --------
    >>> from skdl.layers import Dense, resolve_chain
    >>> [type(layer).__name__ for layer in resolve_chain([Dense(3), "relu", "flatten"])]
    ['Dense', 'Activation', 'Flatten']
    >>> try:
    ...     resolve_chain([Dense(3), Dense(0)])
    ... except ValueError as error:
    ...     print(str(error)[:7])  # it names the layer
    Layer 1
    """
    if isinstance(layers, (str, Layer)) or not isinstance(layers, Sequence):
        raise TypeError(
            f"layers must be a list of layers or names, got {layers!r}; "
            'for example [Dense(64), "relu", Dropout(0.2)].'
        )
    settled = LayerList()
    for i, layer in enumerate(map(registry.get, layers)):
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

    Examples
    --------
    >>> from skdl.layers import Conv2D, Dense, Flatten, build_chain, resolve_chain
    >>> layers = resolve_chain([Conv2D(8), "relu", Flatten(), Dense(10)])
    >>> shapes, specs = build_chain(layers, (28, 28, 1))
    >>> shapes
    [(28, 28, 1), (26, 26, 8), (26, 26, 8), (5408,), (10,)]
    >>> specs["0"]["W"].shape, specs["3"]["W"].shape
    ((3, 3, 1, 8), (5408, 10))
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

    low = max(1, min(input_shape[:-1], default=_LARGEST))  # does not fit
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

    Examples
    --------
    >>> from skdl.layers import Dense, mirrored_chain, resolve_chain
    >>> encoder = resolve_chain([Dense(20), "relu", Dense(3)])
    >>> mirrored_chain(encoder, (50,))  # a decoder, from 3 numbers back to 50
    [Dense(units=20), Activation(function=ReLU()), Dense(units=50)]
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

    Examples
    --------
    >>> from skdl.layers import Dense, Residual, inside_chain, resolve_chain
    >>> layers = resolve_chain([Dense(8), Residual([Dense(8), "tanh"])])
    >>> for item in inside_chain(layers, (4,)):
    ...     print([inner.key for inner in item.walk()], item.input_shape)
    ['0'] (4,)
    ['1', '1.0', '1.1'] (8,)
    """
    shapes = build_chain(layers, input_shape)[0]
    return [
        Inside(f"{prefix}{i}", layer, shape)
        for i, (layer, shape) in enumerate(zip(layers, shapes, strict=False))
    ]


def replays(layers: Sequence[Layer], input_shape: Shape) -> bool:
    """Return whether predictions of a chain may be made by calling again.

    Parameters
    ----------
    layers : sequence of Layer
        The layers.
    input_shape : tuple of int
        Shape of one sample.

    Returns
    -------
    replays : bool
        Whether `Layer.replays` holds for all that have something to do.

    Examples
    --------
    >>> from skdl.layers import Conv2D, replays, resolve_chain
    >>> replays(resolve_chain([Conv2D(8), "relu"]), (8, 8, 3))
    True
    >>> replays(resolve_chain([Conv2D(8), "tanh"]), (8, 8, 3))
    False
    """
    done = False  # by the layer before
    shapes = build_chain(layers, input_shape)[0]
    for link, shape in zip(links(layers), shapes, strict=False):
        if done:
            done = False
            continue
        if not link.layer.replays(shape):
            return False
        done = link.floor is not None
    return True


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

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.layers import Context, Dense, forward_chain, resolve_chain
    >>> layers = resolve_chain([Dense(1, bias=False), "relu"])
    >>> params = {"0": {"W": np.array([[2.0], [-1.0]])}}
    >>> x = np.array([[3.0, 1.0], [0.0, 1.0]])
    >>> forward_chain(layers, params, x, Context(train=False))[0].ravel()
    array([5., 0.])
    """
    caches: list[Any] = []
    done = False  # by the layer before
    chain = links(layers)
    for key, layer, floor, _, _, as_rows, moments in chain:
        if done:
            ctx.floor, done = NO_FLOOR, False
            caches.append(x if ctx.train else None)
            continue
        if floor is not None:
            ctx.floor, done = floor, True
        if as_rows is not None:
            ctx.as_rows = as_rows
        if moments and ctx.train:
            ctx.moments = True  # until the layer leaves some
        if end is not None and layer is chain[-1].layer:
            ctx.other, ctx.floor = end
        x, cache = layer.forward(params.get(key, _NOTHING), x, ctx)
        if not moments or ctx.moments is True:
            ctx.moments = None
        caches.append(cache)
    if end is not None:
        ctx.other, ctx.floor = None, NO_FLOOR
    return x, caches


def backward_chain(
    layers: Sequence[Layer],
    params: Tree,
    grads: Tree,
    caches: list[Any],
    dy: Array,
    ctx: Context,
    other: Array | None = None,
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
    other : ndarray of shape (n, ...), default=None
        What the first layer, which `fuses_gradients`, adds to the gradient with respect
        to the input.

    Returns
    -------
    dx : ndarray of shape (n, ...) or None
        Gradient with respect to the input, None if not wanted.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.layers import Context, Dense
    >>> from skdl.layers import backward_chain, forward_chain, resolve_chain
    >>> layers, ctx = resolve_chain([Dense(1, bias=False), "relu"]), Context(train=True)
    >>> params = {"0": {"W": np.array([[2.0], [-1.0]])}}
    >>> grads = {"0": {"W": np.empty((2, 1))}}
    >>> y, caches = forward_chain(layers, params, np.array([[3.0, 1.0]]), ctx)
    >>> backward_chain(layers, params, grads, caches, np.ones_like(y), ctx)  # ∂y/∂x
    array([[ 2., -1.]])
    >>> grads["0"]["W"].ravel()  # ∂y/∂W
    array([3., 1.])
    """
    want_dx, chain = ctx.want_dx, links(layers)
    first = 0
    if not want_dx:  # nothing below the first layer that learns is needed
        while first < len(chain) and chain[first].key not in grads:
            first += 1
    ctx.want_dx = True
    for i in range(len(chain) - 1, first - 1, -1):
        if ctx.floor > NO_FLOOR:  # the layer behind has done it
            ctx.floor = NO_FLOOR
            continue
        key, layer, _, undoes, is_undone, _, _ = chain[i]
        if i == first:
            ctx.want_dx, ctx.other = want_dx, other
        elif is_undone:
            continue  # by the layer before
        elif undoes:
            ctx.floor = 0.0
        dy = layer.backward(
            params.get(key, _NOTHING), grads.get(key, _NOTHING), caches[i], dy, ctx
        )
    ctx.want_dx, ctx.other = want_dx, None
    return dy if want_dx else None
