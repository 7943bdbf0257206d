"""One tree of a booster as a picture."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from skdl.inspection._loss_curve import _pyplot
from skdl.inspection._tree_text import (
    categories_of,
    names_of,
    number_text,
    questions,
    reaching,
    tree_of,
)
from skdl.tree import Tree


class TreeDisplay:
    """A picture of one tree: boxes with questions, leaves coloured by value.

    Use `from_estimator` to make one.

    Parameters
    ----------
    tree : Tree
        The tree.
    feature_names : list of str
        Names of the columns.
    categories : dict of int to ndarray, default=None
        Categories of the categorical columns; None shows their codes.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it was drawn.
    figure_ : matplotlib Figure
        Its figure.
    texts_ : list of matplotlib Text
        The boxes, by node.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skdl import GradientBoostingRegressor
    >>> from skdl.inspection import TreeDisplay
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = GradientBoostingRegressor(n_estimators=2, max_depth=2).fit(X, y)
    >>> len(TreeDisplay.from_estimator(model).texts_)
    7
    """

    def __init__(
        self,
        *,
        tree: Tree,
        feature_names: list[str],
        categories: dict[int, Any] | None = None,
    ) -> None:
        self.tree = tree
        self.feature_names = feature_names
        self.categories = categories

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        stage: int = 0,
        output: int = 0,
        *,
        feature_names: Sequence[str] | None = None,
        ax: Any = None,
        decimals: int = 3,
    ) -> Self:
        """Draw a tree of a fitted booster.

        Parameters
        ----------
        estimator : estimator
            A fitted booster of skdl with its own trees, or a `Tree`.
        stage : int, default=0
            The round.
        output : int, default=0
            Which of the round's trees.
        feature_names : sequence of str, default=None
            Names of the columns; None takes those of fit, or x0, x1, ….
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        decimals : int, default=3
            Digits after the point of thresholds and values; very large and very small
            ones are shown in powers of ten.

        Returns
        -------
        display : TreeDisplay
            The drawn display.
        """
        tree = tree_of(estimator, stage, output)
        names = names_of(estimator, tree, feature_names)
        display = cls(
            tree=tree, feature_names=names, categories=categories_of(estimator)
        )
        return display.plot(ax, decimals=decimals)

    def plot(self, ax: Any = None, *, decimals: int = 3) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        decimals : int, default=3
            Digits after the point of thresholds and values; very large and very small
            ones are shown in powers of ten.

        Returns
        -------
        display : TreeDisplay
            This display.
        """
        plt = _pyplot()
        tree = self.tree
        places = _places(tree)
        if ax is None:
            width = max(4.0, 1.6 * tree.n_leaves)
            _, ax = plt.subplots(figsize=(width, 1.6 + 1.2 * tree.depth))
        self.ax_, self.figure_, self.texts_ = ax, ax.figure, []
        reach = reaching(tree)
        values = tree.value[:, 0]
        top = float(np.abs(values[tree.leaves]).max()) or 1.0
        colours = plt.get_cmap("RdBu_r")
        for node, (x, y) in enumerate(places):
            leaf = tree.left[node] < 0
            if leaf:
                text = number_text(values[node], decimals)
            else:
                known = self.categories or {}
                names = self.feature_names
                asked = questions(tree, node, names, known, decimals, reach[node])
                text = textwrap.fill(asked[0], 24)
                for child in (tree.left[node], tree.left[node] + 1):
                    ax.plot([x, places[child][0]], [y, places[child][1]], "-", c="0.6")
            shade = colours(0.5 + 0.35 * values[node] / top) if leaf else "white"
            box = {"boxstyle": "round", "fc": shade, "ec": "0.4"}
            label = f"{text}\nn = {int(tree.n_node_samples[node])}"
            self.texts_.append(
                ax.text(x, y, label, ha="center", va="center", size=8, bbox=box)
            )
        ax.set_xlim(-0.6, tree.n_leaves - 0.4)
        ax.set_ylim(-tree.depth - 0.5, 0.5)
        ax.set_axis_off()
        return self


def _places(tree: Tree) -> list[tuple[float, float]]:
    """Leaves side by side, a parent above the middle of its children."""
    places = [(0.0, 0.0)] * len(tree.left)
    next_leaf = 0

    def place(node: int, depth: int) -> float:
        nonlocal next_leaf
        if tree.left[node] < 0:
            x = float(next_leaf)
            next_leaf += 1
        else:
            left = int(tree.left[node])
            x = 0.5 * (place(left, depth + 1) + place(left + 1, depth + 1))
        places[node] = (x, -float(depth))
        return x

    place(0, 0)
    return places
