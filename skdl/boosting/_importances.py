"""How much each feature matters to an ensemble."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdl._typing import Array
from skdl.tree import Tree


def feature_importances(learners: list[list[Any]], n_features: int, kind: str) -> Array:
    """Return the share of each feature, over all learners.

    Parameters
    ----------
    learners : list of list
        Trees, or fitted estimators with `feature_importances_`.
    n_features : int
        Number of columns.
    kind : {"gain", "split"}
        Sums of the splits' gains, or numbers of splits.

    Returns
    -------
    importances : float64 ndarray of shape (n_features,)
        They sum to 1, or are 0 where no tree splits.

    Raises
    ------
    AttributeError
        If the learners are no trees and have no `feature_importances_`.
    """
    total = np.zeros(n_features)
    for learner in (b for row in learners for b in row):
        if isinstance(learner, Tree):
            inner = learner.feature >= 0
            weights = learner.gain[inner] if kind == "gain" else None
            total += np.bincount(
                learner.feature[inner], weights=weights, minlength=n_features
            )
        elif hasattr(learner, "feature_importances_"):
            total += learner.feature_importances_
        else:
            raise AttributeError(
                f"{type(learner).__name__} has no feature_importances_, so neither has "
                "the ensemble; scikit-learn's permutation_importance works with any."
            )
    whole = total.sum()
    return total / whole if whole > 0 else total
