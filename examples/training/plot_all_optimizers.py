"""
Sixteen optimizers on the digits
================================

Which optimizer for a real problem? All of skdl's train the same network from the same
weights, each with the better of two learning rates. Mini-batch optimizers take many
noisy steps in an epoch; those for the whole sample take one exact step.
"""

# %%
# Two families
# ------------
# ``full_batch`` says that an optimizer is meant for the gradient of the whole sample:
# ``batch_size="auto"`` then is the whole sample, and an epoch is one update. So these
# get more epochs, and the time is the fair measure.

from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skdl import MLPClassifier
from skdl.optimizers import (
    EMA,
    GD,
    LBFGS,
    SGD,
    AdaDelta,
    AdaGrad,
    Adam,
    AdamW,
    AMSGrad,
    Lion,
    Momentum,
    NAdam,
    Nesterov,
    Newton,
    RMSProp,
    RProp,
)

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X.astype("float32") / 16, y, stratify=y, random_state=0
)

# %%
# The largest gradients are cut to length 5, which keeps the larger rates from ruin.

families = {
    "gradient and momentum": [SGD, Momentum, Nesterov, EMA],
    "a rate for each weight": [AdaGrad, AdaDelta, RMSProp],
    "both": [Adam, AdamW, NAdam, AMSGrad, Lion],
    "whole sample": [GD, RProp, LBFGS, Newton],
}
rates = {
    SGD: [0.1, 0.3],
    GD: [0.3, 1.0],
    EMA: [0.1, 0.3],
    AdaDelta: [1.0, 3.0],
    AdaGrad: [0.03, 0.1],
    RProp: [0.003, 0.01],
    Lion: [3e-4, 1e-3],
    RMSProp: [1e-3, 3e-3],
    Momentum: [0.03, 0.1],
    Nesterov: [0.03, 0.1],
}


def fit(optimizer):
    """Return a network after 30 epochs, or 300 of the whole sample, and the time.

    One of Newton's takes up to 40 gradients: it gets 30.
    """
    net = MLPClassifier(
        (50,),
        optimizer=optimizer,
        batch_size="auto" if optimizer.full_batch else 32,
        max_iter=300
        if optimizer.full_batch and not isinstance(optimizer, Newton)
        else 30,
        n_iter_no_change="never",
        random_state=0,
    )
    start = perf_counter()
    net.fit(X_train, y_train)
    return net, perf_counter() - start


def best_fit(kind):
    """Return the fit of the best rate of a kind, by the training loss."""
    if kind is LBFGS:
        return fit(LBFGS())
    if kind is Newton:
        return fit(Newton(max_cg=20))
    tried = rates.get(kind, [3e-3, 1e-2])
    fits = [fit(kind(learning_rate=rate, clip_norm=5.0)) for rate in tried]
    return min(fits, key=lambda result: result[0].best_loss_)


# %%
# The curves
# ----------

fig, axes = plt.subplots(1, 4, figsize=(12, 3.6), sharey=True, layout="constrained")
for ax, (family, kinds) in zip(axes, families.items(), strict=True):
    for kind in kinds:
        net, seconds = best_fit(kind)
        rate = getattr(net.optimizer, "learning_rate", "none")
        name = kind.__name__
        ax.plot(np.arange(1, net.n_iter_ + 1), net.loss_curve_, label=name)
        print(
            f"{name:>9}: rate {rate!s:<6} loss {net.loss_:.5f}  accuracy "
            f"{net.score(X_test, y_test):.3f} on held-out images  {seconds:.2f} s"
        )
    ax.set(title=family, xlabel="epoch", yscale="log", ylim=(3e-4, 3))
    ax.legend()
axes[0].set_ylabel("training loss")
plt.show()

# %%
# With a good rate for each, the accuracies on new images differ little: the optimizer
# decides how fast the training loss falls and how much care the rate needs. Adam and
# its kin are the safe choice, momentum with a tuned rate is as good, and on a sample as
# small as this L-BFGS needs no rate at all. Newton has fewer steps and each is dearer;
# for `coordinate`, which moves one weight at a time, there are too many of them here.
