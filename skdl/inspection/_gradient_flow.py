"""How far a loss reaches back through the states of recurrent layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skdl._ragged import Ragged, pad_rows
from skdl._typing import Array
from skdl.inspection._names import fitted_part
from skdl.inspection._pictures import picture_rows
from skdl.layers import Context, EncoderDecoder, Layer, StateGradients, inside_chain
from skdl.networks import Network
from skdl.neural_network import is_network


def gradient_flow(
    model: Any, X: Any, y: Any = None, *, random_state: Any = None
) -> dict[str, Array]:
    """Return the norms of ∂L/∂s_t by the distance of the state s_t to the loss.

    By the chain rule ∂L/∂s_t is ∂L/∂s_T times one Jacobian ∂s_j/∂s_{j−1} for each step
    in between: the product vanishes where these shrink vectors and explodes where they
    stretch them (Pascanu, Mikolov & Bengio 2013). The state is all that a layer hands
    to its next step: of an LSTM h and c.

    Parameters
    ----------
    model : estimator, Network or sequence of Layer
        A fitted estimator with recurrent layers (before training: one that has done
        `initialize`), a Pipeline that ends with one or a search for one; or a network;
        or the layers of one, which gets its starting weights here. It is not changed.
        Nothing is dropped.
    X : array-like of shape (n, ...) or sequence of them
        Sequences, as the estimator's `predict` or the network takes them.
    y : array-like of shape (n, ...), default=None
        Their targets, of an estimator: L is its loss. None: L is the product of the raw
        output with a random direction, which tells as much of the way back. Of networks
        that have an output for each step, L is that of the last one alone.
    random_state : int, RandomState instance or None, default=None
        Draws the directions, one for each sequence, and the starting weights.

    Returns
    -------
    norms : dict of str to ndarray of shape (n, n_steps)
        For each recurrent layer, from the first on: in row i and column d the norm for
        sequence i, d steps before the last one; NaN where the layer has no such step.
        The steps of an encoder come before those of its decoder. Layers that go back
        in time are left out where L is that of the last step, on which one state of
        theirs acts.

    Raises
    ------
    TypeError
        If the model is none of these.
    ValueError
        If it has no recurrent layer, or targets were given for a bare network.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.inspection import gradient_flow
    >>> from skdl.layers import RNN
    >>> X = np.random.default_rng(0).normal(size=(5, 20, 3))
    >>> flow = gradient_flow([RNN(8)], X, random_state=0)
    >>> flow["RNN"].shape
    (5, 20)
    >>> bool((flow["RNN"][:, 19] < flow["RNN"][:, 0]).all())
    True
    """
    rng = np.random.default_rng(check_random_state(random_state).randint(2**31 - 1))
    network, rows, target, loss = _prepared(model, X, y, rng)
    network = network.predicting()
    # A decoder goes on from where it is told the targets end: there is no padding.
    alone = any(isinstance(layer, EncoderDecoder) for layer in network.layers)
    size = 1 if alone else len(rows)
    parts = [
        _flow(network, rows[start : start + size], y_part, loss, rng)
        for start in range(0, len(rows), size)
        for y_part in [None if target is None else target[start : start + size]]
    ]
    return {name: _stacked([part[name] for part in parts]) for name in parts[0]}


def _flow(
    network: Network, rows: Any, target: Any, loss: Any, rng: np.random.Generator
) -> dict[str, Array]:
    """Return the norms of some rows."""
    x, lengths = pad_rows(rows, np.empty)
    if isinstance(target, Ragged):
        target = target.pad()
    if network.input_shape:
        network = network.at(x.shape[1:])
    ctx = Context(True, rng, network.dtype)
    ctx.begin(rng, lengths, targets=target)
    ctx.flow = []
    tree = network.tree(network.params)
    raw, caches = network.forward(tree, x, ctx)
    # The last step of each sequence, where there is an output for each.
    each_step = raw.ndim > 2
    last: Any = raw.shape[1] - 1
    if each_step and lengths is not None and raw.shape[1] == x.shape[1]:
        last = lengths - 1
    at = (np.arange(len(raw)), last) if each_step else (slice(None),)
    draw = np.zeros_like(raw)
    if loss is None:
        directions = rng.normal(size=raw[at].shape)
        norms = np.linalg.norm(directions, axis=-1, keepdims=True)
        draw[at] = directions / norms
    else:
        draw[at] = loss.evaluate(target[at], raw[at])[1]
    network.backward(tree, network.params.like().tree, caches, draw, ctx)
    chain = inside_chain(network.layers, network.input_shape)
    keys = {id(inner.layer): inner.key for item in chain for inner in item.walk()}
    order = list(keys)
    flow = sorted(ctx.flow, key=lambda one: order.index(id(one.layer)))
    return _named(_seen(flow, each_step), keys)


def _prepared(
    model: Any, X: Any, y: Any, rng: np.random.Generator
) -> tuple[Network, Any, Any, Any]:
    """Return the network, its rows, and the encoded targets and the loss, if any."""
    part = fitted_part(model)
    if is_network(part):
        check_is_fitted(part, "network_")
        if y is None:
            return part.network_, picture_rows(model, X), None, None
        best = getattr(model, "best_estimator_", model)
        if hasattr(best, "steps") and len(best.steps) > 1:
            X = best[:-1].transform(X)
        if not hasattr(part, "predict"):
            raise ValueError(
                f"y is not for {type(part).__name__}, which has no targets beside X: "
                "leave it out."
            )
        data = part._labelled(X, y)
        return part.network_, data.X, data.y, part.loss_function_
    if y is not None:
        raise ValueError(
            "y is for fitted estimators, which know their loss; without it the product "
            "of a network's output with a random direction takes its place."
        )
    X = X if isinstance(X, Ragged) else np.asarray(X)
    if isinstance(part, Network):
        return part, X, None, None
    if not isinstance(part, Sequence) or not all(
        isinstance(layer, (str, Layer)) for layer in part
    ):
        raise TypeError(
            "gradient_flow takes a fitted network estimator, a Network or a list of "
            f"layers, got {part!r}."
        )
    dtype = np.float32 if X.dtype == np.float32 else np.float64
    network = Network(part, X.shape[1:], dtype)
    network.initialize(rng)
    return network, X, None, None


def _seen(flow: list[StateGradients], each_step: bool) -> list[StateGradients]:
    """Return what tells something."""
    if not flow:
        raise ValueError("The network has no recurrent layer, such as LSTM.")
    seen = [one for one in flow if not (each_step and one.layer.reverse)]
    if not seen:
        raise ValueError(
            "All recurrent layers of the network go back in time: one state of theirs "
            "alone acts on the output of the last step."
        )
    return seen


def _named(flow: list[StateGradients], keys: dict[int, str]) -> dict[str, Array]:
    labels = []
    for one in flow:
        path = keys[id(one.layer)].split(".")
        side = [name for name in ("encoder", "decoder") if name in path]
        label = type(one.layer).__name__ + ", backwards" * one.layer.reverse
        labels.append(" ".join([label, *(f"({name})" for name in side)]))
    named = {}
    for i, (label, one) in enumerate(zip(labels, flow, strict=True)):
        if labels.count(label) > 1:
            label += f" {labels[: i + 1].count(label)}"
        named[label] = _norms(one)
    return named


def _norms(one: StateGradients) -> Array:
    """Return the norms of a layer by distance."""
    squares = sum((gradient**2).sum(axis=-1) for gradient in one.gradients)
    norms = np.sqrt(np.asarray(squares, np.float64)).T
    n, n_steps = norms.shape
    lengths = np.full(n, n_steps) if one.lengths is None else one.lengths
    steps = lengths[:, None] - 1 - np.arange(n_steps)
    by_distance = np.take_along_axis(norms, np.maximum(steps, 0), axis=1)
    own = np.where(steps >= 0, by_distance, np.nan)
    return np.concatenate([np.full((n, one.after), np.nan), own], axis=1)


def _stacked(parts: list[Array]) -> Array:
    """Return the rows of parts that reach to different distances."""
    most = max(part.shape[1] for part in parts)
    out = np.full((sum(map(len, parts)), most), np.nan)
    start = 0
    for part in parts:
        out[start : start + len(part), : part.shape[1]] = part
        start += len(part)
    return out
