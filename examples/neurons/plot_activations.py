"""
Activation functions and their derivatives
==========================================

Without a nonlinear function between them, stacked linear layers collapse into one
linear map. Here are the functions that skdl knows by name, what backpropagation
multiplies the gradient by when it goes through them, and what they do to a small
network on real data.
"""

# %%
# All of them
# -----------
# Blue is f(x), orange f'(x). Each function is an object with ``forward`` and
# ``backward(dy, z, …)``, which returns dy·f'(x); dy = 1 gives the derivative.

import matplotlib.pyplot as plt
import numpy as np

from skdl import MLPClassifier, activations
from skdl.activations import (
    ELU,
    GELU,
    SELU,
    Identity,
    LeakyReLU,
    ReLU,
    Sigmoid,
    Softplus,
    Step,
    Tanh,
)


def derivative(function, x):
    """Return f'(x)."""
    z = function(x) if function.derivative_from == "output" else x
    return function.backward(np.ones_like(x), z, np.empty_like(x), np.empty_like(x))


x = np.linspace(-4, 4, 801)
functions = [
    Identity(),
    Step(),
    Sigmoid(),
    Tanh(),
    ReLU(),
    LeakyReLU(slope=0.1),
    ELU(alpha=1.0),
    SELU(),
    GELU(),
    Softplus(),
]
fig, axes = plt.subplots(2, 5, figsize=(11, 4.6), sharex=True, sharey=True)
fig.set_layout_engine("constrained")
for ax, function in zip(axes.flat, functions, strict=True):
    ax.axhline(0, color="0.8", lw=0.8)
    ax.axvline(0, color="0.8", lw=0.8)
    ax.plot(x, function(x), color="C0", lw=2)
    if function.differentiable:
        ax.plot(x, derivative(function, x), color="C1", lw=1.5)
    ax.set(title=repr(function), ylim=(-2.2, 3.2), xlim=(-4, 4))
plt.show()

# %%
# The step has no useful derivative, so it can predict but not be trained. Softmax, the
# remaining one, is no function of a single number: it turns a row into probabilities.

softmax = activations.get("softmax")
print(softmax(np.array([[1.0, 2.0, 3.0]])).round(3))
print("by name:", ", ".join(activations.names()))

# %%
# What they do to a decision
# --------------------------
# Two measurements of breast tumours, the mean radius and the mean texture, and one
# hidden layer of 16 units. Straight pieces (ReLU) give corners, smooth functions give
# curves, and the identity gives a straight line whatever the number of units.

from sklearn.datasets import load_breast_cancer
from sklearn.inspection import DecisionBoundaryDisplay
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
X = X[["mean radius", "mean texture"]]

fig, axes = plt.subplots(2, 3, figsize=(9, 5.6), sharex=True, sharey=True)
fig.set_layout_engine("constrained")
names = ["identity", "relu", "leaky_relu", "tanh", "sigmoid", "softplus"]
for ax, name in zip(axes.flat, names, strict=True):
    net = MLPClassifier(
        (16,),
        activation=name,
        optimizer="lbfgs",
        alpha=0.1,
        max_iter=2000,
        random_state=1,
    )
    model = make_pipeline(StandardScaler(), net).fit(X, y)
    DecisionBoundaryDisplay.from_estimator(
        model, X, response_method="predict_proba", cmap="PuOr", alpha=0.4, ax=ax
    )
    ax.scatter(*X.to_numpy().T, c=y, cmap="PuOr", s=9, edgecolors="0.3", linewidths=0.3)
    ax.set(title=f"{name}, accuracy {model.score(X, y):.3f}")
    ax.label_outer()
plt.show()

# sphinx_gallery_thumbnail_number = 1
