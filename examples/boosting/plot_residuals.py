"""
Boosting is gradient descent
============================

Gradient boosting fits a tree to what the sum so far leaves over, adds a part of it, and
starts again. For the squared error, what is left over is minus the gradient of the
loss; with minus the gradient in its place, the same loop serves every loss.
"""

# %%
# Ten lines of boosting
# ---------------------
# Start from the mean. In each round, fit a tree of two levels to the residuals and take
# a step of length λ along it.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.tree import DecisionTreeRegressor

rng = np.random.default_rng(0)
X = np.sort(rng.uniform(0, 10, (120, 1)), axis=0)
x = X[:, 0]
y = np.sin(x) + 0.25 * x + np.where(x > 6, 1.0, 0.0) + rng.normal(scale=0.15, size=120)

rate, n_rounds = 0.3, 40
a = np.full(120, y.mean())
stages, trees = [a], []
for _ in range(n_rounds):
    residual = y - a
    tree = DecisionTreeRegressor(max_depth=2).fit(X, residual)
    a = a + rate * tree.predict(X)
    stages.append(a)
    trees.append(tree)

# %%
# Above, the sum of trees so far; below, its residuals and the next tree, fitted to
# them. What a tree has found is smaller in the residuals of the next. After 39 trees
# only noise is left, and the fortieth chases two points of it.

shown = [0, 1, 4, 39]
fig, axes = plt.subplots(
    2, 4, figsize=(11, 5), sharex=True, sharey="row", layout="constrained"
)
for (above, below), k in zip(axes.T, shown, strict=True):
    residual = y - stages[k]
    above.plot(x, y, ".", color="0.65", ms=4)
    above.vlines(x, stages[k], y, color="C1", lw=0.6, alpha=0.6)
    above.step(x, stages[k], color="C0", where="mid", lw=2)
    above.set_title(f"{k} trees" if k != 1 else "1 tree")
    below.axhline(0, color="0.8", lw=1)
    below.plot(x, residual, ".", color="C1", ms=4)
    below.step(x, trees[k].predict(X), color="k", where="mid", lw=1.5)
    below.set_xlabel("x")
axes[0, 0].set_ylabel("y and the sum of trees")
axes[1, 0].set_ylabel("residuals and next tree")
plt.show()

# %%
# ``GradientBoostingRegressor`` with the step rule "gd" does the same with any regressor
# of scikit-learn as ``estimator``, and much faster with the trees of its own.

from skdl.boosting import GradientBoostingRegressor

same = GradientBoostingRegressor(
    estimator=DecisionTreeRegressor(max_depth=2),
    optimizer="gd",
    learning_rate=rate,
    n_estimators=n_rounds,
).fit(X, y)
differences = [
    np.abs(stage - loop).max()
    for stage, loop in zip(same.staged_predict(X), stages[1:], strict=True)
]
print(f"Largest difference to the loop, all stages: {max(differences):.1e}")

# %%
# The residual is minus the gradient
# ----------------------------------
# The loss ½Σ(aᵢ − yᵢ)² is a function of the 120 predictions aᵢ. Its derivative in aᵢ is
# aᵢ − yᵢ: the residual is the direction in which the loss falls most steeply. Central
# differences see the same.

a, h = stages[4], 1e-5


def loss(a):
    return 0.5 * np.sum((a - y) ** 2)


gradient = [(loss(a + h * e) - loss(a - h * e)) / (2 * h) for e in np.eye(120)]
gap = np.abs(-np.array(gradient) - (y - a)).max()
print(f"Largest gap between −gradient and residual: {gap:.1e}")

# %%
# The tree is there because a step along the gradient itself would only move the 120
# training points, and end on the noisy targets. A tree is a function of x: the
# direction of descent closest to the gradient, in squares, that can also predict.
#
# Other losses
# ------------
# A tenth of the data is spoilt now. For the absolute error, minus the gradient is the
# sign of the residual, and for Huber's loss it is the residual, cut off at ±δ. A far
# outlier then pulls no harder than a near one. The default step rule, "newton", also
# gives each leaf the best step for the loss: the median of its residuals for the
# absolute error.

from skdl.losses import AbsoluteError, Huber, SquaredError

spoilt = y + rng.choice([0, 6], p=[0.9, 0.1], size=120)
losses = {
    "squared error": SquaredError(),
    "absolute error": AbsoluteError(),
    "Huber, δ = 0.5": Huber(delta=0.5),
}
line = np.linspace(-1.5, 3, 400)[:, None]
fig, (left, right) = plt.subplots(
    1, 2, figsize=(11, 4.2), width_ratios=[2, 3], layout="constrained"
)
right.plot(x, spoilt, ".", color="0.65", ms=4)
clean = np.sin(x) + 0.25 * x + (x > 6)
right.plot(x, clean, "k--", lw=1.5, label="true curve")
for name, function in losses.items():
    left.plot(line, -function.gradient(line, np.zeros_like(line)), label=name)
    model = GradientBoostingRegressor(
        loss=function, max_depth=2, min_samples_leaf=8, n_estimators=100
    ).fit(X, spoilt)
    error = np.sqrt(np.mean((model.predict(X) - clean) ** 2))
    print(f"{name:>14}: {error:.2f} from the true curve (root mean square)")
    right.step(x, model.predict(X), where="mid", label=name)
left.axhline(0, color="0.8", lw=1, zorder=0)
left.set(title="What the next tree is fitted to", xlabel="residual y − a")
left.set_ylabel("minus the gradient")
left.legend()
right.set(title="After 100 trees", xlabel="x", ylabel="y")
right.legend()
plt.show()
