"""
Three ways to unpool, and checkerboards
=======================================

A decoder has to undo what pooling and strides have done: make a small picture large.
Copying pixels, putting maxima back where they were, and a transposed convolution are
the usual ways. Here they are side by side on the same picture, and then in networks
that learn; the last part shows where checkerboard patterns come from, and how to avoid
them.
"""

# %%
# On one picture, without learning
# --------------------------------
# The picture is pooled twice, to a sixteenth of its pixels, and enlarged again.
# ``Upsample2D`` copies each pixel or interpolates. ``PoolUnpool`` is pooling, the
# layers inside, and unpooling, in one layer: each maximum goes back to the very pixel
# it came from, all others are 0. A transposed convolution lays a multiple of its filter
# down for each pixel; with a filter of 2×2 ones that is the same as copying, with
# triangles of 4×4 the same as interpolating: it can do both, and has to learn it.

import matplotlib.pyplot as plt
import numpy as np

from skdl import Autoencoder
from skdl.datasets import load_mnist, load_photographs
from skdl.initializers import Constant
from skdl.layers import (
    Conv2D,
    ConvTranspose2D,
    Dense,
    MaxPool2D,
    PoolUnpool,
    Reshape,
    Upsample2D,
)
from skdl.networks import Network

camera = load_photographs()["camera"][60:188, 160:288] / 255.0
pooled = [MaxPool2D(), MaxPool2D()]
ways = {
    "pooled": pooled,
    "nearest": [*pooled, Upsample2D(4)],
    "bilinear": [*pooled, Upsample2D(4, "bilinear")],
    "maxima put back": [PoolUnpool([PoolUnpool()])],
}
fig, axes = plt.subplots(1, 5, figsize=(12, 2.9), layout="constrained")
axes[0].imshow(camera, cmap="gray", vmin=0, vmax=1)
axes[0].set_title("128×128")
for ax, (name, layers) in zip(axes[1:], ways.items(), strict=True):
    made = Network(layers, (128, 128, 1)).predict(camera[None, :, :, None])[0, :, :, 0]
    ax.imshow(made, cmap="gray", vmin=0, vmax=1)
    ax.set_title(f"{name}, {made.shape[0]}×{made.shape[1]}")
for ax in axes:
    ax.set_axis_off()
plt.show()

# %%
# The maxima alone, one pixel in sixteen, already show outlines in their exact places:
# that is why networks that label each pixel (SegNet) unpool like this, and fill the
# gaps by convolutions behind it. Copies and interpolation have no gaps, but blocks or
# blur.

# %%
# Where checkerboards come from
# -----------------------------
# Lay filters of 3×3 down at a distance of 2: some pixels get one contribution, some
# two, some four. Even where the input is flat and all weights are equal, the output has
# a pattern (Odena, Dumoulin & Olah 2016). Where the stride divides the filter's size,
# every pixel inside gets as many, and an enlargement followed by a convolution has none
# in the first place.

flat = np.ones((1, 8, 8, 1))


def equal(layer):
    return layer.set_params(initializer=Constant(1 / 9), bias=False)


patterns = {
    "3×3, stride 2": [equal(ConvTranspose2D(1, 3, 2))],
    "5×5, stride 3": [equal(ConvTranspose2D(1, 5, 3))],
    "4×4, stride 2": [equal(ConvTranspose2D(1, 4, 2))],
    "Upsample2D, then 3×3": [Upsample2D(), equal(Conv2D(1, 3))],
}
fig, axes = plt.subplots(1, 4, figsize=(12, 3.2), layout="constrained")
for ax, (name, layers) in zip(axes, patterns.items(), strict=True):
    network = Network(layers, (8, 8, 1))
    network.initialize(np.random.default_rng(0))
    made = network.predict(flat)[0, :, :, 0]
    inside = made[4:-4, 4:-4]
    ax.imshow(made, cmap="viridis")
    ax.set(title=name, xlabel=f"inside: {inside.min():.2f} to {inside.max():.2f}")
    ax.set(xticks=[], yticks=[])
fig.suptitle("A flat picture, enlarged by filters of equal weights")
plt.show()

# %%
# In networks
# -----------
# The same small decoder three times, from 12 numbers to 28×28 pixels. With random
# weights, before any training, the pattern of 3×3 filters at stride 2 is there for all
# to see. "Unevenness" compares the spread of the pixels of the four kinds, in even and
# odd rows and columns, over thirty networks and codes: 1 where there is no pattern.
# Then each is trained for six epochs, and the three come to much the same: weights can
# make up for the overlap, where there is time and reason to.

X = load_mnist().images[::2].astype(np.float32) / 255
encoder = [Conv2D(8, 3, 2, 1), "relu", Conv2D(16, 3, 2, 1), "relu"]
begin = [Dense(7 * 7 * 16), "relu", Reshape((7, 7, 16))]
decoders = {
    "ConvTranspose2D, 3×3": [
        ConvTranspose2D(16, 3, 2, 1, output_size=14),
        "relu",
        ConvTranspose2D(1, 3, 2, 1, output_size=28),
    ],
    "ConvTranspose2D, 4×4": [
        ConvTranspose2D(16, 4, 2, 1),
        "relu",
        ConvTranspose2D(1, 4, 2, 1),
    ],
    "Upsample2D, Conv2D 3×3": [
        Upsample2D(),
        Conv2D(16, 3, padding=1),
        "relu",
        Upsample2D(),
        Conv2D(1, 3, padding=1),
    ],
}


def untrained(layers, n=30):
    """Return what n networks with random weights make of a code each."""
    pictures = []
    for seed in range(n):
        rng = np.random.default_rng(seed)
        network = Network(layers, (12,))
        network.initialize(rng)
        pictures.append(network.predict(rng.normal(size=(1, 12)))[0, :, :, 0])
    return np.array(pictures)


def unevenness(pictures):
    inside = pictures[:, 2:-2, 2:-2]
    spread = [inside[:, i::2, j::2].std() for i in (0, 1) for j in (0, 1)]
    return max(spread) / min(spread)


fig, axes = plt.subplots(
    3, 2, figsize=(10, 4.6), layout="constrained", width_ratios=[1.3, 4.4]
)
for (left, right), (name, decoder) in zip(axes, decoders.items(), strict=True):
    start = untrained([*begin, *decoder])
    net = Autoencoder(
        12,
        layers=encoder,
        decoder=[*begin, *decoder],
        batch_size=50,
        max_iter=6,
        n_iter_no_change="never",
        random_state=0,
    ).fit(X)
    rebuilt = net.inverse_transform(net.transform(X))
    left.imshow(start[0], cmap="gray")
    left.set_title(f"untrained: unevenness {unevenness(start):.2f}", fontsize=9)
    right.imshow(np.hstack(rebuilt[:2000:250]), cmap="gray", vmin=0, vmax=1)
    error = np.mean((rebuilt - X) ** 2)
    right.set_title(f"{name}; trained: error {error:.4f}", fontsize=9)
    left.set_axis_off()
    right.set_axis_off()
plt.show()

# %%
# So, to have no checkerboards to begin with: enlarge first and convolve then, or let
# the stride divide the filter's size.
