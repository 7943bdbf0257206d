"""
The noise floor of SGD, and schedules that break it
===================================================

With a constant rate, stochastic gradient descent does not arrive: the noise of the
mini-batches keeps it in a cloud around the minimum. How large the cloud is, and how a
schedule lets it vanish.
"""

# %%
# A cloud around the minimum
# --------------------------
# On ½x², with noise of variance σ² on each gradient, x ← x − η(x + noise) has a
# variance that goes to ησ²/(2 − η): half the rate, half the floor, but twice the time
# to get there. The averages of 500 runs beside this formula:

import matplotlib.pyplot as plt
import numpy as np

from skdl import MLPRegressor
from skdl.optimizers import SGD, minimize
from skdl.schedules import Cosine, Inverse, OneCycle, ReduceOnPlateau, Step

N, STEPS = 500, 400
noise = np.random.default_rng(0)


def noisy_bowls(x):
    """The gradients of N bowls side by side, and their mean value."""
    return 0.5 * float(x @ x) / N, x + noise.normal(size=N)


fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
for i, rate in enumerate((0.5, 0.1, 0.02)):
    result = minimize(
        noisy_bowls, np.full(N, 5.0), optimizer=SGD(rate), max_iter=STEPS, gtol=0
    )
    left.loglog(np.arange(1, STEPS + 2), 2 * result.path_fun, label=f"η = {rate}")
    left.axhline(rate / (2 - rate), color=f"C{i}", ls=":")
result = minimize(
    noisy_bowls, np.full(N, 5.0), optimizer=SGD(Inverse(1.0)), max_iter=STEPS, gtol=0
)
left.loglog(np.arange(1, STEPS + 2), 2 * result.path_fun, "k", label="η/k")
left.set(xlabel="step", ylabel="mean of x²", title="500 noisy bowls")
left.legend()

for i in range(4):
    result = minimize(
        noisy_bowls, np.full(N, 5.0), optimizer=SGD(0.1), max_iter=100, gtol=0
    )
    right.plot(result.path[:, i], color="C1", lw=0.8)
result = minimize(
    noisy_bowls, np.full(N, 5.0), optimizer=SGD(Inverse(1.0)), max_iter=100, gtol=0
)
right.plot(result.path[:, :4], color="k", lw=0.8)
right.set(xlabel="step", ylabel="x", title="four of them: η = 0.1, and η/k (black)")
plt.show()

# %%
# The dotted lines are the formula. With η/k the rates add up to infinity, so that it
# gets everywhere, and their squares do not, so that the noise dies out (Robbins and
# Monro 1951): the error falls as 1/k without end.
#
# Schedules on a regression
# -------------------------
# A linear regression on 500 rows, in batches of 10. What counts is the loss above that
# of the exact solution. `X_val` is the training set itself here, for the loss after
# each epoch.

rng = np.random.default_rng(0)
A = rng.normal(size=(500, 10))
b = A @ rng.normal(size=10) + rng.normal(size=500)
design = np.c_[A, np.ones(500)]
solution = np.linalg.lstsq(design, b)[0]
smallest = 0.5 * np.mean((b - design @ solution) ** 2)

EPOCHS = 100
schedules = {
    "η = 0.05": 0.05,
    "η = 0.005": 0.005,
    "η/k": Inverse(0.05, decay=0.02),
    "a tenth every 30 epochs": Step(0.05, every=30, gamma=0.1),
    "cosine": Cosine(0.05),
    "one cycle": OneCycle(0.05),
    "on a plateau": ReduceOnPlateau(0.05, factor=0.3, patience=4),
}
fig, (left, right) = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
for i, (name, rate) in enumerate(schedules.items()):
    net = MLPRegressor(
        (),
        alpha=0.0,
        batch_size=10,
        optimizer=SGD(rate),
        max_iter=EPOCHS,
        n_iter_no_change="never",
        random_state=0,
    ).fit(A, b, X_val=A, y_val=b)
    excess = np.maximum(np.array(net.history_["val_loss"]) - smallest, 1e-12)
    style = "--" if isinstance(rate, float) else "-"
    left.semilogy(np.arange(1, EPOCHS + 1), excess, style, color=f"C{i}", label=name)
    right.semilogy(net.history_["learning_rate"], style, color=f"C{i}")
    print(f"{name:>24}: {np.median(excess[-5:]):.1e} above the minimum")
left.set(xlabel="epoch", ylabel="loss above the minimum", title="The noise floor")
left.legend(fontsize=8)
right.set(xlabel="epoch", title="The rates", ylim=(1e-5, 0.1))
plt.show()

# %%
# The large constant rate is fast and then stays on its floor; the small one gets lower,
# late. Every schedule has both: the speed first, the small floor in the end.
