"""Histogram trees: binning, histograms, splits, growth and prediction."""

from skdl.tree._binning import BinMapper, BinnedData
from skdl.tree._engine import add_leaf_values, leaf_sums, make_grower
from skdl.tree._forest import Forest
from skdl.tree._grower import Grower
from skdl.tree._sparse import by_columns
from skdl.tree._tree import GrownTree, Tree, TreeParams

__all__ = [
    "BinMapper",
    "BinnedData",
    "Forest",
    "Grower",
    "GrownTree",
    "Tree",
    "TreeParams",
    "add_leaf_values",
    "by_columns",
    "leaf_sums",
    "make_grower",
]
