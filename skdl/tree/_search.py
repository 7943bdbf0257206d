"""The best numeric splits of two siblings, or one of them, from their histograms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skdl._typing import Array
from skdl.tree._space import BinSpace
from skdl.tree._splitting import (
    NodeSums,
    Split,
    SplitRules,
    gains,
    heavy_enough,
    unpack,
)


@dataclass
class Searched:
    """What a search for a threshold found in a node.

    Parameters
    ----------
    split : Split or None
        The best; None where none gains.
    alive : int64 ndarray
        Used features that a threshold divides into sides that are large enough; the
        others have none in the nodes below either.
    """

    split: Split | None
    alive: Array


def search_numeric(
    histograms: Array,
    space: BinSpace,
    nodes: list[NodeSums],
    scores: list[float],
    allowed: list[Array],
    rules: SplitRules,
) -> list[Searched]:
    """Return the best threshold of each node over the numeric features.

    Parameters
    ----------
    histograms : int64 ndarray of shape (n_nodes, k, m)
        See `Values.packed`.
    space : BinSpace
        Their bins.
    nodes : list of NodeSums
        The nodes.
    scores : list of float
        What their best values gain over zero.
    allowed : list of bool ndarray of shape (n_used,)
        The features that each may be split on.
    rules : SplitRules
        Units and limits.

    Returns
    -------
    searched : list of Searched
        One for each node.
    """
    # The bins of a feature add up to the node's sums: what the running sums hold before
    # the j-th feature is j times that. Where 64 bits overflow, the difference is right.
    running = np.cumsum(histograms, axis=2)
    usable = histograms[:, 0] != 0  # each row counts; an empty bin repeats the last cut
    if space.numeric is not None:
        usable &= space.numeric
    for i, features in enumerate(allowed):
        if not features.all():
            usable[i] &= features[space.features][space.owner]
    passes = [(running, _find_cuts(running, usable, space, nodes, rules))]
    if space.missing_at is not None:  # once more, with missing values on the left
        running = running + histograms[:, :, space.missing_at]
        usable &= space.binned.has_missing[space.features][space.owner]
        passes.append((running, _find_cuts(running, usable, space, nodes, rules)))
    found = []
    for i, sums in enumerate(nodes):
        best: Split | None = None
        alive = []
        for missing_left, (left, cuts) in enumerate(passes):
            part = _best_cut(left[i], cuts[i], space, sums, scores[i], rules)
            alive.append(part.alive)
            split = part.split
            if split is None:
                continue
            split.missing_left |= bool(missing_left)
            if best is None or split.precedes(best):
                best = split
        found.append(Searched(best, np.concatenate(alive)))
    return found


def _find_cuts(
    running: Array,
    usable: Array,
    space: BinSpace,
    nodes: list[NodeSums],
    rules: SplitRules,
) -> list[Array]:
    """The bins behind which a cut leaves enough rows on both sides, for each node."""
    mask = (1 << rules.count_bits) - 1
    fewest = rules.min_samples_leaf
    counts = np.array([[sums.count] for sums in nodes])
    surplus = running[:, 0] - (space.owner * counts + fewest)
    surplus &= mask  # of rows on the left over the fewest; vast where they are too few
    enough = surplus <= counts - 2 * fewest
    enough &= usable
    return [np.flatnonzero(row) for row in enough]


def _best_cut(
    running: Array,
    at: Array,
    space: BinSpace,
    sums: NodeSums,
    parent: float,
    rules: SplitRules,
) -> Searched:
    """The best of a node's cuts behind the bins `at`."""
    owner = space.owner.take(at)
    here = running.take(at, axis=1)
    here -= np.multiply.outer(_packed(sums, len(running), rules), owner)
    g, h, count = unpack(here, len(sums.g), rules.count_bits)
    if len(running) > len(g):  # rows have Hessians of their own
        enough = heavy_enough(h, sums, rules)
        if not enough.all():
            at, owner, count = at[enough], owner[enough], count[enough]
            g, h = g[:, enough], h[:, enough]
    features = space.features[owner]
    if not len(at):
        return Searched(None, features)
    gain = gains(g, h, sums, parent, rules.sign[features], rules)
    i = int(gain.argmax())
    if not gain[i] > 0:
        return Searched(None, features)
    f = int(features[i])
    split = Split(
        float(gain[i]),
        f,
        int(at[i] - space.starts[owner[i]]),
        # Without missing values in fit, one met later goes the way of most rows.
        bool(not space.binned.has_missing[f] and 2 * count[i] > sums.count),
        int(count[i]),
        g[:, i],
        h[:, i],
    )
    return Searched(split, features)


def _packed(sums: NodeSums, k: int, rules: SplitRules) -> Array:
    """A node's sums as its histogram, of shape (k, m), holds them."""
    packed: Array = np.concatenate([(sums.g << rules.count_bits) + sums.count, sums.h])
    return packed[:k]
