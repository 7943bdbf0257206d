"""Networks: chains of layers with their arrays, and builders of them."""

from skdl.networks._alexnet import alexnet
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
from skdl.networks._describe import describe
from skdl.networks._efficientnet import efficientnet_lite0
from skdl.networks._espcn import espcn
from skdl.networks._grow import take_weights
from skdl.networks._inception import googlenet
from skdl.networks._mlp import mlp_layers
from skdl.networks._network import Network
from skdl.networks._rates import set_rates
from skdl.networks._reach import Reach, reach_of
from skdl.networks._receptive_field import ReceptiveField, receptive_fields
from skdl.networks._resnet import resnet8, resnet18, resnet34, resnet50, resnext50
from skdl.networks._rnn import rnn_layers
from skdl.networks._separable import separable
from skdl.networks._unet import unet, unet4, unet5
from skdl.networks._vgg import vgg11, vgg13, vgg16, vgg19, vgg_small

__all__ = [
    "Architecture",
    "Network",
    "Reach",
    "ReceptiveField",
    "alexnet",
    "describe",
    "efficientnet_lite0",
    "espcn",
    "get",
    "googlenet",
    "lenet",
    "mlp_layers",
    "named_layers",
    "names",
    "reach_of",
    "receptive_fields",
    "register",
    "resnet8",
    "resnet18",
    "resnet34",
    "resnet50",
    "resnext50",
    "rnn_layers",
    "scaled",
    "separable",
    "set_rates",
    "small",
    "take_weights",
    "unet",
    "unet4",
    "unet5",
    "vgg11",
    "vgg13",
    "vgg16",
    "vgg19",
    "vgg_small",
]
