"""
Losses of regression
====================

What a network predicts is decided by its loss: the mean, the median, any quantile, the
rate of a count. ``loss`` of ``MLPRegressor`` takes a name, an object with settings, or
a function of your own.
"""

# %%
# Outliers: squared, absolute and Huber's loss
# --------------------------------------------
# A curve whose noise grows to the right, and one measurement in twelve that went wrong,
# always upwards. The squared error has to make up for every one of them; the absolute
# error aims at the median, and Huber's is a parabola near zero and a line beyond
# ``delta``. The losses are not on one scale, so the networks are compared with the true
# curve.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdl import MLPRegressor
from skdl.losses import Huber, Quantile
from skdl.optimizers import Adam

rng = np.random.default_rng(0)
n = 600
X = rng.uniform(0, 10, (n, 1))


def curve(x):
    return np.sin(x) + 0.2 * x


noise = rng.normal(scale=0.1 + 0.05 * X[:, 0])
y = curve(X[:, 0]) + noise
outlier = rng.random(n) < 1 / 12
y_spoilt = np.where(outlier, y + rng.uniform(3, 8, n), y)


def fit(loss, target):
    net = MLPRegressor(
        (50, 50),
        "tanh",
        loss=loss,
        batch_size=100,
        optimizer=Adam(5e-3),
        max_iter=3000,
        tol=1e-4,
        n_iter_no_change=100,
        random_state=0,
    )
    return make_pipeline(StandardScaler(), net).fit(X, target)


grid = np.linspace(0, 10, 300)[:, None]
losses = {
    "squared_error": "squared_error",
    "absolute_error": "absolute_error",
    "Huber(delta=0.5)": Huber(delta=0.5),
}
_, ax = plt.subplots(figsize=(8, 4.5), layout="constrained")
ax.plot(X, y_spoilt, ".", color="0.7", ms=4, label="data")
ax.plot(grid, curve(grid), "k--", label="true curve")
for name, loss in losses.items():
    prediction = fit(loss, y_spoilt).predict(grid)
    rmse = np.sqrt(np.mean((prediction - curve(grid[:, 0])) ** 2))
    print(f"{name:>16}: {rmse:.3f} from the true curve (root mean square)")
    ax.plot(grid, prediction, label=name)
ax.set(title="A twelfth of the data is spoilt", xlabel="x", ylabel="y", ylim=(-2, 9))
ax.legend(loc="upper left", ncols=2)
plt.show()

# %%
# Bands: quantiles
# ----------------
# The loss "quantile" aims at any quantile of what can be expected. Three networks, for
# 0.1, 0.5 and 0.9, show the typical value and where four in five will fall; here on the
# data without the outliers. The band grows with the noise, of which nobody told it.

quantiles = [0.1, 0.5, 0.9]
bands = {q: fit(Quantile(q), y) for q in quantiles}
X_new = rng.uniform(0, 10, (5000, 1))
y_new = curve(X_new[:, 0]) + rng.normal(scale=0.1 + 0.05 * X_new[:, 0])
for q, model in bands.items():
    share = np.mean(y_new <= model.predict(X_new))
    print(f"quantile {q}: {share:.3f} of new data are below")

low, middle, high = (bands[q].predict(grid) for q in quantiles)
_, ax = plt.subplots(figsize=(8, 4.5), layout="constrained")
ax.plot(X, y, ".", color="0.6", ms=4, label="data")
ax.fill_between(grid[:, 0], low, high, color="C0", alpha=0.25, label="0.1 to 0.9")
ax.plot(grid, middle, color="C0", label="0.5")
ax.plot(grid, curve(grid), "k--", lw=1, label="true curve")
ax.set(title="Quantiles where the noise grows", xlabel="x", ylabel="y")
ax.legend(loc="upper left")
plt.show()

# %%
# Counts: Poisson
# ---------------
# Counts are never negative, and their variance grows with their mean. With "poisson"
# the network's output is the logarithm of the expected count, and ``predict`` gives the
# count itself, which is positive whatever the input. Both losses aim at the mean, and
# on 600 samples come out much alike; but only one of them cannot predict a negative
# count where data are few.

from sklearn.metrics import mean_poisson_deviance


def rate(x):
    return np.exp(1.5 * np.sin(x) + 0.15 * x - 0.5)


counts = rng.poisson(rate(X[:, 0]))
counts_new = rng.poisson(rate(X_new[:, 0]))

_, ax = plt.subplots(figsize=(8, 4.5), layout="constrained")
ax.plot(X, counts, ".", color="0.6", ms=4, label="counts")
ax.plot(grid, rate(grid), "k--", label="true rate")
for loss in ["squared_error", "poisson"]:
    model = fit(loss, counts)
    expected = model.predict(X_new)
    deviance = mean_poisson_deviance(counts_new, np.maximum(expected, 1e-3))
    print(f"{loss:>16}: smallest prediction {expected.min():.3f}, ", end="")
    print(f"Poisson deviance {deviance:.3f} on new data")
    ax.plot(grid, model.predict(grid), label=loss)
ax.set(title="Counts", xlabel="x", ylabel="count")
ax.legend()
plt.show()

# %%
# A loss of your own
# ------------------
# Any function will do that takes the targets and the raw predictions and returns the
# loss and its gradient. Here too little costs four times as much as too much: squared
# errors with two weights, whose best constant is called an expectile.
# `skdl.testing.check_loss` compares the gradient with finite differences.

from skdl.losses import FunctionLoss
from skdl.testing import check_loss


def shortage_costs_more(target, raw):
    error = raw - target
    weight = np.where(error < 0, 4.0, 1.0)
    return 0.5 * weight * error**2, weight * error


check_loss(FunctionLoss(shortage_costs_more))

_, ax = plt.subplots(figsize=(8, 4.5), layout="constrained")
ax.plot(X, y, ".", color="0.6", ms=4, label="data")
for name, loss in {
    "squared_error": "squared_error",
    "shortage_costs_more": shortage_costs_more,
}.items():
    model = fit(loss, y)
    short = np.mean(y_new > model.predict(X_new))
    print(f"{name:>19}: too little for {short:.1%} of new data")
    ax.plot(grid, model.predict(grid), label=name)
ax.set(title="Too little costs four times as much", xlabel="x", ylabel="y")
ax.legend(loc="upper left")
plt.show()
