"""
The good that noise does, and its price
=======================================

The loss of a network has many minima, and some of them are poor. Noise gets out of
them: that of mini-batches, of several random starts, of jogging the weights. Near a
good minimum the same noise is a nuisance, and the learning rate has to end it.
"""

# %%
# Mini-batches leave poor minima
# ------------------------------
# The smallest of all problems with poor minima has a single weight: the frequency ω of
# a sine, fitted by least squares. The loss has a minimum wherever the sine is in step
# with a part of the data. Gradient descent goes to the nearest one. The loss of four
# random samples has its minima elsewhere for each four, and only at the true frequency,
# 2, do they all agree.

import matplotlib.pyplot as plt
import numpy as np

from skdl.optimizers import SGD, Adam, minimize
from skdl.schedules import Inverse

rng = np.random.default_rng(0)
x = rng.uniform(0, 6, 200)
y = np.sin(2 * x) + rng.normal(scale=0.2, size=200)


def loss(theta, rows=slice(None)):
    error = np.sin(theta[0] * x[rows]) - y[rows]
    slope = np.mean(error * np.cos(theta[0] * x[rows]) * x[rows])
    return 0.5 * np.mean(error**2), np.array([slope])


def loss_of_four(theta):
    return loss(theta, rows=batches.integers(200, size=4))


# %%
# Nineteen starts, with all the data in each step and with four samples. The rate falls
# as η/(1 + 0.01k) with the step k, so that the noise ends after it has done its work.

optimizer = SGD(Inverse(0.2, decay=0.01))
starts = np.linspace(0.5, 5, 19)
batches = np.random.default_rng(1)
paths = {"all of the data": [], "four samples a step": []}
for (title, found), function in zip(paths.items(), [loss, loss_of_four], strict=True):
    for start in starts:
        path = [start]
        minimize(
            function,
            [start],
            optimizer=optimizer,
            max_iter=1500,
            gtol=0.0,
            callback=lambda theta, path=path: path.append(theta[0]),
        )
        found.append(path)
    n_right = sum(abs(path[-1] - 2) < 0.1 for path in found)
    print(f"{title:>20}: {n_right} of {len(starts)} starts find the frequency")

fig, axes = plt.subplots(
    1, 3, figsize=(10, 4.5), sharey=True, width_ratios=[1, 2, 2], layout="constrained"
)
grid = np.linspace(0, 6, 400)
axes[0].plot([loss([omega])[0] for omega in grid], grid, "k")
axes[0].set(ylim=(0, 6), xlabel="loss", ylabel="frequency ω", title="the landscape")
for ax, (title, found) in zip(axes[1:], paths.items(), strict=True):
    for path in found:
        right = abs(path[-1] - 2) < 0.1
        color = "C0" if right else "0.6"
        ax.plot(range(1, len(path) + 1), path, color=color, lw=0.7, zorder=2 + right)
    ax.set(title=title, xlabel="step", xscale="log")
plt.show()

# %%
# Blue are those that found the frequency. With four samples a step, the paths cross the
# hills that stop gradient descent, and only the deepest minimum holds what falls into
# it while the rate is large.
#
# Several starts, and jogging
# ---------------------------
# A network of four tanh units has to follow a curve. L-BFGS, which uses all of the data
# and has no noise, ends in a minimum that depends on the start. ``n_init`` trains from
# several starts and keeps the best; ``n_jobs`` would train them in parallel.

from skdl import MLPRegressor
from skdl.callbacks import Jog

X = np.linspace(-3, 3, 120)[:, None]
curve = np.where(X[:, 0] > 0, 1, 0.5) * np.sin(2 * X[:, 0])
target = curve + rng.normal(scale=0.05, size=120)

net = MLPRegressor(
    (4,), "tanh", alpha=0.0, optimizer="lbfgs", max_iter=2000, random_state=0
)
losses = []
for seed in range(20):
    net.set_params(random_state=seed).fit(X, target)
    losses.append(net.loss_)
best = net.set_params(n_init=20, random_state=0).fit(X, target)
print(f"One start: loss {min(losses):.4f} to {max(losses):.4f}")
print(f"n_init=20: loss {best.loss_:.4f}")

# %%
# `Jog` is for a single run. Each time the loss has stalled, it adds noise to all
# weights; at the end, the best weights come back.

net = MLPRegressor(
    (4,),
    "tanh",
    alpha=0.0,
    batch_size=120,
    optimizer=Adam(0.03),
    max_iter=10_000,
    tol=1e-5,
    n_iter_no_change=1500,
    random_state=1,
)
jog = Jog(scale=0.3, patience=150, tol=1e-5)
net.set_callbacks(jog).fit(X, target)
curve = np.array(net.history_["loss"])
print(f"Before the first of {len(jog.jogs_)} jogs: loss {curve[jog.jogs_[0] - 1]:.4f}")
print(f"In the end: loss {net.best_loss_:.4f}")

fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
left.plot(np.sort(losses), "o", label="one start each")
left.axhline(best.loss_, color="C1", label="n_init=20")
left.set(title="L-BFGS", xlabel="starts, in the order of their loss", ylabel="loss")
left.set(ylim=(0, None), xticks=range(0, 20, 5))
left.legend()
right.semilogy(curve, color="0.6", lw=0.8, label="loss")
right.semilogy(np.minimum.accumulate(curve), color="C0", label="best so far")
right.plot(jog.jogs_, curve[np.array(jog.jogs_) - 1], "v", color="C1", label="jog")
right.set(title="Adam, jogged", xlabel="epoch", ylabel="loss", ylim=(None, 0.1))
right.legend()
plt.show()

# %%
# The price: a floor of noise
# ---------------------------
# A linear regression has one minimum and no need of luck. With a constant rate, SGD
# does not arrive: it ends in a cloud around the minimum, whose size grows with the
# rate. With η/k, the rates add up to infinity, so that it gets everywhere, and their
# squares do not, so that the noise dies out (Robbins and Monro). `X_val` is the
# training set itself here, for the exact loss after each epoch.

A = rng.normal(size=(500, 10))
b = A @ rng.normal(size=10) + rng.normal(size=500)
solution = np.linalg.lstsq(np.c_[A, np.ones(500)], b)[0]
smallest = 0.5 * np.mean((b - np.c_[A, np.ones(500)] @ solution) ** 2)

rates = {
    "η = 0.05": 0.05,
    "η = 0.01": 0.01,
    "η/k, from 0.05": Inverse(0.05, decay=0.02),
}
_, ax = plt.subplots(figsize=(7, 4.5), layout="constrained")
for name, rate in rates.items():
    net = MLPRegressor(
        (), alpha=0.0, batch_size=10, optimizer=SGD(rate), random_state=0
    )
    for _ in range(200):
        net.partial_fit(A, b, X_val=A, y_val=b)
    excess = np.array(net.history_["val_loss"]) - smallest
    ax.loglog(np.arange(1, 201), excess, label=name)
ax.set(xlabel="epoch", ylabel="loss above the minimum", title="The noise floor of SGD")
ax.grid(alpha=0.3)
ax.legend()
plt.show()
