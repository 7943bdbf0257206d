"""One vector, many views: the views must never come loose."""

import copy
import pickle

import joblib
import numpy as np
import pytest

from skdl._params import ParamVector

SHAPES = {"0.b": (3,), "0.W": (2, 3), "1.norm.gamma": (4,), "1.W": (2, 2, 1, 4)}


WEIGHTS = ["0.W", "1.W"]


@pytest.fixture
def params():
    filled = ParamVector(SHAPES, penalised=WEIGHTS)
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


def test_penalised_arrays_come_first(params):
    (part,) = params.penalised
    assert (part.start, part.stop) == (0, 6 + 16)
    params.vector[part] = -1
    assert (params["0.W"] == -1).all()
    assert (params["1.W"] == -1).all()
    assert (params["0.b"] != -1).all()
    assert (params["1.norm.gamma"] != -1).all()


RATES = {"0.W": 0.0, "0.b": 0.0, "1.norm.gamma": 0.5, "1.W": 0.5}


def test_groups_by_rate():
    params = ParamVector(
        {**SHAPES, "2.W": (4, 2), "2.b": (2,)},
        penalised=[*WEIGHTS, "2.W"],
        rates=RATES,
    )
    for i, name in enumerate(params):
        params[name][...] = i  # 0.b 0, 0.W 1, gamma 2, 1.W 3, 2.W 4, 2.b 5
    groups = [(g.rate, g.stop - g.start, g.n_penalised) for g in params.groups]
    assert sorted(groups) == [(0.5, 20, 16), (1.0, 10, 8)]
    assert params.n_active == 30
    assert params.active.base is params.vector
    np.testing.assert_array_equal(params.vector[30:], [1] * 6 + [0] * 3)
    penalised = np.concatenate([params.vector[part] for part in params.penalised])
    assert sorted(set(penalised)) == [3, 4]
    assert not params.learns("0.W")
    assert params.learns("1.W")
    for other in (pickle.loads(pickle.dumps(params)), params.like()):
        assert other.groups == params.groups
        assert other.penalised == params.penalised


def test_all_of_it_is_active_where_nothing_is_frozen(params):
    assert params.active is params.vector


@pytest.mark.parametrize(
    ("shapes", "rates"), [({}, {}), ({"b": (3,)}, {}), ({"W": (3, 0)}, {"W": 0.0})]
)
def test_degenerate_layouts(shapes, rates):
    params = ParamVector(shapes, penalised=shapes, rates=rates)
    n = sum(np.prod(shape, dtype=int) for shape in shapes.values())
    assert params.size == n
    assert sum(part.stop - part.start for part in params.penalised) == n


def test_views_share_memory(params):
    assert_bound(params)


@pytest.mark.parametrize("how", COPIES)
def test_copies_are_bound_and_independent(params, how, tmp_path):
    before = params.vector.copy()
    other = COPIES[how](params, tmp_path)
    assert np.array_equal(other.vector, before)
    assert other.vector.dtype == params.vector.dtype
    assert other.penalised == params.penalised
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
