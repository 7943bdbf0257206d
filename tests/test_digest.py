"""A digest tells data apart by their values, not by how they lie in memory."""

import numpy as np
import pytest
from scipy import sparse

from skdl import _digest
from skdl._digest import digest

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 7))


def test_layout_does_not_count(monkeypatch, tmp_path):
    monkeypatch.setattr(_digest, "_BLOCK", 100)  # several blocks, the last one short
    wide = np.zeros((600, 14))
    wide[::2, 1::2] = X
    mapped = np.memmap(tmp_path / "x", dtype=np.float64, mode="w+", shape=X.shape)
    mapped[:] = X
    for same in (X.copy(), np.asfortranarray(X), wide[::2, 1::2], mapped):
        assert digest(same) == digest(X)


OTHERS = {
    "one number": lambda: np.where(np.arange(2100).reshape(X.shape) == 2099, 0.0, X),
    "order of rows": lambda: X[::-1],
    "order of columns": lambda: X[:, ::-1],
    "shape": lambda: X.reshape(150, 14),
    "fewer rows": lambda: X[:-1],
    "type": lambda: X.astype(np.float32),
    "a weight": lambda: (X, np.ones(300)),
}


@pytest.mark.parametrize("case", OTHERS)
def test_values_count(case):
    other = OTHERS[case]()
    other = other if isinstance(other, tuple) else (other, None)
    assert digest(*other) != digest(X, None)


def test_sparse_matrices():
    S = sparse.random_array((50, 20), density=0.2, rng=RNG, format="csr")
    assert digest(S) == digest(S.tocsc()) == digest(sparse.csr_matrix(S))
    moved = S.copy()
    moved.indices[0] = (moved.indices[0] + 1) % 20
    assert digest(moved) != digest(S)
    assert digest(2.0 * S) != digest(S)
    assert digest(S) != digest(S.toarray())


def test_what_is_no_array_of_numbers():
    assert digest(np.empty((0, 3))) != digest(np.empty((3, 0)))
    labels = np.array(["a", "b"], dtype=object)
    assert digest(labels) != digest(labels[::-1])
    assert digest(None) != digest(labels)
