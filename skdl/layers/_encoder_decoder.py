"""Sequences from sequences: a decoder that goes on from the states of an encoder."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Self, cast

from skdl._compat import Integral, Interval
from skdl._settings import COUNT, checked
from skdl._typing import Array, Shape, Tree
from skdl.layers._chain import (
    backward_chain,
    build_chain,
    forward_chain,
    inside_chain,
    resolve_chain,
)
from skdl.layers._context import Carried, Context, Kept
from skdl.layers._layer import Inside, Layer, register, registry
from skdl.layers._links import LayerList
from skdl.layers._recurrent import Recurrent
from skdl.ops.window import Axis


@register("encoder_decoder")
class EncoderDecoder(Layer):
    """A decoder that goes on from the states of an encoder (Sutskever et al. 2014).

    The encoder reads the input. Each recurrent layer of the decoder begins with the
    last state of the recurrent layer in the same place of the encoder, and the gradient
    goes back that way. The decoder reads symbols: `start`, and then at each step the
    target of the step before, from `Context.targets` (teacher forcing). The output has
    a row for each target. To generate, take one `step` after the other.

    Parameters
    ----------
    encoder : sequence of Layer or str, default=()
        The layers that read the input.
    decoder : sequence of Layer or str, default=()
        The layers that read symbols; the first one takes them as they come:
        ``[Embedding(30, 16), LSTM(64)]``. They go forwards only.
    n_steps : int, default=1
        Steps of an output as the shapes of the layers show it; at least 1. Any number
        of steps is taken.
    start : int, default=0
        The symbol that the decoder reads first.

    Raises
    ------
    ValueError
        When a network is built, if a setting is out of range, a chain does not fit, or
        the recurrent layers of the decoder are not like those of the encoder.
    TypeError
        When a network is built, if one is not a sequence of layers.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.layers import LSTM, Context, Dense, Embedding, EncoderDecoder
    >>> from skdl.networks import Network
    >>> decoder = [Embedding(5, 4), LSTM(8), Dense(5)]  # of five symbols
    >>> network = Network([EncoderDecoder([LSTM(8)], decoder, n_steps=3)], (6, 2))
    >>> ctx = Context(train=True)
    >>> ctx.begin(targets=np.array([[3, 1, 4, 1]]))  # any number of steps
    >>> network.forward(network.tree(network.params), np.ones((1, 6, 2)), ctx)[0].shape
    (1, 4, 5)
    """

    accepts_integers = True
    _registries = {"encoder": registry, "decoder": registry}
    _parameter_constraints: dict[str, Any] = {
        "n_steps": COUNT,
        "start": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(
        self,
        encoder: Sequence[Layer | str] = (),
        decoder: Sequence[Layer | str] = (),
        n_steps: int = 1,
        start: int = 0,
    ) -> None:
        self.encoder = encoder
        self.decoder = decoder
        self.n_steps = n_steps
        self.start = start

    @property
    def _encoder(self) -> list[Layer]:
        return cast(list[Layer], self.encoder)

    @property
    def _decoder(self) -> list[Layer]:
        return cast(list[Layer], self.decoder)

    def settled(self) -> Self:
        layer, declared = copy.copy(self), self._parameter_constraints
        settings = {name: getattr(self, name) for name in declared}
        for name, value in checked(type(self).__name__, declared, settings).items():
            setattr(layer, name, value)
        layer.encoder = resolve_chain(self.encoder)
        layer.decoder = resolve_chain(self.decoder)
        return layer

    def predicting(self) -> Layer:
        layer = copy.copy(self)
        layer.encoder = LayerList(inner.predicting() for inner in self._encoder)
        layer.decoder = LayerList(inner.predicting() for inner in self._decoder)
        return layer

    def check_trainable(self) -> None:
        for layer in (*self._encoder, *self._decoder):
            layer.check_trainable()

    # ---- shapes

    def build(self, input_shape: Shape) -> tuple[Shape, dict[str, Any]]:
        _, encoder = build_chain(self._encoder, input_shape)
        shapes, decoder = build_chain(self._decoder, (self.n_steps,))
        if len(shapes[-1]) != 2:
            raise ValueError(
                f"the decoder gives samples of shape {shapes[-1]}; it must give a row "
                "for each step, (n_steps, units)."
            )
        read, said = map(_recurrent, self.inside(input_shape))
        if any(layer.reverse for layer in said):
            raise ValueError(
                "a decoder goes forwards: what comes after a step is not known there."
            )
        like = [
            [(type(one).__name__, one.units) for one in way] for way in (read, said)
        ]
        if not said or like[0] != like[1]:
            raise ValueError(
                "each recurrent layer of the decoder takes the state of one of the "
                f"encoder: kinds and units must be the same, got {like[0]} in the "
                f"encoder and {like[1]} in the decoder."
            )
        return shapes[-1], {"encoder": encoder, "decoder": decoder}

    def inside(self, input_shape: Shape) -> list[list[Inside]]:
        return [
            inside_chain(self._encoder, input_shape, "encoder."),
            inside_chain(self._decoder, (self.n_steps,), "decoder."),
        ]

    def windows(self, input_shape: Shape) -> tuple[Axis, ...]:
        n, out = input_shape[0], self.n_steps
        beyond = out - 1  # so that each step sees the whole input
        return (Axis(n, out, n + beyond, before=beyond, after=beyond),)

    # ---- all targets at once

    def forward(self, params: Tree, x: Any, ctx: Context) -> tuple[Any, Any]:
        if ctx.targets is None:
            raise ValueError(
                "EncoderDecoder reads the targets of the batch, and there are none "
                "(Context.targets); without them a sequence is generated step by step."
            )
        targets = ctx.targets
        symbols = ctx.empty(targets.shape, targets.dtype)
        symbols[:, 0] = self.start
        symbols[:, 1:] = targets[:, :-1]
        h, kept, caches = self._read(params, x, ctx)
        carried = Carried(kept, within_step=True)
        with _told(ctx, carried, None):
            y, said = forward_chain(self._decoder, params["decoder"], symbols, ctx)
        return y, (h.shape, caches, said) if ctx.train else None

    def backward(
        self, params: Tree, grads: Tree, cache: Any, dy: Array, ctx: Context
    ) -> Any:
        shape, read, said = cache
        want_dx = ctx.want_dx
        ctx.want_dx = False  # of symbols
        backward_chain(
            self._decoder, params["decoder"], grads["decoder"], said, dy, ctx
        )
        ctx.want_dx = want_dx
        dh = ctx.empty(shape)
        dh[...] = 0  # the decoder knows the states alone
        seen = None if ctx.flow is None else len(ctx.flow)
        dx = backward_chain(
            self._encoder, params["encoder"], grads["encoder"], read, dh, ctx
        )
        if ctx.flow is not None:
            later = [one._replace(after=dy.shape[1]) for one in ctx.flow[seen:]]
            ctx.flow[seen:] = later
        return dx

    def _read(
        self, params: Tree, x: Any, ctx: Context
    ) -> tuple[Any, list[Kept], list[Any]]:
        """Return the encoder's output, its last states and its caches."""
        carried = Carried(within_step=True)
        if not (self._encoder and self._encoder[0].accepts_integers):
            x = ctx.cast(x)
        with _told(ctx, carried, ctx.lengths):
            h, caches = forward_chain(self._encoder, params["encoder"], x, ctx)
        return h, carried.kept, caches

    # ---- step by step

    def encode(self, params: Tree, x: Any, ctx: Context) -> list[Kept]:
        """Read the input.

        Parameters
        ----------
        params : mapping of str to ndarray
            The arrays that `build` asked for.
        x : ndarray of shape (n,) + input_shape
            Input.
        ctx : Context
            Of a prediction.

        Returns
        -------
        kept : list of Kept
            The last states of the encoder, for the first `step`. They may lie in the
            context's memory.
        """
        return self._read(params, x, ctx)[1]

    def step(
        self, params: Tree, symbols: Array, kept: Sequence[Kept], ctx: Context
    ) -> tuple[Any, list[Kept]]:
        """Take one step of the decoder.

        Parameters
        ----------
        params : mapping of str to ndarray
            The arrays that `build` asked for.
        symbols : ndarray of int of shape (n,)
            What it reads: `start`, or the last output.
        kept : sequence of Kept
            The states it begins with, from `encode` or the last step.
        ctx : Context
            Of a prediction.

        Returns
        -------
        y : ndarray of shape (n, 1, units)
            Output.
        kept : list of Kept
            The states behind this step. They may lie in the context's memory.
        """
        carried = Carried(kept, within_step=True)
        with _told(ctx, carried, None):
            y, _ = forward_chain(
                self._decoder, params["decoder"], symbols[:, None], ctx
            )
        return y, carried.kept


@contextmanager
def _told(ctx: Context, carried: Carried, lengths: Array | None) -> Iterator[None]:
    """Tell the layers inside what is theirs."""
    outer = ctx.carried, ctx.lengths
    ctx.carried, ctx.lengths = carried, lengths
    try:
        yield
    finally:
        ctx.carried, ctx.lengths = outer


def _recurrent(chain: Sequence[Inside]) -> list[Recurrent]:
    layers = (inner.layer for item in chain for inner in item.walk())
    return [layer for layer in layers if isinstance(layer, Recurrent)]
