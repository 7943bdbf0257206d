"""Hidden activations of a network as features."""

from __future__ import annotations

import math
from typing import Any, Self

import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_array, check_is_fitted

from skdl._base import NestedParams
from skdl._compat import (
    ClassNamePrefixFeaturesOutMixin,
    HasMethods,
    Integral,
    MetaEstimatorMixin,
    TransformerMixin,
    validate_data,
)
from skdl._settings import fit_context
from skdl._typing import Array
from skdl.networks import Network
from skdl.neural_network._base import BaseNetwork
from skdl.neural_network._rows import rows_for


class NetworkFeatures(
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    MetaEstimatorMixin,
    NestedParams,
):
    """What a layer of a network gives, as features for another estimator.

    Parameters
    ----------
    estimator : network estimator, FrozenEstimator or Network
        The network, such as an `MLPClassifier` or a `CNNClassifier`. It is cloned and
        fitted to (X, y); a fitted one inside `sklearn.frozen.FrozenEstimator`, and a
        `skdl.networks.Network`, are used as they are.
    layer : int, default=-2
        The layer whose output is taken, counted as in ``network_.layers``: the default
        is what the output layer gets, at prediction (nothing is dropped).

    Attributes
    ----------
    estimator_ : estimator or Network
        The fitted network.
    n_features_in_ : int
        Features of `X`.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if `X` had some.

    See Also
    --------
    MLPClassifier : Multi-layer perceptron for classes.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from skdl import MLPClassifier, NetworkFeatures
    >>> X, y = load_iris(return_X_y=True)
    >>> net = MLPClassifier((16, 4), optimizer="lbfgs", alpha=1.0, random_state=0)
    >>> model = make_pipeline(NetworkFeatures(net), LogisticRegression())
    >>> model.fit(X, y)[0].transform(X).shape
    (150, 4)
    """

    estimator_: BaseNetwork | Network
    n_features_in_: int
    feature_names_in_: Array

    _parameter_constraints: dict[str, Any] = {
        "estimator": [HasMethods(["fit", "predict"]), Network],
        "layer": [Integral],
    }

    def __init__(self, estimator: Any, layer: int = -2) -> None:
        self.estimator = estimator
        self.layer = layer

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Fit the network, unless it is frozen.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data; pictures also as (n_samples, h, w) or (n_samples, h, w, c).
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Targets; a frozen network needs none.

        Returns
        -------
        self : NetworkFeatures
            The fitted transformer.

        Raises
        ------
        TypeError
            If the estimator is no network.
        ValueError
            If the network has no such layer, or that layer's output is not flat.
        """
        network = self.estimator
        if isinstance(network, Network):
            n_layers = self._n_layers(network)
            self._n_features_out = self._width(network, n_layers)
            _rows_of(network, X)
            self.__dict__.pop("feature_names_in_", None)
            self.estimator_ = network
            self.n_features_in_ = math.prod(network.input_shape)
            return self
        frozen = isinstance(network, FrozenEstimator)
        inner = network.estimator if frozen else network
        if not isinstance(inner, BaseNetwork):
            raise TypeError(
                "NetworkFeatures takes a skdl network (MLPClassifier, MLPRegressor) or "
                f"one inside FrozenEstimator, got {inner!r}."
            )
        if frozen:
            check_is_fitted(inner, "network_")
            inner._rows_to_predict(X)
            fitted = inner
        else:
            fitted = clone(inner).fit(X, y)
        n_layers = self._n_layers(fitted.network_)
        width = self._width(fitted.network_, n_layers)
        self.estimator_ = fitted
        self._n_features_out = width
        self.__dict__.pop("feature_names_in_", None)
        self.n_features_in_ = fitted.n_features_in_
        if hasattr(fitted, "feature_names_in_"):
            self.feature_names_in_ = fitted.feature_names_in_
        return self

    def _n_layers(self, network: Network) -> int:
        layers = network.layers
        if not -len(layers) <= self.layer < len(layers):
            raise ValueError(
                f"The network has {len(layers)} layers, numbered 0 to "
                f"{len(layers) - 1}, got layer={self.layer}."
            )
        return range(len(layers))[self.layer] + 1

    def _width(self, network: Network, n_layers: int) -> int:
        shape = network.shapes[n_layers]
        if len(shape) != 1:
            raise ValueError(
                f"The output of layer {self.layer} has samples of shape {shape}, which "
                "are not flat; take a later layer."
            )
        return shape[0]

    def transform(self, X: Any) -> Array:
        """Return the layer's output.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Data; pictures also as (n_samples, h, w) or (n_samples, h, w, c).

        Returns
        -------
        features : ndarray of shape (n_samples, n_units)
            Activations.
        """
        check_is_fitted(self, "estimator_")
        fitted = self.estimator_
        if isinstance(fitted, Network):
            network, rows = fitted, _rows_of(fitted, X)
        else:
            if fitted._is_table(X):
                validate_data(self, X, accept_sparse="csr", dtype=None, reset=False)
            network, rows = fitted.network_, fitted._rows_to_predict(X)
        if isinstance(rows, np.ndarray):  # pictures may be of another size
            network = network.at(rows.shape[1:])
        return network.predict(rows, self._n_layers(network))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.target_tags.required = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _rows_of(network: Network, X: Any) -> Any:
    """Return X as the network takes it: flat rows and one channel have their axes."""
    X = check_array(X, accept_sparse="csr", dtype="numeric", allow_nd=True)
    shape = network.input_shape
    if X.ndim == 2 and len(shape) > 1 and X.shape[1] == math.prod(shape):
        X = X.reshape(len(X), *shape)
    elif X.ndim == len(shape) == 3 and shape[-1] == 1:
        X = X[..., None]
    if X.ndim != len(shape) + 1 or X.shape[-1] != shape[-1]:
        raise ValueError(
            f"The network takes samples of shape {shape}, or flat ones of "
            f"{math.prod(shape)} features, got X of shape {X.shape}."
        )
    network.check_input(X)
    return rows_for(network.dtype, X)
