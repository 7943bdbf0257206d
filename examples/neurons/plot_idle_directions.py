"""
Idle directions: weights that the training data cannot see
==========================================================

A layer computes XW + b. If X has more columns than rows, there are directions in which
W can move without changing XW at all: every W₀ with XW₀ = 0, the null space of XᵀX. The
training loss has no opinion about them. New data do.
"""

# %%
# Thirty images of 64 pixels
# --------------------------
# A network with a hidden layer learns ten digits from thirty images.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skdl import MLPClassifier
from skdl.inspection import idle_directions

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16, y, train_size=30, stratify=y, random_state=0
)
net = MLPClassifier((100,), activation="tanh", max_iter=1000, random_state=0)
net.fit(X_train, y_train)
print(f"training accuracy {net.score(X_train, y_train):.3f}")
print(f"held-out accuracy {net.score(X_test, y_test):.3f}")

# %%
# ``idle_directions`` takes the layer's inputs over the data and returns
# `IdleDirections`, with an orthonormal basis of the directions that the inputs lack: 64
# pixels less 30 images leave 34 of them.

idle = idle_directions(net, X_train, layer=0)
print(f"basis of shape {idle.basis.shape}, for the weights {idle.name!r}")
values = np.concatenate([idle.singular_values, np.zeros(idle.basis.shape[1])])

fig, ax = plt.subplots(figsize=(6, 3), layout="constrained")
colors = np.where(values > 0, "C0", "C1")
ax.bar(np.arange(1, 65), np.maximum(values, 0.02), color=colors)
ax.set(xlabel="direction", ylabel="singular value of the images", yscale="log")
ax.text(47.5, 0.04, "34 idle directions", color="C1", ha="center")
plt.show()

# %%
# Move the weights, keep the predictions
# --------------------------------------
# Any combination of the columns of the basis may be added to the weights of any hidden
# unit. Here every unit gets a random one, as long as all its weights together.

rng = np.random.default_rng(0)
W = net.coefs_[0]  # a view: what is written to it changes the network
W_fitted = W.copy()
move = idle.basis @ rng.normal(size=(idle.basis.shape[1], W.shape[1]))
move *= np.linalg.norm(W) / np.linalg.norm(move)

fig, axes = plt.subplots(3, 5, figsize=(7, 4.6), layout="constrained")
pictures = {"fitted": W_fitted, "idle move": move, "moved": W_fitted + move}
for row, (name, weights) in zip(axes, pictures.items(), strict=True):
    for unit, ax in enumerate(row):
        ax.imshow(weights[:, unit].reshape(8, 8), cmap="RdBu", vmin=-0.5, vmax=0.5)
        ax.set(xticks=[], yticks=[])
    row[0].set_ylabel(name)
fig.suptitle("Weights of five hidden units")
plt.show()

# %%
# The moved weights look nothing like the fitted ones. On the training images the
# probabilities stay the same to the last digit or two, however long the move. On new
# images they change at once, and the accuracy falls as the move gets longer.

p_train, p_test = net.predict_proba(X_train), net.predict_proba(X_test)
lengths = np.linspace(0, 20, 11)
change_train, change_test, accuracy = [], [], []
for length in lengths:
    W[:] = W_fitted + length * move
    change_train.append(np.abs(net.predict_proba(X_train) - p_train).max())
    change_test.append(np.abs(net.predict_proba(X_test) - p_test).max())
    accuracy.append(net.score(X_test, y_test))

fig, axes = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
axes[0].plot(lengths[1:], change_train[1:], "o-", label="training images")
axes[0].plot(lengths[1:], change_test[1:], "s--", label="new images")
axes[0].set(yscale="log", ylim=(1e-17, 30), ylabel="largest change of a probability")
axes[0].legend(loc="center right")
axes[1].plot(lengths, accuracy, "s--", color="C1", label="new images")
axes[1].axhline(net.score(X_train, y_train), color="C0", label="training images")
axes[1].set(ylim=(0, 1.05), ylabel="accuracy")
axes[1].legend()
for ax in axes:
    ax.set_xlabel("length of the move / length of the weights")
plt.show()

# %%
# Take the idle part out
# ----------------------
# Each column of the gradient Xᵀ ∂L/∂Z is a combination of training images, so plain
# gradient descent never moves W along an idle direction. Adam, which scales the step of
# each weight by itself, does so by accident alone. What stands there is mostly what the
# initializer has drawn: noise, which can be removed without a change on the training
# data.

W[:] = W_fitted
part = idle.basis @ (idle.basis.T @ W)
share = np.sum(part**2) / np.sum(W**2)
before = net.score(X_test, y_test)
W -= part
print(f"share of ‖W‖² that is idle:       {share:.2f}")
print(f"training accuracy, before, after: 1.000, {net.score(X_train, y_train):.3f}")
print(
    f"held-out accuracy, before, after: {before:.3f}, {net.score(X_test, y_test):.3f}"
)

# sphinx_gallery_thumbnail_number = 3
