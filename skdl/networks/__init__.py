"""Networks: chains of layers with their arrays, and builders of them."""

from skdl.networks._mlp import mlp_layers
from skdl.networks._network import Network

__all__ = ["Network", "mlp_layers"]
