"""Networks: chains of layers with their arrays, and builders of them."""

from skdl.networks._architectures import (
    Architecture,
    get,
    lenet,
    named_layers,
    names,
    register,
    scaled,
    small,
)
from skdl.networks._mlp import mlp_layers
from skdl.networks._network import Network

__all__ = [
    "Architecture",
    "Network",
    "get",
    "lenet",
    "mlp_layers",
    "named_layers",
    "names",
    "register",
    "scaled",
    "small",
]
