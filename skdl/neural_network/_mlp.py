"""What the two multi-layer perceptrons share."""

from __future__ import annotations

from typing import Any

from skdl.layers import Layer, resolve_chain
from skdl.networks import mlp_layers
from skdl.neural_network._base import BaseNetwork


class BaseMLP(BaseNetwork):
    """Base of multi-layer perceptrons: a list of layers, or sizes of dense ones."""

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

    def _body_layers(self) -> list[Layer]:
        if self.layers is not None:
            return resolve_chain(self.layers)
        layers = mlp_layers(
            self.hidden_layer_sizes, self.activation, self.dropout, self.batch_norm
        )
        return resolve_chain(layers)

    def check_together(self) -> None:
        self._body_layers()
