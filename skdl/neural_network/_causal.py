"""Layers that can be run step by step: what generation asks of them."""

from __future__ import annotations

from collections.abc import Sequence

from skdl._typing import Shape
from skdl.layers import GRU, LSTM, RNN, Layer, build_chain

_CARRY = RNN, LSTM, GRU  # their states from one window to the next


def check_causal(chain: Sequence[Layer], shape: Shape, whose: str) -> None:
    """Raise if a chain makes other steps one at a time than all at once.

    Parameters
    ----------
    chain : sequence of Layer
        The layers between what reads the steps and the output layer.
    shape : tuple of (int, int)
        Shape of one sample of their input, of as many steps as you like.
    whose : str
        What the errors call the model.

    Raises
    ------
    ValueError
        If a layer looks ahead, looks back at steps that it does not carry, or gives no
        output for each step.
    """
    shapes, _ = build_chain(chain, shape)
    for layer, given, made in zip(chain, shapes, shapes[1:], strict=False):
        if len(made) != 2 or made[0] != shape[0]:
            raise ValueError(
                f"{whose} needs an output for each step; {layer!r} makes samples of "
                f"shape {made} of {given}."
            )
        _check_steps(layer, given, whose)


def _check_steps(layer: Layer, shape: Shape, whose: str) -> None:
    axes = layer.windows(shape)
    parts = [part for chain in layer.inside(shape) for part in chain]
    ahead = getattr(axes[0], "after", 1) > 0 if axes else not parts
    if ahead or "backwards" in {part.key for part in parts}:
        raise ValueError(
            f"{whose} must not look ahead, as {layer!r} does: each step would see what "
            "it is to foretell."
        )
    behind = getattr(axes[0], "before", 0) > 0 if axes else False
    if behind and not isinstance(layer, _CARRY):
        raise ValueError(
            f"{whose} goes from step to step with the states of its recurrent layers "
            f"alone; {layer!r} looks back at steps that nothing carries on. Use a "
            "recurrent layer in its place."
        )
    for part in parts:
        _check_steps(part.layer, part.input_shape, whose)
