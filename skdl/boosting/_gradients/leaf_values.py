"""The values of a tree's leaves."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from importlib import import_module

import numpy as np

from skdl._config import use_numba
from skdl._typing import Array
from skdl.boosting._gradients.leaf_minimum import LeafMinimum
from skdl.losses import Loss
from skdl.tree import GrownTree, leaf_sums

PIECE = 16384  # rows whose leaves are searched at a time


def newton_values(
    grown: GrownTree, g: Array, h: Array | None, l2_regularization: float
) -> Array:
    """Return −Σg/(Σh+λ) of each leaf, within the bounds of monotonic constraints.

    Parameters
    ----------
    grown : GrownTree
        A tree just grown.
    g : float64 ndarray of shape (n_outputs, n)
        Gradients of all rows.
    h : float64 ndarray of shape (n_outputs, n) or None
        Hessians; None: 1 for all.
    l2_regularization : float
        λ.

    Returns
    -------
    values : float64 ndarray of shape (n_leaves, n_outputs)
        0 where Σh+λ is.
    """
    g_sum = leaf_sums(grown, g)
    if h is None:
        h_sum = (grown.ends - grown.starts)[:, None].astype(np.float64)
    else:
        h_sum = leaf_sums(grown, h)
    h_sum = h_sum + l2_regularization
    values = np.zeros_like(g_sum)
    np.divide(-g_sum, h_sum, out=values, where=h_sum > 0)
    return np.clip(values, grown.bounds[:, :1], grown.bounds[:, 1:])


@dataclass
class _Rows:
    """What the leaf values of a tree are found from.

    Parameters
    ----------
    loss : Loss
        Of these rows' targets and raw predictions.
    y, raw : ndarray of shape (n_rows, k)
        Leaf after leaf.
    weight : ndarray of shape (n_rows,) or None
        Sample weights.
    part : slice
        The outputs that the tree serves.
    """

    loss: Loss
    y: Array
    raw: Array
    weight: Array | None
    part: slice

    def best(self, spans: list[slice]) -> Array:
        """Return the best values of leaves, of shape (n_spans, n_outputs)."""
        return np.stack([self._best(span) for span in spans])

    def _best(self, span: slice) -> Array:
        weight = None if self.weight is None else self.weight[span]
        return self.loss.leaf_value(self.y[span], self.raw[span], weight)[self.part]


@dataclass
class _Followed:
    """The same for losses that only know their gradient.

    Parameters
    ----------
    minimum : LeafMinimum
        Finds the values.
    rows : integer ndarray of shape (n_rows,)
        The rows of the tree, leaf after leaf.
    raw : float64 ndarray of shape (n, k)
        Raw predictions of all rows.
    part : slice
        The outputs that the tree serves.
    """

    minimum: LeafMinimum
    rows: Array
    raw: Array
    part: slice

    def best(self, spans: list[slice]) -> Array:
        """Return the best values of leaves, of shape (n_spans, n_outputs)."""
        leaves = [self.rows[span] for span in spans]
        return self.minimum.find(leaves, self.raw, self.part)


class LeafSearch:
    """Leaf values that minimise the loss itself.

    Parameters
    ----------
    loss : Loss
        Where it defines no `leaf_value`, its gradients are followed.
    y : ndarray of shape (n, k)
        Targets.
    weight : float64 ndarray of shape (n,) or None
        Sample weights.
    n_raw : int
        Number of raw predictions.
    monotonic_cst : int8 ndarray of shape (n_features,) or None
        1, −1 or 0 for each feature.
    """

    def __init__(
        self,
        loss: Loss,
        y: Array,
        weight: Array | None,
        n_raw: int,
        monotonic_cst: Array | None,
    ) -> None:
        self.loss = loss
        self.minimum = LeafMinimum(loss, y, weight, n_raw)
        self.y = y
        self.weight = weight
        self.monotonic_cst = monotonic_cst

    def pieces(self, grown: GrownTree) -> list[slice]:
        """Divide the leaves into some that may be searched side by side.

        Parameters
        ----------
        grown : GrownTree
            A tree just grown.

        Returns
        -------
        pieces : list of slice
            Of neighbours with some `PIECE` rows; all leaves, where they depend on each
            other.
        """
        n_leaves = len(grown.leaves)
        if self.monotonic_cst is not None or not self.loss.has_leaf_value:
            return [slice(0, n_leaves)]
        firsts = np.flatnonzero(np.diff(grown.starts // PIECE, prepend=-1))
        return list(map(slice, firsts, np.append(firsts[1:], n_leaves)))

    def values(self, grown: GrownTree, part: slice, raw: Array, leaves: slice) -> Array:
        """Return the best values of leaves.

        Parameters
        ----------
        grown : GrownTree
            A tree just grown.
        part : slice
            The outputs that it serves.
        raw : float64 ndarray of shape (n, k)
            Raw predictions so far.
        leaves : slice
            One of its `pieces`.

        Returns
        -------
        values : float64 ndarray of shape (n_leaves, n_outputs)
            Where features are constrained, as near to the best as bounds allow.
        """
        starts, ends = grown.starts[leaves], grown.ends[leaves]
        first = starts[0]
        index = grown.rows[first : ends[-1]]
        if (q := self._quantile(part)) is not None:
            kernel = import_module("skdl.boosting._numba.quantiles").leaf_quantiles
            k, out = part.start, np.empty((len(starts), 1))
            y = self.columns[k if len(self.columns) > 1 else 0]
            kernel(index, starts - first, ends - first, y, raw[:, k], q, out[:, 0])
            return out
        rows = self._rows(index, part, raw)
        values = rows.best(_spans(starts - first, ends - first))
        if self.monotonic_cst is None:
            return values
        bounds = self._bounds(grown, rows)
        return np.clip(values, bounds[:, :1], bounds[:, 1:])

    def _quantile(self, part: slice) -> float | None:
        """The quantile that compiled code finds, if that is what is asked for."""
        plain = self.weight is None and self.monotonic_cst is None
        if not (use_numba() and self.loss.verified and plain):
            return None
        if part.stop - part.start > 1 or not self.loss.has_leaf_value:
            return None
        one = self.loss.of_output(part.start)
        return None if one is None else one.leaf_quantile

    @cached_property
    def columns(self) -> Array:
        """The targets by column, of shape (k, n)."""
        return np.ascontiguousarray(self.y.T, dtype=np.float64)

    def _rows(self, index: Array, part: slice, raw: Array) -> _Rows | _Followed:
        """The rows in the order of the tree's leaves; of one output if it can be."""
        if not self.loss.has_leaf_value:
            return _Followed(self.minimum, index, raw, part)
        loss = None
        if part.stop - part.start == 1:
            loss = self.loss.of_output(part.start)
        weight = None if self.weight is None else self.weight[index]
        if loss is None:
            return _Rows(self.loss, self.y[index], raw[index], weight, part)
        y = self.y[:, part] if self.y.shape[1] > 1 else self.y
        return _Rows(loss, y[index], raw[:, part][index], weight, slice(0, 1))

    def _bounds(self, grown: GrownTree, rows: _Rows | _Followed) -> Array:
        """Bounds of the leaves: those of growth are in units of the gradients.

        As there, the sides of a monotonic split are parted by the middle of the values
        that they would have as leaves. A node's rows stand together, as its leaves do.
        """
        assert self.monotonic_cst is not None
        tree = grown.tree
        starts, ends = np.zeros((2, len(tree.left)), dtype=np.int64)
        starts[grown.leaves], ends[grown.leaves] = grown.starts, grown.ends
        inner = np.flatnonzero(tree.left >= 0)
        for node in inner[::-1]:  # parents come before their children
            starts[node], ends[node] = (
                starts[tree.left[node]],
                ends[tree.left[node] + 1],
            )
        bounds = np.tile([-np.inf, np.inf], (len(tree.left), 1))
        for node in inner:
            left = tree.left[node]
            bounds[left : left + 2] = bounds[node]
            sign = self.monotonic_cst[tree.feature[node]]
            if sign:
                pair = slice(left, left + 2)
                sides = rows.best(_spans(starts[pair], ends[pair]))[:, 0]
                middle = np.clip(sides, *bounds[node]).mean()
                bounds[left, int(sign > 0)] = middle
                bounds[left + 1, int(sign < 0)] = middle
        return bounds[grown.leaves]


def _spans(starts: Array, ends: Array) -> list[slice]:
    return list(map(slice, starts, ends))
