"""Label maps, boxes and enlarged pictures: the cases of `benchmarks.images`."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks._runner import Numbers
from benchmarks._torch import as_tensor, fit, modules_of, timed

RATE = 2e-3  # of the first step; it falls to 0 like a cosine


def _settings(batch: int, epochs: int, seed: int) -> dict[str, Any]:
    from skdl.optimizers import Adam
    from skdl.schedules import Cosine

    return {
        "optimizer": Adam(Cosine(RATE)),
        "batch_size": batch,
        "max_iter": epochs,
        "n_iter_no_change": "never",
        "random_state": seed,
        "alpha": 0.0,
    }


def _fit(estimator: Any, batch: int, *data: Any) -> tuple[float, float]:
    """Fit after a warm-up; return the times."""
    epochs = estimator.max_iter
    estimator.set_params(max_iter=1).fit(*(part[: 2 * batch] for part in data))
    estimator.set_params(max_iter=epochs)
    return timed(lambda: estimator.fit(*data))


def _fit_torch(
    network: Any,
    loss_of: Any,
    X: Any,
    y: Any,
    batch: int,
    epochs: int,
    seed: int,
    zero: int | None = None,
) -> tuple[Any, float, float]:
    """Train the same net in a bare loop; return it and the times.

    `zero` is the index of a module whose weights start at 0.
    """
    import torch

    torch.manual_seed(seed)
    modules = modules_of(network.layers, network.shapes)
    module = torch.nn.Sequential(*modules)
    X, y = (as_tensor(np.asarray(part, np.float32)) for part in (X, y))
    fit(module, loss_of, X[: 2 * batch], y[: 2 * batch], batch, 1)  # warm up
    for layer in module.modules():
        if hasattr(layer, "reset_parameters"):
            layer.reset_parameters()
    if zero is not None:
        torch.nn.init.zeros_(module[zero].weight)
        torch.nn.init.zeros_(module[zero].bias)
    return module, *timed(
        lambda: fit(module, loss_of, X, y, batch, epochs, RATE, cosine=True)
    )


def _outputs(module: Any, X: Any) -> Any:
    """Return the outputs of a module, channels last."""
    import torch

    with torch.inference_mode():
        parts = [module(part) for part in as_tensor(X).split(64)]
    out = torch.cat(parts).numpy()
    return np.moveaxis(out, 1, -1) if out.ndim == 4 else out


# ---- nuclei: a quarter of the picture is for testing


def nuclei(contender: str, seed: int) -> Numbers:
    """Fit a U-Net to tiles of 64×64 pixels; IoU of the nuclei in another quarter."""
    from skimage.filters import threshold_otsu

    from skdl import SegmentationClassifier
    from skdl.datasets import load_nuclei
    from skdl.metrics import class_iou

    bunch = load_nuclei()
    image = (2 * bunch.image).astype(np.float32)
    mask = bunch.target.astype(bool)
    corners = [
        (top, left)
        for top in range(0, 449, 32)
        for left in range(0, 449, 32)
        if top + 64 <= 256 or left + 64 <= 256
    ]
    X, y = (
        np.array([a[top : top + 64, left : left + 64] for top, left in corners])
        for a in (image, mask)
    )
    X_test, y_test = (
        a[256:, 256:].reshape(4, 64, 4, 64).swapaxes(1, 2).reshape(-1, 64, 64)
        for a in (image, mask)
    )
    batch, epochs = 8, 15
    net = SegmentationClassifier("unet", **_settings(batch, epochs, seed))
    if contender == "skdl":
        wall, cpu = _fit(net, batch, X, y)
        predicted = net.predict(X_test)
    else:
        import torch

        loss = torch.nn.BCEWithLogitsLoss()
        network = net.set_params(max_iter=1).initialize(X, y).network_
        module, wall, cpu = _fit_torch(
            network, loss, X[..., None], y[..., None], batch, epochs, seed
        )
        predicted = _outputs(module, X_test[..., None])[..., 0] > 0
    otsu = X_test > threshold_otsu(X)
    return {
        "fit": wall,
        "fit cpu": cpu,
        "score": float(class_iou(y_test, predicted)[1]),
        "score of Otsu": float(class_iou(y_test, otsu)[1]),
    }


# ---- digits on textures


def localiser_layers() -> list[Any]:
    """Return the layers in front of the five outputs."""
    from skdl.layers import Conv2D, Dense, Flatten, MaxPool2D

    return [
        *[Conv2D(16, 5, stride=2, padding=2), "relu", Conv2D(32, padding=1), "relu"],
        *[MaxPool2D(), Conv2D(64, padding=1), "relu", MaxPool2D()],
        *[Flatten(), Dense(128), "relu"],
    ]


def digits(contender: str, seed: int) -> Numbers:
    """Fit a localiser to scenes of 48×48 pixels, a fifth of them empty."""
    from skdl import ObjectLocalizer
    from skdl.datasets import DigitScenes, load_mnist
    from skdl.metrics import mean_box_iou

    mnist = load_mnist()
    first = np.arange(len(mnist.target)) % 5 > 0
    (X, y), (X_test, y_test) = (
        _scenes(DigitScenes, n, (mnist.images[which], mnist.target[which]), number)
        for n, which, number in ((16000, first, 0), (1000, ~first, 1))
    )
    batch, epochs = 32, 8
    net = ObjectLocalizer(
        localiser_layers(),
        initializer="xavier_normal",
        **_settings(batch, epochs, seed),
    )
    if contender == "skdl":
        wall, cpu = _fit(net, batch, X, y)
        predicted = net.predict(X_test)
    else:
        network = net.set_params(max_iter=1).initialize(X, y).network_
        module, wall, cpu = _fit_torch(
            network, _box_loss, X[..., None], y, batch, epochs, seed
        )
        predicted = net._task.decode(
            net.loss_function_.inverse_link(_outputs(module, X_test[..., None]))
        )
    return {
        "fit": wall,
        "fit cpu": cpu,
        "score": mean_box_iou(y_test, predicted),
        "score of presence": float((predicted[:, 0] == y_test[:, 0]).mean()),
    }


def _scenes(kind: Any, n: int, digits: Any, seed: int) -> tuple[Any, Any]:
    bunch = kind(
        n, 48, empty=0.2, overhang=0.2, digits=digits, random_state=seed
    ).load()
    return (bunch.images / 255).astype(np.float32), bunch.target


def _box_loss(z: Any, y: Any) -> Any:
    """The loss of `skdl.losses.BoxLoss`, as a user of PyTorch writes it."""
    from torch.nn import functional as F

    present = y[:, 0]
    there = present > 0
    box, target = z[there], y[there]
    total = F.binary_cross_entropy_with_logits(z[:, 0], present, reduction="sum")
    total = total + F.binary_cross_entropy_with_logits(
        box[:, 1:3], target[:, 1:3], reduction="sum"
    )
    total = total + F.mse_loss(box[:, 3:], target[:, 3:].log(), reduction="sum")
    return total / len(y)


# ---- photographs: alternate tiles that share no pixel


def photographs(contender: str, seed: int) -> Numbers:
    """Fit a network that enlarges twice; PSNR of other parts, and of another photo."""
    from skdl import SuperResolution
    from skdl.datasets import load_photographs
    from skdl.metrics import psnr

    photos = {name: _grey(photo) for name, photo in load_photographs().items()}
    unseen = photos.pop("cat")[None, :300, :450]
    pairs = zip(*map(_chessboard, photos.values()), strict=True)
    X, X_test = (np.concatenate(parts) for parts in pairs)
    batch, epochs = 16, 40
    net = SuperResolution(**_settings(batch, epochs, seed))
    if contender == "skdl":
        wall, cpu = _fit(net, batch, X)
        score = net.score
    else:
        import torch

        net.set_params(max_iter=1).initialize(X)
        small, missing = net._read(X, "sharp")
        mse = torch.nn.MSELoss()
        module, wall, cpu = _fit_torch(
            net.network_, mse, small, missing, batch, epochs, seed, zero=-2
        )

        def score(pictures: Any) -> float:
            small, missing = net._read(pictures, "sharp")
            return psnr(missing, _outputs(module, small), data_range=1.0)

    return {
        "fit": wall,
        "fit cpu": cpu,
        "score": score(X_test),
        "score of bicubic": net.bicubic_score(X_test),
        "score of another photo": score(unseen),
        "score of bicubic there": net.bicubic_score(unseen),
    }


def _grey(photo: Any) -> Any:
    grey = photo if photo.ndim == 2 else photo @ [0.299, 0.587, 0.114]
    return (grey / 255).astype(np.float32)


def _chessboard(photo: Any, side: int = 32) -> tuple[Any, Any]:
    """Return the parts on the black fields, and those on the white ones."""
    h, w = (n // side for n in photo.shape)
    parts = photo[: h * side, : w * side].reshape(h, side, w, side).swapaxes(1, 2)
    black = np.add.outer(np.arange(h), np.arange(w)) % 2 == 0
    return parts[black], parts[~black]
