"""
From AlexNet to ResNeXt
=======================

Five years of ideas about convolutional networks, 2012 to 2017, on the same small
pictures: what each architecture adds, how large it is and how far it comes in a few
epochs. All are built by name, for any size of picture, and here with a small part of
their channels.
"""

# %%
# At full size
# ------------
# ``describe`` makes the table of a network without making its weights. With 1000
# classes and 224×224 pixels the numbers of parameters are the published ones. AlexNet
# and VGG keep nearly all of theirs in the dense layers; GoogLeNet and the residual
# networks take a mean over the picture instead, and spend theirs on depth.

from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skdl import CNNClassifier
from skdl.layers import Dense
from skdl.networks import describe, get, named_layers

full = (224, 224, 3)
names = ["alexnet", "vgg11", "vgg16", "googlenet", "resnet18", "resnet50", "resnext50"]
for name in names:
    table = describe([*named_layers(name, full), Dense(1000)], full)
    _, products, *numbers = table.splitlines()[-1].split()
    idea = get(name).__doc__.split("\n", 1)[0].removeprefix("Return ")
    print(f"{name:>10}: {numbers[0]:>11} parameters, {products:>14} multiply-adds")
    print(f"{'':>12}{idea}")

# %%
# (GoogLeNet's count has its two auxiliary heads in it, which are for training only, up
# to their output layers: with these, of 1,025,000 each, it has 13,004,888.)
#
# The same nets on 8×8 pixels
# ---------------------------
# ``width`` multiplies the channels, so that deep networks fit small problems: an eighth
# of the published ones here, and a sixteenth of ResNeXt's, which has 32 groups at any
# width. On pictures this small the first layers keep the pixels that they would throw
# away of large ones. Beside them stand two that are made for small pictures. Each gets
# eight epochs over 1,297 digits.

digits = load_digits()
train, test, y_train, y_test = train_test_split(
    digits.images.astype("uint8"),
    digits.target,
    test_size=500,
    stratify=digits.target,
    random_state=0,
)
widths = {
    "alexnet": 1 / 8,
    "vgg11": 1 / 8,
    "googlenet": 1 / 8,
    "resnet18": 1 / 8,
    "resnext50": 1 / 16,
    "resnet8": 1,
    "vgg_small": 1 / 2,
}

CNNClassifier("lenet", input_shape=(16, 16), max_iter=1, n_iter_no_change="never").fit(
    np.zeros((20, 16, 16)), np.arange(20) % 2
)  # what is compiled at the first fit does not count

nets, seconds, scores = {}, {}, {}
for name, width in widths.items():
    net = CNNClassifier(
        name,
        width=width,
        batch_size=32,
        max_iter=8,
        n_iter_no_change="never",
        random_state=0,
    )
    start = perf_counter()
    nets[name] = net.fit(train, y_train)
    seconds[name] = perf_counter() - start
    scores[name] = net.score(test, y_test)
    print(
        f"{name:>10}: {net.network_.params.size:>7,} parameters, "
        f"{seconds[name]:4.1f} s, accuracy {scores[name]:.3f}"
    )

# %%
# What the ideas buy
# ------------------
# Left, the loss: AlexNet and VGG, with dropout and without normalisation, take epochs
# to get going. GoogLeNet (whose loss has those of its auxiliary heads in it) and
# ResNet-18 have batch normalisation and shorter ways for the gradient, and read digits
# better with half of the parameters. Right, what it costs.

fig, axes = plt.subplots(1, 2, figsize=(11, 4.3), layout="constrained")
for name, net in nets.items():
    epochs = range(1, len(net.loss_curve_) + 1)
    axes[0].plot(epochs, net.loss_curve_, "o-", ms=3, label=name)
    size = net.network_.params.size
    axes[1].scatter(seconds[name], scores[name], s=size / 1500, alpha=0.6)
    axes[1].annotate(name, (seconds[name], scores[name]), (6, 4),
                     textcoords="offset points", fontsize=9)  # fmt: skip
axes[0].set(xlabel="epoch", ylabel="cross-entropy", yscale="log")
axes[0].legend(fontsize=8)
axes[1].set(xlabel="seconds for 8 epochs", ylabel="accuracy on held-out digits",
            xscale="log", title="areas: parameters")  # fmt: skip
axes[1].margins(0.15)
plt.show()

# %%
# ResNeXt is too thin here: a sixteenth of its channels leaves its 32 groups one channel
# each, and fifty layers of that learn slowly. A deep network is for pictures and data
# of its own size; on small ones ``"resnet8"`` and ``"vgg_small"`` are better in a
# fraction of the time.
