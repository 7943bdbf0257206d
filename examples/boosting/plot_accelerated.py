"""
Momentum for boosting
=====================

If boosting is gradient descent in the space of functions, then what makes descent
faster there makes boosting better at the same number of trees: momentum, Nesterov's
accelerated form of it, and second derivatives.
"""

# %%
# Four step rules, one rate
# -------------------------
# A step rule works in boosting if its step is a linear combination of the gradients so
# far: then the model is the same combination of the fitted trees. All four are given
# the same data, rate and tree size. What they have learned is measured on other rows.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_hastie_10_2
from sklearn.model_selection import train_test_split

from skdl.boosting import GradientBoostingClassifier
from skdl.inspection import LossCurveDisplay

X, y = make_hastie_10_2(12_000, random_state=0)
X_train, X_val, y_train, y_val = train_test_split(X, y, train_size=4000, random_state=0)

models = {}
for rule in ["gd", "newton", "momentum", "nesterov"]:
    model = GradientBoostingClassifier(
        optimizer=rule, learning_rate=0.05, n_estimators=200, random_state=0
    )
    models[rule] = model.fit(X_train, y_train, X_val=X_val, y_val=y_val)

# %%
# "gd" fits trees to the residuals y − p. "newton" also divides by the curvature of the
# loss in each leaf. Momentum adds to each step 0.9 of the one before, and so becomes up
# to ten times as long while the trees agree on the direction.

for rule, model in models.items():
    curve = np.array(model.history_["val_loss"])
    enough = np.flatnonzero(curve <= 0.4)
    when = f"0.4 after {enough[0] + 1:>3} trees" if len(enough) else "0.4 not reached"
    print(f"{rule:>8}: lowest validation loss {curve.min():.3f}, {when}")

_, ax = plt.subplots(figsize=(8, 4.5), layout="constrained")
LossCurveDisplay.from_estimator(models, curves=["val_loss"], ax=ax, linestyle="-")
ax.set(xlabel="trees", title="At the same rate, 0.05")
plt.show()

# %%
# A fair race
# -----------
# Ten times the step may be all that momentum is. So each rule gets its own rate, the
# best of four on the validation data. Those of "gd" are the largest: the log loss has
# a curvature of at most ¼, so a step of 4 is not yet too long. Newton's steps have the
# curvature in them, and 1 is a full one.

rates = {
    "gd": [1.0, 2.0, 4.0, 8.0],
    "newton": [0.1, 0.3, 0.6, 1.0],
    "momentum": [0.1, 0.3, 0.6, 1.0],
    "nesterov": [0.1, 0.3, 0.6, 1.0],
}
found = {}
for rule in rates:
    runs = []
    for rate in rates[rule]:
        model = GradientBoostingClassifier(
            optimizer=rule, learning_rate=rate, n_estimators=100, random_state=0
        )
        runs.append(model.fit(X_train, y_train, X_val=X_val, y_val=y_val))
    best = min(runs, key=lambda model: min(model.history_["val_loss"]))
    found[rule] = best
    print(f"{rule:>8}: rate {best.learning_rate}, ", end="")
    print(f"lowest validation loss {min(best.history_['val_loss']):.3f}")

_, ax = plt.subplots(figsize=(8, 4.5), layout="constrained")
LossCurveDisplay.from_estimator(found, curves=["val_loss"], ax=ax, linestyle="-")
ax.set(xlabel="trees", title="Each at its own best rate")
plt.show()

# %%
# Most of the lead was the length of the step: with a long one, plain boosting keeps up.
# What remains is smaller. Nesterov's rule is a little ahead of momentum, as it looks
# where it is going, and the curvature, leaf by leaf, is worth more than either. That is
# why "newton" is the default.
#
# A rule as an object
# -------------------
# A name such as "newton" stands for an object of that rule, here ``NewtonStep``. With
# ``learning_rate=None`` beside it the object's own rate counts, and that may be a
# schedule.

from skdl.boosting import NewtonStep
from skdl.schedules import Cosine

rules = {
    "η = 0.6": NewtonStep(learning_rate=0.6),
    "η = 1": NewtonStep(learning_rate=1.0),
    "from 1 to 0": NewtonStep(learning_rate=Cosine(1.0)),
}
models = {}
for name, rule in rules.items():
    model = GradientBoostingClassifier(
        optimizer=rule, learning_rate=None, n_estimators=100, random_state=0
    )
    models[name] = model.fit(X_train, y_train, X_val=X_val, y_val=y_val)
    curve = model.history_["val_loss"]
    print(f"{name:>11}: lowest {min(curve):.3f}, at the end {curve[-1]:.3f}")

_, ax = plt.subplots(figsize=(8, 4.5), layout="constrained")
LossCurveDisplay.from_estimator(models, curves=["val_loss"], ax=ax, linestyle="-")
ax.set(xlabel="trees", title="Newton's rule with three rates")
plt.show()

# %%
# A full step, η = 1, is quicker at first and no better in the end. Falling along half a
# cosine, the rate is spent before the loss has stopped falling: falling rates are made
# for the noise of mini-batches, and here there is none.
