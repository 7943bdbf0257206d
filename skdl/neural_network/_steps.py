"""One step of a recurrent network for a few sequences, with little around it.

Generation reads one symbol at a time: what is the same in each step (weights scaled for
σ(x) = ½ tanh(x/2) + ½, the products of the embedding's rows) is computed once, and
memory is there before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from skdl._typing import Array, Tree
from skdl.layers import GRU, LSTM, RNN, Dense, Dropout, Embedding, Layer, SpatialDropout

_TABLE = 2**24  # numbers of a table of products that are worth their memory


class Step:
    """A layer that reads one step.

    Parameters
    ----------
    layer : Layer
        The layer.
    params : dict
        Its arrays, which are not changed.
    """

    n_states: ClassVar[int] = 0

    def __init__(self, layer: Any, params: Tree) -> None:
        self.layer = layer
        self.params = params
        self.states: list[Array] = []

    def start(self, n: int, states: Sequence[Array] | None) -> None:
        """Begin with n sequences, of given states or of zeros."""

    def __call__(self, x: Array) -> Array:
        """Return the output of the step, in memory that the next overwrites."""
        raise TypeError(f"{type(self).__name__} must define __call__.")

    def take(self, rows: Array) -> None:
        """Go on with copies of some of the sequences."""
        self.start(len(rows), [state[rows] for state in self.states])


class EmbeddingStep(Step):
    """Rows of a table."""

    def __call__(self, x: Array) -> Array:
        return self.params["E"].take(x, axis=0)


class DenseStep(Step):
    """x·W + b."""

    def __call__(self, x: Array) -> Array:
        z = x @ self.params["W"]
        if "b" in self.params:
            z += self.params["b"]
        return z


class SameStep(Step):
    """What does nothing in prediction."""

    def __call__(self, x: Array) -> Array:
        return x


class RecurrentStep(Step):
    """A recurrent layer; the first may have the products of all symbols in a table."""

    n_gates: ClassVar[int] = 1
    n_states = 1
    n_sigmoids: ClassVar[int] = 0  # gates that are σ, which stand first

    def __init__(self, layer: Any, params: Tree, E: Array | None = None) -> None:
        super().__init__(layer, params)
        H = layer.units
        half = np.ones(self.n_gates * H, params["U"].dtype)
        half[: self.n_sigmoids * H] = 0.5
        self.W, self.U, self.b = (params[name] * half for name in ("W", "U", "b"))
        self.table = None
        if E is not None:
            self.table = E @ self.W
            self.table += self.b
        self.half = half

    def start(self, n: int, states: Sequence[Array] | None) -> None:
        shape, dtype = (n, self.layer.units), self.U.dtype
        if states is None:
            self.states = [np.zeros(shape, dtype) for _ in range(self.n_states)]
        else:
            self.states = [np.array(state) for state in states]
        self._z, self._u = np.empty((2, n, self.U.shape[1]), dtype)
        self._split(self._z)

    def _split(self, z: Array) -> None:
        """Give the parts of z their names."""

    def _inputs(self, x: Array) -> Array:
        if self.table is not None:
            return self.table.take(x, axis=0, out=self._z, mode="clip")
        np.dot(x, self.W, out=self._z)
        self._z += self.b
        return self._z


class RNNStep(RecurrentStep):
    """A step of `RNN`."""

    def __call__(self, x: Array) -> Array:
        z, h = self._inputs(x), self.states[0]
        z += np.dot(h, self.U, out=self._u)
        if self.layer.activation == "relu":
            return np.maximum(z, 0, out=h)
        return np.tanh(z, out=h)


class LSTMStep(RecurrentStep):
    """A step of `LSTM`."""

    n_gates, n_states, n_sigmoids = 4, 2, 3

    def _split(self, z: Array) -> None:
        H = self.layer.units
        self._gates = z[:, : 3 * H]
        self._i, self._f, self._o, self._g = (
            z[:, k * H : (k + 1) * H] for k in range(4)
        )

    def __call__(self, x: Array) -> Array:
        z, (h, c) = self._inputs(x), self.states
        z += np.dot(h, self.U, out=self._u)
        np.tanh(z, out=z)
        gates = self._gates
        gates *= 0.5
        gates += 0.5
        c *= self._f
        self._i *= self._g
        c += self._i
        np.tanh(c, out=h)
        h *= self._o
        return h


class GRUStep(RecurrentStep):
    """A step of `GRU`."""

    n_gates, n_sigmoids = 3, 2

    def __init__(self, layer: Any, params: Tree, E: Array | None = None) -> None:
        super().__init__(layer, params, E)
        self.v = params["v"] * self.half

    def _split(self, z: Array) -> None:
        H = self.layer.units
        self._gates, self._r, self._keep, self._n = (
            z[:, : 2 * H], z[:, :H], z[:, H : 2 * H], z[:, 2 * H :]
        )  # fmt: skip

    def __call__(self, x: Array) -> Array:
        self._inputs(x)
        h, u = self.states[0], self._u
        np.dot(h, self.U, out=u)
        u += self.v
        gates, H = self._gates, self.layer.units
        gates += u[:, : 2 * H]
        np.tanh(gates, out=gates)
        gates *= 0.5
        gates += 0.5
        self._r *= u[:, 2 * H :]
        self._n += self._r
        np.tanh(self._n, out=self._n)
        h -= self._n
        h *= self._keep
        h += self._n
        return h


_STEPS: dict[type, type[Step]] = {
    Dense: DenseStep,
    Dropout: SameStep,
    Embedding: EmbeddingStep,
    GRU: GRUStep,
    LSTM: LSTMStep,
    RNN: RNNStep,
    SpatialDropout: SameStep,
}


def steps_of(layers: Sequence[Layer], tree: Tree) -> list[Step] | None:
    """Return what reads a step layer by layer.

    Parameters
    ----------
    layers : sequence of Layer
        The layers of a network.
    tree : dict
        Their arrays.

    Returns
    -------
    steps : list of Step or None
        None, if one of the layers has no such form: the network reads windows of one
        step then.
    """
    kinds = [_STEPS.get(type(layer)) for layer in layers]
    if None in kinds or any(getattr(layer, "reverse", False) for layer in layers):
        return None
    steps: list[Step] = []
    for i, (kind, layer) in enumerate(zip(kinds, layers, strict=True)):
        assert kind is not None
        params = tree.get(str(i), {})
        before = steps[-1] if steps else None
        if isinstance(before, EmbeddingStep) and issubclass(kind, RecurrentStep):
            E = before.params["E"]
            if len(E) * kind.n_gates * layer.units <= _TABLE:  # type: ignore[attr-defined]
                steps[-1] = SameStep(before.layer, {})
                steps.append(kind(layer, params, E))
                continue
        steps.append(kind(layer, params))
    return steps
