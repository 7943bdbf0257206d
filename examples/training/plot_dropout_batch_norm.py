"""
Dropout and batch normalisation
===============================

Two layers that behave differently while training and while predicting. Dropout keeps a
network from learning a small data set by heart; batch normalisation lets a deep one be
trained at all. Both are shown on scikit-learn's digits.
"""

# %%
# Dropout against learning by heart
# ---------------------------------
# 600 images are for training, and one in five of them gets a random label: there is
# something that had better not be learnt by heart. 300 are for validation and the rest
# for the test, all with their true labels. While training, ``dropout`` silences a
# random half of the hidden units in each step, and no unit can rely on any other one;
# for prediction all of them speak.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skdl import MLPClassifier
from skdl.inspection import LossCurveDisplay

X, y = load_digits(return_X_y=True)
X = X.astype("float32") / 16
X_train, X_rest, y_train, y_rest = train_test_split(
    X, y, train_size=600, stratify=y, random_state=0
)
X_val, X_test, y_val, y_test = train_test_split(
    X_rest, y_rest, train_size=300, stratify=y_rest, random_state=0
)
rng = np.random.default_rng(0)
y_noisy = np.where(rng.random(600) < 0.2, rng.integers(10, size=600), y_train)

# %%
# Training stops when the validation loss has not improved for 30 epochs, and the
# weights of its best epoch, the dot in the picture, are kept.


def fit(y_train, **settings):
    net = MLPClassifier(
        batch_size=32,
        early_stopping=True,
        n_iter_no_change=30,
        max_iter=500,
        random_state=0,
        **settings,
    )
    return net.fit(X_train, y_train, X_val=X_val, y_val=y_val)


def report(nets):
    for name, net in nets.items():
        print(
            f"{name:>20}: accuracy {net.score(X_test, y_test):.3f} on held-out images,"
            f" best of {net.n_iter_} epochs was {net.best_epoch_}"
        )


nets = {
    "no dropout": fit(y_noisy, hidden_layer_sizes=(200, 200)),
    "dropout=0.5": fit(y_noisy, hidden_layer_sizes=(200, 200), dropout=0.5),
}
report(nets)

_, ax = plt.subplots(figsize=(7, 4.5), layout="constrained")
LossCurveDisplay.from_estimator(nets, ax=ax)
ax.set(
    title="Dropout where a fifth of the training labels is random",
    ylabel="cross-entropy",
)

# %%
# Without dropout the training loss goes on falling long after the validation loss has
# turned. With dropout the training loss is the larger of the two: it is measured with
# half of the units silent.
#
# Batch normalisation for depth
# -----------------------------
# Sigmoid layers on top of each other starve: each hands on at most a quarter of the
# gradient. ``batch_norm=True`` gives the input of each activation mean 0 and variance 1
# over the mini-batch, and a scale and a shift that are learnt. For prediction, moving
# averages take the place of the batch's own statistics.

nets = {
    "plain": fit(y_train, hidden_layer_sizes=(64,) * 4, activation="sigmoid"),
    "batch_norm=True": fit(
        y_train, hidden_layer_sizes=(64,) * 4, activation="sigmoid", batch_norm=True
    ),
}
report(nets)

_, ax = plt.subplots(figsize=(7, 4.5), layout="constrained")
LossCurveDisplay.from_estimator(nets, ax=ax, log=True)
ax.set(title="Batch normalisation, four sigmoid layers", ylabel="cross-entropy")
plt.show()
