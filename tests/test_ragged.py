"""Sequences of different lengths: joined, cut out, padded."""

import numpy as np
import pytest

from skdl._ragged import Ragged, join_steps, pad_rows

LENGTHS = [3, 0, 1, 4]


@pytest.fixture(params=[(), (2,), (2, 3)], ids=["numbers", "vectors", "pictures"])
def sequences(request):
    rng = np.random.default_rng(0)
    return [rng.normal(size=(n, *request.param)) for n in LENGTHS]


def test_they_come_back(sequences):
    ragged = Ragged.of(sequences)
    assert ragged.shape == (4, 4, *sequences[0].shape[1:])
    assert len(ragged) == 4
    assert ragged.lengths.tolist() == LENGTHS
    for got, expected in zip(ragged, sequences, strict=True):
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize(
    "rows",
    [
        slice(1, 3),
        slice(None),
        slice(3, 1),
        slice(None, None, 2),
        slice(2, 99),
        [3, 0, 0],
        np.array([True, False, True, False]),
        np.array([-1]),
    ],
    ids=repr,
)
def test_some_of_them(sequences, rows):
    part = Ragged.of(sequences)[rows]
    expected = [sequences[i] for i in np.arange(4)[rows]]
    assert part.lengths.tolist() == [len(sequence) for sequence in expected]
    for got, sequence in zip(part, expected, strict=True):
        np.testing.assert_array_equal(got, sequence)


def test_padded(sequences):
    ragged = Ragged.of(sequences)
    dirty = lambda shape, dtype: np.full(shape, 7, dtype)  # noqa: E731
    padded, lengths = pad_rows(ragged, dirty)
    assert padded.shape == ragged.shape
    for row, sequence in zip(padded, sequences, strict=True):
        np.testing.assert_array_equal(row[: len(sequence)], sequence)
        assert not row[len(sequence) :].any()
    assert lengths is ragged.lengths
    plain = np.ones((2, 3))
    assert pad_rows(plain, dirty) == (plain, None)


def test_outputs_of_steps(sequences):
    ragged = Ragged.of(sequences)
    parts = [ragged[:3].pad() * 2, ragged[3:].pad() * 2]
    joined = join_steps(parts, ragged)
    np.testing.assert_array_equal(joined.values, ragged.values * 2)
    assert joined.lengths.tolist() == LENGTHS


def test_elements_of_one_shape():
    with pytest.raises(ValueError, match=r"first has shape \(2, 3\), number 1 has"):
        Ragged.of([np.zeros((2, 3)), np.zeros((2, 4))])
    with pytest.raises(ValueError, match="got none"):
        Ragged.of([])
    assert Ragged.of([[1, 2], [3.5]]).dtype == np.float64
