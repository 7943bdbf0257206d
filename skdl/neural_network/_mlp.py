"""What the two multi-layer perceptrons share."""

from __future__ import annotations

from typing import Any, Self

from skdl._settings import fit_context
from skdl.layers import Layer, resolve_chain
from skdl.networks import mlp_layers
from skdl.neural_network._base import BaseNetwork
from skdl.neural_network._plan import Request


class BaseMLP(BaseNetwork):
    """Base of multi-layer perceptrons."""

    _parameter_constraints: dict[str, Any] = {
        **BaseNetwork._parameter_constraints,
        "hidden_layer_sizes": "no_validation",
        "activation": "no_validation",
        "dropout": "no_validation",
        "batch_norm": ["boolean"],
    }

    hidden_layer_sizes: Any
    activation: Any
    dropout: Any
    batch_norm: bool
    layers: Any

    def _hidden_layers(self) -> list[Layer]:
        if self.layers is not None:
            return resolve_chain(self.layers)
        layers = mlp_layers(
            self.hidden_layer_sizes, self.activation, self.dropout, self.batch_norm
        )
        return resolve_chain(layers)

    def check_together(self) -> None:
        self._hidden_layers()

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Fit the network.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows; not negative.
        X_val : {array-like, sparse matrix} of shape (n_val, n_features), default=None
            Validation data, for `history_` and for early stopping.
        y_val : array-like of shape (n_val,) or (n_val, n_outputs), default=None
            Their targets.
        sample_weight_val : array-like of shape (n_val,), default=None
            Their weights.

        Returns
        -------
        self : estimator
            The fitted estimator.

        Raises
        ------
        ValueError
            If the input or a setting is out of range; nothing has changed then.
        DivergenceError
            If the loss stops being finite.
        """
        self._fit(Request(X, y, sample_weight, X_val, y_val, sample_weight_val))
        return self
