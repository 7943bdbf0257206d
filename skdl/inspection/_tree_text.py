"""One tree of a booster as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skdl._typing import Array
from skdl.tree import Tree

_LARGE, _SMALL = 1e9, 1e-3  # beyond, a number may be shown in powers of ten
_SHOWN = 6  # categories; the rest are dots


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

    A question names only those categories, and missing values only there, that the
    questions above have not sent elsewhere; missing values of a column that had none in
    training are not named at all.

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
        Digits after the point of thresholds and values; very large and very small ones
        are shown in powers of ten. Not negative.
    max_depth : int, default=10
        Deepest level that is shown.

    Returns
    -------
    text : str
        The tree.

    Raises
    ------
    ValueError
        If there is no such tree, `decimals` is negative, or the number of names is
        not that of the columns.

    Examples
    --------
    >>> from skdl import GradientBoostingRegressor
    >>> from skdl.inspection import export_text
    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [0.0, 0.0, 1.0, 1.0]
    >>> model = GradientBoostingRegressor(max_depth=1).fit(X, y)
    >>> print(export_text(model))
    x0 <= 1.500
    |-- value -0.500 (2 rows)
    x0 > 1.500
    |-- value 0.500 (2 rows)
    """
    tree = tree_of(estimator, stage, output)
    names = names_of(estimator, tree, feature_names)
    categories = categories_of(estimator)
    reach = reaching(tree)
    lines: list[str] = []

    def write(node: int, depth: int) -> None:
        indent = "|   " * (depth - 1) + "|-- " * (depth > 0)
        if tree.left[node] < 0 or depth > max_depth:
            value = ", ".join(number_text(v, decimals) for v in tree.value[node])
            rest = "" if tree.left[node] < 0 else " …"
            count = int(tree.n_node_samples[node])
            lines.append(f"{indent}value {value} ({count} rows){rest}")
            return
        asked = questions(tree, node, names, categories, decimals, reach[node])
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
        If too few names are given, or not one for each column of `fit`.
    """
    asked = int(tree.feature.max()) + 1
    n_features = getattr(estimator, "n_features_in_", None)  # a Tree does not know
    if feature_names is None:
        feature_names = getattr(estimator, "feature_names_in_", None)
    if feature_names is None:
        return [f"x{i}" for i in range(asked)]
    if n_features is not None and len(feature_names) != n_features:
        raise ValueError(
            f"feature_names has {len(feature_names)} names for {n_features} features."
        )
    if len(feature_names) < asked:
        raise ValueError(
            f"feature_names has {len(feature_names)} names; the tree asks for column "
            f"{asked - 1}."
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


def number_text(value: float, decimals: int) -> str:
    """Return a number as text that can be read.

    Parameters
    ----------
    value : float
        The number.
    decimals : int
        Digits after the point.

    Returns
    -------
    text : str
        In powers of ten where it is 10⁹ or more, or below 10⁻³ and all its digits would
        be zeros.

    Raises
    ------
    ValueError
        If `decimals` is negative.
    """
    if decimals < 0:
        raise ValueError(f"decimals must not be negative, got {decimals}.")
    value = float(value)
    lost = 0.0 < abs(value) < min(_SMALL, 0.5 * 10.0**-decimals)
    if lost or abs(value) >= _LARGE:
        return f"{value:.{decimals}e}"
    return f"{round(value, decimals) + 0.0:.{decimals}f}"  # no −0


def reaching(tree: Tree) -> list[dict[int, Array]]:
    """Return what can reach each node of the columns that were asked for above it.

    Parameters
    ----------
    tree : Tree
        The tree.

    Returns
    -------
    reach : list of dict of int to bool ndarray of shape (257,)
        For each node, by column: which category codes, and last whether missing values.
        A column that is not there may have any value.
    """
    reach: list[dict[int, Array]] = [{} for _ in tree.left]
    for node, left in enumerate(tree.left.tolist()):  # parents stand before children
        if left < 0:
            continue
        f = int(tree.feature[node])
        here = reach[node].get(f, np.ones(257, dtype=bool))
        to_left, to_right = here.copy(), here.copy()
        if tree.set_of[node] >= 0:
            to_left[:256] &= tree.sets[tree.set_of[node]]
            to_right[:256] &= ~tree.sets[tree.set_of[node]]
        (to_right if tree.missing_left[node] else to_left)[256] = False
        reach[left] = {**reach[node], f: to_left}
        reach[left + 1] = {**reach[node], f: to_right}
    return reach


def questions(
    tree: Tree,
    node: int,
    names: list[str],
    categories: dict[int, Any],
    decimals: int,
    reach: dict[int, Array],
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
        Categories by column; those of a column that is not there have no names.
    decimals : int
        Digits after the point of the threshold.
    reach : dict of int to bool ndarray of shape (257,)
        What can reach the node, see `reaching`.

    Returns
    -------
    left, right : str
        Conditions.
    """
    f = int(tree.feature[node])
    name = names[f]
    here = reach.get(f, np.ones(257, dtype=bool))
    missing_left = bool(tree.missing_left[node])
    may_miss = bool(tree.had_missing[node]) and here[256]
    gaps = [
        " or missing" if may_miss and missing_left == is_left else ""
        for is_left in (True, False)
    ]
    if tree.set_of[node] >= 0:
        in_left = tree.sets[tree.set_of[node]]
        known = categories.get(f)
        sides = (in_left & here[:256], ~in_left & here[:256])
        if known is None:  # a tree by itself does not know which codes there are
            few = int(sides[1].sum() < sides[0].sum())
            codes = _listed(np.flatnonzero(sides[few]))
            words = ("not in", "in") if few else ("in", "not in")
            left, right = (
                f"{name} {word} {codes}{gap}"
                for word, gap in zip(words, gaps, strict=True)
            )
            return left, right
        left, right = (known[side[: len(known)]] for side in sides)
        return _in_set(name, left, gaps[0]), _in_set(name, right, gaps[1])
    if np.isposinf(tree.threshold[node]):
        return f"{name} not missing", f"{name} missing"
    threshold = number_text(tree.threshold[node], decimals)
    return f"{name} <= {threshold}{gaps[0]}", f"{name} > {threshold}{gaps[1]}"


def _in_set(name: str, values: Array, gap: str) -> str:
    if not len(values):
        return f"{name} missing"
    return f"{name} in {_listed(values)}{gap}"


def _listed(values: Array) -> str:
    shown = ", ".join(str(value) for value in values[:_SHOWN])
    return "{" + shown + (", …" if len(values) > _SHOWN else "") + "}"
