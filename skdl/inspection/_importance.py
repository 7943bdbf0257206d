"""Feature importances as bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skdl._typing import Array
from skdl.inspection._loss_curve import _pyplot


class FeatureImportanceDisplay:
    """The most important features of a model, as bars.

    Use `from_estimator` to make one.

    Parameters
    ----------
    importances : ndarray of shape (n_features,)
        Shares.
    feature_names : sequence of str
        Names of the columns.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it was drawn.
    figure_ : matplotlib Figure
        Its figure.
    bars_ : matplotlib BarContainer
        The bars.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdl import GradientBoostingClassifier
    >>> from skdl.inspection import FeatureImportanceDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> model = GradientBoostingClassifier(n_estimators=5).fit(X, y)
    >>> len(FeatureImportanceDisplay.from_estimator(model).bars_)
    4
    """

    def __init__(self, *, importances: Array, feature_names: Sequence[str]) -> None:
        self.importances = importances
        self.feature_names = feature_names

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        feature_names: Sequence[str] | None = None,
        max_features: int = 20,
        ax: Any = None,
        name: str | None = None,
    ) -> Self:
        """Draw the importances of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            Fitted, with `feature_importances_`.
        feature_names : sequence of str, default=None
            Names of the columns; None takes those of fit, or x0, x1, ….
        max_features : int, default=20
            Most bars.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        name : str, default=None
            Title; None takes the class's name.

        Returns
        -------
        display : FeatureImportanceDisplay
            The drawn display.

        Raises
        ------
        ValueError
            If the number of names is not that of the features.
        """
        check_is_fitted(estimator)
        importances = np.asarray(estimator.feature_importances_)
        if feature_names is None:
            default = [f"x{i}" for i in range(len(importances))]
            feature_names = list(getattr(estimator, "feature_names_in_", default))
        if len(feature_names) != len(importances):
            raise ValueError(
                f"{len(feature_names)} feature_names for {len(importances)} features."
            )
        display = cls(importances=importances, feature_names=feature_names)
        title = type(estimator).__name__ if name is None else name
        return display.plot(ax, name=title, max_features=max_features)

    def plot(
        self, ax: Any = None, *, name: str | None = None, max_features: int = 20
    ) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        name : str, default=None
            Title.
        max_features : int, default=20
            Most bars.

        Returns
        -------
        display : FeatureImportanceDisplay
            This display.
        """
        plt = _pyplot()
        order = np.argsort(self.importances, kind="stable")[-max_features:]
        if ax is None:
            size = (6, 1 + 0.25 * len(order))
            _, ax = plt.subplots(figsize=size, layout="constrained")
        self.ax_, self.figure_ = ax, ax.figure
        names = [str(self.feature_names[i]) for i in order]
        self.bars_ = ax.barh(names, self.importances[order], color="C0")
        ax.set(xlabel="share of the importance", title=name or "")
        return self
