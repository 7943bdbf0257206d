"""
Noise taken out of pictures
===========================

A denoising autoencoder gets its input with noise, a new one in each step, and is to
give back the picture without it (Vincent et al. 2010). It cannot do that by copying; it
has to know what pictures look like. One argument makes an autoencoder one:
``denoising``.
"""

# %%
# Two ways to spoil a picture
# ---------------------------
# ``denoising=0.4`` adds normal noise of that standard deviation, where black is 0 and
# white 1. Any layer that does something while training will do as well: ``Dropout``
# blackens pixels. The encoder is convolutional, the decoder its mirror image; codes are
# 48 numbers. Beside it stands the same network without noise in training.

import matplotlib.pyplot as plt
import numpy as np
from scipy.ndimage import uniform_filter
from sklearn.model_selection import train_test_split

from skdl import Autoencoder
from skdl.datasets import load_mnist
from skdl.inspection import ReconstructionDisplay
from skdl.layers import Conv2D, Dropout

X, X_test = train_test_split(
    load_mnist().images.astype(np.float32) / 255, test_size=500, random_state=0
)
X = X[:3000]
encoder = [Conv2D(16, 3, 2, 1), "relu", Conv2D(32, 3, 2, 1), "relu"]


def fit(denoising):
    return Autoencoder(
        48,
        layers=encoder,
        denoising=denoising,
        loss="binary_cross_entropy",
        batch_size=50,
        max_iter=10,
        n_iter_no_change="never",
        random_state=0,
    ).fit(X)


plain, denoising, filling = fit(None), fit(0.4), fit(Dropout(0.5))
print(denoising.network_)

# %%
# Normal noise
# ------------
# The noise of the test pictures was never seen. The plain autoencoder rebuilds a part
# of it; the other one knows better.

rng = np.random.default_rng(0)
noisy = X_test + 0.4 * rng.normal(size=X_test.shape).astype(np.float32)
fig, ax = plt.subplots(figsize=(7.5, 3.6), layout="constrained")
ReconstructionDisplay.from_estimator(
    {"plain": plain, "denoising": denoising},
    noisy[:12],
    X_clean=X_test[:12],
    ax=ax,
)
fig.suptitle("Normal noise of standard deviation 0.4")
plt.show()

# %%
# How much is taken out depends on how much is there. Smoothing with a window of 3×3
# pixels is the simple way, and makes edges dull.
levels = np.linspace(0, 0.8, 9)
errors = {"as it is": [], "mean of 3×3": [], "plain": [], "denoising, 0.4": []}
for level in levels:
    pictures = X_test + level * rng.normal(size=X_test.shape).astype(np.float32)
    made = {
        "as it is": pictures,
        "mean of 3×3": uniform_filter(pictures, (0, 3, 3)),
        "plain": plain.inverse_transform(plain.transform(pictures)),
        "denoising, 0.4": denoising.inverse_transform(denoising.transform(pictures)),
    }
    for name, result in made.items():
        errors[name].append(np.mean((result - X_test) ** 2))

fig, ax = plt.subplots(figsize=(6, 4), layout="constrained")
for name, values in errors.items():
    ax.plot(levels, values, "o-", label=name)
ax.axvline(0.4, color="gray", linestyle=":")
ax.text(0.41, 0.11, "noise in training", color="gray")
ax.set(xlabel="standard deviation of the noise", ylabel="mean squared error")
ax.set_ylim(0, 0.13)
ax.legend()
plt.show()

# %%
# Missing pixels
# --------------
# Half of the pixels are black. ``Dropout`` divides what it keeps by the share that it
# keeps, and so do we.

kept = X_test * (rng.random(X_test.shape) < 0.5) * 2
kept = kept.astype(np.float32)
fig, ax = plt.subplots(figsize=(7.5, 3.6), layout="constrained")
ReconstructionDisplay.from_estimator(
    {"plain": plain, "with Dropout(0.5)": filling},
    kept[:12],
    X_clean=X_test[:12],
    ax=ax,
)
fig.suptitle("Half of the pixels are missing")
plt.show()
