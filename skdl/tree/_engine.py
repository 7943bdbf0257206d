"""The engine in use: NumPy, or its compiled twin."""

from __future__ import annotations

from importlib import import_module

import numpy as np

from skdl._config import use_numba
from skdl._typing import Array
from skdl.ops._threads import run_chunks
from skdl.tree._binning import BinnedData
from skdl.tree._grower import Grower
from skdl.tree._tree import GrownTree, TreeParams

_SMALL = 50_000  # rows below which a second thread costs more than it helps


def make_grower(binned: BinnedData, params: TreeParams, n_outputs: int = 1) -> Grower:
    """Return a grower of the engine in use.

    Parameters
    ----------
    binned : BinnedData
        The features; copied if they were binned while the other engine was in use.
    params : TreeParams
        What limits growth.
    n_outputs : int, default=1
        Values in a leaf.

    Returns
    -------
    grower : Grower
        Grows trees on these data.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.tree import BinMapper, TreeParams, make_grower
    >>> X = np.arange(8.0).reshape(-1, 1)
    >>> binned = BinMapper().fit_transform(X, np.random.default_rng(0))
    >>> grower = make_grower(binned, TreeParams(max_depth=1))
    >>> print(grower.grow(-X.T.copy(), None).tree.threshold[0])
    3.5
    """
    binned = binned.laid_out()
    if use_numba() and binned.size:
        engine = import_module("skdl.tree._numba.engine")
        return engine.CompiledGrower(binned, params, n_outputs)
    return Grower(binned, params, n_outputs)


def leaf_sums(grown: GrownTree, values: Array) -> Array:
    """Return the sums of values over the rows of each leaf.

    Parameters
    ----------
    grown : GrownTree
        A tree just grown.
    values : float64 ndarray of shape (n_outputs, n)
        Values of all rows.

    Returns
    -------
    sums : ndarray of shape (n_leaves, n_outputs)
        Added up in the order of rows, in both engines.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.tree import BinMapper, TreeParams, leaf_sums, make_grower
    >>> X, y = np.arange(8.0).reshape(-1, 1), np.array([0.0, 0, 0, 1, 1, 1, 5, 5])
    >>> binned = BinMapper().fit_transform(X, np.random.default_rng(0))
    >>> grower = make_grower(binned, TreeParams(max_leaf_nodes=3))
    >>> grown = grower.grow(-y[None], None)
    >>> leaf_sums(grown, y[None]).ravel()
    array([ 0.,  3., 10.])
    """
    n_leaves = len(grown.leaves)
    if use_numba():
        kernel = import_module("skdl.tree._numba.predictor").sum_leaves
        out = np.empty((n_leaves, len(values)))

        rows, starts, ends = grown.rows, grown.starts, grown.ends
        if len(rows) < _SMALL:
            kernel(rows, starts, ends, values, 0, n_leaves, out)
        else:
            run_chunks(
                lambda i: kernel(rows, starts, ends, values, i, i + 1, out), n_leaves
            )
        return out
    leaf_of = np.repeat(np.arange(n_leaves), grown.ends - grown.starts)
    return np.stack(
        [np.bincount(leaf_of, v[grown.rows], minlength=n_leaves) for v in values],
        axis=1,
    )


def add_leaf_values(grown: GrownTree, values: Array, column: int, out: Array) -> None:
    """Add to each training row the values of its leaf.

    Parameters
    ----------
    grown : GrownTree
        A tree just grown.
    values : ndarray of shape (n_leaves, n_outputs)
        What to add.
    column : int
        The first column to add to.
    out : float64 ndarray of shape (n, n_columns)
        Changed in place.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.tree import BinMapper, TreeParams, add_leaf_values, make_grower
    >>> X, y = np.arange(8.0).reshape(-1, 1), np.array([0.0, 0, 0, 1, 1, 1, 5, 5])
    >>> binned = BinMapper().fit_transform(X, np.random.default_rng(0))
    >>> grower = make_grower(binned, TreeParams(max_leaf_nodes=3))
    >>> grown = grower.grow(-y[None], None)
    >>> out = np.zeros((8, 1))
    >>> add_leaf_values(grown, np.array([[10.0], [20.0], [30.0]]), 0, out)
    >>> np.unique(out)
    array([10., 20., 30.])
    """
    if use_numba():
        kernel = import_module("skdl.tree._numba.predictor").add_leaves
        starts, ends, rows = grown.starts, grown.ends, grown.rows
        n_leaves = len(starts)
        if len(rows) < _SMALL:
            kernel(rows, starts, ends, values, 0, n_leaves, column, out)
            return
        run_chunks(
            lambda i: kernel(rows, starts, ends, values, i, i + 1, column, out),
            n_leaves,
        )
        return
    added = np.repeat(values, grown.ends - grown.starts, axis=0)
    out[grown.rows, column : column + values.shape[1]] += added
