"""
Quickstart
==========

A network in a scikit-learn ``Pipeline``, in a ``GridSearchCV``: skdl's estimators are
scikit-learn estimators, so everything that you know from there works as it is. The data
are the 1,797 handwritten digits that come with scikit-learn.
"""

# %%
# A pipeline with a network at its end
# ------------------------------------
# ``early_stopping=True`` puts a tenth of the training data aside and keeps the weights
# of the epoch that was best on it, here by the loss. Data in single precision stay in
# single precision, which is faster.

from time import perf_counter

from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler

from skdl import MLPClassifier
from skdl.inspection import LossCurveDisplay

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X.astype("float32"), y, stratify=y, random_state=3
)
model = Pipeline(
    [
        ("scale", MinMaxScaler()),
        (
            "net",
            MLPClassifier(
                hidden_layer_sizes=(200,),
                dropout=0.3,
                batch_size=32,
                early_stopping=True,
                max_iter=500,
                random_state=0,
            ),
        ),
    ]
)

# %%
# A grid over optimizers and their learning rates
# -----------------------------------------------
# ``optimizer`` is a name, and ``optimizer__learning_rate`` reaches inside: no optimizer
# object is needed.

grid = {
    "net__optimizer": ["nesterov", "adam"],
    "net__optimizer__learning_rate": [3e-3, 1e-2, 3e-2],
}
start = perf_counter()
search = GridSearchCV(model, grid, cv=3, n_jobs=-1, verbose=3).fit(X_train, y_train)
seconds = perf_counter() - start
accuracy = search.score(X_test, y_test)

n_fits = 3 * len(search.cv_results_["params"]) + 1
print("Best settings:")
for name, value in search.best_params_.items():
    print(f"  {name} = {value!r}")
print(f"Held-out accuracy: {accuracy:.4f} on {len(y_test)} images")
print(f"Time: {seconds:.1f} s for {n_fits} fits")

# %%
# The learning curve
# ------------------
# The best pipeline was fitted once more to all of the training data. Its network kept a
# history; the dot marks the epoch whose weights were kept.

display = LossCurveDisplay.from_estimator(search.best_estimator_, log=True)
display.ax_.set_title(f"Digits, accuracy {accuracy:.1%} on held-out images")
display.figure_.savefig("loss_curve.png", dpi=120)
print("Picture: loss_curve.png")
