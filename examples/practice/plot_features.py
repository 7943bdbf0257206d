"""
What a network has learnt, as features
======================================

The hidden layers of a classifier turn its input into something that a linear model can
separate. ``NetworkFeatures`` hands that to any other estimator: it is a transformer
that fits a network and returns the activations of one of its layers.
"""

# %%
# Digits in two dimensions
# ------------------------
# This network has a bottleneck: its last hidden layer consists of two units without an
# activation ("identity"). All that tells the ten digits apart has to pass through two
# numbers, which can be drawn. The transformer is fitted to the training images; the
# picture shows others.

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skdl import MLPClassifier, NetworkFeatures

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X.astype("float32"), y, stratify=y, random_state=0
)

bottleneck = MLPClassifier(
    hidden_layer_sizes=(100, 50, 2),
    activation=["relu", "relu", "identity"],
    batch_size=32,
    early_stopping=True,
    random_state=0,
)
maps = {
    "principal components": make_pipeline(MinMaxScaler(), PCA(2)),
    "network": make_pipeline(MinMaxScaler(), NetworkFeatures(bottleneck)),
}

fig, axes = plt.subplots(1, 2, figsize=(11, 5), layout="constrained")
for ax, (name, model) in zip(axes, maps.items(), strict=True):
    points = model.fit(X_train, y_train).transform(X_test)
    dots = ax.scatter(*points.T, c=y_test, cmap="tab10", vmin=-0.5, vmax=9.5, s=14)
    ax.set(title=f"Held-out digits, two features: {name}", xticks=[], yticks=[])
fig.colorbar(dots, ax=axes, ticks=range(10), label="digit")
plt.show()

# %%
# Features for another estimator
# ------------------------------
# In a Pipeline the transformer stands before any estimator: here the nearest
# neighbours, which have nothing but distances to go by. Distances between the two
# features of the network mean more than those between two principal components.

for name, model in maps.items():
    neighbours = make_pipeline(model, KNeighborsClassifier())
    accuracy = neighbours.fit(X_train, y_train).score(X_test, y_test)
    print(f"neighbours on 2 features, {name:>20}: accuracy {accuracy:.3f}")

# %%
# A fitted network, as it is
# --------------------------
# ``NetworkFeatures`` clones and fits the network that it is given. A network that has
# been fitted already stays as it is inside scikit-learn's ``FrozenEstimator``.
# ``layer`` counts the layers of ``network_.layers``, here dense layers and activations
# in turn; the default is the last one before the output layer. The bottleneck has its
# price: what it leaves out, the wider layers before it still have.

from sklearn.frozen import FrozenEstimator

scale = MinMaxScaler().fit(X_train)
network = maps["network"][-1].estimator_
print(network.network_.layers)
for layer in [1, 3, 5]:
    features = NetworkFeatures(FrozenEstimator(network), layer=layer)
    neighbours = make_pipeline(scale, features, KNeighborsClassifier())
    accuracy = neighbours.fit(X_train, y_train).score(X_test, y_test)
    width = features.transform(scale.transform(X_test)).shape[1]
    print(f"layer {layer}, {width:>3} features: accuracy {accuracy:.3f}")
