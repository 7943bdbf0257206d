"""Pictures out: skdl against a bare PyTorch loop, channels last, in float32.

The same net, optimizer (Adam), epochs, batches and data for both: the PyTorch module is
made from the layers. The peer comes with ``pip install "skdl[bench]"``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from benchmarks import _picture_tasks
from benchmarks._runner import Numbers, measure, print_table
from benchmarks._torch import as_tensor, fit, modules_of, timed

CONTENDERS = ("skdl", "PyTorch")
SEED = 0  # of the split


class Case(NamedTuple):
    """One row of the table.

    `run` fits and scores one contender: it gives "fit" and "fit cpu" in seconds,
    "score", and under other names that begin with "score" what it is compared with.
    """

    run: Callable[[str, int], Numbers]
    score: str
    asked_score: str
    asked_speed: float


# ---- autoencoders: the mean squared error on held-out digits


def mnist() -> tuple[Any, Any]:
    """Return 4,000 digits to train on and 1,000 others, (n, 28, 28, 1) in [0, 1]."""
    from sklearn.model_selection import train_test_split

    from skdl.datasets import load_mnist

    digits = load_mnist()
    X = digits.images[..., None].astype(np.float32) / np.float32(255)
    y = digits.target
    return train_test_split(X, test_size=1000, stratify=y, random_state=SEED)


def dense_encoder() -> tuple[list[Any], int, int]:
    """Return the layers in front of the code, the batch size and the epochs."""
    from skdl.layers import Dense

    return [Dense(128), "relu"], 64, 30


def convolutional_encoder() -> tuple[list[Any], int, int]:
    """Return the layers in front of the code, the batch size and the epochs."""
    from skdl.layers import Conv2D

    layers = [Conv2D(16, 3, 2, 1), "relu", Conv2D(32, 3, 2, 1), "relu"]
    return layers, 64, 20


def autoencoder(flat: bool, contender: str, seed: int) -> Numbers:
    """Fit an autoencoder of 16 numbers and measure its error on other digits.

    The dense one is trained by the cross-entropy of each pixel: by the squared error it
    comes to 0.74 of PCA's error only, after as many epochs.
    """
    from skdl import Autoencoder

    X, X_test = mnist()
    if flat:
        X, X_test = X.reshape(len(X), -1), X_test.reshape(len(X_test), -1)
    layers, batch, epochs = dense_encoder() if flat else convolutional_encoder()
    made = Autoencoder(
        16,
        layers=layers,
        loss="binary_cross_entropy" if flat else "squared_error",
        batch_size=batch,
        max_iter=epochs,
        n_iter_no_change="never",
        random_state=seed,
        alpha=0.0,
    )
    if contender == "skdl":
        made.set_params(max_iter=1).fit(X[: 2 * batch])  # warm up
        made.set_params(max_iter=epochs)
        wall, cpu = timed(lambda: made.fit(X))
        error = -made.score(X_test)
    else:
        wall, cpu, error = _rebuilt_by_torch(made, X, X_test, batch, epochs, seed)
    return {
        "fit": wall,
        "fit cpu": cpu,
        "score": error,
        "score of PCA": _error_of_pca(X, X_test),
    }


def _error_of_pca(X: Any, X_test: Any) -> float:
    from sklearn.decomposition import PCA

    X, X_test = X.reshape(len(X), -1), X_test.reshape(len(X_test), -1)
    pca = PCA(16, random_state=0).fit(X)
    return float(np.mean((pca.inverse_transform(pca.transform(X_test)) - X_test) ** 2))


def _rebuilt_by_torch(
    made: Any, X: Any, X_test: Any, batch: int, epochs: int, seed: int
) -> tuple[float, float, float]:
    import torch

    network = made.initialize(X[:2]).network_
    torch.manual_seed(seed)
    n_layers = len(network.layers) - (X.ndim > 2)  # the last one flattens
    module = torch.nn.Sequential(
        *modules_of(network.layers[:n_layers], network.shapes[: n_layers + 1])
    )
    X, X_test = as_tensor(X), as_tensor(X_test)
    binary = made.loss == "binary_cross_entropy"
    loss = torch.nn.BCEWithLogitsLoss() if binary else torch.nn.MSELoss()
    fit(module, loss, X[: 2 * batch], X[: 2 * batch], batch, 1)  # warm up
    for layer in module.modules():
        if hasattr(layer, "reset_parameters"):
            layer.reset_parameters()
    wall, cpu = timed(lambda: fit(module, loss, X, X, batch, epochs))
    with torch.inference_mode():
        rebuilt = module(X_test).sigmoid() if binary else module(X_test)
        error = float(((rebuilt - X_test) ** 2).mean())
    return wall, cpu, error


# ---- the table

CASES = {
    "autoencoder 784-128-16, MNIST 4000, 64, 30": Case(
        lambda contender, seed: autoencoder(True, contender, seed),
        "error",
        "at most PyTorch's, and 0.6 of PCA's",
        1.2,
    ),
    "convolutional autoencoder, 16 numbers, MNIST 4000, 64, 20": Case(
        lambda contender, seed: autoencoder(False, contender, seed),
        "error",
        "at most PyTorch's",
        0.9,
    ),
    "U-Net 16-32-64, nuclei 64×64, 161 tiles, 8, 15": Case(
        _picture_tasks.nuclei,
        "IoU of nuclei",
        "PyTorch's - 0.01, Otsu's + 0.03",
        0.9,
    ),
    "localiser, digit scenes 48×48, 16000, 32, 8": Case(
        _picture_tasks.digits,
        "mean IoU",
        "0.75, presence 0.98",
        0.9,
    ),
    "super-resolution ×2, photographs, 548 tiles 32×32, 16, 40": Case(
        _picture_tasks.photographs,
        "PSNR in dB",
        "bicubic + 0.5, bicubic there",
        0.9,
    ),
}


def work(case: str, contender: str, seed: int) -> Numbers:
    """Fit and score, in a process of its own."""
    return CASES[case].run(contender, seed)


def main(rounds: int = 5, only: str | None = None) -> None:
    """Measure all and print."""
    rows = []
    for name, case in CASES.items():
        if only and only not in name:
            continue
        result = measure("benchmarks.images", name, CONTENDERS, rounds)
        rows.append(_row(name, case, result))
        print(" | ".join(rows[-1]), flush=True)
    heads = ("case (net, data, batch, epochs)", "fit, s: skdl", "PyTorch")
    more = ("faster, wall / cpu", "score", *CONTENDERS, "beside", "asked")
    print_table("Pictures out (medians of times, means of scores)", heads + more, rows)


def _row(name: str, case: Case, result: dict[str, Numbers]) -> Sequence[str]:
    ours, theirs = (result[contender] for contender in CONTENDERS)
    wall, cpu = (theirs[key] / max(ours[key], 1e-9) for key in ("fit", "fit cpu"))
    beside = {
        key.removeprefix("score of "): value
        for key, value in ours.items()
        if key.startswith("score of ")
    }
    return [
        name,
        f"{ours['fit']:.3f}",
        f"{theirs['fit']:.3f}",
        f"{wall:.2f}x / {cpu:.2f}x (asked {case.asked_speed}x)",
        case.score,
        *(f"{result[contender]['score']:.5f}" for contender in CONTENDERS),
        ", ".join(f"{key} {value:.5f}" for key, value in beside.items()) or "–",
        case.asked_score,
    ]


if __name__ == "__main__":
    main()
