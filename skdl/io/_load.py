"""Weights of other frameworks, and of files, into a network."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

import numpy as np

from skdl._typing import Array, Shape
from skdl.io._foreign import Module, from_keras, from_pytorch, modules_of
from skdl.io._read import read_weights
from skdl.io._save import arrays_of, network_of
from skdl.layers import Flatten, Inside, inside_chain
from skdl.networks import Network

_ORDERS = ("chw", "hwc", "whc", "wch", "cwh", "hcw")


class Slot(NamedTuple):
    """A layer of the network that has arrays.

    Attributes
    ----------
    key : str
        What its arrays' names begin with.
    kind : str
        Name of its class.
    arrays : dict of str to tuple of int
        Shapes of its arrays.
    picture : tuple of int or None
        (h, w, c) where its features are the numbers of a picture in a row.
    """

    key: str
    kind: str
    arrays: dict[str, Shape]
    picture: Shape | None


def load_weights(
    model: Any,
    weights: Any,
    *,
    modules: Sequence[str] | None = None,
    flatten: str | None = None,
) -> None:
    """Put weights into a network, in place: all of them, or none.

    Layers and modules are matched by position: the first layer that has arrays gets
    those of the first module, and so on; layers in layers come in the order in which
    `describe` prints them. What PyTorch keeps in another order of axes is turned:
    convolutions (out, in, h, w) to (h, w, in, out), dense layers (out, in) to (in,
    out). After `Flatten`, rows of weights belong to pixels in the order of the other
    framework, and are sorted into the order here.

    Parameters
    ----------
    model : Network or estimator
        A network, or a fitted network estimator.
    weights : str, path, mapping or sequence
        A file (see `read_weights`) or what it held: named arrays of PyTorch, such as
        ``conv1.weight`` and ``bn1.running_mean``, or of `save_weights`. A sequence of
        arrays is what ``get_weights()`` of Keras gives.
    modules : sequence of str, default=None
        Names of PyTorch's modules (``"layer1.0.conv1"``) in the order of the layers
        here; others are left out. None takes all in the order of the file: that of
        their definition, which most often is that of their use.
    flatten : str, default=None
        In which order the other network flattens pictures. None is "chw" for PyTorch
        and "hwc" for Keras; a network that swaps axes first may have another one, such
        as "whc".

    Raises
    ------
    ValueError
        If the weights do not fit the layers; the message names both sides.
    UnsafeFileError
        If the file could execute code.
    TypeError
        If there is no network, or no weights.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl import MLPRegressor
    >>> from skdl.io import load_weights
    >>> X, y = np.zeros((4, 2)), np.zeros(4)
    >>> net = MLPRegressor((3,), random_state=0).initialize(X, y)
    >>> shapes = {"0.W": (2, 3), "0.b": (3,), "2.W": (3, 1), "2.b": (1,)}
    >>> load_weights(net, {name: np.ones(shape) for name, shape in shapes.items()})
    >>> net.predict([[1.0, 1.0]])
    array([10.])
    """
    network = network_of(model)
    if isinstance(weights, (str, os.PathLike)):
        weights = read_weights(weights)
    if flatten is not None and flatten not in _ORDERS:
        raise ValueError(f"flatten must be one of {_ORDERS}, got {flatten!r}.")
    slots = list(_slots(network))
    if isinstance(weights, Mapping):
        own = arrays_of(network)
        if modules is None and _are_own(weights):
            new = _same(network, own, weights)
        else:
            found = modules_of(weights, modules)
            new = _converted(slots, found, from_pytorch, flatten or "chw")
    elif isinstance(weights, Sequence):
        new = _from_list(slots, list(weights), flatten or "hwc")
    else:
        raise TypeError(
            "weights must be a file, named arrays or a sequence of arrays, got "
            f"{type(weights).__name__}."
        )
    targets = arrays_of(network)
    for name, array in new.items():
        targets[name][...] = array


# ---- the network's side


def _slots(network: Network) -> Iterator[Slot]:
    shapes = {name: array.shape for name, array in arrays_of(network).items()}
    yield from _in_chain(inside_chain(network.layers, network.input_shape), shapes)


def _in_chain(
    chain: Sequence[Inside], shapes: dict[str, Shape], picture: Shape | None = None
) -> Iterator[Slot]:
    for item in chain:
        layer, shape = item.layer, item.input_shape
        inner = layer.inside(shape)
        for part in inner:
            full = [i._replace(key=f"{item.key}.{i.key}") for i in part]
            yield from _in_chain(full, shapes, picture)
        inside = [f"{item.key}.{i.key}." for part in inner for i in part]
        own = {
            name[len(item.key) + 1 :]: array
            for name, array in shapes.items()
            if name.startswith(f"{item.key}.") and not name.startswith(tuple(inside))
        }
        if own:
            yield Slot(item.key, type(layer).__name__, own, picture)
        output = layer.build(shape)[0]
        if isinstance(layer, Flatten) and len(shape) == 3:
            picture = shape
        elif output != shape or layer.is_affine or inner:
            picture = None


# ---- arrays of our own


def _are_own(weights: Mapping[str, Any]) -> bool:
    return all(name.partition(".")[0].isdecimal() for name in weights) and not any(
        name.endswith((".weight", ".bias")) for name in weights
    )


def _same(
    network: Network, own: Mapping[str, Array], weights: Mapping[str, Any]
) -> dict[str, Array]:
    given = {name: np.shape(array) for name, array in weights.items()}
    mine = {name: array.shape for name, array in own.items()}
    if given != mine:
        rows = [
            f"  {name}: {mine.get(name, 'missing')} here, "
            f"{given.get(name, 'missing')} in the file"
            for name in {**mine, **given}
            if mine.get(name) != given.get(name)
        ]
        raise ValueError(
            f"The weights do not fit the network of {len(network.layers)} layers:\n"
            + "\n".join(rows)
        )
    return {name: np.asarray(array) for name, array in weights.items()}


# ---- arrays of others


def _converted(
    slots: Sequence[Slot], found: Sequence[Module], convert: Any, order: str
) -> dict[str, Array]:
    if len(slots) != len(found):
        raise ValueError(_misfit(slots, found, "there are not as many of them"))
    new = {}
    for slot, module in zip(slots, found, strict=True):
        try:
            arrays = convert(slot.kind, slot.arrays, module.arrays)
            for name, array in arrays.items():
                array = _sorted(array, slot, name, order)
                if array.shape != slot.arrays[name]:
                    raise ValueError(
                        f"{name} is of shape {slot.arrays[name]} here and "
                        f"{array.shape} there"
                    )
                new[f"{slot.key}.{name}"] = array
        except ValueError as error:
            what = f"layer {slot.key} ({slot.kind}) and {module.name}: {error}"
            raise ValueError(_misfit(slots, found, what)) from error
    return new


def _from_list(
    slots: Sequence[Slot], arrays: list[Any], order: str
) -> dict[str, Array]:
    found, at = [], 0
    for slot in slots:  # Keras names nothing: as many arrays as the layer has
        part = [np.asarray(a) for a in arrays[at : at + len(slot.arrays)]]
        at += len(slot.arrays)
        if part:
            names = {str(i): array for i, array in enumerate(part)}
            found.append(Module(f"arrays {at - len(slot.arrays)} to {at - 1}", names))
    if at < len(arrays):
        rest = {str(i): np.asarray(a) for i, a in enumerate(arrays[at:])}
        found.append(Module(f"arrays {at} to {len(arrays) - 1}", rest))
    return _converted(slots, found, from_keras, order)


def _sorted(array: Array, slot: Slot, name: str, order: str) -> Array:
    """Bring the numbers of a flattened picture into the order (h, w, c)."""
    if slot.picture is None or order == "hwc" or name == "b":
        return array
    sizes = dict(zip("hwc", slot.picture, strict=True))
    if len(array) != slot.picture[0] * slot.picture[1] * slot.picture[2]:
        return array  # the shape says it better
    shaped = array.reshape(*(sizes[axis] for axis in order), *array.shape[1:])
    moved = np.moveaxis(shaped, [order.index(axis) for axis in "hwc"], [0, 1, 2])
    return moved.reshape(array.shape)


def _misfit(slots: Sequence[Slot], found: Sequence[Module], why: str) -> str:
    rows = [f"  {'layers here':<48}  weights"]
    for slot, module in zip_longest(slots, found):
        mine = its = "-"
        if slot is not None:
            shapes = ", ".join(f"{n} {s}" for n, s in slot.arrays.items())
            mine = f"{slot.key} {slot.kind}: {shapes}"
        if module is not None:
            shapes = ", ".join(f"{n} {a.shape}" for n, a in module.arrays.items())
            its = f"{module.name}: {shapes}"
        rows.append(f"  {mine:<48}  {its}")
    return (
        f"The weights do not fit the layers: {why}. If their order is another one, "
        "pass modules=[…], their names in the order of the layers.\n" + "\n".join(rows)
    )
