"""
How many trees? Ask validation data
===================================

Every booster overfits in the end. With ``X_val`` and ``n_iter_no_change`` training
stops once the validation loss has not improved for some rounds, and the best round is
what the model keeps.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

from skdl import GradientBoostingClassifier
from skdl.inspection import (
    FeatureImportanceDisplay,
    LossCurveDisplay,
    TreeDisplay,
    export_text,
)

data = load_breast_cancer(as_frame=True)
X, X_test, y, y_test = train_test_split(data.data, data.target, random_state=0)
X_train, X_val, y_train, y_val = train_test_split(X, y, random_state=0)

model = GradientBoostingClassifier(
    n_estimators=500, max_depth=2, n_iter_no_change=30, tol=0.0
).fit(X_train, y_train, X_val=X_val, y_val=y_val)
display = LossCurveDisplay.from_estimator(model, log=True)
display.ax_.axvline(model.best_iteration_, color="0.6", ls=":")
print(
    f"{len(model.train_score_)} trees grown, {model.n_estimators_} kept, "
    f"test accuracy {model.score(X_test, y_test):.3f}"
)

# %%
# What it looks at
# ----------------

FeatureImportanceDisplay.from_estimator(model, max_features=8)
print(export_text(model))

# %%
# The first tree
# --------------

TreeDisplay.from_estimator(model)

plt.show()
