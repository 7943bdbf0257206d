"""
Digits from a few numbers: an autoencoder beside PCA
====================================================

PCA writes each sample as a few numbers from which a linear map rebuilds it as well as a
linear map can. An autoencoder does the same with a network on either side of the
numbers: an encoder and, as its mirror image, a decoder. What they cannot rebuild is
odd.
"""

# %%
# Codes of 2, 8 and 16 numbers
# ----------------------------
# Both see 4,000 digits of MNIST, and rebuild others. The network is 784-128-*n*-128-784
# with a ReLU after the wide layers, trained by the cross-entropy of each pixel, which
# is why its output is never below black or above white. Both are scikit-learn
# transformers; both are judged by the mean squared error.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

from skdl import Autoencoder
from skdl.datasets import load_mnist
from skdl.inspection import ReconstructionDisplay

digits = load_mnist()
X, X_test, y, y_test = train_test_split(
    digits.data.astype(np.float32) / 255,
    digits.target,
    test_size=1000,
    stratify=digits.target,
    random_state=0,
)
sizes = (2, 8, 16)
models = {}
for n in sizes:
    models[f"PCA, {n}"] = PCA(n, random_state=0).fit(X)
    models[f"network, {n}"] = Autoencoder(
        n,
        loss="binary_cross_entropy",
        batch_size=64,
        max_iter=20,
        n_iter_no_change="never",
        random_state=0,
    ).fit(X)


def error(model, X):
    return np.mean((model.inverse_transform(model.transform(X)) - X) ** 2)


print("numbers       PCA   network   ratio")
for n in sizes:
    linear, bent = (
        error(models[f"{kind}, {n}"], X_test) for kind in ("PCA", "network")
    )
    print(f"{n:7} {linear:9.4f} {bent:9.4f} {bent / linear:7.2f}")

first = [np.flatnonzero(y_test == digit)[0] for digit in range(10)]
fig, ax = plt.subplots(figsize=(7, 5), layout="constrained")
ReconstructionDisplay.from_estimator(models, X_test[first], ax=ax)
fig.suptitle("Digits that no model has seen, rebuilt from 2, 8 and 16 numbers")
plt.show()

# %%
# From 16 numbers the network's error is about 0.6 of PCA's; PCA needs more than twice
# as many numbers for that:

few = models["network, 16"]
for n in (16, 32, 40):
    print(f"PCA, {n} numbers: {error(PCA(n, random_state=0).fit(X), X_test):.4f}")
print(f"network, 16:     {error(few, X_test):.4f}")

# %%
# What two numbers stand for
# --------------------------
# With a code of two numbers each digit is a point of a plane, and each point of the
# plane stands for a picture: ``inverse_transform`` draws it.

plane = models["network, 2"]
codes = plane.transform(X_test)
low, high = np.percentile(codes, [5, 95], axis=0)
steps = np.linspace(0, 1, 14)[:, None]
across, down = (low + steps * (high - low)).T
grid = np.array([(a, b) for b in down[::-1] for a in across])
pictures = plane.inverse_transform(grid).reshape(14, 14, 28, 28)
sheet = pictures.transpose(0, 2, 1, 3).reshape(14 * 28, 14 * 28)

fig, axes = plt.subplots(1, 2, figsize=(9, 4.6), layout="constrained")
points = axes[0].scatter(*codes.T, c=y_test, cmap="tab10", s=8, vmin=-0.5, vmax=9.5)
fig.colorbar(points, ax=axes[0], ticks=range(10), label="digit")
axes[0].set(
    xlabel="first number", ylabel="second number", title="Codes of 1,000 digits"
)
axes[1].imshow(sheet, cmap="gray", extent=(low[0], high[0], low[1], high[1]))
axes[1].set(xlabel="first number", ylabel="second number", aspect="auto")
axes[1].set_title("What the codes in the middle stand for")
plt.show()

# %%
# Odd samples
# -----------
# ``score_samples`` is minus the reconstruction error of each sample. A network that has
# seen all digits but the 4 rebuilds the others, and not the 4: it makes a 9 of it. No
# label was used but for leaving them out.

seen = y != 4
model = Autoencoder(
    16,
    loss="binary_cross_entropy",
    batch_size=64,
    max_iter=20,
    n_iter_no_change="never",
    random_state=0,
).fit(X[seen])
scores = model.score_samples(X_test)
known = y_test != 4
rng = np.random.default_rng(0)
noise = rng.permuted(X_test[known], axis=1)  # the same numbers, out of place
print(f"digits against the 4:         AUC {roc_auc_score(known, scores):.3f}")
both = np.r_[scores[known], model.score_samples(noise)]
genuine = np.arange(len(both)) < known.sum()
print(f"digits against mixed pixels:  AUC {roc_auc_score(genuine, both):.3f}")

fig, axes = plt.subplots(
    1, 2, figsize=(10, 3.6), layout="constrained", width_ratios=[1, 1.3]
)
bins = np.linspace(0, 0.08, 40)
axes[0].hist(-scores[known], bins, density=True, alpha=0.7, label="digits as in fit")
axes[0].hist(-scores[~known], bins, density=True, alpha=0.7, label="the 4, never seen")
axes[0].set(xlabel="reconstruction error", ylabel="density")
axes[0].legend()
order = np.argsort(scores)
ReconstructionDisplay.from_estimator(
    model, X_test[order[:12]], ax=axes[1], errors=False
)
axes[1].set_title("The twelve that are rebuilt worst")
print("they are:", *y_test[order[:12]])
plt.show()

# %%
# A 4 is much like a 9, so it is a hard case; pixels out of place are told apart without
# a mistake. Among the worst are also untidy digits of the kinds that were seen.
