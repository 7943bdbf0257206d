"""
Ten layers of starting weights
==============================

Before the first step of training, the starting weights decide whether a signal gets
through the network at all. A sum of n inputs times random weights has the variance
Var(Σ xᵢwᵢ) = n·Var(x)·Var(w), so weights that are too small by a factor shrink the
signal by that factor in every layer, and weights that are too large blow it up. Here
the signal is sent through ten layers under five initializers.
"""

# %%
# A bare network
# --------------
# ``skdl.networks.Network`` is what the estimators hold as ``network_``: a chain of
# layers with their arrays. ``predict(X, n_layers)`` stops inside the chain, which is
# how to read a hidden layer. Each of the ten layers has 256 units.

import matplotlib.pyplot as plt
import numpy as np

from skdl.initializers import HeNormal, LeCunNormal, Normal, Orthogonal, XavierNormal
from skdl.layers import Activation, Dense
from skdl.networks import Network

depth, width = 10, 256
X = np.random.default_rng(0).normal(size=(1000, width))


def hidden_activations(activation, initializer):
    """What each of the ten layers gives, fresh from the initializer."""
    layers = [Dense(width), Activation(activation)] * depth
    network = Network(layers, X.shape[1:], initializer=initializer)
    network.initialize(np.random.default_rng(1))
    return [network.predict(X, n_layers=2 * k) for k in range(1, depth + 1)]


# %%
# The size of the signal, layer by layer
# --------------------------------------
# The naive 0.03·N(0, 1) does not know how many inputs a unit has. LeCun's rule divides
# the variance by the inputs, Xavier's by the mean of inputs and outputs (the same here,
# where all layers are equally wide), He's doubles it, because ReLU throws half of the
# signal away, and an orthogonal matrix keeps the length of every vector exactly.

initializers = {
    "0.03·N(0, 1)": Normal(0.03),
    "LeCun": LeCunNormal(),
    "Xavier": XavierNormal(),
    "orthogonal": Orthogonal(),
    "He": HeNormal(),
}
activations = ["tanh", "relu", "sigmoid"]
inner = {
    (activation, name): hidden_activations(activation, initializer)
    for activation in activations
    for name, initializer in initializers.items()
}

fig, axes = plt.subplots(1, 3, figsize=(11, 4), sharex=True, layout="constrained")
styles = dict(zip(initializers, ["o-", "v-", "^--", "s:", "D-"], strict=True))
for ax, activation in zip(axes, activations, strict=True):
    for name, style in styles.items():
        # over the samples in each unit; the mean square over the units
        spread = [np.sqrt(h.var(axis=0).mean()) for h in inner[activation, name]]
        ax.plot(range(1, depth + 1), spread, style, ms=5, label=name)
    ax.set(title=activation, xlabel="layer", yscale="log", xticks=range(1, depth + 1))
    ax.grid(alpha=0.3)
axes[0].set_ylabel("standard deviation over the samples")
fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=5)
fig.suptitle("How different the samples still are, layer by layer (mind the scales)")

# %%
# LeCun and Xavier coincide, as all layers are equally wide. With tanh, all but the
# naive weights carry the signal. With ReLU only He's do: the others lose a factor √2 in
# every layer, or more. What still falls under He is not the size of the activations but
# their differences: a deep ReLU network turns all inputs towards one direction. No
# initializer here helps the sigmoid. Its derivative is at most 1/4, and what is left
# after ten layers is an offset that is the same for every sample.
#
# Here are the positive activations of the ReLU network, on one scale for all layers:

fig, axes = plt.subplots(
    3, 4, figsize=(10, 5.5), sharex=True, sharey="row", layout="constrained"
)
for row, name in zip(axes, ["0.03·N(0, 1)", "Xavier", "He"], strict=True):
    for ax, layer in zip(row, [1, 4, 7, 10], strict=True):
        h = inner["relu", name][layer - 1]
        ax.hist(np.log10(h[h > 0]), bins=np.linspace(-8, 1, 46), color="C0")
        ax.set(yticks=[], xticks=range(-8, 1, 2))
        if name == "0.03·N(0, 1)":
            ax.set_title(f"layer {layer}")
    row[0].set_ylabel(name)
