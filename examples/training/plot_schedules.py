"""
Learning rates that change
==========================

A large rate finds the valley, a small one its floor. A schedule goes from one to the
other while the network learns. Here are all of skdl's, first as curves, then at work.
"""

# %%
# All of them
# -----------
# A schedule is a factor on an initial rate, which is the optimizer's own unless
# ``initial`` says otherwise. Time counts epochs or updates (``unit``). Those that need
# to know how long training will be take it from ``max_iter``. The rate at the beginning
# of each epoch is in ``history_["learning_rate"]``.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skdl import MLPClassifier, schedules
from skdl.schedules import (
    Constant,
    Cosine,
    Exponential,
    Inverse,
    OneCycle,
    ReduceOnPlateau,
    Step,
    WarmUp,
)

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X.astype("float32") / 16, y, stratify=y, random_state=0
)
EPOCHS = 30
net = MLPClassifier(
    (64,), batch_size=32, max_iter=EPOCHS, n_iter_no_change="never", random_state=0
)
examples = [
    Constant(),
    Inverse(decay=0.01),
    Step(every=10, gamma=0.3),
    Exponential(gamma=0.9),
    Cosine(),
    OneCycle(),
    WarmUp(length=200, after=Cosine()),
    ReduceOnPlateau(factor=0.3, patience=1, threshold=0.1),
]
fig, axes = plt.subplots(2, 4, figsize=(10, 4.2), sharex=True, sharey=True)
fig.set_layout_engine("constrained")
for ax, schedule in zip(axes.flat, examples, strict=True):
    net.set_params(optimizer="momentum", optimizer__learning_rate=schedule)
    rates = net.fit(X_train, y_train).history_["learning_rate"]
    ax.plot(np.arange(1, EPOCHS + 1), rates)
    ax.set(title=type(schedule).__name__, ylim=(0, 0.0105))
for ax in axes[:, 0]:
    ax.set_ylabel("learning rate")
for ax in axes[1]:
    ax.set_xlabel("epoch")
plt.show()
print("by name:", ", ".join(schedules.names()))

# %%
# Without training
# ----------------
# ``ScheduleDisplay.from_schedule`` draws what a schedule would do: here over 30 epochs
# of 42 updates, as above. ``from_estimator`` draws what it did.

from skdl.inspection import ScheduleDisplay

warm = [WarmUp(0.1, length=length, after="cosine") for length in (100, 400)]
ScheduleDisplay.from_schedule(
    [*warm, OneCycle(0.1)], n_epochs=EPOCHS, steps_per_epoch=42
)
plt.show()

# %%
# By name, and in a grid
# ----------------------
# A schedule's name stands where a number would, and its settings are reached with one
# more pair of underscores, also by a grid search.

net.set_params(optimizer="sgd", optimizer__learning_rate="exponential")
net.set_params(optimizer__learning_rate__initial=0.1)
net.set_params(optimizer__learning_rate__gamma=0.9)
print(net.optimizer)

# %%
# At work
# -------
# Plain SGD on the digits, with a rate that is too large to end with: the largest rate
# of all four. The constant one is thrown back again and again. One cycle does best: it
# starts gently, so that the large rate meets a network that can bear it.

from skdl.inspection import LossCurveDisplay

RATE = 1.0
rates = {
    f"constant {RATE}": RATE,
    "exponential": Exponential(RATE, gamma=0.85),
    "cosine": Cosine(RATE),
    "one cycle": OneCycle(RATE),
}
nets = {}
for name, rate in rates.items():
    net.set_params(optimizer="sgd", optimizer__learning_rate=rate)
    nets[name] = clone(net).fit(X_train, y_train)
    accuracy = nets[name].score(X_test, y_test)
    print(f"{name:>13}: loss {nets[name].loss_:.5f}, held-out accuracy {accuracy:.3f}")

_, ax = plt.subplots(figsize=(7, 4), layout="constrained")
LossCurveDisplay.from_estimator(nets, curves=["loss"], ax=ax, log=True)
ax.set(title="SGD on digits")
plt.show()

# sphinx_gallery_thumbnail_number = 1
