"""The loss of one object's box: its formula, its parts, its targets."""

import numpy as np
import pytest
from scipy.special import expit

from skdl import losses
from skdl.losses import BoxLoss
from skdl.testing import check_loss

NOTHING = [0, np.nan, np.nan, np.nan, np.nan]


@pytest.fixture
def boxes():
    """Return targets, a third of them without an object, and raw predictions."""
    rng = np.random.default_rng(0)
    y = np.column_stack(
        [np.ones(30), rng.random((30, 2)), rng.uniform(0.1, 2, (30, 2))]
    )
    y[::3] = NOTHING
    return y, rng.normal(size=(30, 5))


@pytest.mark.parametrize("loss", [BoxLoss(), BoxLoss(2.5), BoxLoss(0.0)], ids=repr)
def test_contract(loss, boxes):
    y, raw = boxes
    y = np.nan_to_num(y, nan=0.5)
    if loss.box_weight:  # the best constant box is none without a weight
        check_loss(loss, y, raw)
    gradient = loss.gradient(y, raw)
    assert (gradient[::3, 1:] == 0).all()


@pytest.mark.parametrize("box_weight", [1.0, 0.3])
def test_formula(box_weight, boxes):
    y, raw = boxes
    loss, gradient = BoxLoss(box_weight).evaluate(y, raw)
    for target, z, value, slope in zip(y, raw, loss, gradient, strict=True):
        present, x_c, y_c, w, h = target
        p, x, y_ = 1 / (1 + np.exp(-z[:3]))
        if not present:
            assert value == pytest.approx([-np.log(1 - p), 0, 0, 0, 0])
            assert slope == pytest.approx([p, 0, 0, 0, 0])
            continue
        parts = [
            -np.log(p),
            box_weight * (-x_c * np.log(x) - (1 - x_c) * np.log(1 - x)),
            box_weight * (-y_c * np.log(y_) - (1 - y_c) * np.log(1 - y_)),
            box_weight * (z[3] - np.log(w)) ** 2,
            box_weight * (z[4] - np.log(h)) ** 2,
        ]
        assert value == pytest.approx(parts, rel=1e-12)
    prediction = BoxLoss().inverse_link(raw)
    np.testing.assert_allclose(prediction[:, :3], expit(raw[:, :3]))
    np.testing.assert_allclose(prediction[:, 3:], np.exp(raw[:, 3:]))


def test_the_same_relative_error_costs_the_same():
    sizes = np.array([0.02, 0.1, 0.7, 1.9])
    y = np.column_stack([np.ones(4), np.full((4, 2), 0.5), sizes, sizes[::-1]])
    raw = BoxLoss().link(y * [0.9, 1, 1, 1.3, 0.8])
    loss, _ = BoxLoss().evaluate(y, raw)
    np.testing.assert_allclose(loss[:, 3], np.log(1.3) ** 2)
    np.testing.assert_allclose(loss[:, 4], np.log(0.8) ** 2)
    # twice as large and half as large, too
    twice, half = (BoxLoss().evaluate(y, BoxLoss().link(y * f))[0] for f in STRETCHED)
    np.testing.assert_allclose(twice[:, 3:], half[:, 3:])


STRETCHED = np.array([[0.9, 1, 1, 2, 2], [0.9, 1, 1, 0.5, 0.5]])


def test_parts_add_up(boxes):
    y, raw = boxes
    weight = np.random.default_rng(1).uniform(0, 2, len(y))
    loss = BoxLoss(0.7)
    for w in (None, weight):
        total = loss.weighted(y, raw, w, 0.1)[0]
        parts = loss.part_sums(y, raw, w, 0.1)
        assert total == pytest.approx(parts.sum(), rel=1e-12)
        assert list(loss.named_parts("loss", parts)) == [
            "loss_presence",
            "loss_x",
            "loss_y",
            "loss_width",
            "loss_height",
        ]
    assert losses.get("squared_error").named_parts("loss", np.empty(0)) == {}


def test_single_precision_stays(boxes):
    y, raw = boxes
    parts = BoxLoss().evaluate(y.astype(np.float32), raw.astype(np.float32))
    assert {part.dtype for part in parts} == {np.dtype(np.float32)}
    np.testing.assert_allclose(parts[1], BoxLoss().gradient(y, raw), atol=1e-5)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([2, 0.5, 0.5, 0.1, 0.1], "0 or 1"),
        ([np.nan, 0.5, 0.5, 0.1, 0.1], "0 or 1"),
        ([1, np.nan, 0.5, 0.1, 0.1], "not finite though an object is there"),
        ([1, -0.01, 0.5, 0.1, 0.1], "centre outside the picture"),
        ([1, 0.5, 31.0, 0.1, 0.1], "Divide pixels by the picture's width"),
        ([1, 0.5, 0.5, 0.0, 0.1], "width or height that is not > 0"),
        ([1, 0.5, 0.5, 0.1, -1], "The box of picture 2"),
    ],
)
def test_targets_out_of_range(row, message, boxes):
    y, _ = boxes
    y[2] = row
    with pytest.raises(ValueError, match=message):
        BoxLoss().check_targets(y)


def test_targets_of_another_shape():
    with pytest.raises(ValueError, match="five columns"):
        BoxLoss().check_targets(np.ones((3, 4)))


@pytest.mark.reference
def test_pytorch(boxes):
    import torch
    from torch.nn import functional as F

    y, raw = boxes
    z = torch.tensor(raw, requires_grad=True)
    t = torch.tensor(np.nan_to_num(y, nan=0.5))
    there = t[:, 0]
    total = F.binary_cross_entropy_with_logits(z[:, 0], there, reduction="sum")
    centre = F.binary_cross_entropy_with_logits(z[:, 1:3], t[:, 1:3], reduction="none")
    size = F.mse_loss(z[:, 3:], t[:, 3:].log(), reduction="none")
    total = total + (there[:, None] * (centre + size)).sum()
    total.backward()
    got, gradient = BoxLoss().weighted(y, raw, None, 1.0)
    assert got == pytest.approx(total.item(), rel=1e-12)
    np.testing.assert_allclose(gradient, z.grad.numpy(), rtol=1e-10, atol=1e-14)
