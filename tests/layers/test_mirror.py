"""Decoders as the mirror images of encoders."""

import pytest

from skdl.layers import (
    LSTM,
    AuxiliaryHead,
    AvgPool2D,
    BatchNorm,
    Branches,
    Chain,
    Conv2D,
    ConvTranspose2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    GlobalAvgPool,
    MaxPool2D,
    PoolUnpool,
    Rescale,
    Reshape,
    Residual,
    SkipConcatenate,
    build_chain,
    mirrored_chain,
    resolve_chain,
)

# Encoder, shape of a sample, and the decoder's layers.
CASES = {
    "dense": (
        [Dense(5), "relu", Dropout(0.2), Dense(2)],
        (7,),
        ["Dense 5", "Activation", "Dropout", "Dense 7"],
    ),
    "the code's activation": ([Dense(5), "relu", "tanh"], (7,), ["Dense 7"]),
    "at the input": (["batch_norm", Dense(5)], (7,), ["Dense 7"]),
    "pictures": (
        [
            Conv2D(4, padding="same"),
            BatchNorm(),
            "relu",
            MaxPool2D(),
            Conv2D(6, 3, 2, 1),
            "elu",
            Flatten(),
            Dense(3),
        ],
        (8, 10, 1),
        [
            "Dense 36",
            "Reshape",
            "Activation",
            "ConvTranspose2D",
            "Upsample2D",
            "BatchNorm",
            "Activation",
            "ConvTranspose2D",
        ],
    ),
    "depthwise, a mean": (
        [DepthwiseConv2D(multiplier=2), AvgPool2D((2, 1)), GlobalAvgPool()],
        (6, 5, 3),
        ["Chain", "Upsample2D", "ConvTranspose2D"],
    ),
    "blocks": (
        [Conv2D(4, 1), Residual([Conv2D(4, 3, padding=1)]), PoolUnpool(), Conv2D(2, 1)],
        (4, 4, 1),
        ["ConvTranspose2D", "Residual", "PoolUnpool", "ConvTranspose2D"],
    ),
    "chains": (
        [Rescale(), Chain([Dense(4), "relu", Dense(3)]), AuxiliaryHead([Dense(2)])],
        (5,),
        ["Chain", "Rescale"],
    ),
    "forms": ([Reshape((2, 3)), Dense(4), Flatten()], (6,), ["Reshape", "Dense", ""]),
}


@pytest.mark.parametrize("case", CASES)
def test_the_way_back(case):
    layers, shape, expected = CASES[case]
    chain = resolve_chain(layers)
    code = build_chain(chain, shape)[0][-1]
    mirrored = mirrored_chain(chain, shape)
    assert build_chain(mirrored, code)[0][-1] == shape
    for layer, words in zip(mirrored, expected, strict=True):
        name, _, units = words.partition(" ")
        assert type(layer).__name__ == (name or "Reshape")
        assert not units or layer.units == int(units)
    assert not any(layer in chain for layer in mirrored)  # copies


def test_settings_are_those_of_the_convolution():
    layer = Conv2D(6, (3, 5), 2, (1, 2), bias=False, groups=2, initializer="he_normal")
    (mirrored,) = mirrored_chain(resolve_chain([layer]), (9, 8, 4))
    expected = ConvTranspose2D(
        4, (3, 5), 2, (1, 2), groups=2, output_size=(9, 8), bias=False
    ).set_params(initializer="he_normal")
    assert repr(mirrored) == repr(expected.settled())


def test_scaling_is_undone():
    (mirrored,) = mirrored_chain(resolve_chain([Rescale(0.5, 2.0)]), (3,))
    assert (mirrored.scale, mirrored.offset) == (2.0, -4.0)


WRONG = {
    "odd": ([Conv2D(2, 1), MaxPool2D()], (7, 8, 1), r"Layer 1 .* 7×8 pixels into 3×4"),
    "steps": ([LSTM(3)], (5, 2), r"Layer 0 \(LSTM.*it has no mirror image"),
    "branches": ([Branches([Dense(2), Dense(3)])], (4,), "it has no mirror image"),
    "skip": ([SkipConcatenate(["relu"])], (4,), "it has no mirror image"),
    "zero": ([Rescale(0.0)], (4,), "cannot be undone"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_has_none(case):
    layers, shape, message = WRONG[case]
    with pytest.raises(ValueError, match=message):
        mirrored_chain(resolve_chain(layers), shape)
