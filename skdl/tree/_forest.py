"""Many trees in one set of flat arrays, for prediction from raw features."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import numpy as np
from scipy.sparse import issparse

from skdl._config import use_numba
from skdl._typing import Array
from skdl.ops._threads import run_chunks
from skdl.tree._sparse import by_columns
from skdl.tree._tree import LEAF, Tree

DENSE = 2**21  # entries of sparse rows that are dense at a time
_ROWS = 2048  # rows of a chunk
_PLACES = 258  # of a set: 256 codes, other values, missing ones


class Forest:
    """Trees, each adding to one column of the result or to all.

    Parameters
    ----------
    trees : list of Tree
        The trees.
    columns : sequence of int
        The column that each tree adds to; −1: all of them.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.tree import BinMapper, Forest, TreeParams, make_grower
    >>> X, y = np.arange(8.0).reshape(-1, 1), np.array([0.0, 0, 0, 1, 1, 1, 5, 5])
    >>> binned = BinMapper().fit_transform(X, np.random.default_rng(0))
    >>> grower = make_grower(binned, TreeParams(max_leaf_nodes=3))
    >>> grown = grower.grow(-y[None], None)
    >>> forest = Forest([grown.tree], columns=[0])
    >>> leaves = forest.apply(X)
    >>> leaves.shape, len(np.unique(leaves))
    ((8, 1), 3)
    """

    def __init__(self, trees: list[Tree], columns: Any) -> None:
        sizes = [len(tree.left) for tree in trees]
        self.roots = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        self.columns = np.asarray(columns, dtype=np.int64).reshape(len(trees))
        self.feature = _joined([t.feature for t in trees], np.int32)
        self.threshold = _joined([t.threshold for t in trees], np.float64)
        self.missing_left = _joined([t.missing_left for t in trees], np.bool_)
        # A leaf points at itself, so that following a path needs no second test.
        left = _joined([t.left for t in trees], np.int64)
        start = np.repeat(self.roots[:-1], sizes)
        number = np.arange(len(left))
        self.left = np.where(left == LEAF, number, left + start).astype(np.int32)
        self.feature[left == LEAF] = 0
        self.threshold[left == LEAF] = np.inf
        self.missing_left[left == LEAF] = True
        self.depths = np.array([t.depth for t in trees], dtype=np.int64)
        self._join_sets(trees, sizes)
        width = max((t.value.shape[1] for t in trees), default=1)
        self.value = np.zeros((len(left), width))
        for tree, root in zip(trees, self.roots[:-1], strict=True):
            self.value[root : root + len(tree.left)] = tree.value

    def _join_sets(self, trees: list[Tree], sizes: list[int]) -> None:
        """Lay out the sets so that one formula serves both kinds of nodes.

        A row goes right if its value lies beyond the threshold, or is not in the set. A
        categorical node has a threshold that nothing lies beyond, a numeric one the set
        that holds everything, with missing values or without. A set has 256 codes, a
        place for all other values and one for missing ones.
        """
        n_sets = np.array([len(t.sets) for t in trees], dtype=np.int64)
        self.has_sets = n_sets > 0
        first = 2 + np.cumsum(n_sets) - n_sets
        set_of = _joined([t.set_of for t in trees], np.int64)
        categorical = set_of >= 0
        set_of += np.repeat(first, sizes)
        set_of[~categorical] = ~self.missing_left[~categorical]
        sets = np.ones((2 + int(n_sets.sum()), _PLACES), dtype=bool)
        sets[1, -1] = False
        for tree, start in zip(trees, first, strict=True):
            sets[start : start + len(tree.sets), :256] = tree.sets
        sets[set_of[categorical], 256:] = self.missing_left[categorical, None]
        self.threshold[categorical] = np.inf
        self.sets = sets.ravel()
        self.set_at = (_PLACES * set_of).astype(np.int32)
        in_tree_with_sets = np.repeat(self.has_sets, sizes)
        self.asked = np.unique(self.feature[in_tree_with_sets]).astype(np.int64)

    def __repr__(self) -> str:
        return f"Forest(n_trees={self.n_trees}, n_nodes={len(self.left)})"

    @property
    def n_trees(self) -> int:
        """Number of trees."""
        return len(self.roots) - 1

    def add(
        self, X: Array, out: Array, coefficients: Array, trees: Array | None = None
    ) -> None:
        """Add coefficient · value of the leaves that rows end in.

        Parameters
        ----------
        X : {float ndarray, sparse matrix} of shape (n, n_features)
            Rows.
        out : float64 ndarray of shape (n, n_columns)
            Changed in place.
        coefficients : float64 ndarray of shape (n_chosen,)
            Factor of each chosen tree.
        trees : int64 ndarray of shape (n_chosen,), default=None
            The trees to follow. None: all.
        """
        if trees is None:
            trees = np.arange(self.n_trees)
        assert len(trees) == len(coefficients)  # a kernel would read beyond the end
        if issparse(X):
            for rows, part, forest in self._dense_parts(X):
                forest.add(part, out[rows], coefficients, trees)
            return
        if not use_numba():
            for tree, coefficient in zip(trees, coefficients, strict=True):
                values = coefficient * self.value[self._leaf_nodes(X, tree)]
                column = self.columns[tree]
                if column >= 0:
                    out[:, column] += values[:, 0]
                else:
                    out += values
            return
        kernel = import_module("skdl.tree._numba.predictor").sum_trees
        n = len(X)

        def follow(chunk: int) -> None:
            kernel(
                X,
                chunk * _ROWS,
                min(n, (chunk + 1) * _ROWS),
                trees,
                self.roots,
                self.depths,
                self.has_sets,
                self.columns,
                coefficients,
                self.feature,
                self.threshold,
                self.left,
                self.missing_left,
                self.set_at,
                self.sets,
                self.asked,
                self.value,
                out,
            )

        run_chunks(follow, -(-n // _ROWS))

    def apply(self, X: Array) -> Array:
        """Return the leaf each row ends in, as its number within the tree.

        Parameters
        ----------
        X : {float ndarray, sparse matrix} of shape (n, n_features)
            Rows.

        Returns
        -------
        leaves : int64 ndarray of shape (n, n_trees)
            Numbers of nodes.
        """
        out = np.empty((X.shape[0], self.n_trees), dtype=np.int64)
        if issparse(X):
            for rows, part, forest in self._dense_parts(X):
                out[rows] = forest.apply(part)
            return out
        if not use_numba():
            for tree in range(self.n_trees):
                out[:, tree] = self._leaf_nodes(X, tree) - self.roots[tree]
            return out
        import_module("skdl.tree._numba.predictor").find_leaves(
            X,
            0,
            len(X),
            self.roots[:-1],
            self.feature,
            self.threshold,
            self.left,
            self.set_at,
            self.sets,
            out,
        )
        return out

    def _dense_parts(self, X: Any) -> Iterator[tuple[slice, Array, Forest]]:
        """Some rows at a time of the columns that trees ask for, made dense."""
        asked = np.unique(self.feature)
        forest = copy.copy(self)  # in terms of those columns
        forest.feature = np.searchsorted(asked, self.feature).astype(np.int32)
        forest.asked = np.searchsorted(asked, self.asked)
        X = by_columns(X)[:, asked].tocsr()
        if X.dtype not in (np.float32, np.float64):
            X = X.astype(np.float64)
        n_rows = max(1, DENSE // len(asked))
        for start in range(0, X.shape[0], n_rows):
            rows = slice(start, start + n_rows)
            yield rows, X[rows].toarray(), forest

    def _leaf_nodes(self, X: Array, tree: int) -> Array:
        """The leaf of each row, by steps that all rows take together."""
        node = np.full(len(X), self.roots[tree], dtype=np.int64)
        active = np.arange(len(X))
        while True:
            child = self.left[node[active]]
            active = active[child != node[active]]
            if not len(active):
                return node
            at = node[active]
            x = X[active, self.feature[at]]
            code = np.where((x >= 0) & (x < 256), x, 256).astype(np.int64)
            code[np.isnan(x)] = 257
            right = (x > self.threshold[at]) | ~self.sets[self.set_at[at] + code]
            node[active] = self.left[at] + right


def _joined(parts: list[Array], dtype: Any) -> Array:
    return np.concatenate([np.empty(0, dtype=dtype), *parts]).astype(dtype)
