"""Search for the most probable sequence that a decoder writes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from skdl._ragged import Ragged
from skdl._typing import Array
from skdl.layers import Arena, Context, EncoderDecoder, Kept, forward_chain
from skdl.networks import Network
from skdl.neural_network._generate import all_log_p

_ROWS = 512  # hypotheses that are followed side by side


class Limits(NamedTuple):
    """What sequences may be written.

    Attributes
    ----------
    start, end : int
        The id that the decoder reads first, and the one that ends a sequence.
    never : tuple of int
        Ids that are not written.
    longest : int
        Symbols of a sequence at most, its end left out.
    ends : bool
        Whether the end is written: if not, all have `longest` symbols.
    """

    start: int
    end: int
    never: tuple[int, ...]
    longest: int
    ends: bool


class Hypothesis(NamedTuple):
    """A sequence that may be written.

    Attributes
    ----------
    ids : ndarray of int of shape (length,)
        Its symbols, without the end.
    log_p : float
        Logarithm of its probability, that of its end included.
    score : float
        What it is ranked by.
    """

    ids: Array
    log_p: float
    score: float


class Decoder:
    """The decoder of a network, step by step.

    Parameters
    ----------
    network : Network
        Its first layer is an `EncoderDecoder`; the others lead to raw predictions.
    """

    def __init__(self, network: Network) -> None:
        layer = network.layers[0]
        assert isinstance(layer, EncoderDecoder)
        tree = network.tree(network.params)
        self._layer, self._params = layer, tree["0"]
        self._head = network.layers[1:]
        self._head_params = {str(int(k) - 1): tree[k] for k in tree if k != "0"}
        self.n_symbols = network.output_shape[-1]
        # States are read from one memory and written to the other.
        arenas = [Arena(network.dtype) for _ in range(2)]
        self._memory = [(a, Context(False, None, network.dtype, a)) for a in arenas]

    def read(self, X: Ragged) -> list[Kept]:
        """Read the input.

        Parameters
        ----------
        X : Ragged
            Ids of n sequences.

        Returns
        -------
        kept : list of Kept
            States, valid until the step after the next.
        """
        ctx = self._next()
        ctx.begin(lengths=X.lengths)
        return self._layer.encode(self._params, X.pad(ctx.empty), ctx)

    def step(self, symbols: Array, kept: list[Kept]) -> tuple[Array, list[Kept]]:
        """Foretell the next symbols.

        Parameters
        ----------
        symbols : ndarray of int of shape (n,)
            The last ones.
        kept : list of Kept
            States.

        Returns
        -------
        log_p : ndarray of shape (n, n_symbols)
            Logarithms of probabilities.
        kept : list of Kept
            States, valid until the step after the next.
        """
        ctx = self._next()
        ctx.begin()
        y, kept = self._layer.step(self._params, symbols, kept, ctx)
        raw, _ = forward_chain(self._head, self._head_params, y, ctx)
        return all_log_p(raw[:, 0]), kept

    def _next(self) -> Context:
        self._memory.reverse()
        arena, ctx = self._memory[0]
        arena.reset()
        return ctx


def search(
    network: Network,
    X: Ragged,
    limits: Limits,
    width: int,
    penalty: float,
    n_best: int = 1,
) -> list[list[Hypothesis]]:
    """Return the best sequences that beam search finds (Sutskever et al. 2014).

    The `width` most probable beginnings are followed side by side; those that end
    leave the beam. Of what has ended, the best is that of the largest
    log p / length^penalty, the end counted among its symbols.

    Parameters
    ----------
    network : Network
        The network; not changed.
    X : Ragged
        Ids of what is read.
    limits : Limits
        What may be written.
    width : int
        Beginnings that are followed. 1 is greedy: the most probable symbol each time.
    penalty : float
        From 0; with 0 short sequences have the better chances.
    n_best : int, default=1
        How many are wanted.

    Returns
    -------
    found : list of list of Hypothesis
        For each row of X the best ones, best first: at least one.
    """
    decoder, found = Decoder(network), []
    size = max(1, _ROWS // width)
    for start in range(0, len(X), size):
        beam = _Beam(decoder, X[start : start + size], limits, width, penalty, n_best)
        found += beam.run()
    return found


class _Beam:
    """Some rows, and the beginnings of what is written for each."""

    def __init__(
        self,
        decoder: Decoder,
        X: Ragged,
        limits: Limits,
        width: int,
        penalty: float,
        n_best: int,
    ) -> None:
        self.decoder = decoder
        self.limits = limits
        self.width = width
        self.penalty = penalty
        self.n_best = n_best
        self.ended: list[list[Hypothesis]] = [[] for _ in range(len(X))]
        # One line a beginning that is followed: its row, its symbols, its log p.
        self.row = np.arange(len(X))
        self.ids = np.empty((len(X), 0), np.intp)
        self.log_p = np.zeros(len(X))
        self.kept = decoder.read(X)

    def run(self) -> list[list[Hypothesis]]:
        symbols = np.full(len(self.row), self.limits.start)
        for length in range(self.limits.longest + self.limits.ends):
            log_p, self.kept = self.decoder.step(symbols, self.kept)
            log_p[:, self._forbidden(length)] = -np.inf
            line, symbols = self._best(self.log_p[:, None] + log_p, length)
            if not len(line):
                break
            self.kept = [Kept([s[line] for s in one.state]) for one in self.kept]
        return self.ended

    def _forbidden(self, length: int) -> list[int]:
        """Return the ids that are not written behind so many symbols."""
        limits = self.limits
        if limits.ends and length == limits.longest:
            n_symbols = self.decoder.n_symbols
            return [i for i in range(n_symbols) if i != limits.end]
        return [*limits.never, *([] if limits.ends else [limits.end])]

    def _best(self, total: Array, length: int) -> tuple[Array, Array]:
        """Choose among all ways to go on; return lines and the symbols behind them."""
        chosen = self._chosen(total)
        line, symbol = np.divmod(chosen, total.shape[1])
        log_p, row = total.ravel()[chosen], self.row[line]
        ids = np.concatenate([self.ids[line], symbol[:, None]], axis=1)
        if self.limits.ends:
            over = symbol == self.limits.end
        else:
            over = np.full(len(symbol), length + 1 == self.limits.longest)
        for i in np.flatnonzero(over):
            own = ids[i, :length] if self.limits.ends else ids[i]
            score = log_p[i] / (length + 1) ** self.penalty
            self.ended[row[i]].append(Hypothesis(own.copy(), log_p[i], score))
        on = np.flatnonzero(~over & ~self._hopeless(row, log_p))
        self.row, self.ids, self.log_p = row[on], ids[on], log_p[on]
        return line[on], symbol[on]

    def _chosen(self, total: Array) -> Array:
        """Return the places of the best in the flat array, up to `width` a row."""
        n_symbols = total.shape[1]
        first = np.flatnonzero(np.diff(self.row, prepend=-1))
        n_lines = np.diff(first, append=len(self.row))
        # The lines of a row side by side, so that its ways on are one row.
        slot = np.arange(len(self.row)) - np.repeat(first, n_lines)
        beside = np.full((len(first), n_lines.max(), n_symbols), -np.inf)
        beside[np.repeat(np.arange(len(first)), n_lines), slot] = total
        beside = beside.reshape(len(first), -1)
        if self.width == 1:
            best = beside.argmax(axis=1)[:, None]
        else:
            best = np.argsort(-beside, axis=1, kind="stable")[:, : self.width]
        possible = np.take_along_axis(beside, best, axis=1) > -np.inf
        return (best + first[:, None] * n_symbols)[possible]

    def _hopeless(self, row: Array, log_p: Array) -> Array:
        """Return which beginnings cannot become better than what has ended."""
        most = self.limits.longest + self.limits.ends
        bound = log_p / most**self.penalty  # log p can only fall
        hopeless = np.zeros(len(row), bool)
        for i in np.unique(row):
            if not (ended := self.ended[i]):
                continue
            ended.sort(key=lambda one: -one.score)
            del ended[self.n_best :]
            if len(ended) == self.n_best:
                hopeless |= (row == i) & (bound <= ended[-1].score)
        return hopeless
