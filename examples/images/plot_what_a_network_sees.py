"""
Inside a network for pictures
=============================

A convolutional network that reads digits, taken apart: the filters of its first layer,
what they make of a picture, and which pixels its answers hang on.
"""

# %%
# A small network
# ---------------
# 8×8 pixels leave no room for much; two convolutions of 5×5 and 3×3 and a dense layer
# are enough. Whole numbers stay as they are: the network divides them itself.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skdl import CNNClassifier
from skdl.inspection import FeatureMapsDisplay, FiltersDisplay, SaliencyDisplay
from skdl.layers import Conv2D, Dense, Flatten, MaxPool2D

digits = load_digits()
images = digits.images.astype("uint8")
train, test, y_train, y_test = train_test_split(
    images, digits.target, stratify=digits.target, random_state=0
)
layers = [
    Conv2D(16, 5, padding="same"),
    "relu",
    MaxPool2D(2),
    Conv2D(32, 3, padding="same"),
    "relu",
    Flatten(),
    Dense(64),
    "relu",
]
net = CNNClassifier(
    layers, batch_size=32, max_iter=12, n_iter_no_change="never", random_state=0
)
net.fit(train, y_train)
print(f"accuracy {net.score(test, y_test):.3f} on {len(test)} held-out digits")
print(net.network_)

# %%
# The filters, and what they make of a 5
# --------------------------------------
# Each filter answers where the picture looks like it: some to the upper or left edges
# of a stroke, others to the stroke itself. ``layer`` is the number in the table above;
# behind the ReLU (layer 2) only the places are left where a filter says yes.

five = test[y_test == 5][:1]
fig, axes = plt.subplots(1, 4, figsize=(11, 3.2), layout="constrained")
FiltersDisplay.from_estimator(net, ax=axes[0])
axes[0].set_title("filters of layer 1")
axes[1].imshow(five[0], cmap="gray")
axes[1].set(title="a picture", xticks=[], yticks=[])
FeatureMapsDisplay.from_estimator(net, five, layer=2, ax=axes[2])
FeatureMapsDisplay.from_estimator(net, five, layer=5, ax=axes[3])
plt.show()

# %%
# Which pixels matter
# -------------------
# Two answers to the same question. The gradient says how the score of the predicted
# class would move with each pixel, were it a little brighter. Occlusion really covers a
# square of 3×3 pixels and looks how far the probability falls: where it falls most
# (red), the network has looked.

some = np.array([test[y_test == digit][1] for digit in range(8)])
fig, axes = plt.subplots(2, 1, figsize=(10, 6), layout="constrained")
SaliencyDisplay.from_estimator(net, some, ax=axes[0])
SaliencyDisplay.from_estimator(
    net, some, method="occlusion", size=3, stride=1, ax=axes[1]
)
axes[0].set_title("gradient, below the pictures", pad=18)
axes[1].set_title("occlusion", pad=18)
plt.show()

# %%
# What speaks against a class shows when another one is the target: these are the
# pictures that the network is least sure of, and the maps of the second best class.

p = net.predict_proba(test)
order = np.argsort(np.sort(p, axis=1)[:, -2])[::-1][:8]
second = np.argsort(p[order], axis=1)[:, -2]
print("true:       ", y_test[order])
print("predicted:  ", net.predict(test[order]))
print("second best:", second)
fig, ax = plt.subplots(figsize=(10, 3), layout="constrained")
SaliencyDisplay.from_estimator(
    net, test[order], method="occlusion", size=3, stride=1, target=second, ax=ax
)
plt.show()
