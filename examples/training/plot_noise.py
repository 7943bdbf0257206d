"""
Out of poor minima: noise, momentum, jogging, restarts
======================================================

The loss of a network has many minima, and some of them are poor. With all of the data
in each step, descent stops in the first one it meets. Noise gets out of them: that of
mini-batches, of jogging the weights, of several random starts; momentum rolls through
the shallow ones. Near a good minimum the same noise is a nuisance: see
:ref:`sphx_glr_auto_examples_training_plot_noise_floor.py`.
"""

# %%
# A full batch stops in a poor minimum, mini-batches leave it
# -----------------------------------------------------------
# The smallest of all problems with poor minima has a single weight: the frequency ω of
# a sine, fitted by least squares. The loss has a minimum wherever the sine is in step
# with a part of the data, and at each of them the gradient of all the data is 0:
# gradient descent goes to the nearest one and has no reason to leave. The loss of four
# random samples has its minima elsewhere for each four, and only at the true frequency,
# 2, do they all agree.

import matplotlib.pyplot as plt
import numpy as np

from skdl.optimizers import GD, SGD, Adam, Jog, Momentum, minimize
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
# Nineteen starts. A jog perturbs the point whenever it has settled, and the best point
# comes back in the end. The rate of the mini-batches falls as η/(1 + 0.01k) with the
# step k, so that the noise ends after it has done its work.

starts = np.linspace(0.5, 5, 19)
batches = np.random.default_rng(1)
contenders = {
    "all of the data": (loss, GD(0.05)),
    "jogged": (loss, Jog(GD(0.05), scale=0.3, patience=30)),
    "four samples a step": (loss_of_four, SGD(Inverse(0.2, decay=0.01))),
}
fig, axes = plt.subplots(1, 4, figsize=(11, 4), sharey=True, width_ratios=[1, 2, 2, 2])
fig.set_layout_engine("constrained")
grid = np.linspace(0, 6, 400)
axes[0].plot([loss([omega])[0] for omega in grid], grid, "k")
axes[0].set(ylim=(0, 6), xlabel="loss", ylabel="frequency ω", title="the landscape")
for ax, (title, (function, optimizer)) in zip(
    axes[1:], contenders.items(), strict=True
):
    n_right = 0
    for seed, start in enumerate(starts):
        result = minimize(
            function,
            [start],
            optimizer=optimizer,
            max_iter=1500,
            gtol=0.0,
            random_state=seed,
        )
        right = abs(result.x[0] - 2) < 0.1
        n_right += right
        color = "C0" if right else "0.6"
        path = result.path[:, 0]
        ax.plot(range(1, len(path) + 1), path, color=color, lw=0.7, zorder=2 + right)
    ax.set(title=f"{title}: {n_right} of {len(starts)}", xlabel="step", xscale="log")
    print(f"{title:>20}: {n_right} of {len(starts)} starts find the frequency")
plt.show()

# %%
# Blue are those that end at the true frequency. With four samples a step, the paths
# cross the hills that stop gradient descent, and only the deepest minimum holds what
# falls into it while the rate is large.
#
# Momentum rolls through shallow ones
# -----------------------------------
# Where a slope has ripples, descent stops in the first of them. A heavy ball arrives
# with the speed of the slope above and rolls on, as long as no hill is higher than what
# it has come down, less what friction (1 − β) has taken. The frequencies above are out
# of its reach: there each minimum lies between hills as high as the start.


def ripples(x):
    return (0.05 * x**2 - 0.3 * np.cos(3 * x)).sum(), 0.1 * x + 0.9 * np.sin(3 * x)


fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
grid = np.linspace(-8, 8, 400)
left.plot(grid, 0.05 * grid**2 - 0.3 * np.cos(3 * grid), "k")
for i, optimizer in enumerate([GD(0.05), Momentum(0.05, 0.9), Momentum(0.05, 0.97)]):
    name = f"momentum {optimizer.momentum}" if i else "gradient descent"
    result = minimize(ripples, [7.0], optimizer=optimizer, max_iter=400, gtol=0)
    left.plot(result.x, result.fun, "o", color=f"C{i}", ms=8)
    right.plot(result.path, color=f"C{i}", label=name)
    print(f"{name:>20}: ends at {result.x[0]:6.2f} with loss {result.fun:6.3f}")
left.set(xlabel="x", ylabel="loss", title="A slope with ripples, and where they end")
right.set(xlabel="step", ylabel="x", title="The paths")
right.legend()
plt.show()

# %%
# Several starts, and jogging
# ---------------------------
# A network of four tanh units has to follow a curve. L-BFGS, which uses all of the data
# and has no noise, ends in a minimum that depends on the start. ``n_init`` trains from
# several starts and keeps the best; ``n_jobs`` would train them in parallel. `Jog`
# goes on from where it is: each time the loss has stalled it adds noise to all weights,
# and at the end the best weights come back. It wraps any optimizer.

from skdl import MLPRegressor

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

worst = int(np.argmax(losses))
jogged = MLPRegressor(
    (4,),
    "tanh",
    alpha=0.0,
    optimizer=Jog("lbfgs", scale=0.3, patience=50, tol=1e-5),
    max_iter=3000,
    random_state=worst,
).fit(X, target)
print(f"The worst of these starts, jogged: loss {jogged.loss_:.4f}")

# %%
# `skdl.callbacks.Jog` does the same to whatever optimizer an estimator has, and says
# when.

from skdl.callbacks import Jog as JogCallback

net = MLPRegressor(
    (4,),
    "tanh",
    alpha=0.0,
    batch_size=120,
    optimizer=Adam(0.03),
    max_iter=6000,
    n_iter_no_change="never",
    random_state=1,
)
jog = JogCallback(scale=0.3, patience=150, tol=1e-5)
net.set_callbacks(jog).fit(X, target)
adam = np.array(net.history_["loss"])
print(f"Adam before the first of {len(jog.jogs_)} jogs: {adam[jog.jogs_[0] - 1]:.4f}")
print(f"In the end: loss {net.loss_:.4f}")

fig, axes = plt.subplots(1, 3, figsize=(13, 4), layout="constrained")
axes[0].plot(np.sort(losses), "o", label="one start each")
axes[0].axhline(best.loss_, color="C1", label="n_init=20")
axes[0].axhline(jogged.loss_, color="C2", ls="--", label="the worst one, jogged")
axes[0].set(title="L-BFGS", xlabel="starts, in the order of their loss", ylabel="loss")
axes[0].set(ylim=(0, None), xticks=range(0, 20, 5))
axes[0].legend()
for ax, curve, title in [
    (axes[1], np.array(jogged.loss_curve_), "L-BFGS, jogged"),
    (axes[2], adam, "Adam, jogged"),
]:
    ax.semilogy(curve, color="0.6", lw=0.8, label="loss")
    ax.semilogy(np.minimum.accumulate(curve), color="C0", label="best so far")
    ax.set(title=title, xlabel="epoch", ylabel="loss", ylim=(None, 0.1))
axes[2].plot(jog.jogs_, adam[np.array(jog.jogs_) - 1], "v", color="C1", label="jog")
axes[2].legend()
plt.show()
