"""
Edges, blur and sharpening
==========================

Before networks learned their filters, people wrote them down. A convolution slides a
small matrix over a picture and takes the sum of products in every place; nine numbers
decide whether the result is a drawing of the edges, a blurred picture or a sharper one.
"""

# %%
# Nine numbers each
# -----------------
# `Kernel` is an initializer: it starts the filters of a convolution from a given
# matrix. In `DepthwiseConv2D` every channel has its own filter, so red, green and blue
# are treated alike. A `Network` of one such layer is an image filter.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_sample_image

from skdl.initializers import Kernel
from skdl.layers import Conv2D, DepthwiseConv2D
from skdl.networks import Network

photo = load_sample_image("flower.jpg")[20:260, 160:480] / 255.0


def filtered(picture, kernel, times=1):
    """A picture after one layer, or several, of the same fixed filter."""
    size = 3 if isinstance(kernel, str) else np.shape(kernel)
    layer = DepthwiseConv2D(
        size, padding="same", bias=False, initializer=Kernel(kernel)
    )
    network = Network([layer] * times, picture.shape)
    network.initialize(np.random.default_rng(0))  # nothing is drawn at random here
    return network.predict(picture[None])[0]


fig, axes = plt.subplots(2, 2, figsize=(9, 7), layout="constrained")
shown = {"the photo": photo}
shown |= {name: filtered(photo, name) for name in ("edges", "blur", "sharpen")}
for ax, (name, picture) in zip(axes.flat, shown.items(), strict=True):
    ax.imshow(np.clip(picture, 0, 1))
    ax.set_title(name)
    ax.set_axis_off()
    if name != "the photo":
        weights = Kernel(name)((3, 3, 1, 1), np.random.default_rng(0))[:, :, 0, 0]
        rows = "\n".join(" ".join(f"{w:5.2g}" for w in row) for row in weights)
        box = {"facecolor": "white", "alpha": 0.85, "lw": 0}
        ax.text(6, 10, rows, family="monospace", fontsize=8, va="top", bbox=box)
plt.show()

# %%
# The numbers of "edges" add up to 0: where all nine pixels are alike, nothing is left.
# Those of the other two add up to 1, so that the brightness stays. Sharpening is the
# picture plus its edges; blurring twice more is a wider blur:

sums = {name: np.sum(Kernel(name)((3, 3, 1, 1), None)) for name in list(shown)[1:]}
print({name: round(float(total), 12) for name, total in sums.items()})

fig, axes = plt.subplots(1, 3, figsize=(11, 3.2), layout="constrained")
for ax, times in zip(axes, (1, 4, 16), strict=True):
    ax.imshow(np.clip(filtered(photo, "blur", times)[60:180, 100:260], 0, 1))
    ax.set_title(f"blurred {times}×: {2 * times + 1}×{2 * times + 1} pixels")
    ax.set_axis_off()
plt.show()

# %%
# Any matrix will do
# ------------------
# Sobel's two filters answer to brightness that changes from left to right and from top
# to bottom. Here in a `Conv2D`, which sums over the channels: one grey answer each.

sobel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
answers = []
for matrix in (sobel, sobel.T):
    layer = Conv2D(1, 3, padding="same", bias=False, initializer=Kernel(matrix))
    network = Network([layer], photo.shape)
    network.initialize(np.random.default_rng(0))
    answers.append(network.predict(photo[None])[0, 1:-1, 1:-1, 0])

fig, axes = plt.subplots(1, 3, figsize=(11, 3.2), layout="constrained")
titles = ["left to right", "top to bottom", "strength of the edge"]
pictures = [*answers, np.hypot(*answers)]
for ax, title, picture in zip(axes, titles, pictures, strict=True):
    signed = picture.min() < 0
    reach = np.abs(picture).max()
    ax.imshow(
        picture, cmap="RdBu_r" if signed else "gray", vmin=-reach * signed, vmax=reach
    )
    ax.set_title(title)
    ax.set_axis_off()
plt.show()

# %%
# A network that learns from pictures finds filters of this kind by itself in its first
# layer, and combines them in the layers behind it.
