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
# whether it is above a threshold.

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
right.set(
    title="Each stump", xlabel="stump", ylabel="weighted error ε", ylim=(0.35, 0.51)
)
plt.show()

# %%
# Margins
# -------
# The decision function is the weighted mean of the votes, between −1 and 1; times y it
# is the margin of a row. Errors are the rows left of 0. AdaBoost descends the mean of
# e^−m of the margins of the sum, and so pushes those far on the wrong side hardest:
# the distribution is drawn together from the left, and the rows it pulls across 0 are
# the ones the training error is made of.

stages = [1, 5, 50, 400]
margins = {
    k: y_train * decisions
    for k, decisions in enumerate(model.staged_decision_function(X_train), start=1)
    if k in stages
}
fig, (left, right) = plt.subplots(
    1, 2, figsize=(11, 4.2), sharex=True, layout="constrained"
)
colors = plt.colormaps["viridis"](np.linspace(0.85, 0.1, len(stages)))
share = np.arange(1, len(y_train) + 1) / len(y_train)
for (k, margin), color in zip(margins.items(), colors, strict=True):
    label = f"{k} stumps" if k > 1 else "1 stump"
    left.step(np.sort(margin), share, where="post", color=color, label=label)
    if k >= 50:
        right.hist(margin, np.linspace(-1, 1, 61), color=color, alpha=0.6, label=label)
for ax in (left, right):
    ax.axvline(0, color="0.5", lw=1, ls="--")
    ax.set(xlim=(-1, 1), xlabel="margin")
left.set(title="Distribution of the margins", ylabel="share of rows below")
left.legend(loc="upper left")
right.set(title="As histograms", ylabel="training rows")
right.legend(loc="upper left")
plt.show()

# %%
# Deeper trees
# ------------
# With trees of three levels the training error is soon zero. Nothing is left to
# correct, yet the margins of the rows nearest the edge go on growing, and the test
# error goes on falling.

deep = AdaBoostClassifier(max_depth=3, n_estimators=400).fit(X_train, y_train)
train = 1 - np.array(list(deep.staged_score(X_train, y_train)))
test = 1 - np.array(list(deep.staged_score(X_test, y_test)))
smallest = [
    np.quantile(y_train * decisions, 0.05)
    for decisions in deep.staged_decision_function(X_train)
]
first = int(np.argmax(train == 0))
print(f"Training error 0 from tree {first + 1} on; there, test error {test[first]:.3f}")
print(f"After 400 trees: test error {test[-1]:.3f}")

fig, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
left.plot(rounds, test, color="C1", label="test error")
left.plot(rounds, train, color="C0", label="training error")
left.set(title="Three levels", xlabel="trees", ylabel="error", xscale="log")
right.plot(rounds, smallest, color="C0")
right.set(title="5 % of the margins are smaller", xlabel="trees", ylabel="margin")
right.set(xscale="log")
for ax in (left, right):
    ax.axvline(first + 1, color="0.5", lw=1, ls="--")
left.legend()
plt.show()
