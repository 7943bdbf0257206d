"""Batches hold the rows they should, however the rows lie in memory."""

import tracemalloc

import numpy as np
import pytest

from skdl._ragged import Ragged
from skdl.layers import Conv2D, build_chain
from skdl.layers._layer import TooSmallError
from skdl.training import Data, RowBatches


def rows_of(batches, seed=0):
    """Return copies of what the batches of an epoch hold."""
    epoch = batches.epoch(np.random.default_rng(seed))
    return [[None if a is None else a.copy() for a in batch[:3]] for batch in epoch]


@pytest.mark.parametrize("batch_size", [1, 7, 32, 99, 100])
@pytest.mark.parametrize("weighted", [False, True])
def test_an_epoch_is_a_permutation_in_batches_of_one_size(batch_size, weighted):
    n = 100
    X, y = np.arange(3.0 * n).reshape(n, 3), np.arange(n)
    data = Data(X, y, y / 7 if weighted else None, y)
    batches = rows_of(RowBatches(data, batch_size))
    sizes = [len(x) for x, _, _ in batches]
    assert sizes[:-1] == [batch_size] * (len(sizes) - 1)
    order = np.concatenate([y for _, y, _ in batches])
    expected = np.random.default_rng(0).permutation(n) if batch_size < n else y
    np.testing.assert_array_equal(order, expected)
    for x, y_part, weight in batches:
        np.testing.assert_array_equal(x, X[y_part])
        assert (weight is None) is not weighted
        if weighted:
            np.testing.assert_array_equal(weight, y_part / 7)


def test_columns_of_a_table_are_turned_once_and_not_for_each_batch():
    rng = np.random.default_rng(0)
    X = np.asfortranarray(rng.normal(size=(20_000, 30)))
    data = Data(X, X[:, :1], None, X[:, 0])
    batches = RowBatches(data, 200)
    straight = RowBatches(data._replace(X=np.ascontiguousarray(X)), 200)
    for ours, theirs in zip(rows_of(batches), rows_of(straight), strict=True):
        np.testing.assert_array_equal(ours[0], theirs[0])
        np.testing.assert_array_equal(ours[1], theirs[1])
    rows = np.arange(200)
    batches.of(rows)
    tracemalloc.start()
    batches.of(rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < X.nbytes / 10


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("each_step", [False, True])
def test_answers_are_those_of_the_batch_and_leave_the_input_alone(
    each_step, weighted, monkeypatch
):
    rng = np.random.default_rng(0)
    X = Ragged.of([rng.normal(size=(n, 2)) for n in (3, 1, 4, 2, 6)])
    y = Ragged(np.arange(16), X.offsets) if each_step else np.arange(5)
    batches = RowBatches(Data(X, y, np.arange(1.0, 6.0) if weighted else None, y), 5)
    rows = np.array([4, 0, 3])
    batch = batches.of(rows)
    y_batch = batch.y.copy()
    weight = None if batch.weight is None else batch.weight.copy()
    padded, pad = [], Ragged.pad
    monkeypatch.setattr(Ragged, "pad", lambda a, e: padded.append(a) or pad(a, e))
    y_alone, weight_alone = batches.answers(rows)
    np.testing.assert_array_equal(y_alone, y_batch)
    np.testing.assert_array_equal(weight_alone, weight)
    assert len(padded) == each_step  # the targets, and not the input


def test_pictures_without_pixels_end_with_an_error():
    with pytest.raises(TooSmallError, match="smallest input"):
        build_chain([Conv2D(3, 3)], (0, 0, 2))
