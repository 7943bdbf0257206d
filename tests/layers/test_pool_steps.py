"""Pooling over steps: what is padding does not count."""

import numpy as np
import pytest

from skdl._ragged import Ragged
from skdl.layers import PoolSteps
from skdl.networks import Network
from skdl.testing import check_layer

LENGTHS = np.array([4, 1, 3, 2, 4])
REDUCED = {"mean": np.mean, "max": np.max}


@pytest.mark.parametrize("kind", REDUCED)
def test_contract_with_padding(kind):
    x = np.random.default_rng(0).normal(size=(5, 4, 2))
    check_layer(PoolSteps(kind), (4, 2), x=x, lengths=LENGTHS)


@pytest.mark.parametrize("kind", REDUCED)
def test_of_each_sequence(kind):
    rng = np.random.default_rng(0)
    # Zeros behind the end would be the largest.
    X = Ragged.of([rng.normal(size=(n, 3)) - 9 for n in LENGTHS])
    got = Network([PoolSteps(kind)], X.shape[1:]).predict(X)
    expected = [REDUCED[kind](sequence, axis=0) for sequence in X]
    np.testing.assert_allclose(got, expected, rtol=1e-14)


def test_wrong_settings():
    with pytest.raises(ValueError, match=r"'kind' parameter of PoolSteps.*'first'"):
        Network([PoolSteps("first")], (4, 2))
    with pytest.raises(ValueError, match=r"takes sequences .* shape \(4, 4, 2\)"):
        Network([PoolSteps()], (4, 4, 2))
