"""
Five upper bounds of the 0/1 loss
=================================

The number of errors has no gradient to descend. What classifiers minimise in its place
lies above it everywhere, so that pushing it down pushes the errors down. Five such
bounds, how hard each pulls at a row, and what boosting makes of them when labels are
wrong.
"""

# %%
# With classes −1 and +1 and the answer sign f(x), the margin m = y f(x) is positive
# where the answer is right. The 0/1 loss is the step [m < 0]; all of these functions
# lie above it.

import matplotlib.pyplot as plt
import numpy as np
from scipy.special import expit

bounds = {
    "exponential": lambda m: np.exp(-m),
    "logistic": lambda m: np.logaddexp(0, -m) / np.log(2),
    "hinge": lambda m: np.maximum(1 - m, 0),
    "squared": lambda m: (1 - m) ** 2,
    "sigmoid": lambda m: 2 * expit(-m),
}
slopes = {
    "exponential": lambda m: -np.exp(-m),
    "logistic": lambda m: -expit(-m) / np.log(2),
    "hinge": lambda m: -(m < 1).astype(float),
    "squared": lambda m: -2 * (1 - m),
    "sigmoid": lambda m: -2 * expit(m) * expit(-m),
}
formulas = {
    "exponential": "$e^{-m}$",
    "logistic": r"$\log_2(1+e^{-m})$",
    "hinge": "$(1-m)_+$",
    "squared": "$(1-m)^2$",
    "sigmoid": "$2/(1+e^m)$",
}

m = np.linspace(-2.5, 3, 1101)
for name, bound in bounds.items():
    lowest = np.min(bound(m) - (m < 0))
    print(f"{name:>11}: at least {lowest:.3f} above the 0/1 loss")

_, ax = plt.subplots(figsize=(8.5, 5), layout="constrained")
ax.fill_between([-2.5, 0], 1, color="0.93", lw=0)
ax.plot([-2.5, 0, 0, 3], [1, 1, 0, 0], "k", lw=2.5, label="0/1 loss: $[m < 0]$")
for name, bound in bounds.items():
    ax.plot(m, bound(m), lw=1.8, label=f"{name}: {formulas[name]}")
ax.set(xlim=(-2.5, 3), ylim=(-0.08, 4), xlabel="margin m = y f(x)", ylabel="loss")
ax.set_title("The loss that is meant, and five that can be minimised")
ax.legend(loc="upper center", bbox_to_anchor=(0.68, 1))
plt.show()

# %%
# How hard a row pulls
# --------------------
# Minus the slope at a row's margin is its pull on the next learner. For the exponential
# loss it is e^−m, the weight that AdaBoost gives the row. It has no limit, so that one
# hopeless row may outweigh many; with the logistic and the hinge loss none pulls harder
# than 1/ln 2 and 1. The sigmoid gives up on rows that are far on the wrong side. The
# squared error pulls backwards at rows that are right with a margin above 1.

_, ax = plt.subplots(figsize=(8.5, 4), layout="constrained")
ax.axhline(0, color="0.8", lw=1)
for name, slope in slopes.items():
    ax.plot(m, -slope(m), lw=1.8, label=name)
ax.set(xlim=(-2.5, 3), ylim=(-2.2, 5), xlabel="margin m = y f(x)", ylabel="pull")
ax.set_title("Minus the slope")
ax.legend(loc="upper right", ncols=2)
plt.show()

# %%
# Boosting any of them
# --------------------
# ``GradientBoostingClassifier`` knows "log_loss" and "exponential" by name, and takes
# any function of class codes 0 and 1 and of two raw predictions, one for each class; f
# is their difference here. A fifth of the training labels is flipped, those of the test
# rows are true.

from sklearn.datasets import make_hastie_10_2

from skdl.boosting import GradientBoostingClassifier

X, y = make_hastie_10_2(8000, random_state=0)
X_train, X_test, y_train, y_test = X[:2000], X[2000:], y[:2000], y[2000:]
flipped = np.random.default_rng(0).random(2000) < 0.2
y_train = np.where(flipped, -y_train, y_train)


def margin_loss(name):
    """Return a bound as a loss of codes and raw predictions."""

    def loss(codes, raw):
        sign = 2 * codes - 1
        margin = sign * (raw[:, 1] - raw[:, 0])
        pull = sign * slopes[name](margin)
        return bounds[name](margin), np.column_stack([-pull, pull])

    return loss


_, ax = plt.subplots(figsize=(8.5, 4.2), layout="constrained")
for name in bounds:
    model = GradientBoostingClassifier(
        loss=margin_loss(name),
        optimizer="gd",
        init="zero",
        shared_trees=True,
        n_estimators=300,
    ).fit(X_train, y_train)
    errors = [np.mean(labels != y_test) for labels in model.staged_predict(X_test)]
    print(f"{name:>11}: {errors[-1]:.1%} errors after 300 trees")
    ax.plot(range(1, 301), errors, label=name)
ax.set(title="A fifth of the labels is wrong", xlabel="trees", ylabel="test error")
ax.legend(ncols=2)
plt.show()

# %%
# All learn from wrong labels; the difference is how far they believe them. The steep
# losses are fast and then follow the wrong rows: the squared error soonest, as it also
# punishes margins above 1. The logistic loss is hardly disturbed. The sigmoid is slow:
# its slope is small, and smallest where the answers are most wrong.
