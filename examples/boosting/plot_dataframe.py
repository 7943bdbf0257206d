"""
Missing values and categories in a DataFrame
============================================

Trees need no imputation and no one-hot columns. A missing value goes to the side of a
split where its rows fit better, and a categorical column is split into two sets of
categories. A DataFrame with both goes straight into ``fit``.
"""

# %%
# Rents, with gaps
# ----------------
# Flats of 24 districts. Rents rise with the year of construction, but old flats are
# liked again; and of those, the year is mostly not on record: a gap is information of
# its own.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

rng = np.random.default_rng(0)
n = 3000
names = np.array(list("ABCDEFGHIJKLMNOPQRSTUVWX"))
district = rng.integers(24, size=n)
level = rng.normal(scale=1.5, size=24)
year = rng.integers(1890, 2021, size=n).astype(float)
area = rng.gamma(8, 9, size=n)
heating = rng.choice(["gas", "district", "oil"], size=n, p=[0.5, 0.3, 0.2])

rent = 9 + level[district] + 0.04 * np.maximum(year - 1950, 0) - 0.01 * area
rent += np.where(year < 1930, 1.5, 0) - np.where(heating == "oil", 0.8, 0)
rent += rng.normal(scale=0.7, size=n)

X = pd.DataFrame(
    {
        "district": pd.Categorical(names[district]),
        "heating": pd.Categorical(heating),
        "year": np.where((year < 1930) & (rng.random(n) < 0.8), np.nan, year),
        "area": np.where(rng.random(n) < 0.1, np.nan, area),
    }
)
print(X.head())
print("\nMissing:", X.isna().mean().round(2).to_dict())

# %%
# With and without preparation
# ----------------------------
# The same booster, once on the DataFrame as it is and once in a Pipeline that imputes
# medians and makes one-hot columns, the usual preparation.

from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from skdl.boosting import GradientBoostingRegressor

model = GradientBoostingRegressor(min_samples_leaf=10, random_state=0)
prepare = make_column_transformer(
    (
        OneHotEncoder(sparse_output=False, handle_unknown="ignore"),
        make_column_selector(dtype_include="category"),
    ),
    remainder=SimpleImputer(strategy="median"),
)
contenders = {
    "as it is": model,
    "imputed, one-hot": make_pipeline(prepare, model),
}
scores = {}
for n_trees in [25, 50, 100, 200]:
    model.set_params(n_estimators=n_trees)
    for name, contender in contenders.items():
        result = cross_validate(contender, X, rent, cv=3)
        scores.setdefault(name, {})[n_trees] = result["test_score"].mean()
print(pd.DataFrame(scores).rename_axis("trees").round(3))

_, ax = plt.subplots(figsize=(7, 4), layout="constrained")
for name, by_trees in scores.items():
    ax.plot(list(by_trees), list(by_trees.values()), "o-", label=name)
ax.set(xlabel="trees", ylabel="R², cross-validated", xticks=[25, 50, 100, 200])
ax.set_title("The same booster, two ways to give it the data")
ax.legend()
plt.show()

# %%
# One split of the categories tells half of the districts from the others; a one-hot
# column tells one from all others, so that tree after tree is spent on single
# districts. With 200 trees they get there, when the other is past its best. And the
# median puts flats without a year among those of about 1970, whose rents are low.
#
# What it learned
# ---------------
# `feature_importances_` are the shares of the columns in what the splits have gained.
# The first tree, drawn and printed, asks for sets of districts, then for the year; a
# set holds the districts that can still be there.
# Flats without a year go with those built after 1978, whose rents are nearer to theirs.

from skdl.inspection import FeatureImportanceDisplay, TreeDisplay, export_text

model.set_params(n_estimators=100).fit(X, rent)
FeatureImportanceDisplay.from_estimator(model, name="Gain by column")
plt.show()

# %%
TreeDisplay.from_estimator(model, decimals=2)
plt.show()
print(export_text(model, max_depth=1, decimals=2))

# %%
# New data
# --------
# Categories that were not there in fit count as missing. Columns are known by their
# names, so that a DataFrame with others is refused.

new = pd.DataFrame(
    {
        "district": pd.Categorical(["D", "Z", None]),
        "heating": pd.Categorical(["gas", "gas", "wood"]),
        "year": [1975.0, np.nan, 2015.0],
        "area": [70.0, 55.0, np.nan],
    }
)
print(new.assign(rent=model.predict(new).round(1)))
