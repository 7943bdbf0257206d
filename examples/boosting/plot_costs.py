"""
Costs: positive and skewed
==========================

What a repair costs, how long a stay lasts: such targets are positive, and their spread
grows with their mean. The gamma loss is made for them. It works with ratios where the
squared error works with differences, and its predictions are means that add up.
"""

# %%
# Three ways to fit a mean
# ------------------------
# The mean cost is a product of three effects, from 0.2 to 50, and each cost is the mean
# times a gamma variable: twice the mean and a tenth of it are both common.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.compose import TransformedTargetRegressor
from sklearn.metrics import mean_gamma_deviance

from skdl.boosting import GradientBoostingRegressor
from skdl.losses import Gamma

rng = np.random.default_rng(0)


def draw(n):
    X = rng.uniform(-1, 1, size=(n, 6))
    mean = 3 * np.exp(1.5 * X[:, 0] + np.sin(3 * X[:, 1]) + 0.5 * (X[:, 2] > 0))
    return X, mean * rng.gamma(1.5, 1 / 1.5, size=n), mean


X, y, _ = draw(3000)
X_new, y_new, mean_new = draw(20_000)
print(f"Costs from {y.min():.4f} to {y.max():.0f}, median {np.median(y):.1f}")

# %%
# The common remedy for skewed targets is to fit the logarithm and to take the
# exponential of what is predicted. ``Gamma()``, or "gamma" by name, fits the mean of y
# itself; the sum of trees is the logarithm of the mean, so predictions are positive and
# the trees multiply.

settings = {"max_depth": 2, "min_samples_leaf": 20, "n_estimators": 150}
models = {
    "squared error": GradientBoostingRegressor(**settings),
    "squared error of ln y": TransformedTargetRegressor(
        GradientBoostingRegressor(**settings), func=np.log, inverse_func=np.exp
    ),
    "gamma": GradientBoostingRegressor(loss=Gamma(), **settings),
}
predictions = {}
for name, model in models.items():
    predictions[name] = prediction = model.fit(X, y).predict(X_new)
    share = np.mean(prediction <= 0)
    ratio = prediction.sum() / y_new.sum()
    deviance = mean_gamma_deviance(y_new, np.maximum(prediction, 0.01))
    print(f"{name:>21}: {share:.1%} not positive, ", end="")
    print(f"{ratio:.2f} of the true total, ", end="")
    print(f"gamma deviance {deviance:.2f}")

# %%
# The squared error gets the total about right, but follows the large costs: for cheap
# rows it says what it likes, also negative costs (raised to 0.01 for the deviance). The
# logarithm gets the ratios right and the total badly wrong: its mean is that of ln y,
# and the exponential of it is a geometric mean, which lies below the arithmetic one.
# The gamma loss gets both.

names = list(models)
edges = np.quantile(mean_new, np.linspace(0, 1, 11))
group = np.clip(np.searchsorted(edges, mean_new) - 1, 0, 9)
count = np.bincount(group)
centres = np.bincount(group, mean_new) / count
fig, (left, right) = plt.subplots(1, 2, figsize=(11, 4.4), layout="constrained")
left.axhline(1, color="0.6", lw=1, ls="--")
for name, prediction in predictions.items():
    ratio = np.bincount(group, prediction) / np.bincount(group, y_new)
    left.plot(centres, ratio, "o-", label=name)
    error = np.bincount(group, np.abs(np.maximum(prediction, 0.01) - mean_new)) / count
    right.plot(centres, error / centres, "o-", label=name)
left.set(xscale="log", xlabel="true mean, by tenths of the rows")
left.set(title="Predicted total over true total", ylim=(-0.4, 1.5))
right.set(xscale="log", xlabel="true mean, by tenths of the rows", ylim=(0, 1))
right.set_title("Mean distance to the true mean, as a share of it")
right.legend()
plt.show()
