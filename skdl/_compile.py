"""Compiling ahead: what a first fit would otherwise spend its first seconds on."""

from __future__ import annotations

import time
import warnings
from typing import Any

import numpy as np
from scipy import sparse

from skdl._config import config_context
from skdl.boosting import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
)
from skdl.layers import (
    GRU,
    LSTM,
    RNN,
    Activation,
    AvgPool2D,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Embedding,
    Layer,
    PoolUnpool,
    Residual,
)
from skdl.losses import CrossEntropy
from skdl.networks import Network
from skdl.neural_network import Autoencoder, CNNClassifier, MLPRegressor
from skdl.ops.activation import leaky_relu, relu_backward
from skdl.ops.channel_norm import add
from skdl.training import Objective


def compile(verbose: bool = True) -> None:
    """Compile everything that fits and predictions need, and keep it on disk.

    Numba compiles a function when it is first called and keeps the code beside the
    package, or in the folder that the environment variable ``NUMBA_CACHE_DIR`` names,
    for all later processes on the same kind of processor. This calls all of them on a
    few rows and pictures: up to a minute once after installing, hardly any time later.
    In the image of a container it is the line
    ``RUN python -c "import skdl; skdl.compile()"``; the first fit there then compiles
    nothing, if it runs on the kind of processor that the image was built on.

    Parameters
    ----------
    verbose : bool, default=True
        Whether to print how long it took.

    Raises
    ------
    ImportError
        If Numba is not installed: nothing is compiled without it.

    Examples
    --------
    >>> import skdl
    >>> skdl.compile(verbose=False)
    """
    start = time.perf_counter()
    with config_context(engine="numba"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _call_everything()
    if verbose:
        print(f"skdl: compiled in {time.perf_counter() - start:.1f} s")


def _call_everything() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 5))
    X[:, 4] = rng.integers(0, 4, 300)
    classes, weight = rng.integers(0, 3, 300), rng.random(300) + 0.5
    few: dict[str, Any] = {"n_estimators": 2, "random_state": 0}
    for dtype in (np.float64, np.float32):
        for y in (classes, classes > 0):
            model = GradientBoostingClassifier(**few).fit(X.astype(dtype), y)
            model.predict_proba(X.astype(dtype))
            model.apply(X.astype(dtype))
        sparse_X = sparse.csr_array(X.astype(dtype) * (X > 0))
        GradientBoostingRegressor(**few).fit(sparse_X, X[:, 0]).predict(sparse_X)
        rows = GradientBoostingRegressor(**few, subsample=0.5)
        rows.fit(np.asfortranarray(X, dtype), X[:, 0]).predict(X)
    GradientBoostingRegressor(**few, categorical_features=[4]).fit(X, X[:, 0], weight)
    for loss in ("absolute_error", "quantile"):  # some of their arrays are read-only
        for weights in (weight, None):
            GradientBoostingRegressor(loss=loss, **few).fit(X, X[:, 0], weights)
    AdaBoostClassifier(**few).fit(X, classes)
    AdaBoostRegressor(**few).fit(X, X[:, 0])
    wide = np.zeros((2, 2**14))  # long vectors are worth a compiled loop
    for dtype in (np.float64, np.float32):
        for optimizer in ("adam", "sgd"):
            net = MLPRegressor((4,), optimizer=optimizer, max_iter=1, alpha=1.0)
            net.fit(wide.astype(dtype), np.zeros(2))
    _call_images(rng)
    _call_sequences(rng)


def _call_images(rng: np.random.Generator) -> None:
    """Convolutions of few and of many channels, pools, norms and turned pictures."""
    classes = np.arange(8) % 2
    norm_relu: list[Layer | str] = ["batch_norm", Activation("relu")]
    # Products are compiled for half a vector of columns, for one and for more.
    body: list[Layer | str] = [
        Conv2D(4, padding="same"),
        *norm_relu,
        Residual([Conv2D(4, padding="same"), *norm_relu, "batch_norm"]),
        Activation("relu"),
        DepthwiseConv2D(padding="same"),
        PoolUnpool(),
        Conv2D(16, padding="same"),
        Conv2D(32, padding="same", winograd=True),
        "max_pool2d",
        Conv2D(7, padding="same"),
        Conv2D(12, padding="same"),
        Conv2D(32, padding="same"),
        Conv2D(32, padding="same", stride=2),
        AvgPool2D(2, padding="same"),
        "global_avg_pool",
    ]
    for dtype in (np.uint8, np.float32, np.float64):
        shares = rng.random((8, 12, 12, 3))
        X = (255 * shares).astype(dtype)
        code = Autoencoder(loss="binary_cross_entropy", max_iter=1, random_state=0)
        code.fit(X if dtype == np.uint8 else shares.astype(dtype))
        net = CNNClassifier(body, augment=["rotate"], max_iter=1, random_state=0)
        net.fit(X, classes).predict(X)
        net.predict(X[:1])
        for side in (7, 8, 16):  # lines of neighbours that fill their tiles
            lines: list[Layer | str] = [
                *[Conv2D(n, padding="same") for n in (8, 16, 32, 32)],
                "global_avg_pool",
            ]
            whole = rng.random((8, side, side, 8)).astype(dtype)
            CNNClassifier(lines, max_iter=1, random_state=0).fit(whole, classes)
    for real in (np.float32, np.float64):  # of large pictures
        dy, y, out, work = np.zeros((4, 1, 1, 2**16), real)
        relu_backward(dy, y, out, work)
        leaky_relu(y, 0.1, out)
        add(dy, y, out)


def _call_sequences(rng: np.random.Generator) -> None:
    """Recurrent layers, forward and backward through time."""
    symbols = rng.integers(0, 5, (3, 4))
    layers: list[Layer | str] = [Embedding(5, 3), RNN(3), LSTM(3), GRU(3), Dense(5)]
    for dtype in (np.float32, np.float64):
        network = Network(layers, (4,), dtype)
        objective = Objective(network, CrossEntropy())
        objective.loss_and_gradient(network.params.vector, symbols, symbols)
