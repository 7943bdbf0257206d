"""Hidden activations of a network as features."""

from __future__ import annotations

from typing import Any, Self

from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

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
from skdl.layers import Layer
from skdl.neural_network._base import BaseNetwork


class NetworkFeatures(
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    MetaEstimatorMixin,
    NestedParams,
):
    """What a layer of a network gives, as features for another estimator.

    Parameters
    ----------
    estimator : MLPClassifier, MLPRegressor or FrozenEstimator
        The network. It is cloned and fitted to (X, y); a fitted network inside
        `sklearn.frozen.FrozenEstimator` is used as it is.
    layer : int, default=-2
        The layer whose output is taken, counted as in ``network_.layers``: the default
        is what the output layer gets, at prediction (nothing is dropped).

    Attributes
    ----------
    estimator_ : estimator
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

    estimator_: BaseNetwork
    n_features_in_: int
    feature_names_in_: Array

    _parameter_constraints: dict[str, Any] = {
        "estimator": [HasMethods(["fit", "predict"])],
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
            Training data.
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
        frozen = isinstance(network, FrozenEstimator)
        inner = network.estimator if frozen else network
        if not isinstance(inner, BaseNetwork):
            raise TypeError(
                "NetworkFeatures takes a skdl network (MLPClassifier, MLPRegressor) or "
                f"one inside FrozenEstimator, got {inner!r}."
            )
        if frozen:
            check_is_fitted(inner, "network_")
            inner._read(X)
            fitted = inner
        else:
            fitted = clone(inner).fit(X, y)
        n_layers = self._n_layers(fitted)
        self.estimator_ = fitted
        self._n_features_out = self._width(fitted, n_layers)
        self.__dict__.pop("feature_names_in_", None)
        self.n_features_in_ = fitted.n_features_in_
        if hasattr(fitted, "feature_names_in_"):
            self.feature_names_in_ = fitted.feature_names_in_
        return self

    def _n_layers(self, fitted: Any) -> int:
        layers: list[Layer] = fitted.network_.layers
        if not -len(layers) <= self.layer < len(layers):
            raise ValueError(
                f"The network has {len(layers)} layers, numbered 0 to "
                f"{len(layers) - 1}, got layer={self.layer}."
            )
        return range(len(layers))[self.layer] + 1

    def _width(self, fitted: BaseNetwork, n_layers: int) -> int:
        shape = fitted.network_.shapes[n_layers]
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
            Data.

        Returns
        -------
        features : ndarray of shape (n_samples, n_units)
            Activations.
        """
        check_is_fitted(self, "estimator_")
        if getattr(X, "ndim", 2) == 2:  # pictures are the estimator's to check
            validate_data(self, X, accept_sparse="csr", dtype=None, reset=False)
        rows = self.estimator_._rows_to_predict(X)
        return self.estimator_.network_.predict(rows, self._n_layers(self.estimator_))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.target_tags.required = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
