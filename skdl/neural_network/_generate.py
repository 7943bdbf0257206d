"""Generation: one step at a time, states carried along."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdl._typing import Array
from skdl.layers import Arena, Carried, Context, Kept, forward_chain
from skdl.networks import Network
from skdl.neural_network._steps import steps_of
from skdl.neural_network._unrolled import unrolled
from skdl.text import Tokenizer

_WINDOW = 512  # ids of a prompt that are read at a time


class Stepper:
    """A network that reads ids of several sequences, step by step.

    Parameters
    ----------
    network : Network
        The network; it is not changed.
    banned : list of int
        Ids that never come.
    """

    def __init__(self, network: Network, banned: list[int]) -> None:
        self._layers, self._tree = unrolled(network)
        self._arena = Arena(network.dtype)
        self._ctx = Context(train=False, dtype=network.dtype, arena=self._arena)
        self._carried: list[Kept] = []
        self._banned = banned
        self._steps = steps_of(self._layers, self._tree)
        self._with_state = [step for step in self._steps or () if step.n_states]
        self._n = 0

    def read(self, ids: Array) -> Array:
        """Read ids and return what may come next.

        Parameters
        ----------
        ids : ndarray of int of shape (n, n_steps)
            The next ids of all sequences; at least one.

        Returns
        -------
        raw : ndarray of shape (n, n_symbols)
            Raw predictions behind the last of them, minus infinity where an id never
            comes; the caller may overwrite them.
        """
        if self._steps is None:
            return self._read_windows(ids)
        if self._n == 0:
            if ids.shape[1] > 1:
                self._read_windows(ids[:, :-1])
            states = [kept.state for kept in self._carried]
            for i, step in enumerate(self._with_state):
                step.start(len(ids), states[i] if states else None)
            self._n = len(ids)
            ids = ids[:, -1:]
        x = ids[:, 0]
        for step in self._steps:
            x = step(x)
        for i in self._banned:
            x[:, i] = -np.inf
        return x

    def _read_windows(self, ids: Array) -> Array:
        raw: Any = None
        for start in range(0, ids.shape[1], _WINDOW):
            self._arena.reset()
            carried = Carried(self._carried)
            self._ctx.begin(carried=carried)
            part = ids[:, start : start + _WINDOW]
            raw, _ = forward_chain(self._layers, self._tree, part, self._ctx)
            self._carried = carried.kept
        last = raw[:, -1].copy()
        last[:, self._banned] = -np.inf
        return last

    def take(self, rows: Array) -> None:
        """Go on with other sequences: copies of some of those so far.

        Parameters
        ----------
        rows : ndarray of int of shape (n_new,)
            Numbers of sequences.
        """
        for step in self._with_state:
            step.take(rows)
        if self._steps is None:
            self._carried = [
                Kept([part[rows] for part in kept.state]) for kept in self._carried
            ]


def draw(
    raw: Array,
    rng: np.random.Generator,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Array:
    """Draw one id for each row.

    Parameters
    ----------
    raw : ndarray of shape (n, n_symbols)
        Raw predictions; overwritten.
    rng : numpy.random.Generator
        The source of randomness.
    temperature : float, default=1.0
        Divides them; 0 takes the largest.
    top_k : int, default=None
        Draw from so many of the most probable.
    top_p : float, default=None
        Draw from the fewest of the most probable that have so much probability
        together (Holtzman et al. 2020).

    Returns
    -------
    ids : ndarray of int of shape (n,)
        What comes next.
    """
    if temperature < np.finfo(raw.dtype).tiny:
        return raw.argmax(axis=1)
    raw -= raw.max(axis=1)[:, None]
    if temperature != 1:
        with np.errstate(over="ignore"):  # −∞ has no probability
            raw /= temperature
    p = np.exp(raw, out=raw)
    if top_k is not None and top_k < p.shape[1]:
        p[~_largest(p, top_k)] = 0.0
    if top_p is not None and top_p < 1:
        order = np.argsort(-p, axis=1, kind="stable")
        ranked = np.take_along_axis(p, order, axis=1)
        before = np.cumsum(ranked, axis=1) - ranked
        ranked[before >= top_p * ranked.sum(axis=1)[:, None]] = 0.0
        np.put_along_axis(p, order, ranked, axis=1)
    up_to = p.cumsum(axis=1, dtype=np.float64)
    # The interval that u falls into; one of probability 0 is empty.
    u = rng.random((len(p), 1)) * up_to[:, -1:]
    return (up_to <= u).sum(axis=1)


def _largest(p: Array, k: int) -> Array:
    """Return where the k largest numbers of each row are, of equal ones the first."""
    least = np.partition(p, -k, axis=1)[:, -k, None]
    above, equal = p > least, p == least
    left = k - above.sum(axis=1, keepdims=True)
    return above | (equal & (np.cumsum(equal, axis=1) <= left))


def sequences(
    stepper: Stepper, n: int, max_length: int, rng: np.random.Generator
) -> list[list[int]]:
    """Draw whole sequences, side by side.

    Parameters
    ----------
    stepper : Stepper
        The network.
    n : int
        How many.
    max_length : int
        Ids of each at most.
    rng : numpy.random.Generator
        The source of randomness.

    Returns
    -------
    ids : list of list of int
        Without begin and end.
    """
    begin, end = Tokenizer.BEGIN, Tokenizer.END
    ids = np.full((n, max_length), end)
    alive = np.arange(n)
    raw = stepper.read(np.full((n, 1), begin))
    for t in range(max_length):
        new = draw(raw, rng)
        ids[alive, t] = new
        goes_on = np.flatnonzero(new != end)
        if t + 1 == max_length or not len(goes_on):
            break
        if len(goes_on) < len(alive):
            alive = alive[goes_on]
            stepper.take(goes_on)
        raw = stepper.read(new[goes_on][:, None])
    ended = ids == end
    lengths = np.where(ended.any(axis=1), ended.argmax(axis=1), max_length)
    return [row[:k].tolist() for row, k in zip(ids, lengths, strict=True)]


def search(
    stepper: Stepper,
    prompt: Array,
    max_length: int,
    n_beams: int,
    length_penalty: float,
) -> list[tuple[list[int], float]]:
    """Look for the most probable continuations, some side by side (Graves 2012).

    Parameters
    ----------
    stepper : Stepper
        The network.
    prompt : ndarray of int of shape (n_ids,)
        What they go on from.
    max_length : int
        New ids at most.
    n_beams : int
        Continuations that are followed.
    length_penalty : float
        They are ranked by ln p / n_ids ** length_penalty.

    Returns
    -------
    found : list of (list of int, float)
        Ids without the end, and ln p (that of the end included where there is one), the
        best first; `n_beams` at most.
    """
    end = Tokenizer.END
    ended: list[tuple[list[int], float]] = []
    beams: list[list[int]] = [[]]
    scores = np.zeros(1)

    def rank(found: tuple[list[int], float]) -> float:
        return -found[1] / max(1, len(found[0])) ** length_penalty

    raw = stepper.read(prompt[None])
    for t in range(max_length):
        log_p = scores[:, None] + all_log_p(raw)
        flat = log_p.ravel()
        # Twice as many: those that end take no beam away.
        best = np.argsort(-flat, kind="stable")[: 2 * n_beams]
        best = best[np.isfinite(flat[best])]
        rows, new = np.divmod(best, log_p.shape[1])
        ends = new == end
        for row, at in zip(rows[ends], best[ends], strict=True):
            ended.append((beams[row], float(flat[at])))
        rows, new, best = (part[~ends][:n_beams] for part in (rows, new, best))
        beams = [[*beams[row], int(k)] for row, k in zip(rows, new, strict=True)]
        scores = flat[best]
        ended = sorted(ended, key=rank)[:n_beams]
        worst = rank(ended[-1]) if len(ended) == n_beams else np.inf
        # Without a penalty a probability only falls.
        hopeless = length_penalty == 0 and (not len(best) or -scores[0] >= worst)
        if not len(best) or hopeless or t + 1 == max_length:
            break
        stepper.take(rows)
        raw = stepper.read(new[:, None])
    found = ended + [(beam, float(s)) for beam, s in zip(beams, scores, strict=True)]
    return sorted(found, key=rank)[:n_beams]


def all_log_p(raw: Array) -> Array:
    """Return ln softmax(raw) of rows, minus infinity where raw is."""
    shifted = raw.astype(np.float64)
    shifted -= shifted.max(axis=1, keepdims=True)
    total = np.exp(shifted).sum(axis=1, keepdims=True)
    return shifted - np.log(total)
