"""Idle directions of a dense layer."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skdl._typing import Array
from skdl.layers import Dense
from skdl.neural_network import is_network


class IdleDirections(NamedTuple):
    """The directions in which a layer's weights can move without effect on the data.

    Attributes
    ----------
    basis : ndarray of shape (n_in, n_idle)
        Orthonormal columns. Adding ``basis @ C`` to the layer's weights W of shape
        (n_in, n_out), for any C of shape (n_idle, n_out), changes no output on the
        data.
    singular_values : ndarray of shape (min(n_samples, n_in),)
        Of the layer's inputs, largest first.
    name : str
        Name of the weights in ``network_.params``.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl import MLPRegressor
    >>> from skdl.inspection import idle_directions
    >>> X = np.random.default_rng(0).normal(size=(100, 3))
    >>> X = np.c_[X, X[:, 0] + X[:, 1]]  # which says nothing new
    >>> net = MLPRegressor((8,), max_iter=2, n_iter_no_change="never").fit(X, X[:, 0])
    >>> found = idle_directions(net, X)
    >>> found.basis.shape
    (4, 1)
    """

    basis: Array
    singular_values: Array
    name: str


def idle_directions(
    estimator: Any, X: Any, layer: int = 0, tol: float | None = None
) -> IdleDirections:
    """Find the idle directions of a dense layer of a fitted network.

    With the layer's inputs over the data as the rows of H, adding W₀ with H·W₀ = 0 to
    its weights changes nothing: the null space of HᵀH. There are always some where a
    layer has more inputs than there are samples. They are not unused: on other data
    they have an effect, which the training data cannot decide.

    Parameters
    ----------
    estimator : estimator
        A fitted network, such as `skdl.MLPClassifier`.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        The data, usually the training data.
    layer : int, default=0
        Which of the dense layers, counted from the input; negative from the output.
    tol : float, default=None
        Singular values up to this share of the largest one count as zero. None takes
        max(n_samples, n_in) times the precision of the layer's type.

    Returns
    -------
    idle : IdleDirections
        Basis, singular values and the name of the weights.

    Raises
    ------
    TypeError
        If the estimator is no network.
    ValueError
        If there is no such dense layer, or it stands inside a residual block.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl import MLPRegressor
    >>> from skdl.inspection import idle_directions
    >>> X = np.random.default_rng(0).normal(size=(100, 3))
    >>> X = np.c_[X, X[:, 0] + X[:, 1]]  # which says nothing new
    >>> net = MLPRegressor((8,), max_iter=2, n_iter_no_change="never").fit(X, X[:, 0])
    >>> found = idle_directions(net, X)
    >>> np.abs(found.basis.ravel() / found.basis.ravel()[0]).round(3)
    array([1., 1., 0., 1.])
    """
    if not is_network(estimator):
        raise TypeError(
            "idle_directions takes a fitted network, got "
            f"{type(estimator).__name__}; of a Pipeline pass model[-1], and X as "
            "model[:-1].transform(X)."
        )
    check_is_fitted(estimator, "network_")
    network = estimator.network_
    X = estimator._rows_to_predict(X)
    dense = [i for i, item in enumerate(network.layers) if isinstance(item, Dense)]
    if not -len(dense) <= layer < len(dense):
        raise ValueError(
            f"The network has {len(dense)} dense layers (residual blocks aside), "
            f"numbered from 0, got layer={layer}."
        )
    index = dense[layer]
    inputs = network.predict(X, index) if index else X
    if hasattr(inputs, "toarray"):
        inputs = inputs.toarray()
    inputs = inputs.reshape(-1, inputs.shape[-1])
    if tol is None:
        tol = max(inputs.shape) * float(np.finfo(network.dtype).eps)
    _, values, rows = np.linalg.svd(inputs.astype(np.float64), full_matrices=True)
    rank = int((values > tol * values.max(initial=0.0)).sum())
    return IdleDirections(rows[rank:].T, values, f"{index}.W")
