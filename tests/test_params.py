"""One vector, many views: the views must never come loose."""

import copy
import pickle

import joblib
import numpy as np
import pytest

from skdl._params import ParamVector

SHAPES = {"0.b": (3,), "0.W": (2, 3), "1.norm.gamma": (4,), "1.W": (2, 2, 1, 4)}


@pytest.fixture
def params():
    filled = ParamVector(SHAPES)
    filled.vector[:] = np.arange(filled.size)
    return filled


def assert_bound(params):
    """Each view, and each leaf of the tree, is memory of the vector."""
    params.vector[:] = 0
    for i, name in enumerate(params, start=1):
        params[name][...] = i
        node = params.tree
        for part in name.split("."):
            node = node[part]
        assert node is params[name]
        assert np.shares_memory(node, params.vector)
        assert (params.vector == i).sum() == params[name].size


def through_joblib(params, path):
    joblib.dump(params, path / "params.joblib")
    return joblib.load(path / "params.joblib")


COPIES = {
    "pickle": lambda params, path: pickle.loads(pickle.dumps(params)),
    "deepcopy": lambda params, path: copy.deepcopy(params),
    "joblib": through_joblib,
    "inside a dict": lambda params, path: copy.deepcopy({"a": params, "b": params})[
        "b"
    ],
}


def test_layout(params):
    assert params.size == 3 + 6 + 4 + 16
    assert len(params) == 4
    assert list(params) == list(SHAPES)
    assert {name: params[name].shape for name in params} == SHAPES
    assert params.tree["1"]["norm"]["gamma"] is params["1.norm.gamma"]
    assert all(params[name].flags.c_contiguous for name in params)


def test_weights_come_first(params):
    assert params.n_weights == 6 + 16
    params.vector[: params.n_weights] = -1
    assert (params["0.W"] == -1).all()
    assert (params["1.W"] == -1).all()
    assert (params["0.b"] != -1).all()
    assert (params["1.norm.gamma"] != -1).all()


@pytest.mark.parametrize(
    ("shapes", "n_weights"), [({}, 0), ({"b": (3,)}, 0), ({"W": (3, 0)}, 0)]
)
def test_degenerate_layouts(shapes, n_weights):
    params = ParamVector(shapes)
    assert params.n_weights == n_weights
    assert params.size == sum(np.prod(shape, dtype=int) for shape in shapes.values())


def test_views_share_memory(params):
    assert_bound(params)


@pytest.mark.parametrize("how", COPIES)
def test_copies_are_bound_and_independent(params, how, tmp_path):
    before = params.vector.copy()
    other = COPIES[how](params, tmp_path)
    assert np.array_equal(other.vector, before)
    assert other.vector.dtype == params.vector.dtype
    assert other.n_weights == params.n_weights
    assert_bound(other)
    assert np.array_equal(params.vector, before)


def test_a_pickle_holds_the_numbers_once(params):
    big = ParamVector({"W": (100, 100), "b": (100,)}, np.float32)
    assert len(pickle.dumps(big)) < big.vector.nbytes + 500


def test_read_only_memory_map(params, tmp_path):
    joblib.dump(params, tmp_path / "params.joblib")
    mapped = joblib.load(tmp_path / "params.joblib", mmap_mode="r")
    assert np.array_equal(mapped["0.W"], params["0.W"])
    assert np.shares_memory(mapped["0.W"], mapped.vector)
    with pytest.raises(ValueError, match="read-only"):
        mapped["0.W"][...] = 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_and_like(dtype):
    params = ParamVector(SHAPES, dtype)
    zeros = params.like()
    assert zeros.vector.dtype == params["0.b"].dtype == dtype
    assert not zeros.vector.any()
    memory = np.ones(params.size, dtype)
    over = params.like(memory)
    assert over.vector is memory
    assert_bound(over)


def test_the_vector_must_fit(params):
    with pytest.raises(ValueError, match=r"must have shape \(29,\).*got \(3,\)"):
        params.like(np.zeros(3))
