"""Many trees as few arrays, as pickles keep them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

import numpy as np

from skdl.tree import Tree


def packed(trees: Iterable[Tree]) -> dict[str, Any]:
    """Return the fields of trees, each as one array.

    A pickle of thousands of small arrays takes longer than growing the trees: this one
    takes a tenth of it.

    Parameters
    ----------
    trees : iterable of Tree
        The trees.

    Returns
    -------
    store : dict
        For each field the arrays of all trees end to end, and their lengths; fields
        that do not fit together are lists.
    """
    trees = list(trees)
    store: dict[str, Any] = {"n_trees": len(trees)}
    for field in fields(Tree):
        parts = [getattr(tree, field.name) for tree in trees]
        kinds = {
            (part.dtype, part.shape[1:]) if isinstance(part, np.ndarray) else None
            for part in parts
        }
        if len(kinds) == 1 and None not in kinds:
            lengths = np.array([len(part) for part in parts])
            store[field.name] = np.concatenate(parts), lengths
        else:
            store[field.name] = parts
    return store


def unpacked(store: dict[str, Any]) -> list[Tree]:
    """Return the trees of a store.

    Parameters
    ----------
    store : dict
        What `packed` returned.

    Returns
    -------
    trees : list of Tree
        Their arrays are views of those of the store.
    """
    columns = {}
    for name, value in store.items():
        if name == "n_trees":
            continue
        if isinstance(value, tuple):
            joined, lengths = value
            ends = np.cumsum(lengths).tolist()
            starts = [0, *ends[:-1]]
            value = [joined[a:b] for a, b in zip(starts, ends, strict=True)]
        columns[name] = value
    return [
        Tree(**{name: values[i] for name, values in columns.items()})
        for i in range(store["n_trees"])
    ]
