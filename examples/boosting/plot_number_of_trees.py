"""
How many trees?
===============

The training loss falls with every tree; the loss on other rows falls, and then rises
again. One fit shows both at every number of trees, and early stopping keeps the best
number by itself.
"""

# %%
# One fit, every number of trees
# ------------------------------
# Friedman's function of ten features, five of which are noise. With ``X_val`` the loss
# on the validation rows is noted after each tree. Without ``n_iter_no_change`` all
# trees are kept.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_friedman1
from sklearn.model_selection import train_test_split

from skdl.boosting import GradientBoostingRegressor
from skdl.inspection import LossCurveDisplay

X, y = make_friedman1(6000, noise=3.0, random_state=0)
X_train, X_rest, y_train, y_rest = train_test_split(
    X, y, train_size=1000, random_state=0
)
X_val, X_test, y_val, y_test = train_test_split(
    X_rest, y_rest, train_size=1000, random_state=0
)

full = GradientBoostingRegressor(n_estimators=300, random_state=0)
full.fit(X_train, y_train, X_val=X_val, y_val=y_val)
print(f"{full.n_estimators_} trees are kept; the best number is {full.best_iteration_}")

# %%
# ``staged_predict`` gives the predictions after each tree, for any metric on any rows:
# here, R² on test rows that had no say in the choice.

scores = [
    1 - np.mean((y_test - prediction) ** 2) / np.var(y_test)
    for prediction in full.staged_predict(X_test)
]
best = full.best_iteration_
print(f"R² on test rows: {scores[best - 1]:.3f} after {best} trees, ", end="")
print(f"{scores[-1]:.3f} after all")

fig, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
LossCurveDisplay.from_estimator(full, ax=left)
left.set(title="The loss, tree by tree", xlabel="trees", ylim=(0, 12))
right.plot(np.arange(1, 301), scores, color="C2")
right.set(title="R² on test rows", xlabel="trees", ylabel="R²", ylim=(0.5, 0.7))
for ax in (left, right):
    ax.axvline(best, color="0.5", lw=1, ls="--", zorder=0)
plt.show()

# %%
# Early stopping
# --------------
# With ``n_iter_no_change`` training stops once as many trees have brought nothing, and
# only the best number is kept. ``scoring`` may name another metric than the loss.
# Without ``X_val``, a tenth of the training rows is held out.

early = GradientBoostingRegressor(
    n_estimators=1000, n_iter_no_change=20, random_state=0
)
early.fit(X_train, y_train, X_val=X_val, y_val=y_val)
print(f"Stopped after {len(early.train_score_)} trees, kept {early.n_estimators_}")

early.set_params(scoring="neg_mean_absolute_error")
early.fit(X_train, y_train, X_val=X_val, y_val=y_val)
print(f"By the mean absolute error, kept {early.n_estimators_}")

# %%
# The callback ``EarlyStopping`` does so by any entry of ``history_``, and leaves the
# parameters of the model alone.

from skdl.callbacks import EarlyStopping

watched = GradientBoostingRegressor(n_estimators=1000, random_state=0)
watched.set_callbacks(EarlyStopping("val_loss", patience=20))
watched.fit(X_train, y_train, X_val=X_val, y_val=y_val)
print(f"By the callback, kept {watched.n_estimators_}")

# %%
# The rate goes with the number
# -----------------------------
# The number of trees is no parameter to be chosen alone: a fifth of the learning rate
# needs five times the trees. A large rate ends higher, and is soon past its best; with
# a small one the curve is flat around its minimum, so that the number hardly matters.
# Below 0.1 nothing is gained here but patience. So take a rate that you can afford, and
# let early stopping find the number.

models = {}
for rate in [0.5, 0.1, 0.02]:
    model = GradientBoostingRegressor(
        learning_rate=rate, n_estimators=2000, n_iter_no_change=50, random_state=0
    )
    models[f"η = {rate}"] = model.fit(X_train, y_train, X_val=X_val, y_val=y_val)
    print(f"η = {rate:<4}: {model.n_estimators_:>3} trees, R² on test rows ", end="")
    print(f"{model.score(X_test, y_test):.3f}")

_, ax = plt.subplots(figsize=(8, 4.4), layout="constrained")
LossCurveDisplay.from_estimator(models, curves=["val_loss"], ax=ax, linestyle="-")
for i, model in enumerate(models.values()):
    best = model.best_iteration_
    ax.plot(best, model.history_["val_loss"][best - 1], "o", color=f"C{i}")
ax.set(
    xscale="log",
    ylim=(5.5, 12),
    xlabel="trees",
    title="Three learning rates; dots: what is kept",
)
plt.show()

# %%
# Watching a fit, and its threads
# -------------------------------
# ``verbose=1`` prints a line for the first ten trees and every tenth after them, with
# the time and what the validation rows say; ``n_jobs`` is the number of threads, on
# which the trees do not depend. The first fit after installing compiles for some
# seconds, and says so; ``skdl.compile()`` does it ahead, in the image of a container
# for example.

watched = GradientBoostingRegressor(
    n_estimators=60, n_iter_no_change=10, verbose=1, n_jobs=2, random_state=0
)
watched.fit(X_train, y_train, X_val=X_val, y_val=y_val)
same = watched.set_params(n_jobs=1, verbose=0)
print(f"R² on test rows with one thread: {same.score(X_test, y_test):.3f}")
