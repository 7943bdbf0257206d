"""Values to bin numbers (compiled)."""

from __future__ import annotations

import numpy as np

from skdl.ops._numba._inner import entry


@entry
def bin_rows(X, start, end, features, thresholds, n_bins, width, bins):  # type: ignore[no-untyped-def]
    """Write the bin numbers of the rows start…end−1.

    thresholds : float64 (n_features, 256), padded with +∞. A value's bin is the number
    of thresholds below it; NaN gets the number n_bins.
    """
    for f in range(len(features)):
        source = features[f]
        edges = thresholds[f]
        group, j = f // width, f % width
        missing = n_bins[f]
        for i in range(start, end):
            x = X[i, source]
            low = np.uint64(0)
            for step in (128, 64, 32, 16, 8, 4, 2, 1):
                if edges[low + np.uint64(step - 1)] < x:
                    low += np.uint64(step)
            bins[group, i, j] = np.uint8(missing) if x != x else np.uint8(low)


@entry
def bin_entries(  # type: ignore[no-untyped-def]
    data,
    indices,
    first,
    last,
    starts,
    thresholds,
    n_bins,
    begin,
    end,
    rows,
    bins,
    zeros,
):
    """Write rows and bin numbers of the entries of the features begin…end−1.

    data, indices : those of a sparse matrix by columns; first, last : where the entries
    of each feature are in it; starts : where they are in `rows` and `bins`.
    """
    for f in range(begin, end):
        edges = thresholds[f, : n_bins[f] - 1]
        zeros[f] = np.searchsorted(edges, 0.0)
        at = starts[f]
        for i in range(first[f], last[f]):
            x = data[i]
            low, high = 0, len(edges)
            while low < high:
                middle = (low + high) // 2
                if edges[middle] < x:
                    low = middle + 1
                else:
                    high = middle
            rows[at] = indices[i]
            bins[at] = np.uint8(n_bins[f]) if x != x else np.uint8(low)
            at += 1
