"""
What one neuron can say, and what three can
===========================================

A step neuron answers 1 where w·x + b ≥ 0 and 0 elsewhere: it cuts the plane along the
line w·x + b = 0, which is normal to w. One is enough for NOT, AND and OR. XOR needs a
hidden layer.
"""

# %%
# NOT, AND and OR: one neuron each
# --------------------------------
# Without a hidden layer ``MLPClassifier`` is one neuron. Its probability is a sigmoid
# of w·x + b, so its answer changes where w·x + b = 0, as a step neuron's does.
# ``initialize`` makes the network without training it, and ``coefs_`` and
# ``intercepts_`` can then be written to.

import matplotlib.pyplot as plt
import numpy as np

from skdl import MLPClassifier

X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=float)
gates = {
    "NOT x₁": (1 - X[:, 0], [-1.0, 0.0], 0.5),
    "x₁ AND x₂": (X[:, 0] * X[:, 1], [1.0, 1.0], -1.5),
    "x₁ OR x₂": (np.maximum(X[:, 0], X[:, 1]), [1.0, 1.0], -0.5),
}
neurons = {}
for name, (y, w, b) in gates.items():
    neuron = MLPClassifier(hidden_layer_sizes=()).initialize(X, y)
    neuron.coefs_[0][:, 0] = w
    neuron.intercepts_[0][0] = b
    print(f"{name:10} right on {neuron.score(X, y):.0%} of the truth table")
    neurons[name] = neuron

# %%
# The regions, the separating lines and the normals w:

SIDE = np.linspace(-0.6, 1.6, 400)
PLANE = np.stack(np.meshgrid(SIDE, SIDE), axis=-1).reshape(-1, 2)
REGIONS = ["#d7e3f4", "#fbe0c3"]


def draw_regions(ax, answer, title):
    """Fill the plane by the answer 0 or 1 of a function of points."""
    grid = np.asarray(answer(PLANE), dtype=float).reshape(len(SIDE), -1)
    ax.contourf(SIDE, SIDE, grid, levels=[-0.5, 0.5, 1.5], colors=REGIONS)
    ax.set(title=title, xlabel="x₁", ylabel="x₂", aspect="equal")
    ax.set(xticks=[0, 1], yticks=[0, 1], xlim=SIDE[[0, -1]], ylim=SIDE[[0, -1]])


def draw_line(ax, w, b, near=(0.5, 0.5), color="0.2", length=0.35):
    """Draw w·x + b = 0 and its normal."""
    start = near - (w @ near + b) * w / (w @ w)  # the point of the line nearest to it
    end = start + length * w / np.linalg.norm(w)
    ax.axline(start, start + np.array([-w[1], w[0]]), color=color, lw=1.5)
    ax.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": color})


def draw_points(ax, y):
    """Draw the truth table: filled where the answer is to be 1."""
    colors = np.where(y > 0.5, "C1", "white")
    ax.scatter(*X.T, s=90, c=colors, edgecolors="0.2", linewidths=1.5, zorder=3)


fig, axes = plt.subplots(1, 3, figsize=(9, 3.6), layout="constrained")
for ax, (name, (y, w, b)) in zip(axes, gates.items(), strict=True):
    draw_regions(ax, neurons[name].predict, name)
    draw_line(ax, np.array(w), b)
    draw_points(ax, y)
plt.show()

# %%
# XOR: no line does it, three neurons do
# --------------------------------------
# XOR is 1 at two opposite corners: no line has them on one side and the others on the
# other. But x₁ > x₂ is a half-plane, x₂ > x₁ is another, and XOR is the OR of the two:
# f(f(x₁ − x₂ − ½) + f(x₂ − x₁ − ½) − ½) with the step function f.

