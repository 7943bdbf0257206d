"""Losses of pictures and sequences: many elements a row, weights of either."""

import numpy as np
import pytest

from skdl import losses
from skdl.losses import CrossEntropy, FunctionLoss, total_weight
from skdl.testing import check_gradient

# The second axis is as long as the first: a weight on the wrong one would go unnoticed.
SHAPES = [(5, 5, 3), (5, 5, 2, 3), (4, 6, 3)]
NAMES = sorted(set(losses.names()) - {"exponential", "box"})


def made(name, shape):
    rng = np.random.default_rng(0)
    raw = rng.normal(size=shape)
    if name == "cross_entropy":
        y = rng.integers(0, shape[-1], shape[:-1])
    elif name == "binary_cross_entropy":
        y = rng.integers(0, 2, shape).astype(float)
    else:
        y = rng.integers(1, 5, shape).astype(float)
    return losses.get(name), y, raw, rng


def flat(y, raw):
    return y.reshape(-1, *y.shape[raw.ndim - 1 :]), raw.reshape(-1, raw.shape[-1])


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_elements_are_rows_of_their_own(name, shape):
    loss, y, raw, rng = made(name, shape)
    of_rows = rng.uniform(0, 2, shape[0])
    of_elements = rng.uniform(0, 2, shape[:-1])
    for weight in (None, of_rows, of_elements):
        spread = weight
        if weight is not None:
            extra = (1,) * (len(shape) - 1 - weight.ndim)
            spread = np.broadcast_to(weight.reshape(*weight.shape, *extra), shape[:-1])
            spread = spread.ravel()
        total, gradient = loss.weighted(y, raw, weight, 0.7)
        expected = loss.weighted(*flat(y, raw), spread, 0.7)
        assert total == pytest.approx(expected[0], rel=1e-12)
        assert gradient.shape == shape
        np.testing.assert_allclose(
            gradient.reshape(-1, shape[-1]), expected[1], rtol=1e-12
        )
        assert loss(y, raw, weight) == pytest.approx(loss(*flat(y, raw), spread))
        n = np.prod(shape[:-1]) if spread is None else spread.sum()
        assert total_weight(raw, weight) == pytest.approx(n)


@pytest.mark.parametrize("name", NAMES)
def test_links_of_elements(name):
    loss, y, raw, _ = made(name, (4, 5, 3))
    got = loss.inverse_link(raw)
    assert got.shape == raw.shape
    expected = loss.inverse_link(raw.reshape(-1, 3)).reshape(raw.shape)
    np.testing.assert_allclose(got, expected, rtol=1e-12)
    if loss.has_hessian:
        hessian = loss.hessian(y, raw)
        expected = loss.hessian(*flat(y, raw)).reshape(raw.shape)
        np.testing.assert_allclose(hessian, expected, rtol=1e-12)


def test_smoothed_classes_of_elements():
    loss, y, raw, rng = made("cross_entropy", (4, 4, 3))
    loss = CrossEntropy(0.2)
    weight = rng.uniform(0, 2, (4, 4))
    gradient = loss.weighted(y, raw, weight, 1.0)[1]
    check_gradient(lambda at: loss.weighted(y, at, weight, 1.0)[0], raw, gradient)


def test_a_function_of_elements():
    loss = FunctionLoss(lambda y, raw: (((raw - y) ** 2).sum(-1), 2 * (raw - y)))
    _, y, raw, rng = made("squared_error", (3, 3, 2))
    weight = rng.uniform(0, 2, 3)
    gradient = loss.weighted(y, raw, weight, 1.0)[1]
    check_gradient(lambda at: loss.weighted(y, at, weight, 1.0)[0], raw, gradient)
    wrong = FunctionLoss(lambda y, raw: (np.zeros(3), 2 * (raw - y)))
    with pytest.raises(ValueError, match=r"loss of shape \(3, 3\) or \(3, 3, 2\)"):
        wrong(y, raw)


@pytest.mark.parametrize("shape", [(), (4,), (3, 4), (5, 5, 5)])
def test_weights_that_do_not_fit(shape):
    loss, y, raw, _ = made("squared_error", (5, 3, 2))
    with pytest.raises(ValueError, match=r"Weights must have shape \(5,\)"):
        loss.weighted(y, raw, np.ones(shape), 1.0)


@pytest.mark.parametrize("name", [*NAMES, "exponential"])
def test_which_losses_move_with_their_targets(name):
    loss = losses.get(name)
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, (6, 1)).astype(float)
    if name == "cross_entropy":
        return
    raw = rng.normal(size=(6, 1))
    with np.errstate(all="ignore"):
        before = loss.evaluate(y + 1, raw + 1)
        after = loss.evaluate(y + 2, raw + 2)
    same = np.allclose(before[0], after[0]) and np.allclose(before[1], after[1])
    assert same == loss.moves_with_targets
