"""Language models against PyTorch, weights mapped."""

import numpy as np
import pytest

from skdl import RNNLanguageModel
from skdl.text import Tokenizer

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.reference

TEXTS = ["abba", "ba", "abab", "", "bbbaabab", "a"]


def as_torch(model, cell):
    """Return PyTorch's modules with the weights of a model."""
    embedding, recurrent, dense = (model.network_.params.tree[str(i)] for i in range(3))
    made = getattr(torch.nn, cell)(3, 6, batch_first=True, dtype=torch.float64)
    order = {"LSTM": (0, 1, 3, 2), "GRU": (0, 1, 2), "RNN": (0,)}[cell]

    def gates(array):
        parts = np.split(array, len(order), axis=-1)
        return torch.tensor(np.concatenate([parts[i] for i in order], axis=-1).T)

    with torch.no_grad():
        made.weight_ih_l0.copy_(gates(recurrent["W"]))
        made.weight_hh_l0.copy_(gates(recurrent["U"]))
        made.bias_ih_l0.copy_(gates(recurrent["b"]))
        made.bias_hh_l0.copy_(gates(recurrent.get("v", 0 * recurrent["b"])))
    E, W, b = (torch.tensor(a) for a in (embedding["E"], dense["W"], dense["b"]))
    return E, made, W, b


@pytest.mark.parametrize("cell", ["LSTM", "GRU", "RNN"])
def test_log_likelihoods_are_pytorchs(cell):
    model = RNNLanguageModel(
        cell=cell.lower(),
        hidden_layer_sizes=6,
        embedding=3,
        window=3,
        max_iter=4,
        dtype="float64",
        random_state=0,
    ).fit(TEXTS)
    E, recurrent, W, b = as_torch(model, cell)
    expected = []
    for row in model.tokenizer_.transform(TEXTS):
        ids = torch.tensor([Tokenizer.BEGIN, *row.tolist(), Tokenizer.END])
        states, _ = recurrent(E[ids[:-1]][None])
        log_p = torch.log_softmax(states[0] @ W + b, dim=-1)
        picked = log_p[torch.arange(len(ids) - 1), ids[1:]]
        expected.append(float(picked.sum().detach()))
    np.testing.assert_allclose(model.score_samples(TEXTS), expected, rtol=1e-10)
    last = model.transform(TEXTS)
    np.testing.assert_allclose(last[-1], states[0, -1].detach(), rtol=1e-10)
