"""
AdaBoost: error, bound and margins
==================================

AdaBoost fits learner after learner to rows that weigh more the more often they were
wrong. Two facts made it famous: the training error lies under a bound that falls with
every learner better than chance, and the test error often goes on falling after the
training error has stopped. The margins show why.
"""

# %%
# Stumps on Hastie's data
# -----------------------
# Ten normal features; the class is +1 where their sum of squares is above its median.
# The learners are stumps, trees with a single split: each sees one feature, and asks
# whether it is above a threshold. ``AdaBoostClassifier`` has ``AdaBoost`` for a short
# name.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_hastie_10_2

from skdl.boosting import AdaBoostClassifier

X, y = make_hastie_10_2(12_000, random_state=0)
X_train, X_test, y_train, y_test = X[:2000], X[2000:], y[:2000], y[2000:]

model = AdaBoostClassifier(n_estimators=400).fit(X_train, y_train)
train = 1 - np.array(list(model.staged_score(X_train, y_train)))
test = 1 - np.array(list(model.staged_score(X_test, y_test)))
bound = model.training_error_bound_

# %%
# A stump with weighted error ε multiplies the bound by 2√(ε(1−ε)), which is below 1 for
# each ε other than one half. The stumps are poor, and poorer the longer it goes on, as
# the weights gather on what is hard; the product falls all the same.

errors = model.estimator_errors_
product = np.cumprod(2 * np.sqrt(errors * (1 - errors)))
print(f"Error of the first stump: {errors[0]:.3f}, of the last: {errors[-1]:.3f}")
print(f"Bound after 400: {bound[-1]:.3f}; the product: {product[-1]:.3f}")
print(f"Training error after 400: {train[-1]:.3f}, test error {test[-1]:.3f}")
print("The bound holds at each stage:", bool(np.all(train <= bound)))

rounds = np.arange(1, 401)
fig, (left, right) = plt.subplots(
    1, 2, figsize=(11, 4.2), width_ratios=[3, 2], layout="constrained"
)
left.fill_between(rounds, bound, 1, color="0.92", lw=0)
left.plot(rounds, bound, "k", label="bound of the training error")
left.plot(rounds, test, color="C1", label="test error")
left.plot(rounds, train, color="C0", label="training error")
left.set(xlabel="stumps", ylabel="error", ylim=(0, 1.02), xlim=(1, 400))
left.set_title("The sum")
left.legend()
right.axhline(0.5, color="0.7", lw=1, ls="--")
right.plot(rounds, errors, ".", ms=3)
right.set(title="Each stump", xlabel="stump", ylabel="weighted error ε")
plt.show()

# %%
# ``verbose=1`` prints such numbers while a fit runs, of the first ten learners and of
# every tenth after them: the weighted error ε, and the weight α that the learner's vote
# gets for it. ``verbose=2`` prints them of each.

watched = AdaBoostClassifier(n_estimators=50, verbose=1).fit(X_train, y_train)
alpha = np.log((1 - watched.estimator_errors_) / watched.estimator_errors_)
print("ln((1−ε)/ε) is α:", bool(np.allclose(alpha, watched.estimator_weights_)))

# %%
# Margins
# -------
# The vote of the stumps, weighted by α and times y, is the margin of a row: 1 where all
# are right about it, negative where the answer is wrong. ``decision_function`` of two
# classes has twice that range, as in scikit-learn.
#
# With m = ½ Σ ±α, the same before it is divided by the sum of the weights, the mean of
# e^−m over the rows is the bound itself, and each stump is a step downhill on it. It
# pushes hardest where m is most negative: the left end of the distribution is drawn in
# from stage to stage, at the price of margins that were large.

stages = [5, 25, 100, 400]
sums = np.cumsum(model.estimator_weights_)
colors = plt.colormaps["viridis"](np.linspace(0.85, 0.1, len(stages)))
share = np.arange(1, len(y_train) + 1) / len(y_train)
decisions = list(model.staged_decision_function(X_train))

fig, (left, right) = plt.subplots(
    1, 2, figsize=(11, 4.2), sharey=True, layout="constrained"
)
for k, color in zip(stages, colors, strict=True):
    margin = y_train * decisions[k - 1] / 2
    m = margin * sums[k - 1] / 2
    print(f"{k:>3} stumps: mean of exp(−m) {np.mean(np.exp(-m)):.4f}, ", end="")
    print(f"bound {bound[k - 1]:.4f}, {np.mean(m <= 0):.1%} with m ≤ 0")
    left.step(np.sort(margin), share, where="post", color=color, label=f"{k} stumps")
    right.step(np.sort(m), share, where="post", color=color, label=f"{k} stumps")
for ax in (left, right):
    ax.axvline(0, color="0.5", lw=1, ls="--")
left.set(title="Mean of the votes", xlabel="margin", ylabel="share of rows below")
left.set_xlim(-0.45, 0.6)
right.set(title="Half their sum", xlabel="m", xlim=(-1, 2))
right.legend(loc="upper left")
plt.show()

# %%
# After the last error
# --------------------
# With trees of five levels the training error is soon zero. There are no errors left to
# correct, yet the margins of the rows nearest to the edge go on growing, and the test
# error goes on falling.

deep = AdaBoostClassifier(max_depth=5, n_estimators=400).fit(X_train, y_train)
train = 1 - np.array(list(deep.staged_score(X_train, y_train)))
test = 1 - np.array(list(deep.staged_score(X_test, y_test)))
edge = [
    np.quantile(y_train * decision / 2, 0.05)
    for decision in deep.staged_decision_function(X_train)
]
last = int(np.flatnonzero(train)[-1]) + 1
print(f"Last training error after {last} trees; there, test error {test[last]:.3f}")
print(f"After 400 trees: test error {test[-1]:.3f}")

fig, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
left.plot(rounds, test, color="C1", label="test error")
left.plot(rounds, train, color="C0", label="training error")
left.set(title="Trees of five levels", xlabel="trees", ylabel="error")
right.plot(rounds, edge, color="C0")
right.set(title="Margin that 5 % of the training rows are below", xlabel="trees")
right.set_ylabel("margin")
for ax in (left, right):
    ax.axvline(last, color="0.5", lw=1, ls="--", label="last training error")
    ax.set_xscale("log")
left.legend()
plt.show()
