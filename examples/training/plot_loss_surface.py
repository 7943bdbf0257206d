"""
The landscape around a network
==============================

A network has thousands of weights, and its loss cannot be drawn. Along two directions
it can: how wide the minimum is that training has found, and how it got there.
"""

# %%
# The way into the valley
# -----------------------
# `RecordPath` notes the weights while a network is trained. The two principal
# directions of this path show most of it: the picture says how much. The paths of three
# optimizers start from the same weights on the same digits.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skdl import MLPClassifier
from skdl.callbacks import RecordPath
from skdl.inspection import LossSurfaceDisplay

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X.astype("float32") / 16, y, stratify=y, train_size=700, random_state=0
)


def made(optimizer, max_iter, **settings):
    return MLPClassifier(
        (30,),
        optimizer=optimizer,
        max_iter=max_iter,
        n_iter_no_change="never",
        random_state=0,
        **settings,
    )


fig, axes = plt.subplots(1, 3, figsize=(13, 4.2), layout="constrained")
runs = {
    "SGD, batches of 10": ("sgd", 60, 10),
    "Adam, batches of 100": ("adam", 60, 100),
    "L-BFGS, whole sample": ("lbfgs", 60, "auto"),
}
for ax, (title, (optimizer, max_iter, batch_size)) in zip(
    axes, runs.items(), strict=True
):
    record = RecordPath()
    net = made(optimizer, max_iter, batch_size=batch_size).set_callbacks(record)
    net.fit(X_train, y_train)
    display = LossSurfaceDisplay.from_estimator(
        net, X_train, y_train, path=record.path_, directions="path", n_points=25, ax=ax
    )
    ax.set_title(f"{title}: loss {net.loss_:.3f}")
    length = np.linalg.norm(np.diff(record.path_, axis=0), axis=1).sum()
    away = np.linalg.norm(record.path_[-1] - record.path_[0])
    print(
        f"{title:>22}: {length:4.1f} long, ends {away:4.1f} from the start, "
        f"{display.explained:.1%} of it in the plane"
    )
plt.show()

# %%
# With so many weights, the way is nearly flat: a plane holds it. SGD and Adam make many
# small steps down the slope, across the contours, and are still on the way. L-BFGS goes
# ten times as far in as many epochs, down to the bottom.
#
# How wide is the minimum?
# ------------------------
# Random directions show the surroundings. Each is *filter-normalised*: what leads to a
# unit gets a direction as long as its own weights. Without this, a network with large
# weights would look flat beside one with small weights that computes the same. Here a
# deep network of sigmoids, without batch normalisation and with it, and the same
# contours for both. On the left is a plain, on which the gradients of a deep stack of
# sigmoids starve; normalised, the same layers lie in a funnel.

fig, axes = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
levels = np.geomspace(0.02, 4, 18)
for ax, batch_norm in zip(axes, (False, True), strict=True):
    net = MLPClassifier(
        (20, 20, 20, 20),
        "sigmoid",
        batch_norm=batch_norm,
        optimizer="adam",
        batch_size=50,
        max_iter=60,
        n_iter_no_change="never",
        random_state=0,
    ).fit(X_train, y_train)
    LossSurfaceDisplay.from_estimator(net, X_train, y_train, ax=ax, levels=levels)
    ax.set_title("with batch normalisation" if batch_norm else "without")
    accuracy = net.score(X_test, y_test)
    print(f"batch_norm={batch_norm}: loss {net.loss_:.3f}, accuracy {accuracy:.3f}")
plt.show()
