"""Corpora in windows: each symbol is foretold once an epoch, by all that is before."""

import numpy as np
import pytest

from skdl.layers import LSTM, Dense, Embedding
from skdl.losses import CrossEntropy
from skdl.networks import Network
from skdl.optimizers import SGD
from skdl.training import (
    Corpus,
    Data,
    Objective,
    Trainer,
    TrainingState,
    WindowBatches,
    cut,
)


def corpus_of(lengths, window, dtype=np.uint8):
    """Return sequences whose ids are all different."""
    stops = np.cumsum(lengths)
    return Corpus(
        np.arange(stops[-1]).astype(dtype), stops - lengths, stops, window, dtype=None
    )


CASES = [
    ([200], 8, 4),
    ([40, 3, 2, 17, 90, 5], 7, 3),
    ([5] * 20, 16, 6),
    ([9, 9, 9], 4, 100),
]


@pytest.mark.parametrize(("lengths", "window", "batch_size"), CASES)
@pytest.mark.parametrize("shuffle", [True, False])
def test_each_step_comes_once_an_epoch(lengths, window, batch_size, shuffle):
    corpus = corpus_of(lengths, window)
    batches = WindowBatches(Data(corpus, corpus, None, None), batch_size, shuffle)
    read, foretold, n_batches, n_seen = [], [], 0, 0
    ends = None
    for batch in batches.epoch(np.random.default_rng(0)):
        n, n_steps = batch.X.shape
        assert n <= batch_size
        assert n_steps <= window
        mask = np.ones((n, n_steps), bool) if batch.weight is None else batch.weight > 0
        lengths_in = mask.sum(axis=1)
        if batch.lengths is not None:
            np.testing.assert_array_equal(lengths_in, batch.lengths)
        np.testing.assert_array_equal(batch.y[mask], batch.X[mask] + 1)
        if batch.goes_on:  # row by row with what the window before has ended with
            goes = lengths_in > 0
            np.testing.assert_array_equal(batch.X[goes, 0], ends[goes])
        ends = batch.y[:, -1].copy()
        read.append(batch.X[mask])
        foretold.append(batch.y[mask])
        n_seen += batch.n
        n_batches += 1
    assert n_batches == batches.n_batches
    assert n_seen == batches.n_rows == sum(lengths) - len(lengths)
    starts = np.cumsum([0, *lengths[:-1]])
    others = np.setdiff1d(np.arange(sum(lengths)), starts)
    np.testing.assert_array_equal(np.sort(np.concatenate(foretold)), others)
    np.testing.assert_array_equal(np.sort(np.concatenate(read)), others - 1)


def test_long_sequences_are_cut_and_short_ones_are_not():
    corpus = corpus_of([1001, 20, 30], 10, np.uint16)
    pieces = cut(corpus, 8)
    assert (pieces.n_steps[pieces.row == 0] == 140).sum() == 7  # 1049 / 8, in tens
    assert pieces.n_steps[pieces.row == 1].tolist() == [19]
    assert pieces.n_steps.sum() == 1048


def test_the_whole_is_one_batch():
    corpus = corpus_of([5, 9], 3)
    batches = WindowBatches(Data(corpus, corpus, np.array([1.0, 2.0]), None), 2)
    batch = batches.whole()
    assert batch.X.shape == (2, 8)
    np.testing.assert_array_equal(batch.weight.sum(axis=1), [4, 16])
    assert not batch.goes_on


def test_the_loss_of_windows_is_that_of_whole_sequences():
    rng = np.random.default_rng(0)
    ids = rng.integers(0, 5, 120).astype(np.uint8)
    corpus = Corpus(ids, np.array([0, 62]), np.array([62, 120]), 8)
    network = Network([Embedding(5, 3), LSTM(4), Dense(5)], (8,))
    network.initialize(rng)
    data = Data(corpus, corpus, None, None)
    batches = WindowBatches(data, 2)
    objective = Objective(network, CrossEntropy())
    whole = batches.whole()
    expected, _ = objective.loss_and_gradient(
        network.params.vector,
        whole.X,
        whole.y,
        whole.weight,
        lengths=whole.lengths,
    )
    optimizer = SGD(1e-300).settled()  # the weights stay as they are
    state = TrainingState(
        network, optimizer.init(network.params.size), np.random.default_rng(0), 0
    )
    trainer = Trainer(state, objective, optimizer, data, batches)
    trainer.run(1)
    # Two pieces: none is cut, and states go on from window to window.
    assert batches.n_batches == 8
    assert state.history["loss"][0] == pytest.approx(expected, rel=1e-12)
    assert state.n_seen == 118


def test_the_end_of_a_text_is_cut_off():
    corpus = corpus_of([11, 6, 86], 10)  # 10, 5 and 85 steps
    first, last = corpus.split(0.2)
    assert first.n_steps.tolist() == [10, 5, 65]
    assert last.n_steps.tolist() == [20]
    assert last.values is corpus.values
    first, last = corpus.split(0.9)
    assert first.n_steps.tolist() == [10]
    assert last.n_steps.tolist() == [5, 85]
    # What ends one part begins the other.
    assert corpus.values[first.stops[0] - 1] == 10
    assert corpus[1:].n_steps.tolist() == [5, 85]


def test_counts_are_those_of_what_is_foretold():
    ids = np.array([0, 3, 3, 1, 0, 2, 1], np.uint8)
    corpus = Corpus(ids, np.array([0, 4]), np.array([4, 7]), 2)
    assert corpus.counts(5).tolist() == [0, 2, 1, 2, 0]
    weighted = corpus.counts(5, np.array([0.5, 2.0]))
    assert weighted.tolist() == [0, 2.5, 2, 1, 0]


@pytest.mark.parametrize("at_a_time", [1, 3, 8, 2**20])
def test_counts_are_those_of_each_sequence(at_a_time, monkeypatch):
    monkeypatch.setattr("skdl.training._corpus._COUNTED", at_a_time)
    rng = np.random.default_rng(0)
    lengths = rng.integers(2, 12, 9)
    stops = np.cumsum(lengths)
    values, weight = rng.integers(0, 7, stops[-1]), rng.random(9)
    corpus = Corpus(values, stops - lengths, stops, 3)
    rows = [values[a + 1 : b] for a, b in zip(stops - lengths, stops, strict=True)]
    each = np.array([np.bincount(row, minlength=8) for row in rows])
    np.testing.assert_array_equal(corpus.counts(8), each.sum(0))
    np.testing.assert_allclose(corpus.counts(8, weight), weight @ each)
