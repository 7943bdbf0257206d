"""Whole training runs against PyTorch, from the same weights over the same batches."""

import numpy as np
import pytest

from skdl import MLPClassifier, MLPRegressor

pytestmark = [
    pytest.mark.reference,
    pytest.mark.filterwarnings("ignore:Training stopped after max_iter"),
]

BATCH, EPOCHS = 16, 5

# name -> kind of targets, settings, PyTorch's activation, loss, optimizer and its
# settings
RUNS = {
    "adam": (
        "multiclass",
        {"activation": "gelu"},
        ("GELU", "CrossEntropyLoss", {}, "Adam", {"lr": 1e-3}),
    ),
    "batch norm": (
        "multiclass",
        {"batch_norm": True, "optimizer": "momentum"},
        ("ReLU", "CrossEntropyLoss", {}, "SGD", {"lr": 1e-2, "momentum": 0.9}),
    ),
    "nesterov": (
        "binary",
        {"activation": "tanh", "optimizer": "nesterov"},
        (
            "Tanh",
            "BCEWithLogitsLoss",
            {},
            "SGD",
            {"lr": 1e-2, "momentum": 0.9, "nesterov": True},
        ),
    ),
    "labels": (
        "multilabel",
        {"activation": "elu", "optimizer": "adamw"},
        ("ELU", "BCEWithLogitsLoss", {}, "AdamW", {"lr": 1e-3}),
    ),
    "huber": (
        "regression",
        {"activation": "softplus", "optimizer": "nadam", "loss": "huber"},
        ("Softplus", "HuberLoss", {}, "NAdam", {"lr": 2e-3}),
    ),
    "smoothing": (
        "multiclass",
        {"activation": "selu", "loss__label_smoothing": 0.2, "batch_norm": True},
        (
            "SELU",
            "CrossEntropyLoss",
            {"label_smoothing": 0.2},
            "Adam",
            {"lr": 1e-3},
        ),
    ),
    "clipped": (
        "multioutput",
        {
            "activation": "sigmoid",
            "optimizer": "sgd",
            "optimizer__learning_rate": 0.1,
            "optimizer__clip_norm": 0.05,
        },
        ("Sigmoid", "MSELoss", {}, "SGD", {"lr": 0.1}),
    ),
}


def torch_net(torch, net, activation):
    """Return the same network with the same weights in PyTorch."""
    params, modules, i = net.network_.params, [], 0
    n_dense = len(net.coefs_)
    names = [name for name in params if name.endswith(".W")]
    for i, name in enumerate(names):
        W, layer = params[name], name.removesuffix("W")
        bias = layer + "b" in set(params)
        module = torch.nn.Linear(*W.shape, bias=bias, dtype=torch.float64)
        module.weight.data = torch.tensor(W.T.copy())
        if bias:
            module.bias.data = torch.tensor(params[layer + "b"])
        modules.append(module)
        if i < n_dense - 1:
            if net.batch_norm:
                modules.append(torch.nn.BatchNorm1d(W.shape[1], dtype=torch.float64))
            modules.append(getattr(torch.nn, activation)())
    return torch.nn.Sequential(*modules)


@pytest.mark.parametrize("case", RUNS)
def test_run(problems, case):
    torch = pytest.importorskip("torch")
    kind, settings, (activation, loss, loss_options, optimizer, options) = RUNS[case]
    X, y = problems[kind]
    cls = MLPRegressor if kind in ("regression", "multioutput") else MLPClassifier
    net = cls((9, 7), alpha=0.0, shuffle=False, warm_start=True, random_state=0)
    net.set_params(batch_size=BATCH, max_iter=EPOCHS, **settings).initialize(X, y)

    theirs = torch_net(torch, net, activation)
    criterion = getattr(torch.nn, loss)(**loss_options)
    stepper = getattr(torch.optim, optimizer)(theirs.parameters(), **options)
    target = torch.tensor(y if loss == "CrossEntropyLoss" else y.astype(float))
    target = target[:, None] if kind in ("binary", "regression") else target
    # Ours add up over outputs where theirs average; half squares against squares.
    factor = 1.0 if loss == "CrossEntropyLoss" else float(net.n_outputs_)
    factor *= 0.5 if loss == "MSELoss" else 1.0
    theirs.train()
    for _ in range(EPOCHS):
        for start in range(0, len(X), BATCH):
            rows = slice(start, start + BATCH)
            stepper.zero_grad()
            error = criterion(theirs(torch.tensor(X[rows])), target[rows])
            (factor * error).backward()
            clip = net.get_params().get("optimizer__clip_norm")
            if clip is not None:  # theirs adds 1e-6 to the norm
                grads = [p.grad for p in theirs.parameters()]
                norm = torch.cat([g.ravel() for g in grads]).norm()
                for g in grads:
                    g *= min(1.0, clip / norm)
            stepper.step()

    net.fit(X, y)
    theirs.eval()
    with torch.no_grad():
        raw = theirs(torch.tensor(X)).numpy()
    np.testing.assert_allclose(net.network_.predict(X), raw, rtol=1e-6, atol=1e-9)
    for W, module in zip(
        net.coefs_, [m for m in theirs if isinstance(m, torch.nn.Linear)], strict=True
    ):
        np.testing.assert_allclose(
            W, module.weight.detach().numpy().T, rtol=1e-6, atol=1e-9
        )
