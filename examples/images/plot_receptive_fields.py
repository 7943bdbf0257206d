"""
What a neuron sees
==================

A number in a hidden layer of a convolutional network depends on a part of the picture
only: its receptive field. It grows with every layer, and with stride and pooling much
faster. Here the fields of some networks are computed, drawn on a photo, and checked.
"""

# %%
# Three layers of 3×3 see 7×7
# ---------------------------
# ``receptive_field`` takes a network, fitted or not. Each layer has a size, a jump (how
# far the fields of neighbours are apart, in pixels) and an offset (where the first one
# begins; less than 0 is padding).

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle
from sklearn.datasets import load_sample_image

from skdl.inspection import receptive_field
from skdl.layers import Conv2D, Dense, MaxPool2D
from skdl.networks import Network, describe, named_layers, receptive_fields

plain = [Conv2D(8, 3), Conv2D(8, 3), Conv2D(8, 3)]
for field in receptive_field(Network(plain, (64, 64, 1))):
    print(field.key, field.layer, field.size, field.jump, field.offset)

# %%
# That is VGG's argument for small filters: three 3×3 layers see what one of 7×7 sees,
# with 27 weights for each pair of channels in place of 49, and with two more ReLUs in
# between. A pooling between them doubles what all layers behind it add:

pooled = [Conv2D(8, 3), MaxPool2D(2), Conv2D(8, 3), MaxPool2D(2), Conv2D(8, 3)]
print([field.size for field in receptive_fields(pooled, (64, 64, 1))])

# %%
# On a photo
# ----------
# What the position in the middle sees, in the last layer before each halving of the
# picture and in the last of all: it begins at offset + position · jump.

photo = load_sample_image("china.jpg")[100:324, 300:524]
shape = photo.shape

fig, axes = plt.subplots(1, 3, figsize=(12, 4.3), layout="constrained")
for ax, name in zip(axes, ["alexnet", "vgg16", "resnet18"], strict=True):
    ax.imshow(photo)
    ax.set_axis_off()
    fields = receptive_fields(named_layers(name, shape, width=0.1), shape)
    whole = [f for f in fields if f.key.isdigit() and f.positions > (1, 1)]
    steps = [a for a, b in pairwise(whole) if a.jump != b.jump]
    for i, field in enumerate([*steps, whole[-1]]):
        middle = tuple(n // 2 for n in field.positions)
        start = [o + p * j for o, p, j in zip(
            field.offset, middle, field.jump, strict=True
        )]  # fmt: skip
        height, width = field.size
        label = f"layer {field.key}: {height}×{width}"
        ax.add_patch(
            Rectangle((start[1] - 0.5, start[0] - 0.5), width, height, fill=False,
                      ec=f"C{i}", lw=2, label=label)
        )  # fmt: skip
    ax.set(title=name, xlim=(-120, 344), ylim=(344, -120))
    ax.legend(loc="upper left", fontsize=7, framealpha=0.9)
plt.show()

# %%
# The fields of the last layers reach beyond the picture: most of what the last layer of
# ResNet-18 could see is padding. The table of a network has the sizes too, beside
# multiply-adds and parameters. No weights are made for it, so the full VGG-16 for
# 1000 classes takes no memory here.

print(describe([*named_layers("vgg16", shape), Dense(1000)], shape, "float32"))

# %%
# Checked on the network itself
# -----------------------------
# Which pixels really move a number? Change each pixel, one after the other, and see.
# The field of the theory is the box around them, and the numbers inside are far from
# equal: there are many more ways from a pixel in the middle than from one at the edge,
# so that what a neuron effectively sees is a blot in the middle of its field (Luo et
# al. 2016).

size = (41, 41, 1)
layers = [Conv2D(8, 5, padding=2), "relu", MaxPool2D(2)] * 2 + [Conv2D(8, 5)]
network = Network(layers, size)
network.initialize(np.random.default_rng(0))
field = receptive_field(network)[-1]
position = tuple(n // 2 for n in field.positions)

rng = np.random.default_rng(1)
moved = np.zeros(size[:2])
for _ in range(3):
    picture = rng.random(size)
    changed = np.repeat(picture[None], moved.size, axis=0)
    changed.reshape(moved.size, -1)[range(moved.size), range(moved.size)] += 0.5
    before = network.predict(picture[None])[0][position]
    moved += (
        np.abs(network.predict(changed)[(slice(None), *position)] - before)
        .sum(axis=1)
        .reshape(moved.shape)
    )

rows, columns = field.of(*position)
outside = moved.copy()
outside[rows, columns] = 0
print(f"field {field.size}, largest effect from outside of it: {outside.max()}")

fig, ax = plt.subplots(figsize=(4.6, 4), layout="constrained")
image = ax.imshow(moved, cmap="magma")
ax.add_patch(
    Rectangle((columns.start - 0.5, rows.start - 0.5), field.size[1], field.size[0],
              fill=False, ec="w", lw=2)
)  # fmt: skip
ax.set(title="How far each pixel moves the output", xticks=[], yticks=[])
fig.colorbar(image)
plt.show()
