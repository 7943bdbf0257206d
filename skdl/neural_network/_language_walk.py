"""A language model reads sequences of any length, window after window."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from skdl._typing import Array
from skdl.layers import Arena, Carried, Context, forward_chain
from skdl.networks import Network
from skdl.neural_network._unrolled import unrolled
from skdl.ops._blas import one_blas_thread
from skdl.training import Corpus, Data, Pieces, whole_sequences, windows

# Outputs that are held at a time, in bytes.
_BYTES = 2**22


def walk(
    network: Network, corpus: Corpus, pieces: Pieces, n_layers: int | None = None
) -> Iterator[tuple[Array, Array, Array, Array]]:
    """Yield outputs, some sequences side by side and one window after the other.

    Parameters
    ----------
    network : Network
        The network; it is not changed.
    corpus : Corpus
        The sequences.
    pieces : Pieces
        What of them is read.
    n_layers : int, default=None
        Stop after this many layers (of `unrolled`); None runs all.

    Yields
    ------
    rows : ndarray of int of shape (n,)
        Numbers of the pieces.
    y : ndarray of int of shape (n, n_steps)
        Their next ids.
    left : ndarray of int of shape (n,)
        Steps that are theirs; the rest is padding.
    output : ndarray of shape (n, n_steps, k)
        What the last layer gives, in memory that is overwritten by the next.
    """
    layers, tree = unrolled(network)
    layers = layers if n_layers is None else layers[:n_layers]
    widest = max(shape[-1] for shape in network.shapes[1:])
    size = max(1, _BYTES // (corpus.window * widest * network.dtype.itemsize))
    order = np.argsort(-pieces.n_steps, kind="stable")
    data = Data(corpus, corpus, None, None)
    ids, memory = Arena(np.float64), Arena(network.dtype)
    ctx = Context(train=False, dtype=network.dtype, arena=memory)
    with one_blas_thread():
        for start in range(0, len(order), size):
            rows = order[start : start + size]
            group = Pieces(*(part[rows] for part in pieces))
            carried = Carried()
            for batch, left in windows(data, group, ids):
                memory.reset()
                ctx.begin(lengths=batch.lengths, carried=carried)
                output, _ = forward_chain(layers, tree, batch.X, ctx)
                carried.turn()
                yield rows, batch.y, left, output


def log_likelihoods(network: Network, corpus: Corpus) -> Array:
    """Return the logarithm of the probability of each sequence.

    Parameters
    ----------
    network : Network
        The network.
    corpus : Corpus
        The sequences.

    Returns
    -------
    log_p : ndarray of shape (n,)
        Sums over their steps.
    """
    total = np.zeros(len(corpus))
    for rows, y, left, raw in walk(network, corpus, whole_sequences(corpus)):
        log_p = picked_log_p(raw, y)
        log_p[np.arange(y.shape[1]) >= left[:, None]] = 0
        total[rows] += log_p.sum(axis=1, dtype=np.float64)
    return total


def picked_log_p(raw: Array, y: Array) -> Array:
    """Return ln softmax(raw) at y.

    Parameters
    ----------
    raw : ndarray of shape (..., k)
        Raw predictions; overwritten.
    y : ndarray of int of shape (...)
        Which entry.

    Returns
    -------
    log_p : ndarray of shape (...)
        Logarithms of probabilities.
    """
    raw -= raw.max(axis=-1, keepdims=True)
    picked = np.take_along_axis(raw, y[..., None], axis=-1)[..., 0]
    np.exp(raw, out=raw)
    return picked - np.log(raw.sum(axis=-1))


def last_outputs(
    network: Network, corpus: Corpus, with_last: bool, n_layers: int | None = None
) -> Array:
    """Return the output behind each sequence.

    Parameters
    ----------
    network : Network
        The network.
    corpus : Corpus
        The sequences.
    with_last : bool
        Whether the last id of a sequence is read too: it is not its end.
    n_layers : int, default=None
        Stop after this many layers (of `unrolled`); None runs all.

    Returns
    -------
    output : ndarray of shape (n, k)
        What the last layer gives.
    """
    pieces = whole_sequences(corpus)
    pieces = pieces._replace(n_steps=pieces.n_steps + with_last)
    n_done = np.zeros(len(corpus), int)
    out: Array | None = None
    for rows, _, left, output in walk(network, corpus, pieces, n_layers):
        if out is None:
            out = np.empty((len(corpus), output.shape[-1]), network.dtype)
        n_done[rows] += left
        ends = (left > 0) & (n_done[rows] == pieces.n_steps[rows])
        out[rows[ends]] = output[ends, left[ends] - 1]
    assert out is not None  # a corpus has sequences
    return out
