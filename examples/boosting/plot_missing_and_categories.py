"""
Missing values and categories in a DataFrame
============================================

Trees need neither imputation nor one-hot columns: missing values take the side of a
split that suits them, learned split by split, and a categorical column is divided into
two sets of categories.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.model_selection import cross_val_score

from skdl import GradientBoostingRegressor
from skdl.inspection import TreeDisplay, export_text

# %%
# Rents, with gaps
# ----------------
# Older flats tend to have no recorded year, so that a gap is information of its own.

rng = np.random.default_rng(0)
n = 2000
districts = np.array([f"district {letter}" for letter in "ABCDEFGHIJKL"])
district = rng.integers(0, 12, n)
level = rng.permutation(12)
year = rng.integers(1890, 2021, n).astype(float)
area = rng.gamma(8.0, 9.0, n)
rent = 6 + 0.5 * level[district] + 0.04 * np.maximum(year - 1950, 0) - 0.01 * area
rent += rng.normal(scale=0.7, size=n)
year[(year < 1950) & (rng.random(n) < 0.7)] = np.nan
frame = pd.DataFrame(
    {
        "district": pd.Categorical(districts[district]),
        "year": year,
        "area": np.where(rng.random(n) < 0.1, np.nan, area),
    }
)

# %%
# Straight into the model
# -----------------------

model = GradientBoostingRegressor(min_samples_leaf=10, monotonic_cst={"area": -1})
as_numbers = frame.assign(district=district)
for name, booster, data in (
    ("categories, missing values", model, frame),
    (
        "district as a number",
        GradientBoostingRegressor(min_samples_leaf=10),
        as_numbers,
    ),
    ("scikit-learn's histogram booster", HistGradientBoostingRegressor(), frame),
):
    scores = cross_val_score(booster, data, rent)
    print(f"{name:33s} R² {scores.mean():.3f}")

# %%
# The first tree asks for sets of districts
# -----------------------------------------
# Codes number the categories in their sorted order.

model.fit(frame, rent)
print(export_text(model, max_depth=2))
TreeDisplay.from_estimator(model)

plt.show()
