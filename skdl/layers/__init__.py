"""Layers: parameter objects that are chained into networks."""

from skdl.layers._activation import Activation
from skdl.layers._arena import Arena
from skdl.layers._batch_norm import BatchNorm
from skdl.layers._branches import AuxiliaryHead, Branches, Chain
from skdl.layers._chain import (
    backward_chain,
    build_chain,
    forward_chain,
    inside_chain,
    mirrored_chain,
    replays,
    resolve_chain,
)
from skdl.layers._context import (
    Carried,
    Context,
    Kept,
    SideOutput,
    StateGradients,
)
from skdl.layers._conv import Conv2D, DepthwiseConv2D
from skdl.layers._delay import Delay
from skdl.layers._dense import Dense, DropConnect
from skdl.layers._dropout import Dropout, SpatialDropout
from skdl.layers._encoder_decoder import EncoderDecoder
from skdl.layers._fold import fold_norms
from skdl.layers._keep_size import KeepSize
from skdl.layers._layer import (
    Inside,
    Layer,
    ParamSpec,
    TooSmallError,
    get,
    names,
    register,
    registry,
)
from skdl.layers._links import LayerList
from skdl.layers._noise import GaussianNoise
from skdl.layers._pixel_shuffle import PixelShuffle
from skdl.layers._pool import AvgPool2D, GlobalAvgPool, MaxPool2D
from skdl.layers._pool_steps import PoolSteps
from skdl.layers._prelu import PReLU
from skdl.layers._recurrent import GRU, LSTM, RNN
from skdl.layers._residual import Residual
from skdl.layers._sequence import Bidirectional, Embedding
from skdl.layers._shape import Flatten, Rescale, Reshape
from skdl.layers._skip import PoolUnpool, SkipConcatenate
from skdl.layers._tied import TiedEmbedding
from skdl.layers._upsample import ConvTranspose2D, Upsample2D

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "Activation",
    "Arena",
    "AuxiliaryHead",
    "AvgPool2D",
    "BatchNorm",
    "Bidirectional",
    "Branches",
    "Carried",
    "Chain",
    "Context",
    "Conv2D",
    "ConvTranspose2D",
    "Delay",
    "Dense",
    "DepthwiseConv2D",
    "DropConnect",
    "Dropout",
    "Embedding",
    "EncoderDecoder",
    "Flatten",
    "GaussianNoise",
    "GlobalAvgPool",
    "Inside",
    "KeepSize",
    "Kept",
    "Layer",
    "LayerList",
    "MaxPool2D",
    "PReLU",
    "ParamSpec",
    "PixelShuffle",
    "PoolSteps",
    "PoolUnpool",
    "Rescale",
    "Reshape",
    "Residual",
    "SideOutput",
    "SkipConcatenate",
    "SpatialDropout",
    "StateGradients",
    "TiedEmbedding",
    "TooSmallError",
    "Upsample2D",
    "backward_chain",
    "build_chain",
    "fold_norms",
    "forward_chain",
    "get",
    "inside_chain",
    "mirrored_chain",
    "names",
    "register",
    "registry",
    "replays",
    "resolve_chain",
]
