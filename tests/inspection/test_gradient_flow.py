"""Gradients of states by distance to the loss: their norms, and the picture."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skdl import MLPClassifier, RNNLanguageModel
from skdl._ragged import Ragged
from skdl.initializers import Orthogonal
from skdl.inspection import GradientFlowDisplay, gradient_flow
from skdl.layers import (
    GRU,
    LSTM,
    RNN,
    Bidirectional,
    Carried,
    Context,
    Dense,
    Dropout,
    Embedding,
    Kept,
    Residual,
)
from skdl.networks import Network


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def drawn(layers, shape):
    network = Network(layers, shape)
    network.initialize(np.random.default_rng(0))
    return network


@pytest.fixture(scope="module")
def symbols():
    """A classifier of symbols that has not been trained, and its rows."""
    X = np.random.default_rng(0).integers(0, 5, (12, 7))
    y = np.array(["a", "b", "c"])[X[:, 0] % 3]
    layers = [Embedding(5, 3), LSTM(4, return_sequences=False), Dropout(0.9)]
    return MLPClassifier(layers=layers, random_state=0).initialize(X, y), X, y


@pytest.mark.reference
@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_of_pytorch(kind):
    torch = pytest.importorskip("torch")
    layer, order = {
        "RNN": (RNN(5), [0]),
        "LSTM": (LSTM(5), [0, 1, 3, 2]),  # theirs: i, f, g, o
        "GRU": (GRU(5), [0, 1, 2]),
    }[kind]

    def theirs(name):
        parts = np.split(network.params[name], len(order), axis=-1)
        return torch.tensor(np.concatenate([parts[k] for k in order], axis=-1).T)

    network = drawn([layer], (6, 3))
    cell = getattr(torch.nn, f"{kind}Cell")(3, 5).double()
    with torch.no_grad():
        cell.bias_hh.zero_()
        cell.weight_ih.copy_(theirs("0.W"))
        cell.weight_hh.copy_(theirs("0.U"))
        cell.bias_ih.copy_(theirs("0.b"))
    x = numbers(4, 6, 3)
    state, states = None, []
    for step in torch.tensor(x).unbind(1):
        state = cell(step, state)
        # as variables of their own: c is not a way to the loss through its own h
        parts = [s + 0.0 for s in (state if kind == "LSTM" else (state,))]
        for part in parts:
            part.retain_grad()
        states.append(parts)
        state = tuple(parts) if kind == "LSTM" else parts[0]
    direction = _directions(network, x)
    (states[-1][0] * torch.tensor(direction)).sum().backward()
    found = gradient_flow(network, x, random_state=0)[kind]
    for distance, parts in enumerate(states[::-1]):
        grads = [part.grad.numpy() for part in parts if part.grad is not None]
        expected = np.linalg.norm(np.concatenate(grads, axis=1), axis=1)
        np.testing.assert_allclose(found[:, distance], expected, rtol=1e-10)


def _directions(network, x):
    """The directions that the seed 0 gives, from the gradient of the last state."""
    norms = gradient_flow(drawn([RNN(5)], (6, 3)), x, random_state=0)["RNN"][:, 0]
    np.testing.assert_allclose(norms, 1, rtol=1e-12)
    rng = np.random.default_rng(np.random.RandomState(0).randint(2**31 - 1))
    directions = rng.normal(size=(len(x), 5))
    return directions / np.linalg.norm(directions, axis=1, keepdims=True)


def test_a_linear_step_has_a_closed_form():
    # Positive states of ReLU: ∂s_T/∂s_t is a power of the recurrent weights.
    network = drawn([RNN(3, "relu")], (5, 2))
    rng = np.random.default_rng(1)
    network.params["0.W"][...] = rng.random((2, 3))
    U = network.params["0.U"][...] = rng.random((3, 3))
    x = rng.random((4, 5, 2))
    direction = np.random.default_rng(np.random.RandomState(0).randint(2**31 - 1))
    u = direction.normal(size=(4, 3))
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    norms = gradient_flow(network, x, random_state=0)["RNN"]
    for distance in range(5):
        expected = np.linalg.norm(u @ np.linalg.matrix_power(U.T, distance), axis=1)
        np.testing.assert_allclose(norms[:, distance], expected, rtol=1e-12)


def test_of_a_loss(symbols):
    net, X, y = symbols
    norms = gradient_flow(net, X, y)["LSTM"]
    p = net.predict_proba(X)
    p[np.arange(len(y)), np.searchsorted(net.classes_, y)] -= 1
    W = net.network_.params[[n for n in net.network_.params if n.endswith(".W")][-1]]
    np.testing.assert_allclose(norms[:, 0], np.linalg.norm(p @ W.T, axis=1), rtol=1e-10)
    assert norms.shape == X.shape

    # numerically: the loss as a function of (h, c) three steps before the end
    network = net.network_.predicting()
    tree, lstm = network.tree(network.params), network.layers[1]
    E = network.params["0.E"]

    def logs(row, state):
        ctx = Context(False)
        ctx.begin(carried=Carried([Kept(state)]))
        h, _ = lstm.forward(tree["1"], E[X[row : row + 1, 4:]], ctx)
        raw = h @ W + network.params["3.b"]
        return np.log(np.exp(raw).sum()) - raw[0, np.searchsorted(net.classes_, y[row])]

    for row in range(3):
        ctx = Context(False)
        ctx.begin(carried=Carried())
        lstm.forward(tree["1"], E[X[row : row + 1, :4]], ctx)
        state = np.array(ctx.carried.kept[0].state)
        slopes = []
        for at in np.ndindex(state.shape):
            moved = np.zeros_like(state)
            moved[at] = 1e-5
            ends = [logs(row, list(state + s * moved)) for s in (1, -1)]
            slopes.append((ends[0] - ends[1]) / 2e-5)
        assert norms[row, 3] == pytest.approx(np.linalg.norm(slopes), rel=1e-6)


def test_shorter_sequences_have_a_shorter_way():
    X = Ragged.of([numbers(n, 2, seed=n) for n in (5, 2, 4)])
    network = drawn([GRU(3), LSTM(3, return_sequences=False)], X.shape[1:])
    together = gradient_flow(network, X, random_state=0)
    assert list(together) == ["GRU", "LSTM"]
    for norms in together.values():
        assert np.isfinite(norms).sum(axis=1).tolist() == [5, 2, 4]
    # the same directions are drawn for a part of the rows
    alone = gradient_flow(network, X[:1], random_state=0)
    for name, norms in alone.items():
        np.testing.assert_allclose(together[name][:1], norms, rtol=1e-10)


def test_vanishing_and_exploding():
    X = numbers(8, 30, 4)
    grows = {}
    for scale in (0.5, 1.0, 4.0):
        layers = [RNN(16, recurrent_initializer=Orthogonal(scale))]
        norms = np.median(gradient_flow(layers, X, random_state=0)["RNN"], axis=0)
        grows[scale] = norms[-1] / norms[0]
    assert grows[0.5] < 1e-8 < grows[1.0] < 1 < 1e3 < grows[4.0]


def test_skips_carry_the_gradient_through_layers():
    X, cell = numbers(4, 6, 8), GRU(8, initializer=Orthogonal(0.5))
    first = {}
    for name, layer in {"plain": cell, "skips": Residual([cell])}.items():
        norms = gradient_flow([layer] * 8, X, random_state=0)
        first[name] = (norms["GRU 1"] / norms["GRU 8"]).min()
    assert first["plain"] < 1e-3
    assert first["skips"] > 1


def test_layers_that_go_back():
    X = numbers(4, 6, 3)
    answers = [Bidirectional(GRU(2, return_sequences=False)), Dense(2)]
    assert list(gradient_flow(answers, X)) == ["GRU", "GRU, backwards"]
    assert list(gradient_flow([Bidirectional(GRU(2))], X)) == ["GRU"]
    with pytest.raises(ValueError, match="go back in time"):
        gradient_flow([GRU(2, reverse=True)], X)


WRONG = {
    "a name": ("lstm", None, TypeError, "must be a list of layers"),
    "no estimator": (object(), None, TypeError, "fitted network estimator"),
    "not recurrent": ([Dense(2)], None, ValueError, "has no recurrent layer"),
    "targets": ([GRU(2)], [1] * 4, ValueError, "y is for fitted estimators"),
    "not fitted": (MLPClassifier(), None, NotFittedError, "not fitted"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_does_not_fit(case):
    model, y, error, message = WRONG[case]
    with pytest.raises(error, match=message):
        gradient_flow(model, numbers(4, 6, 3), y)


# ---- the picture


def labels(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


def test_picture_of_layers():
    X = numbers(9, 6, 3)
    models = {"one": [RNN(3)], "two": [RNN(3), GRU(3)]}
    display = GradientFlowDisplay.from_layers(models, X, random_state=0)
    assert labels(display) == ["one", "two: RNN", "two: GRU"]
    for line, norms in zip(display.lines_, display.norms.values(), strict=True):
        np.testing.assert_allclose(line.get_ydata(), np.median(norms, axis=0))
        assert line.get_xdata().tolist() == list(range(6))
    assert len(display.ax_.collections) == 3  # the bands
    assert display.ax_.get_yscale() == "log"
    assert display.ax_.get_xlabel() == "distance to the loss (steps)"
    assert display.figure_ is display.ax_.figure
    again = display.plot(relative=True, band=False)
    assert [line.get_ydata()[0] for line in again.lines_] == [1, 1, 1]
    assert not again.ax_.collections
    one = GradientFlowDisplay.from_layers([RNN(3)], X[:1], color="k")
    assert labels(one) == ["RNN"]
    assert one.lines_[0].get_color() == "k"


def test_picture_of_estimators(symbols):
    net, X, y = symbols
    vector = net.network_.params.vector.copy()
    pipe = make_pipeline(FunctionTransformer(), net)
    models = {"net": net, "pipe": pipe}
    display = GradientFlowDisplay.from_estimator(models, X, y)
    assert labels(display) == ["net", "pipe"]
    np.testing.assert_array_equal(*display.norms.values())
    free = GradientFlowDisplay.from_estimator(models, X, random_state=1)
    np.testing.assert_array_equal(*free.norms.values())
    assert not np.allclose(free.norms["net"], display.norms["net"])
    np.testing.assert_array_equal(net.network_.params.vector, vector)


def test_targets_of_what_has_none(symbols):
    model = RNNLanguageModel("symbol", 4, max_iter=1, random_state=0)
    model.fit([["a", "b", "a"], ["b", "a", "b"]])
    with pytest.raises(ValueError, match="y is not for RNNLanguageModel"):
        gradient_flow(model, [["a", "b", "a"]], [0])
