"""
AdaBoost for real targets
=========================

AdaBoost.R2 carries the idea over to regression: each tree learns from rows drawn by
weight, a row weighs more the worse it was predicted, and the answer is the median of
the trees, weighted by how good they are.
"""

# %%
# From one tree to many
# ---------------------
# A single tree of four levels draws sixteen steps. The trees of an ensemble place their
# steps elsewhere, as each sees another sample of the rows, and their median is smooth.

import matplotlib.pyplot as plt
import numpy as np

from skdl.boosting import AdaBoostRegressor

rng = np.random.default_rng(0)
X = np.sort(rng.uniform(0, 6, (200, 1)), axis=0)
true = np.sin(X[:, 0]) + np.sin(6 * X[:, 0])
y = true + rng.normal(scale=0.15, size=200)

model = AdaBoostRegressor(max_depth=4, n_estimators=200, random_state=0).fit(X, y)
grid = np.linspace(0, 6, 1200)[:, None]
curve = np.sin(grid[:, 0]) + np.sin(6 * grid[:, 0])
stages = list(model.staged_predict(grid))
for k in [1, 10, len(stages)]:
    error = np.sqrt(np.mean((stages[k - 1] - curve) ** 2))
    print(f"{k:>3} trees: {error:.3f} from the true curve (root mean square)")

fig, axes = plt.subplots(1, 2, figsize=(11, 4), sharey=True, layout="constrained")
for ax, k in zip(axes, [1, len(stages)], strict=True):
    ax.plot(X, y, ".", color="0.65", ms=4)
    ax.plot(grid, curve, "k--", lw=1, label="true curve")
    ax.plot(grid, stages[k - 1], color="C0", label="prediction")
    ax.set(title=f"{k} tree" if k == 1 else f"{k} trees", xlabel="x")
axes[0].set_ylabel("y")
axes[1].legend()
plt.show()

# %%
# Hard rows, and hopeless ones
# ----------------------------
# With the errors e scaled to [0, 1] and their weighted mean ε, a tree gets the weight
# ln((1−ε)/ε), and each row the factor (ε/(1−ε))^(1−e): the better it was predicted, the
# more weight it loses. ``loss`` says how residuals become errors: "linear" takes their
# share of the largest one, "square" the square of it, and "exponential" 1 − e^−share.
#
# On clean targets the three hardly differ. Then a twentieth of the training targets is
# spoilt. No tree can predict those rows, so they keep their weight while the others
# lose theirs, until the samples are full of them.

from sklearn.datasets import make_friedman1

X, y = make_friedman1(4000, noise=1.0, random_state=0)
X_train, X_test, y_train, y_test = X[:1000], X[1000:], y[:1000], y[1000:]
spoilt = y_train + np.where(rng.random(1000) < 0.05, 40.0, 0.0)
targets = {"clean": (y_train, "-"), "spoilt": (spoilt, "--")}


def test_error(prediction):
    return np.mean(np.abs(prediction - y_test))


_, ax = plt.subplots(figsize=(8, 4.4), layout="constrained")
for color, loss in enumerate(["linear", "square", "exponential"]):
    for name, (target, line) in targets.items():
        model = AdaBoostRegressor(
            loss=loss, max_depth=6, n_estimators=100, random_state=0
        ).fit(X_train, target)
        errors = [test_error(p) for p in model.staged_predict(X_test)]
        print(f"{loss:>11}, {name:>6}: error {errors[9]:.2f} after 10 trees, ", end="")
        print(f"{errors[-1]:.2f} after {len(errors)}")
        ax.plot(
            range(1, len(errors) + 1),
            errors,
            line,
            color=f"C{color}",
            label=f"{loss}, {name}",
        )
ax.set(xlabel="trees", ylabel="mean absolute error on test rows", ylim=(0, 6))
ax.set_title("AdaBoost.R2 on clean and on spoilt targets")
ax.legend(ncols=3, loc="lower right")
plt.show()

# %%
# Where targets may be wrong, gradient boosting of a robust loss is the better choice.

from skdl.boosting import GradientBoostingRegressor

for loss in ["squared_error", "absolute_error"]:
    model = GradientBoostingRegressor(loss=loss, max_depth=4, random_state=0)
    for name, (target, _) in targets.items():
        error = test_error(model.fit(X_train, target).predict(X_test))
        print(f"Gradient boosting, {loss:>14}, {name:>6}: error {error:.2f}")
