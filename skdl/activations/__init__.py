"""Activation functions by name; see `skdl.layers.Activation` for the layer."""

from skdl.activations._activation import (
    ELU,
    GELU,
    SELU,
    ActivationFunction,
    Identity,
    LeakyReLU,
    ReLU,
    Sigmoid,
    Softmax,
    Softplus,
    Step,
    Tanh,
    get,
    names,
    register,
    registry,
)

__all__ = [
    "ELU",
    "GELU",
    "SELU",
    "ActivationFunction",
    "Identity",
    "LeakyReLU",
    "ReLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Step",
    "Tanh",
    "get",
    "names",
    "register",
    "registry",
]