fig.supxlabel("activation, as a power of ten")
plt.show()

# %%
# The gradient, on its way back
# -----------------------------
# Backpropagation meets the same weights in the opposite direction: the gradient of the
# first layer is what ten layers have left of that of the last. ``Objective`` gives the
# gradient of all weights as one vector; ``params.like`` cuts it into named arrays.

from skdl.losses import SquaredError
from skdl.training import Objective

fig, axes = plt.subplots(1, 3, figsize=(11, 3.8), sharex=True, layout="constrained")
for ax, activation in zip(axes, activations, strict=True):
    for name, style in styles.items():
        layers = [Dense(width), Activation(activation)] * depth
        network = Network(
            [*layers, Dense(1)], X.shape[1:], initializer=initializers[name]
        )
        network.initialize(np.random.default_rng(1))
        objective = Objective(network, SquaredError())
        _, vector = objective.loss_and_gradient(network.params.vector, X, X[:, :1])
        gradient = network.params.like(vector)
        sizes = [np.sqrt(np.mean(gradient[f"{2 * k}.W"] ** 2)) for k in range(depth)]
        ax.plot(range(1, depth + 1), sizes, style, ms=5, label=name)
    ax.set(title=activation, xlabel="layer", yscale="log", xticks=range(1, depth + 1))
    ax.grid(alpha=0.3)
axes[0].set_ylabel("gradient of the weights (RMS)")
fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=5)
plt.show()

# %%
# In the sigmoid network the gradient of the first layer is a hundred thousand times
# smaller than that of the last one, or worse: it starves.
#
# What it means for training
# --------------------------
# Ten hidden ReLU layers on digits, with nothing changed but the start. ``initializer``
# takes a name or an object. The default, "auto", is Xavier for ReLU, which suits the
# shallow networks that are most common; for deep ones, ask for "he_normal".

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skdl import MLPClassifier
from skdl.inspection import LossCurveDisplay

images, digits = load_digits(return_X_y=True)
images = images.astype("float32") / 16
train, test, y_train, y_test = train_test_split(
    images, digits, stratify=digits, random_state=0
)
nets = {}
for name in ["0.03·N(0, 1)", "Xavier", "He"]:
    net = MLPClassifier(
        (64,) * depth,
        initializer=initializers[name],
        early_stopping=True,
        batch_size=32,
        random_state=0,
    )
    nets[name] = net.fit(train, y_train)
    print(f"{name:>12}: accuracy {net.score(test, y_test):.3f} on held-out images")

_, ax = plt.subplots(figsize=(7, 4.5), layout="constrained")
LossCurveDisplay.from_estimator(nets, curves=["val_loss"], ax=ax)
ax.set(title="Ten ReLU layers on digits", ylabel="cross-entropy", ylim=(0, 2.5))
plt.show()

# %%
# All recipes
# -----------
# Each of the named recipes has a uniform and a normal form of the same variance, and
# `VarianceScaling` is the formula behind them: scale / fan. A layer of 400 inputs and
# 100 outputs shows the difference between the fans. Zeros and constants are for biases:
# as weights, they would leave all hidden units the same for ever.

from skdl.initializers import (
    Constant,
    HeUniform,
    LeCunUniform,
    Ones,
    Uniform,
    VarianceScaling,
    XavierUniform,
    Zeros,
    fans,
)

shape = (400, 100)
print("fans:", fans(shape))
recipes = [
    *initializers.values(),
    LeCunUniform(),
    XavierUniform(),
    HeUniform(),
    VarianceScaling(scale=2.0, mode="fan_out"),
    Uniform(-0.05, 0.05),
    Zeros(),
    Ones(),
    Constant(0.1),
]
for recipe in recipes:
    W = recipe(shape, np.random.default_rng(0))
    print(f"{recipe!r:45} std {W.std():.4f}, entries up to {np.abs(W).max():.3f}")