y = np.array([0, 1, 1, 0])
xor = MLPClassifier(hidden_layer_sizes=(2,), activation="step").initialize(X, y)
xor.coefs_[0][:] = [[1, -1], [-1, 1]]  # one column a hidden neuron
xor.intercepts_[0][:] = -0.5
xor.coefs_[1][:] = 1
xor.intercepts_[1][:] = -0.5
print(f"XOR right on {xor.score(X, y):.0%} of the truth table")

# %%
# The hidden layer moves the four corners to three places, (0, 0), (0, 1) and (1, 0),
# and there one line is enough.

hidden = xor.network_.predict(X, n_layers=2)  # after Dense and its activation
for x, h, answer in zip(X, hidden, xor.predict(X), strict=True):
    print(f"x = {x}  hidden = {h}  XOR = {answer}")

fig, axes = plt.subplots(1, 2, figsize=(7.4, 4.2), layout="constrained")
draw_regions(axes[0], xor.predict, "x₁ XOR x₂: two lines")
for j in range(2):
    draw_line(axes[0], xor.coefs_[0][:, j], xor.intercepts_[0][j])
draw_points(axes[0], y)
draw_regions(axes[1], neurons["x₁ OR x₂"].predict, "what the hidden neurons see: OR")
draw_line(axes[1], np.array([1.0, 1.0]), -0.5)
axes[1].scatter(*hidden.T, s=90, c=np.where(y, "C1", "white"), edgecolors="0.2")
axes[1].set(xlabel="hidden neuron 1", ylabel="hidden neuron 2")
plt.show()

# %%
# A second hidden layer: regions that do not touch
# ------------------------------------------------
# The AND of four half-planes is a square, and the OR of two squares is a region in two
# pieces. One network of step neurons draws both: eight lines, two ANDs, one OR.

corners = np.array([[-0.3, -0.3], [0.7, 0.7]])
size = 0.6
islands = MLPClassifier(hidden_layer_sizes=(8, 2), activation="step").initialize(X, y)
for coef in islands.coefs_:
    coef[:] = 0
for i, low in enumerate(corners):
    for axis in range(2):
        for side in range(2):
            j = 4 * i + 2 * axis + side  # x ≥ low, or x ≤ low + size
            sign = 1 - 2 * side
            islands.coefs_[0][axis, j] = sign
            islands.intercepts_[0][j] = -sign * (low[axis] + side * size)
    islands.coefs_[1][4 * i : 4 * i + 4, i] = 1
islands.intercepts_[1][:] = -3.5  # AND of four
islands.coefs_[2][:] = 1
islands.intercepts_[2][:] = -0.5  # OR of two

fig, ax = plt.subplots(figsize=(4, 3.8), layout="constrained")
draw_regions(ax, islands.predict, "OR of two ANDs of four half-planes")
for j in range(8):
    w, b = islands.coefs_[0][:, j], islands.intercepts_[0][j]
    draw_line(ax, w, b, corners[j // 4] + size / 2, color="0.5", length=0.2)
plt.show()

# %%
# Training
# --------
# The derivative of a step is zero almost everywhere, so nothing can be learned through
# it, and skdl says so:

try:
    MLPClassifier((2,), activation="step").fit(X, y)
except ValueError as error:
    print(f"ValueError: {error}")

# %%
# A smooth step can be trained. Two hidden tanh neurons find XOR from random weights;
# some starts end in a poor local minimum, so the best of ten is kept.

trained = MLPClassifier(
    (2,),
    activation="tanh",
    optimizer="lbfgs",
    alpha=1e-3,
    max_iter=2000,
    n_init=10,
    random_state=0,
).fit(X, y)
print(f"XOR right on {trained.score(X, y):.0%} of the truth table")

fig, ax = plt.subplots(figsize=(4, 3.8), layout="constrained")
draw_regions(ax, trained.predict, "XOR, found by training")
for j in range(2):
    draw_line(ax, trained.coefs_[0][:, j], trained.intercepts_[0][j])
draw_points(ax, y)
plt.show()

# sphinx_gallery_thumbnail_number = 2
