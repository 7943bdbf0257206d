"""What the kernels of a grower share: the features, the settings and the tables."""

from __future__ import annotations

from numba import boolean, float64, int64, uint8, uint32, uint64

from skdl.ops._numba._struct import Struct

# Columns of `job`: what the current histogram task is about. PARENT_SLOT is where the
# parent's histogram was (−1: no features were ruled out yet).
SMALL_START, SMALL_END, SMALL_SLOT, LARGE_SLOT, SMALL, LARGE = range(6)
SCAN_SMALL, SCAN_LARGE, IDENTITY, PARENT_SLOT = range(6, 10)
# What the current partition task is about.
NODE, NODE_START, NODE_END, N_LEFT, KEEP_LEFT = range(10, 15)
N_JOB = 16

# Columns of the integer tables of splits and of nodes.
POSITION, BIN, MISSING_LEFT, LEFT_COUNT = range(4)
FIRST, LAST, DEPTH, SLOT, LEFT = range(5)

# Rows of a scan's scratch memory, see `splitting.py`; those of output k are 2·k below.
CUT, C_LEFT, G_LEFT, H_LEFT = range(4)

COLUMNS = Struct(  # the binned features
    "Columns",
    bins=uint8[:, ::1],  # (n_groups, n · width): `width` features of a row by row
    width=int64,  # features in a group; the last one may have fewer
    sparse=boolean,  # then `bins` are empty, and these are not:
    entry_starts=int64[:, ::1],  # (n_groups, n + 1) where a row's entries start
    entries=uint32[::1],  # places of bins among those of the group, ascending in a row
    zeros=int64[::1],  # (n_features,) bin of the values that are not stored
    places=int64[::1],  # (n_features,) where a feature's bins start in scratch memory
    n_bins=int64[::1],
    has_missing=boolean[::1],
    categorical=boolean[::1],
    offsets=int64[::1],  # (n_features + 1,)
    sign=int64[::1],  # monotonic constraints
    sets=boolean[:, ::1],  # (n_sets, n_features) interaction constraints
)

PLAN = Struct(  # the numbers that steer a tree
    "Plan",
    newton=boolean,
    count_bits=int64,
    block_bits=int64,
    h_bits=int64,
    block=int64,
    l2=float64,
    min_samples_leaf=int64,
    min_samples_split=int64,
    min_hessian=int64,
    min_gain=float64,
    max_leaves=int64,
    max_depth=int64,
    best_first=boolean,
    bounded=boolean,
    n_candidates=int64,
    direct=boolean,  # see `run`
    seed=uint64,
)

WORK = Struct(  # memory of one tree, seen by all threads
    "Work",
    control=int64[::1],
    job=int64[::1],
    packed=int64[:, ::1],  # (n_outputs or twice as many, n)
    ordered=int64[
        :, ::1
    ],  # the same, of shape (…, n): those of the node at hand in its order
    rows=uint32[::1],
    divided=uint32[::1],
    chunk_left=int64[::1],
    a=int64[:, :, ::1],  # (n_slots, n_outputs, total_bins) histograms
    b=int64[:, :, ::1],
    live=boolean[:, :, ::1],  # (n_slots, n_groups, width or more) may still be split on
    scratch=int64[:, ::1],  # (n_threads, width · 256, or the most bins of a group)
    listed=int64[:, ::1],  # (n_threads, width or more)
    scan=int64[:, :, ::1],  # (n_threads, 2 + 2 · n_outputs, 256)
    gains=float64[:, ::1],  # (n_threads, 256); also keys of categories
    codes=int64[:, ::1],  # (n_threads, 256)
    route=boolean[:, ::1],  # (n_threads, 256)
    allowed=boolean[:, ::1],  # (2, n_features)
    found_gain=float64[:, ::1],  # (n_groups, 2 or more)
    found=int64[:, :, ::1],  # (n_groups, 2, 4)
    found_sums=int64[:, :, :, ::1],  # (n_groups, 2, 2, n_outputs or more)
    found_set=boolean[:, :, ::1],  # (n_groups, 2, 256)
    node=int64[:, ::1],  # (n_nodes, 5)
    gain=float64[::1],
    split=int64[:, ::1],  # (n_nodes, 4)
    left_sums=int64[:, :, ::1],  # (n_nodes, 2, n_outputs)
    sums=int64[:, :, ::1],  # (n_nodes, 2, n_outputs)
    left_set=boolean[:, ::1],  # (n_nodes or 1, 256)
    bounds=float64[:, ::1],  # (n_nodes, 2)
    active=boolean[:, ::1],  # (n_nodes or 1, n_sets)
    draw=uint64[::1],  # (n_features,)
    free=int64[::1],  # (n_slots,)
    open=int64[::1],  # (n_nodes,)
)

open_columns = COLUMNS.opener()
open_plan = PLAN.opener()
open_work = WORK.opener()
