"""
Where is the digit?
===================

A classifier says what is in a picture. A localiser says whether there is anything, and
where: five numbers, of which four are a box. What is the loss of a box?
"""

# %%
# Pictures with exact truth
# -------------------------
# Digits of MNIST are pasted on brick, grass and gravel; a fifth of the pictures stays
# empty, and some digits reach over the edge. The targets are presence, centre, width
# and height, in units of the picture.

import matplotlib.pyplot as plt
import numpy as np

from skdl import ObjectLocalizer
from skdl.datasets import DigitScenes, load_mnist
from skdl.inspection import BoxesDisplay
from skdl.layers import Conv2D, Dense, Flatten, MaxPool2D
from skdl.losses import BoxLoss
from skdl.metrics import box_iou
from skdl.optimizers import Adam
from skdl.schedules import Cosine

mnist = load_mnist()
first = np.arange(5000) % 5 > 0  # other digits to test with


def scenes(n, which, seed):
    digits = mnist.images[which], mnist.target[which]
    made = DigitScenes(
        n, 48, empty=0.2, overhang=0.25, digits=digits, random_state=seed
    )
    bunch = made.load()
    return bunch.images, bunch.target


X, y = scenes(6000, first, 0)
X_test, y_test = scenes(500, ~first, 1)
print(X.shape, X.dtype)
print(y[:4].round(3))

# %%
# Equal relative errors cost the same
# -----------------------------------
# The network gives the logarithms of width and height. Ten percent too wide costs the
# same for a small digit as for a large one; a squared error of the width itself would
# hardly see the small ones.

fig, ax = plt.subplots(figsize=(7, 3.6), layout="constrained")
guess = np.linspace(0.02, 1.1, 300)
for width in (0.1, 0.2, 0.4):
    target = np.tile([1, 0.5, 0.5, width, width], (300, 1))
    prediction = target.copy()
    prediction[:, 0], prediction[:, 3] = 0.9, guess
    loss, _ = BoxLoss().evaluate(target, BoxLoss().link(prediction))
    ax.plot(guess / width, loss[:, 3], label=f"width {width}: BoxLoss")
    ax.plot(guess / width, (guess - width) ** 2, ":", color=ax.lines[-1].get_color())
ax.set(
    xlim=(0.4, 2.5),
    ylim=(0, 0.9),
    xlabel="guessed width / true width",
    ylabel="loss of the width",
    title="Solid: squared error of the logarithm. Dotted: of the width itself",
)
ax.legend()
plt.show()

# %%
# Five losses at once
# -------------------
# Presence and centre have cross-entropies, the size squared errors of logarithms. Where
# nothing is there, only the presence counts. Each part has a curve of its own in
# ``history_``. The cross-entropy of a centre does not go to 0: it is smallest where the
# prediction is the truth, and there it is the entropy of that number.

layers = [Conv2D(16, 5, stride=2, padding=2), "relu", Conv2D(32, padding=1), "relu"]
layers += [MaxPool2D(), Conv2D(64, padding=1), "relu", MaxPool2D(), Flatten()]
net = ObjectLocalizer(
    [*layers, Dense(128), "relu"],
    optimizer=Adam(Cosine(2e-3)),
    initializer="he_normal",
    batch_size=32,
    max_iter=11,
    n_iter_no_change="never",
    random_state=0,
)
net.fit(X, y, X_val=X_test, y_val=y_test)

fig, ax = plt.subplots(figsize=(6, 3.6), layout="constrained")
epochs = 1 + np.arange(net.n_iter_)
for part in BoxLoss.parts:
    (line,) = ax.semilogy(epochs, net.history_[f"loss_{part}"], label=part)
    ax.semilogy(epochs, net.history_[f"val_loss_{part}"], "--", color=line.get_color())
ax.set(xlabel="epoch", ylabel="loss", title="Solid: training. Dashed: other pictures")
ax.legend(ncols=2)
plt.show()

# %%
# Boxes
# -----

predicted = net.predict(X_test)
right = (predicted[:, 0] == y_test[:, 0]).mean()
print(f"mean IoU {net.score(X_test, y_test):.3f}, presence right in {right:.1%}")

both = (predicted[:, 0] == 1) & (y_test[:, 0] == 1)
iou = box_iou(predicted[both, 1:], y_test[both, 1:])
width = y_test[both, 3] / 2
over = (y_test[both, 1] < width) | (y_test[both, 1] > 1 - width)
print(f"IoU of digits that reach over a side {iou[over].mean():.3f}")
print(f"IoU of all others {iou[~over].mean():.3f}")

BoxesDisplay.from_estimator(net, X_test[:12], y_test[:12], n_columns=6)
plt.show()
