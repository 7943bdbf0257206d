"""
Vanishing and exploding gradients, seen
=======================================

A recurrent network hands a state from step to step, s_t = f(x_t, s_{t−1}). How its
loss L changes with a state long ago is, by the chain rule, a product with one factor
for each step in between: ∂L/∂s_t = ∂L/∂s_T · ∂s_T/∂s_{T−1} ⋯ ∂s_{t+1}/∂s_t. Where the
factors shrink vectors the product vanishes, and what happened long ago is hard to
learn; where they stretch them it explodes, and one step of training throws away what
was learned (Bengio, Simard & Frasconi 1994; Pascanu, Mikolov & Bengio 2013).
``GradientFlowDisplay`` shows the norm of ∂L/∂s_t by the distance to the loss.
"""

# %%
# The size of the recurrent weights
# ---------------------------------
# A simple recurrent layer with tanh, before any training. Its recurrent weights U start
# as an orthogonal matrix, which keeps the length of every vector, times a factor; the
# slope of tanh, at most 1, does the rest. Without targets L is a random direction of
# the last state. Lines are medians of 50 sequences, bands hold half of them.

import matplotlib.pyplot as plt
import numpy as np

from skdl.initializers import Orthogonal
from skdl.inspection import GradientFlowDisplay
from skdl.layers import GRU, LSTM, RNN

rng = np.random.default_rng(0)
X = 0.3 * rng.normal(size=(50, 60, 8))
models = {
    f"U = {factor} × orthogonal": [RNN(32, recurrent_initializer=Orthogonal(factor))]
    for factor in (3.0, 2.0, 1.3, 1.0, 0.5)
}
_, ax = plt.subplots(figsize=(7, 4.5), layout="constrained")
GradientFlowDisplay.from_layers(models, X, random_state=0, ax=ax)
ax.set_title("A tanh layer of 32 units, before training")
plt.show()

# %%
# The picture is logarithmic: what looks straight grows or falls by a factor a step. The
# weights of the steepest line are no more than three times a rotation, and the gradient
# of the state 60 steps ago is ten million times that of the last.
#
# What remembering takes
# ----------------------
# A task for a memory: the first of 50 steps shows one of four marks, the others hold a
# little noise, and at the end the mark is asked for. A step of training can only link
# the answer to the mark through 50 factors. Four networks try it for 30 epochs: a tanh
# layer that starts with uniform weights in ±1/√32, as is common elsewhere, one with an
# orthogonal start, an LSTM and a GRU. The last two carry their state along a sum,
# c_t = f∘c_{t−1} + i∘g, and learn where to let it pass.

from skdl import RNNClassifier
from skdl.initializers import Uniform
from skdl.inspection import LossCurveDisplay
from skdl.optimizers import Adam


def marks(n, rng, n_steps=50):
    """Return sequences of six numbers, and the mark that each began with."""
    y = rng.integers(0, 4, n)
    X = 0.05 * rng.normal(size=(n, n_steps, 6)).astype("float32")
    X[:, 0] = 0
    X[np.arange(n), 0, y] = X[:, 0, 4] = 1
    return X, y


X, y = marks(2000, rng)
X_test, y_test = marks(300, rng)
edge = 32**-0.5
cells = {
    "tanh, uniform start": RNN(
        32, recurrent_initializer=Uniform(-edge, edge), return_sequences=False
    ),
    "tanh, orthogonal start": RNN(32, return_sequences=False),
    "LSTM": LSTM(32, return_sequences=False),
    "GRU": GRU(32, return_sequences=False),
}
nets = {
    name: RNNClassifier(
        layers=[cell],
        optimizer=Adam(0.01, clip_norm=1.0),
        batch_size=50,
        max_iter=30,
        n_iter_no_change="never",
        random_state=0,
    )
    for name, cell in cells.items()
}
fig, axes = plt.subplots(1, 3, figsize=(12, 4.2), layout="constrained")
options = {"relative": True, "band": False}
for net in nets.values():
    net.initialize(X, y)
GradientFlowDisplay.from_estimator(nets, X_test, y_test, ax=axes[0], **options)
for name, net in nets.items():
    net.fit(X, y)
    learned = np.flatnonzero(np.array(net.loss_curve_) < 0.1)
    epoch = f"in epoch {learned[0] + 1}" if len(learned) else "never"
    print(f"{name:>22}: loss below 0.1 {epoch}, accuracy {net.score(X_test, y_test)}")
LossCurveDisplay.from_estimator(nets, curves="loss", ax=axes[1])
GradientFlowDisplay.from_estimator(nets, X_test, y_test, ax=axes[2], **options)
axes[0].set(title="before training", ylim=(1e-12, 100))
axes[1].set(title="training", ylabel="cross-entropy")
axes[2].set(title="after 30 epochs", ylabel="", ylim=(1e-12, 100))
for ax in axes[1:]:
    ax.legend().remove()
plt.show()

# %%
# The less of the gradient arrives at the start, the longer it takes to find the mark.
# The uniform start loses ten powers of ten on the way. So do the gates of a GRU; those
# of an LSTM lose less, as its forget gate starts at σ(1) = 0.73. But gates learn to
# stay open, and then the gradient arrives about as large as it left. With the
# orthogonal start it does so from the beginning, as long as the states are small; that
# is what ``RNN``, ``LSTM`` and ``GRU`` start their recurrent weights with.
#
# Clipping
# --------
# Against explosion the gradient of the weights is cut to a norm before each step,
# ``clip_norm``: the direction stays. A tanh layer whose gradient explodes, by plain
# stochastic gradient descent, with and without:

from skdl.optimizers import SGD

exploding = RNN(32, recurrent_initializer=Orthogonal(1.5), return_sequences=False)
runs = {}
for clip_norm in (None, 1.0):
    net = RNNClassifier(
        layers=[exploding],
        optimizer=SGD(0.1, clip_norm=clip_norm),
        batch_size=50,
        max_iter=30,
        n_iter_no_change="never",
        random_state=0,
    )
    runs[f"clip_norm={clip_norm}"] = net.fit(X, y)
    print(f"clip_norm={clip_norm}: loss {net.loss_:.3f}")

_, ax = plt.subplots(figsize=(7, 4), layout="constrained")
LossCurveDisplay.from_estimator(runs, curves="loss", ax=ax)
ax.set(title="U = 1.5 × orthogonal, with and without clipping", ylabel="cross-entropy")
plt.show()

# %%
# Without it every few steps one is far too long, and throws away what was learned. With
# it the same network, from the same start, learns the task.
#
# Many layers
# -----------
# Layers on top of each other are a second way for a gradient to vanish. Ten GRUs before
# training: what reaches the first of them, with and without skip connections around
# each (``Residual``: y = x + F(x))?

from skdl.inspection import gradient_flow
from skdl.layers import Residual

X_deep = rng.normal(size=(30, 30, 16))
first = {
    name: gradient_flow([layer] * 10, X_deep, random_state=0)["GRU 1"]
    for name, layer in {"plain": GRU(16), "with skips": Residual([GRU(16)])}.items()
}
_, ax = plt.subplots(figsize=(7, 4), layout="constrained")
GradientFlowDisplay(norms=first).plot(ax=ax)
ax.set_title("The first of ten GRU layers")
plt.show()

# %%
# At the distance 0 there are ten layers between the state and the loss: the plain stack
# passes on less than a ten-thousandth, the skips all of it. Further back paths through
# time add up, and both lose what GRUs lose in time.
