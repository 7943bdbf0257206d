"""Recurrent layers."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from skdl import initializers
from skdl._compat import StrOptions
from skdl._settings import COUNT
from skdl._typing import Array, Shape, Tree
from skdl.initializers import Initializer
from skdl.layers._context import Carried, Context, Kept, StateGradients
from skdl.layers._layer import Layer, ParamSpec, register
from skdl.layers._rows import Rows
from skdl.ops import recurrent as op
from skdl.ops.embedding import add_up_rows, take_rows
from skdl.ops.linear import (
    linear,
    linear_backward_input,
    linear_backward_weights,
)
from skdl.ops.window import Axis


class Recurrent(Layer):
    """Base of recurrent layers: what goes in at all steps, and what comes out.

    Samples are sequences (steps, features). Padding behind a sequence (see
    `Context.lengths`) changes nothing: its state stays as it was at its end. With
    `Context.carried` the first state of a window is the last one of the window before,
    and the gradient is cut there (truncated backpropagation through time).
    """

    is_affine = True
    takes_rows = True
    n_gates: ClassVar[int] = 1

    units: int
    return_sequences: bool
    initializer: str | Initializer
    recurrent_initializer: str | Initializer

    _registries = {
        "initializer": initializers.registry,
        "recurrent_initializer": initializers.registry,
    }
    _parameter_constraints: dict[str, Any] = {
        "units": COUNT,
        "return_sequences": ["boolean"],
        "reverse": ["boolean"],
    }

    def __init__(
        self,
        units: int = 64,
        return_sequences: bool = True,
        reverse: bool = False,
        initializer: str | Initializer = "auto",
        recurrent_initializer: str | Initializer = "orthogonal",
    ) -> None:
        self.units = units
        self.return_sequences = return_sequences
        self.reverse = reverse
        self.initializer = initializer
        self.recurrent_initializer = recurrent_initializer

    reverse: bool

    # ---- what a subclass defines: one pass through time, states first

    def _forward(
        self, params: Tree, z: Array, states: list[Array], ctx: Context
    ) -> Any:
        raise TypeError(f"{type(self).__name__} must define _forward.")

    def _backward(
        self,
        params: Tree,
        cache: Any,
        dy: Array,
        last: list[Array],
        lengths: Array | None,
        ctx: Context,
    ) -> tuple[Array, Array]:
        """Return the gradients of the inputs' and of the states' products."""
        raise TypeError(f"{type(self).__name__} must define _backward.")

    # ---- what they share

    n_states: ClassVar[int] = 1

    def build(self, input_shape: Shape) -> tuple[Shape, dict[str, Any]]:
        if len(input_shape) != 2:
            raise ValueError(
                "a recurrent layer takes sequences (steps, features), got samples of "
                f"shape {input_shape}."
            )
        steps, features = input_shape
        width = self.n_gates * self.units
        specs = {
            "W": ParamSpec((features, width), self.initializer, penalised=True),
            "U": ParamSpec(
                (self.units, width), self.recurrent_initializer, penalised=True
            ),
            "b": ParamSpec((width,), "zeros"),
        }
        out = (steps, self.units) if self.return_sequences else (self.units,)
        return out, specs

    def windows(self, input_shape: Shape) -> tuple[Axis, ...]:
        n = input_shape[0]
        if not self.return_sequences:
            return (Axis(n, 1, n),)
        before, after = (0, n - 1) if self.reverse else (n - 1, 0)
        return (Axis(n, n, n, before=before, after=after),)

    def multiply_adds(self, input_shape: Shape) -> int:
        n, features = input_shape
        return n * (features + self.units) * self.n_gates * self.units

    def forward(self, params: Tree, x: Any, ctx: Context) -> tuple[Any, Any]:
        n, n_steps, _ = x.shape
        W, b = params["W"], params["b"]
        z = ctx.empty((n_steps, n, W.shape[1]))
        inputs: Array | Rows
        if isinstance(x, Rows):
            inputs = Rows(x.table, self._in_time(x.which.T, ctx.lengths))
            products = linear(x.table, W, b, ctx.empty((len(x.table), W.shape[1])))
            take_rows(products, inputs.which, z)
        else:
            inputs = ctx.empty((n_steps, n, x.shape[2]))
            inputs[...] = self._in_time(x.transpose(1, 0, 2), ctx.lengths)
            linear(inputs, W, b, z)
        taken, states = self._starts(n, n_steps, ctx)
        cache = self._forward(params, z, states, ctx)
        left = self._leave([state[-1] for state in states], ctx.carried)
        h = states[0]
        if self.return_sequences:
            y = ctx.empty((n, n_steps, self.units))
            y[...] = self._in_time(h[1:], ctx.lengths).transpose(1, 0, 2)
        else:
            y = h[-1]
        if not ctx.train:
            return y, None
        return y, (inputs, h, taken, left, ctx.lengths, cache)

    def backward(
        self, params: Tree, grads: Tree, cache: Any, dy: Array, ctx: Context
    ) -> Any:
        inputs, h, taken, left, lengths, kept = cache
        n_steps, n = h.shape[0] - 1, h.shape[1]
        of_h = ctx.empty((n_steps, n, self.units))
        last = [ctx.empty((n, self.units)) for _ in range(self.n_states)]
        for i, gradient in enumerate(last):
            passes = left is not None and left.gradient is not None
            gradient[...] = left.gradient[i] if passes else 0
        if self.return_sequences:
            of_h[...] = self._in_time(dy.transpose(1, 0, 2), lengths)
        else:
            of_h[...] = 0
            last[0] += dy
        if ctx.flow is None:
            of_input, of_state = self._backward(params, kept, of_h, last, lengths, ctx)
        else:
            of_input, of_state, seen = self._by_step(
                params, kept, of_h, last, lengths, ctx
            )
            ctx.flow.append(StateGradients(self, seen, lengths))
        if taken is not None:
            taken.gradient = last
        linear_backward_weights(of_state, h[:-1], grads["U"], grads.get("v"))
        if isinstance(inputs, Rows):
            table = inputs.table
            of_input = add_up_rows(
                of_input, inputs.which, ctx.empty((len(table), of_input.shape[2]))
            )
        else:
            table = inputs
        linear_backward_weights(of_input, table, grads["W"], grads["b"])
        if not ctx.want_dx:
            return None
        of_table = linear_backward_input(of_input, params["W"], ctx.empty(table.shape))
        if isinstance(inputs, Rows):
            return of_table
        dx = ctx.empty((n, n_steps, table.shape[2]))
        dx[...] = self._in_time(of_table, lengths).transpose(1, 0, 2)
        return dx

    def _starts(
        self, n: int, n_steps: int, ctx: Context
    ) -> tuple[Kept | None, list[Array]]:
        """States of all steps, the first of them set, and where it comes from."""
        before = None if ctx.carried is None else ctx.carried.take()
        states = []
        for i in range(self.n_states):
            state = ctx.empty((n_steps + 1, n, self.units))
            state[0] = 0 if before is None else before[i]
            states.append(state)
        return None if ctx.carried is None else ctx.carried.taken, states

    def _leave(self, ends: list[Array], carried: Carried | None) -> Kept | None:
        """Leave the last states to what goes on from them."""
        if carried is None:
            return None
        return carried.put(
            ends if carried.within_step else [end.copy() for end in ends]
        )

    def _by_step(
        self,
        params: Tree,
        cache: Any,
        dy: Array,
        last: list[Array],
        lengths: Array | None,
        ctx: Context,
    ) -> tuple[Array, Array, list[Array]]:
        """Do as `_backward`, and return the gradients of the states of all steps too.

        The arrays of the cache are those of all steps, or begin with that before.
        """
        seen = [np.empty((len(dy), *state.shape), state.dtype) for state in last]
        parts = []
        for t in range(len(dy) - 1, -1, -1):
            for gradients, gradient in zip(seen, last, strict=True):
                gradients[t] = gradient
            seen[0][t] += dy[t]
            step = tuple(array[t : t + 1 + len(array) - len(dy)] for array in cache)
            left = None if lengths is None else lengths - t
            part = self._backward(params, step, dy[t : t + 1], last, left, ctx)
            parts.append(part)
        of_input, of_state = (np.concatenate(p[::-1]) for p in zip(*parts, strict=True))
        return of_input, of_state, seen

    def _in_time(self, array: Array, lengths: Array | None) -> Array:
        """Turn sequences round, each within its length, for a layer that goes back."""
        if not self.reverse:
            return array
        if lengths is None:
            return array[::-1]
        steps = np.arange(len(array))[:, None]
        turned = np.where(steps < lengths, lengths - 1 - steps, steps)
        return array[turned, np.arange(array.shape[1])]


@register("rnn")
class RNN(Recurrent):
    """The simple recurrent layer (Elman 1990).

    s_t = f(x_t·W + s_{t−1}·U + b).

    Parameters
    ----------
    units : int, default=64
        Numbers of the state, in which a layer has all it remembers; at least 1. Time
        and parameters grow with their square.
    activation : {"tanh", "relu"}, default="tanh"
        f.
    return_sequences : bool, default=True
        Whether the output has the state of every step, or that of the last alone.
    reverse : bool, default=False
        Whether to go from the end of each sequence to its start. Outputs stand at the
        steps they belong to.
    initializer : str or Initializer, default="auto"
        Start of W.
    recurrent_initializer : str or Initializer, default="orthogonal"
        Start of U.

    Raises
    ------
    ValueError
        When a network is built, if a setting is out of range or samples are no
        sequences.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.layers import RNN
    >>> from skdl.networks import Network
    >>> x = np.array([[[1.0], [2.0], [3.0]]])  # three steps
    >>> ones = {"initializer": "ones", "recurrent_initializer": "ones"}
    >>> for layer in (RNN(1, "relu", **ones), RNN(1, "relu", reverse=True, **ones)):
    ...     network = Network([layer], (3, 1))
    ...     network.initialize(np.random.default_rng(0))
    ...     print(network.predict(x).ravel())
    [1. 3. 6.]
    [6. 5. 3.]
    >>> Network([RNN(8, return_sequences=False)], (3, 1)).output_shape
    (8,)
    """

    _parameter_constraints: dict[str, Any] = {
        **Recurrent._parameter_constraints,
        "activation": [StrOptions({"tanh", "relu"})],
    }

    def __init__(
        self,
        units: int = 64,
        activation: str = "tanh",
        return_sequences: bool = True,
        reverse: bool = False,
        initializer: str | Initializer = "auto",
        recurrent_initializer: str | Initializer = "orthogonal",
    ) -> None:
        super().__init__(
            units, return_sequences, reverse, initializer, recurrent_initializer
        )
        self.activation = activation

    def _forward(
        self, params: Tree, z: Array, states: list[Array], ctx: Context
    ) -> Any:
        relu = self.activation == "relu"
        op.simple(z, params["U"], states[0], ctx.lengths, relu, ctx.empty)
        return z, states[0]

    def _backward(
        self,
        params: Tree,
        cache: Any,
        dy: Array,
        last: list[Array],
        lengths: Array | None,
        ctx: Context,
    ) -> tuple[Array, Array]:
        z, h = cache
        relu, U = self.activation == "relu", params["U"]
        op.simple_backward(z, h, dy, U, last[0], lengths, relu, ctx.empty)
        return z, z


@register("lstm")
class LSTM(Recurrent):
    """Long short-term memory (Hochreiter & Schmidhuber 1997; Gers et al. 2000).

    i, f, o = σ(x_t·W + h_{t−1}·U + b), g = tanh(…); c_t = f∘c_{t−1} + i∘g;
    h_t = o∘tanh(c_t). The columns of W, U and b stand in the order i, f, o, g (PyTorch:
    i, f, g, o). The biases of f start at 1 (Jozefowicz et al. 2015): cells remember at
    first.

    Parameters
    ----------
    units : int, default=64
        Numbers of the state, in which a layer has all it remembers; at least 1. Time
        and parameters grow with their square.
    return_sequences : bool, default=True
        Whether the output has the state of every step, or that of the last alone.
    reverse : bool, default=False
        Whether to go from the end of each sequence to its start.
    initializer : str or Initializer, default="auto"
        Start of W.
    recurrent_initializer : str or Initializer, default="orthogonal"
        Start of U.

    Raises
    ------
    ValueError
        When a network is built, if a setting is out of range or samples are no
        sequences.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.layers import LSTM
    >>> from skdl.networks import Network
    >>> network = Network([LSTM(8), LSTM(4, return_sequences=False)], (6, 2))
    >>> network.shapes
    [(6, 2), (6, 8), (4,)]
    >>> network.initialize(np.random.default_rng(0))
    >>> network.params["1.b"].reshape(4, 4)  # of the gates i, f, o and g
    array([[0., 0., 0., 0.],
           [1., 1., 1., 1.],
           [0., 0., 0., 0.],
           [0., 0., 0., 0.]])
    >>> network.predict(np.ones((3, 50, 2))).shape  # sequences of any length
    (3, 4)
    """

    n_gates = 4
    n_states = 2

    def build(self, input_shape: Shape) -> tuple[Shape, dict[str, Any]]:
        shape, specs = super().build(input_shape)
        specs["b"] = specs["b"]._replace(initializer=_ForgetBias())
        return shape, specs

    def _forward(
        self, params: Tree, z: Array, states: list[Array], ctx: Context
    ) -> Any:
        h, c = states
        bent = ctx.empty((len(z), *h.shape[1:]))
        op.lstm(z, params["U"], h, c, bent, ctx.lengths, ctx.empty)
        return z, c, bent

    def _backward(
        self,
        params: Tree,
        cache: Any,
        dy: Array,
        last: list[Array],
        lengths: Array | None,
        ctx: Context,
    ) -> tuple[Array, Array]:
        z, c, bent = cache
        U = params["U"]
        op.lstm_backward(z, c, bent, dy, U, last[0], last[1], lengths, ctx.empty)
        return z, z


@register("gru")
class GRU(Recurrent):
    """Gated recurrent unit (Cho et al. 2014).

    r, u = σ(x_t·W + b + h_{t−1}·U + v), n = tanh(x_t·W + b + r∘(h_{t−1}·U + v)),
    h_t = n + u∘(h_{t−1} − n), as PyTorch has it (in the paper r acts before the
    product). The columns of W and U stand in the order r, u, n.

    Parameters
    ----------
    units : int, default=64
        Numbers of the state, in which a layer has all it remembers; at least 1. Time
        and parameters grow with their square.
    return_sequences : bool, default=True
        Whether the output has the state of every step, or that of the last alone.
    reverse : bool, default=False
        Whether to go from the end of each sequence to its start.
    initializer : str or Initializer, default="auto"
        Start of W.
    recurrent_initializer : str or Initializer, default="orthogonal"
        Start of U.

    Raises
    ------
    ValueError
        When a network is built, if a setting is out of range or samples are no
        sequences.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.layers import GRU
    >>> from skdl.networks import Network
    >>> network = Network([GRU(8), GRU(4, return_sequences=False)], (6, 2))
    >>> network.shapes
    [(6, 2), (6, 8), (4,)]
    >>> network.initialize(np.random.default_rng(0))
    >>> network.params["0.b"].reshape(3, 8)[1] = 50.0  # u = 1: the state stays at 0
    >>> print(abs(network.predict(np.ones((1, 6, 2)), n_layers=1)).max().round(6))
    0.0
    """

    n_gates = 3

    def build(self, input_shape: Shape) -> tuple[Shape, dict[str, Any]]:
        shape, specs = super().build(input_shape)
        specs["v"] = specs["b"]
        return shape, specs

    def _forward(
        self, params: Tree, z: Array, states: list[Array], ctx: Context
    ) -> Any:
        h = states[0]
        kept = ctx.empty((len(z), *h.shape[1:]))
        U, v = params["U"], params["v"]
        op.gru(z, U, v, h, kept, ctx.lengths, ctx.empty)
        return z, h, kept

    def _backward(
        self,
        params: Tree,
        cache: Any,
        dy: Array,
        last: list[Array],
        lengths: Array | None,
        ctx: Context,
    ) -> tuple[Array, Array]:
        z, h, kept = cache
        dz, U = ctx.empty(z.shape), params["U"]
        op.gru_backward(z, h, kept, dz, dy, U, last[0], lengths, ctx.empty)
        return z, dz


class _ForgetBias(Initializer):
    """0, and 1 for the second of four parts: the forget gate."""

    def __call__(self, shape: Shape, rng: Any, dtype: Any = np.float64) -> Array:
        bias = np.zeros(shape, dtype)
        bias[shape[0] // 4 : shape[0] // 2] = 1
        return bias
