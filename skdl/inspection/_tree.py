"""One tree of a booster, as text and as a picture."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skdl.inspection._loss_curve import _pyplot
from skdl.tree import Tree


def export_text(
    estimator: Any,
    stage: int = 0,
    output: int = 0,
    *,
    feature_names: Sequence[str] | None = None,
    decimals: int = 3,
    max_depth: int = 10,
) -> str:
    """Return a tree as text, one node a line.

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
    decimals : int, default=3
        Digits of thresholds and values.
    max_depth : int, default=10
        Deepest level that is shown.

    Returns
    -------
    text : str
        The tree.

    Raises
    ------
    ValueError
        If there is no such tree.

    Examples
    --------
    >>> from skdl import GradientBoostingRegressor
    >>> from skdl.inspection import export_text
    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [0.0, 0.0, 1.0, 1.0]
    >>> model = GradientBoostingRegressor(max_depth=1).fit(X, y)
    >>> print(export_text(model))
    x0 <= 1.5
    |-- value -0.5 (2 rows)
    x0 > 1.5 or missing
    |-- value 0.5 (2 rows)
    """
    tree = tree_of(estimator, stage, output)
    names = names_of(estimator, tree, feature_names)
    categories = categories_of(estimator)
    lines: list[str] = []

    def write(node: int, depth: int) -> None:
        indent = "|   " * (depth - 1) + "|-- " * (depth > 0)
        if tree.left[node] < 0 or depth > max_depth:
            value = ", ".join(f"{v:.{decimals}g}" for v in tree.value[node])
            rest = "" if tree.left[node] < 0 else " …"
            count = int(tree.n_node_samples[node])
            lines.append(f"{indent}value {value} ({count} rows){rest}")
            return
        asked = questions(tree, node, names, categories, decimals)
        for side, text in enumerate(asked):
            lines.append("|   " * depth + text)
            write(int(tree.left[node]) + side, depth + 1)

    write(0, 0)
    return "\n".join(lines)


def tree_of(estimator: Any, stage: int, output: int) -> Tree:
    """Return a tree of a booster.

    Parameters
    ----------
    estimator : estimator or Tree
        A fitted booster.
    stage : int
        The round.
    output : int
        Which of its trees.

    Returns
    -------
    tree : Tree
        The tree.

    Raises
    ------
    ValueError
        If there is no such tree, or the learners are no trees of skdl.
    """
    if isinstance(estimator, Tree):
        return estimator
    check_is_fitted(estimator, "estimators_")
    stages = estimator.estimators_
    if not -len(stages) <= stage < len(stages):
        raise ValueError(f"There are {len(stages)} rounds, so no stage={stage}.")
    row = stages[stage]
    row = row if isinstance(row, list) else [row]
    if not -len(row) <= output < len(row):
        raise ValueError(f"A round has {len(row)} trees, so no output={output}.")
    tree = getattr(row[output], "tree_", row[output])
    if not isinstance(tree, Tree):
        raise ValueError(
            f"The learner is a {type(row[output]).__name__}, not a tree of skdl; "
            "scikit-learn's plot_tree and export_text show its own trees."
        )
    return tree


def names_of(
    estimator: Any, tree: Tree, feature_names: Sequence[str] | None
) -> list[str]:
    """Return the names of the columns.

    Parameters
    ----------
    estimator : estimator or Tree
        Where names may be.
    tree : Tree
        Says how many are needed at least.
    feature_names : sequence of str or None
        Given names.

    Returns
    -------
    names : list of str
        One for each column.

    Raises
    ------
    ValueError
        If too few names are given.
    """
    n_features = int(tree.feature.max()) + 1
    if feature_names is None:
        feature_names = getattr(estimator, "feature_names_in_", None)
    if feature_names is None:
        return [f"x{i}" for i in range(n_features)]
    if len(feature_names) < n_features:
        raise ValueError(
            f"feature_names has {len(feature_names)} names; the tree asks for column "
            f"{n_features - 1}."
        )
    return [str(name) for name in feature_names]


def categories_of(estimator: Any) -> dict[int, Any]:
    """Return the categories of the categorical columns, by column.

    Parameters
    ----------
    estimator : estimator or Tree
        A `Tree` knows codes alone.

    Returns
    -------
    categories : dict of int to ndarray
        In the order of their codes.
    """
    columns = getattr(estimator, "_columns", None)
    return {} if columns is None else columns.categories


def questions(
    tree: Tree,
    node: int,
    names: list[str],
    categories: dict[int, Any],
    decimals: int,
) -> tuple[str, str]:
    """Return what leads to the left and to the right child.

    Parameters
    ----------
    tree : Tree
        The tree.
    node : int
        An inner node.
    names : list of str
        Names of the columns.
    categories : dict of int to ndarray
        Categories by column.
    decimals : int
        Digits of the threshold.

    Returns
    -------
    left, right : str
        Conditions.
    """
    f = int(tree.feature[node])
    name = names[f]
    missing = [" or missing", ""] if tree.missing_left[node] else ["", " or missing"]
    if tree.set_of[node] >= 0:
        in_left = tree.sets[tree.set_of[node]]
        known = categories.get(f, np.arange(len(in_left)))
        sides = []
        for mask, gap in zip((in_left, ~in_left), missing, strict=True):
            chosen = [str(value) for value in known[mask[: len(known)]]]
            shown = ", ".join(chosen[:6]) + (", …" if len(chosen) > 6 else "")
            sides.append(f"{name} in {{{shown}}}{gap}")
        return sides[0], sides[1]
    threshold = f"{tree.threshold[node]:.{decimals}g}"
    return f"{name} <= {threshold}{missing[0]}", f"{name} > {threshold}{missing[1]}"


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
    ) -> TreeDisplay:
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
            Digits of thresholds and values.

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

    def plot(self, ax: Any = None, *, decimals: int = 3) -> TreeDisplay:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        decimals : int, default=3
            Digits of thresholds and values.

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
        values = tree.value[:, 0]
        top = float(np.abs(values[tree.leaves]).max()) or 1.0
        colours = plt.get_cmap("RdBu_r")
        for node, (x, y) in enumerate(places):
            leaf = tree.left[node] < 0
            if leaf:
                text = f"{values[node]:.{decimals}g}"
            else:
                text = textwrap.fill(
                    questions(
                        tree, node, self.feature_names, self.categories or {}, decimals
                    )[0],
                    24,
                )
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
