"""
Quantile bands
==============

The pinball loss leads to a quantile in place of the mean. With several levels, one
model predicts them all: a band that widens where the noise does.
"""

import matplotlib.pyplot as plt
import numpy as np

from skdl import GradientBoostingRegressor
from skdl.losses import Quantile

rng = np.random.default_rng(0)
x = np.sort(rng.uniform(0, 10, 2000))
y = x * np.sin(x) + (0.3 + 0.4 * x) * rng.normal(size=2000)

model = GradientBoostingRegressor(
    loss=Quantile([0.05, 0.5, 0.95]),
    n_estimators=150,
    max_depth=3,
    min_samples_leaf=20,
).fit(x[:, None], y)

grid = np.linspace(0, 10, 500)
low, middle, high = model.predict(grid[:, None]).T

figure, ax = plt.subplots()
ax.plot(x, y, ".", color="0.75", markersize=3)
ax.fill_between(grid, low, high, alpha=0.3, label="5 % to 95 %")
ax.plot(grid, middle, label="median")
ax.legend()

# %%
# Does the band keep its promise?
# -------------------------------
# On new data from the same source about nine in ten points should fall inside.

x_new = rng.uniform(0, 10, 5000)
y_new = x_new * np.sin(x_new) + (0.3 + 0.4 * x_new) * rng.normal(size=5000)
low, middle, high = model.predict(x_new[:, None]).T
print(f"inside the band: {np.mean((low <= y_new) & (y_new <= high)):.3f}")

plt.show()
