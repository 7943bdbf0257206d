"""
Losses of classification: smoothing, labels, weights
====================================================

The cross-entropy asks for the probability of the true class and for nothing else. Three
variations on it: labels that are not quite trusted, several labels for one sample, and
classes of which one is rare.
"""

# %%
# Losses as functions of the raw prediction
# -----------------------------------------
# A loss compares targets with what the last layer gives, before the sigmoid or the
# softmax: ``evaluate`` returns the loss and its gradient. On the left the losses of
# regression, whose target here is 0; on the right the cross-entropy of a sample of
# class 1, with the classes trusted and not quite. Smoothing moves the minimum from
# infinity to a finite raw prediction.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.model_selection import train_test_split

from skdl import MLPClassifier, losses
from skdl.losses import (
    AbsoluteError,
    BinaryCrossEntropy,
    CrossEntropy,
    Huber,
    Poisson,
    Quantile,
    SquaredError,
)

raw = np.linspace(-4, 6, 400)[:, None]
panels = {
    "target 0": [
        SquaredError(),
        AbsoluteError(),
        Huber(delta=1.0),
        Quantile(quantile=0.8),
        Poisson(),
    ],
    "class 1": [BinaryCrossEntropy(s) for s in (0.0, 0.1, 0.3)],
}
fig, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
for ax, (title, functions) in zip(axes, panels.items(), strict=True):
    target = np.full_like(raw, title == "class 1")
    for loss in functions:
        values, _ = loss.evaluate(target, raw)
        ax.plot(raw, values, label=repr(loss))
    ax.set(title=title, xlabel="raw prediction", ylim=(-0.1, 4))
    ax.legend(fontsize="small", loc="center right")
axes[0].set_ylabel("loss")
plt.show()
print("by name:", ", ".join(losses.names()))

# %%
# Label smoothing against overconfidence
# --------------------------------------
# Two hundred digits are learnt by heart without any penalty, and the network is too
# sure about new ones: its probabilities are nearly 1 also where it is wrong. With a
# label smoothing s the target is 1 − s + s/10 for the true class and s/10 for each of
# the others. A little of it, and the network is about as sure as it is right; with
# more, it is not sure enough.

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16, y, train_size=200, stratify=y, random_state=0
)
bins = np.linspace(0, 1, 11)
fig, axes = plt.subplots(1, 3, figsize=(9, 3), sharey=True, layout="constrained")
for ax, smoothing in zip(axes, [0.0, 0.02, 0.1], strict=True):
    loss = CrossEntropy(label_smoothing=smoothing)
    net = MLPClassifier(loss=loss, optimizer="lbfgs", alpha=0, random_state=0)
    net.set_params(max_iter=2000)
    p = net.fit(X_train, y_train).predict_proba(X_test)
    confidence, right = p.max(axis=1), net.classes_[p.argmax(axis=1)] == y_test
    ax.hist(
        [confidence[right], confidence[~right]],
        bins=bins,
        stacked=True,
        color=["C0", "C1"],
        label=["right", "wrong"],
    )
    ax.set(title=f"label_smoothing={smoothing}", xlabel="largest probability")
    log_loss = -np.mean(np.log(p[np.arange(len(y_test)), y_test]))
    print(
        f"smoothing {smoothing}: accuracy {right.mean():.3f}, mean confidence "
        f"{confidence.mean():.3f}, log-loss {log_loss:.3f} on new images"
    )
axes[0].set_ylabel("new images")
axes[0].legend(loc="upper left")
plt.show()

# %%
# Several labels: one sigmoid each
# --------------------------------
# Is the digit even? Is it prime? Has it a closed loop? A sample may have any of these
# labels, so each gets an output with a sigmoid of its own. An indicator matrix as ``y``
# is all it takes: the loss becomes the binary cross-entropy, summed over the labels.

labels = {"even": [0, 2, 4, 6, 8], "prime": [2, 3, 5, 7], "loop": [0, 6, 8, 9]}
Y_train, Y_test = (
    np.stack([np.isin(target, digits) for digits in labels.values()], axis=1)
    for target in (y_train, y_test)
)
net = MLPClassifier(optimizer="lbfgs", max_iter=2000, random_state=0)
net.fit(X_train, Y_train.astype(int))
print(f"{net.out_activation_} outputs, {net.loss_function_!r}")
for name, got, true in zip(labels, net.predict(X_test).T, Y_test.T, strict=True):
    print(f"{name:>6}: right for {np.mean(got == true):.1%} of new images")

# %%
# A rare class: class weights
# ---------------------------
# Twenty malignant tumours among 270, and missing one is worse than a false alarm.
# ``class_weight`` multiplies the sample weights; "balanced" makes both classes count
# the same.

from sklearn.metrics import ConfusionMatrixDisplay, recall_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

data = load_breast_cancer()
malignant = data.target == 0
X_train, X_test, y_train, y_test = train_test_split(
    data.data, np.where(malignant, "malignant", "benign"), test_size=0.3, random_state=0
)
kept = np.flatnonzero(y_train == "benign")
kept = np.r_[kept, np.flatnonzero(y_train == "malignant")[:20]]

fig, axes = plt.subplots(1, 2, figsize=(7.6, 3.4), layout="constrained")
for ax, class_weight in zip(axes, [None, "balanced"], strict=True):
    net = MLPClassifier((8,), class_weight=class_weight, optimizer="lbfgs", alpha=10)
    net.set_params(max_iter=2000, random_state=0)
    model = make_pipeline(StandardScaler(), net).fit(X_train[kept], y_train[kept])
    found = recall_score(y_test, model.predict(X_test), pos_label="malignant")
    ConfusionMatrixDisplay.from_estimator(
        model, X_test, y_test, ax=ax, cmap="Blues", colorbar=False
    )
    ax.set(title=f"class_weight={class_weight!r}\n{found:.1%} of the malignant found")
plt.show()

# sphinx_gallery_thumbnail_number = 2
