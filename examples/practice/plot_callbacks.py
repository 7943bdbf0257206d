"""
Callbacks: watch, steer, save
=============================

skdl's networks speak scikit-learn's callback protocol, one task an epoch. So
scikit-learn's own callbacks work with them, and skdl adds some that know about
training. They are set with ``set_callbacks`` and see every fit, also inside a Pipeline
or a grid.
"""

# %%
# Which learning rate? LearningRateFinder
# ---------------------------------------
# Before training, the finder lets the rate grow from one mini-batch to the next, on a
# copy of the network, until the loss explodes (Smith 2017). Where the loss fell fastest
# is a good rate, and training takes it. Where it falls nowhere by more than its noise,
# a warning says so, and training keeps the rate it has. A rate that learns faster also
# overfits sooner: early stopping belongs to it.

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skdl import MLPClassifier
from skdl.callbacks import Checkpoint, EarlyStopping, Jog, LearningRateFinder
from skdl.inspection import LearningRateFinderDisplay

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X.astype("float32") / 16, y, stratify=y, random_state=0
)


def network(**settings):
    """Return a network that is not fitted."""
    settings = {"early_stopping": True, "max_iter": 500} | settings
    return MLPClassifier((64,), batch_size=32, random_state=0, **settings)


finder, nets = LearningRateFinder(), {}
for name in ["sgd", "adam"]:
    net = network(optimizer=name).set_callbacks(finder).fit(X_train, y_train)
    nets[name] = net
    print(
        f"{name:>4}: rate {finder.learning_rate_:.2g}, {net.n_iter_} epochs, "
        f"accuracy {net.score(X_test, y_test):.3f} on held-out images"
    )

display = LearningRateFinderDisplay.from_estimator(nets)
display.ax_.set(title="Range test; dots: the suggestions", ylim=(0, 5))
plt.show()

# %%
# How far is it? ProgressBar and ScoringMonitor
# ---------------------------------------------
# Both come with scikit-learn (the bar needs ``rich``). The monitor scores the model
# after each epoch, on the training data, with any of scikit-learn's metrics. Inside a
# grid it follows each of the fits; its log is a table with a row an epoch.

from sklearn.callback import ProgressBar, ScoringMonitor

monitor = ScoringMonitor(scoring=["accuracy", "neg_log_loss"])
net = network(max_iter=20, n_iter_no_change="never", early_stopping=False)
net.set_callbacks(ProgressBar(), monitor).fit(X_train, y_train)
log = monitor.get_logs().data_as_pandas
print(log.tail(3).T)

# %%
# When to stop: EarlyStopping
# ---------------------------
# ``early_stopping=True`` follows the validation metric. The callback follows any entry
# of ``history_``, for example the training loss where there is no validation data, with
# a patience of its own.

stop = EarlyStopping("loss", patience=5, tol=1e-3)
net = network(early_stopping=False).set_callbacks(stop).fit(X_train, y_train)
print(f"training loss {net.loss_:.4f} after {net.n_iter_} epochs")

# %%
# Your own, in scikit-learn's protocol
# ------------------------------------
# A callback is any object with these four methods. The ends of tasks are where things
# happen: ``context`` says which task it is, and ``fitted_estimator``, for those that
# ask for it, is the model as it is now. This one notes how far the weights of each
# layer have moved from where they started.

import numpy as np


class Movement:
    def setup(self, estimator, context):
        self.start, self.moved = None, []

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        if context.task_name == "epoch":
            now = [W.copy() for W in fitted_estimator.coefs_]
            self.start = self.start or now
            self.moved.append(
                [
                    np.linalg.norm(W - W0) / np.linalg.norm(W0)
                    for W, W0 in zip(now, self.start, strict=True)
                ]
            )


fig, axes = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True, layout="constrained")
for ax, activation in zip(axes, ["sigmoid", "relu"], strict=True):
    movement = Movement()
    net = network(activation=activation, max_iter=100, n_iter_no_change="never")
    net.set_params(hidden_layer_sizes=(64, 64, 64), early_stopping=False)
    net.set_params(optimizer="momentum")
    net.set_callbacks(movement).fit(X_train, y_train)
    ax.plot(np.arange(1, 101), movement.moved)
    ax.set(title=f"three hidden {activation} layers", xlabel="epoch")
axes[0].set(ylabel="distance from the start / length")
axes[0].legend([f"layer {k}" for k in range(1, 5)])
plt.show()

# %%
# Each sigmoid layer passes on at most a quarter of the gradient: for thirty epochs
# hardly anything moves, then all layers start together. The ReLU layers move from the
# first epoch, and then settle.

# %%
# Cut off and resumed: Checkpoint
# -------------------------------
# The file is written after each epoch. Here a power cut ends the first run in its
# twelfth. When ``fit`` is called again with the same settings, it finds the unfinished
# run in the file and goes on. The weights are those of a run that was never cut off,
# bit for bit: the memory of the optimizer and the state of the random numbers are in
# the file too.


class PowerCut(Movement):
    def on_fit_task_end(self, estimator, context):
        if context.task_name == "epoch" and context.task_id == 11:
            raise RuntimeError("power cut")


settings = {"early_stopping": False, "n_iter_no_change": "never", "max_iter": 40}
with tempfile.TemporaryDirectory() as folder:
    checkpoint = Checkpoint(Path(folder) / "digits.skdl", every=1)
    try:
        network(**settings).set_callbacks(checkpoint, PowerCut()).fit(X_train, y_train)
    except RuntimeError as error:
        print(f"RuntimeError: {error}")
    rescued = Checkpoint.load(checkpoint.path)
    print(f"in the file: {rescued.n_iter_} epochs, loss {rescued.loss_:.4f}")
    resumed = network(**settings).set_callbacks(checkpoint).fit(X_train, y_train)

whole = network(**settings).fit(X_train, y_train)
same = all(map(np.array_equal, resumed.coefs_, whole.coefs_))
print(f"resumed: {resumed.n_iter_} epochs; the same bits as without a cut: {same}")

# %%
# Out of a poor minimum: Jog
# --------------------------
# When the loss stalls, `Jog` adds noise to all weights and lets training go on; the
# best weights come back at the end.
# :ref:`sphx_glr_auto_examples_training_plot_noise.py` shows what that is good for.

jog = Jog(scale=0.2, patience=10, tol=1e-3)
net = network(**{**settings, "max_iter": 200}).set_callbacks(jog).fit(X_train, y_train)
print(f"jogged after epochs {jog.jogs_}, best training loss {net.best_loss_:.4f}")
