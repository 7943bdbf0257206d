"""
Quantile bands
==============

A prediction says more with a band around it. The loss "quantile" aims at any quantile
of what can be expected, and one booster serves several quantiles at once.
"""

# %%
# Three quantiles, one model
# --------------------------
# The noise grows to the right and is skewed: it has a long tail upwards. The model
# learns 0.05, 0.5 and 0.95; ``predict`` then has a column for each.

import matplotlib.pyplot as plt
import numpy as np

from skdl.boosting import GradientBoostingRegressor
from skdl.losses import Quantile

rng = np.random.default_rng(0)


def draw(n):
    x = rng.uniform(0, 10, n)
    noise = (0.1 + 0.1 * x) * (rng.gamma(2, size=n) - 1.5)
    return x[:, None], np.sin(x) + 0.3 * x + noise


X, y = draw(2000)
X_new, y_new = draw(20_000)
levels = [0.05, 0.5, 0.95]

model = GradientBoostingRegressor(
    loss=Quantile(levels), max_depth=3, min_samples_leaf=40, n_estimators=100
).fit(X, y)
below = y_new[:, None] <= model.predict(X_new)
for level, share in zip(levels, below.mean(axis=0), strict=True):
    print(f"quantile {level:.2f}: {share:.3f} of new rows are below")
print(f"In the band of 90 %: {np.mean(below[:, 2] & ~below[:, 0]):.3f}")

# %%
# A band from the mean and the spread of its errors, for comparison, is as wide at the
# left as at the right. Over all rows it covers as many as it should; but too many
# where the noise is small, and too few where it is large.

mean = GradientBoostingRegressor(
    max_depth=3, min_samples_leaf=40, n_estimators=100
).fit(X, y)
width = 1.645 * np.std(y - mean.predict(X))


def coverage(low, high, x=X_new[:, 0], n_parts=10):
    inside = (y_new > low) & (y_new <= high)
    part = np.minimum((x * n_parts / 10).astype(int), n_parts - 1)
    return np.bincount(part, inside) / np.bincount(part)


prediction = model.predict(X_new)
centre = mean.predict(X_new)
of_quantiles = coverage(prediction[:, 0], prediction[:, 2])
of_mean = coverage(centre - width, centre + width)
print(f"Quantiles:     {of_quantiles.min():.2f} to {of_quantiles.max():.2f} covered")
print(f"Mean ± spread: {of_mean.min():.2f} to {of_mean.max():.2f} covered")

grid = np.linspace(0, 10, 1000)[:, None]
low, middle, high = model.predict(grid).T
fig, (left, right) = plt.subplots(
    1, 2, figsize=(11, 4.4), width_ratios=[3, 2], layout="constrained"
)
left.plot(X, y, ".", color="0.6", ms=2.5)
left.fill_between(grid[:, 0], low, high, color="C0", alpha=0.3, label="0.05 to 0.95")
left.plot(grid, middle, color="C0", label="0.5")
left.plot(grid, mean.predict(grid) - width, "C1--", lw=1.2, label="mean ± spread")
left.plot(grid, mean.predict(grid) + width, "C1--", lw=1.2)
left.set(title="Two bands of 90 %", xlabel="x", ylabel="y", xlim=(0, 10))
left.legend(loc="upper left")
where = np.arange(10) + 0.5
right.axhline(0.9, color="0.6", lw=1, ls="--", label="wanted")
right.plot(where, of_quantiles, "o-", color="C0", label="quantiles")
right.plot(where, of_mean, "s-", color="C1", label="mean ± spread")
right.set(title="Coverage of new rows", xlabel="x", ylabel="share inside")
right.legend(loc="lower left")
plt.show()
