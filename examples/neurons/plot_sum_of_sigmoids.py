"""
A sum of sigmoids approximates a function with jumps
====================================================

One hidden layer of sigmoids and a linear output is a sum Σ cⱼ σ(wⱼx + bⱼ). Such sums
come as close as one likes to any continuous function on an interval (Cybenko 1989), and
to any bounded function with jumps in the mean. Here they first build a staircase by
hand, and then learn a line of pixels across a photograph.
"""

# %%
# By hand: each jump is one sigmoid
# ---------------------------------
# σ(k(x − p)) rises from 0 to 1 around x = p, within about 4/k. A staircase that jumps
# by cⱼ at pⱼ is approximated by c₀ + Σ cⱼ σ(k(x − pⱼ)): the hidden weights are all k,
# the biases −k·pⱼ, and the output weights the heights of the jumps.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_sample_image

from skdl import MLPRegressor
from skdl.initializers import Uniform
from skdl.layers import Dense
from skdl.networks import Network

position = np.array([0.15, 0.3, 0.55, 0.6, 0.85])
jump = np.array([0.6, -0.9, 1.1, -0.5, 0.4])
x = np.linspace(0, 1, 1001)[:, None]
staircase = (x >= position) @ jump

fig, axes = plt.subplots(1, 3, figsize=(9, 2.8), sharey=True, layout="constrained")
for ax, k in zip(axes, [30, 100, 1000], strict=True):
    network = Network([Dense(5), "sigmoid", Dense(1)], input_shape=(1,))
    network.params["0.W"][:] = k
    network.params["0.b"][:] = -k * position
    network.params["2.W"][:, 0] = jump
    y = network.predict(x)[:, 0]
    ax.plot(x, staircase, color="0.6", lw=3, label="staircase")
    ax.plot(x, y, color="C0", lw=1.5, label="five sigmoids")
    error = np.mean(np.abs(y - staircase))
    ax.set(title=f"k = {k}, mean error {error:.3f}", xlabel="x", xticks=[0, 0.5, 1])
axes[0].legend(loc="lower right")
plt.show()

# %%
# Close to a jump the error stays half its height however large k is, but the stretch
# where that is so shrinks like 1/k, and the mean error with it.

# %%
# Learned: the brightness along a line of a photograph
# ----------------------------------------------------
# A line across a temple roof and a bright sky is full of jumps. ``x`` is the position,
# ``y`` the brightness in [0, 1].

photo = load_sample_image("china.jpg").mean(axis=2) / 255
row = 190
y = photo[row]
x = np.linspace(0, 1, len(y))[:, None]

fig, axes = plt.subplots(2, 1, figsize=(7, 5.6), height_ratios=[2, 1])
fig.set_layout_engine("constrained")
axes[0].imshow(photo, cmap="gray", aspect="auto", extent=(0, 1, len(photo), 0))
axes[0].axhline(row, color="C1", lw=2)
axes[0].set(xticks=[], yticks=[])
axes[1].plot(x, y, color="0.3", lw=1)
axes[1].set(xlabel="x", ylabel="brightness", xlim=(0, 1))
plt.show()

# %%
# The usual starting weights are made for features of variance one and would start with
# sigmoids that are nearly straight over the whole photograph. A list of layers allows
# others: slopes and biases that are uniform in ±300 start with steep steps at random
# places. L-BFGS then moves them. Few sigmoids get stuck easily, so the best of several
# starts is kept.

steep = Uniform(-300, 300)
fig, axes = plt.subplots(3, 1, figsize=(7, 6.4), sharex=True, layout="constrained")
for ax, units in zip(axes, [4, 32, 128], strict=True):
    model = MLPRegressor(
        layers=[Dense(units, initializer=steep, bias_initializer=steep), "sigmoid"],
        optimizer="lbfgs",
        alpha=0,
        max_iter=5000,
        tol=1e-7,
        n_init=max(1, 64 // units),
        random_state=0,
    ).fit(2 * x - 1, y)
    answer = model.predict(2 * x - 1)
    error = np.mean(np.abs(answer - y))
    ax.plot(x, y, color="0.65", lw=1.2)
    ax.plot(x, answer, color="C0", lw=1.4)
    ax.set(title=f"{units} sigmoids, mean error {error:.3f}", ylabel="brightness")
axes[-1].set(xlabel="x", xlim=(0, 1))
plt.show()

# %%
# Four sigmoids find the largest jumps: into the temple, out of it in two steps, and
# into the trees. More of them add the columns and the leaves; the smooth sky needs few.

# sphinx_gallery_thumbnail_number = 3
