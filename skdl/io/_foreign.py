"""How other frameworks keep the arrays of a layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from skdl._typing import Array, Shape

_BATCH_NORM = {
    "weight": "gamma",
    "bias": "beta",
    "running_mean": "running_mean",
    "running_var": "running_variance",
}


class Module(NamedTuple):
    """The arrays of one layer of another network.

    Attributes
    ----------
    name : str
        Its name there.
    arrays : dict of str to ndarray
        Its arrays, by their names there.
    """

    name: str
    arrays: dict[str, Array]


def modules_of(weights: Mapping[str, Any], names: Sequence[str] | None) -> list[Module]:
    """Return the modules of a state dict.

    Parameters
    ----------
    weights : mapping of str to ndarray
        Arrays by names such as "layer1.0.conv1.weight".
    names : sequence of str or None
        Which modules, and in which order; None takes all.

    Returns
    -------
    modules : list of Module
        The modules.

    Raises
    ------
    ValueError
        If there is no module of a name.
    """
    found: dict[str, dict[str, Array]] = {}
    for name, array in weights.items():
        module, _, leaf = name.rpartition(".")
        if leaf != "num_batches_tracked":
            found.setdefault(module, {})[leaf] = np.asarray(array)
    if names is None:
        return [Module(name, arrays) for name, arrays in found.items()]
    missing = [name for name in names if name not in found]
    if missing:
        raise ValueError(
            f"There are no modules named {missing}. Known names: {', '.join(found)}."
        )
    return [Module(name, found[name]) for name in names]


def from_pytorch(
    kind: str, wanted: Mapping[str, Shape], arrays: Mapping[str, Array]
) -> dict[str, Array]:
    """Return the arrays of a layer from those of PyTorch's.

    Parameters
    ----------
    kind : str
        Class of the layer here.
    wanted : mapping of str to tuple of int
        Names and shapes of its arrays.
    arrays : mapping of str to ndarray
        The module's.

    Returns
    -------
    new : dict of str to ndarray
        By the names here.

    Raises
    ------
    ValueError
        If the module is of another kind.
    """
    if kind == "BatchNorm":
        arrays = dict(arrays)
        if "running_mean" in arrays and "weight" not in arrays:  # affine=False
            arrays["weight"] = np.ones(wanted["gamma"])
            arrays["bias"] = np.zeros(wanted["beta"])
        _expect(arrays, _BATCH_NORM)
        return {new: arrays[old] for old, new in _BATCH_NORM.items()}
    if kind == "PReLU":
        _expect(arrays, ["weight"])
        slope = arrays["weight"]
        return {"a": np.broadcast_to(slope, wanted["a"]) if slope.size == 1 else slope}
    if set(wanted) <= {"W", "b", "skip.W"}:
        matrix = next(name for name in wanted if name.endswith("W"))
        _expect(arrays, ["weight", "bias"] if "b" in wanted else ["weight"])
        W, n_axes = arrays["weight"], len(wanted[matrix])
        if W.ndim == 4 and n_axes == 2 and W.shape[2:] == (1, 1):
            W = W[:, :, 0, 0]  # a convolution of 1×1 is a dense layer
        if W.ndim != n_axes:
            raise ValueError(f"weight has {W.ndim} axes, expected {n_axes}")
        W = W.transpose(2, 3, 1, 0) if W.ndim == 4 else W.T
        return {matrix: W, **({"b": arrays["bias"]} if "b" in wanted else {})}
    if kind == "Embedding":
        _expect(arrays, ["weight"])
        return {"E": arrays["weight"]}
    raise ValueError(f"weights of PyTorch cannot be turned into those of {kind}")


def from_keras(
    kind: str, wanted: Mapping[str, Shape], arrays: Mapping[str, Array]
) -> dict[str, Array]:
    """Return the arrays of a layer from those of Keras, in their order.

    Parameters
    ----------
    kind : str
        Class of the layer here.
    wanted : mapping of str to tuple of int
        Names and shapes of its arrays.
    arrays : mapping of str to ndarray
        The layer's there.

    Returns
    -------
    new : dict of str to ndarray
        By the names here.

    Raises
    ------
    ValueError
        If the layer is of another kind.
    """
    known = {"BatchNorm", "PReLU", "Embedding"}
    if kind not in known and not set(wanted) <= {"W", "b"}:
        raise ValueError(f"weights of Keras cannot be turned into those of {kind}")
    if len(arrays) != len(wanted):
        raise ValueError(f"{len(arrays)} arrays, expected {len(wanted)}")
    new = dict(zip(wanted, arrays.values(), strict=True))
    if kind == "PReLU":  # slopes shared along height and width are (1, 1, c)
        new["a"] = new["a"].reshape(-1)
    if kind == "DepthwiseConv2D" and new["W"].ndim == 4:  # (kh, kw, c, multiplier)
        new["W"] = new["W"].reshape(*new["W"].shape[:2], 1, -1)
    return new


def _expect(arrays: Mapping[str, Array], names: Any) -> None:
    if set(arrays) != set(names):
        raise ValueError(
            f"it needs {', '.join(names)} and there are {', '.join(arrays)}"
        )
