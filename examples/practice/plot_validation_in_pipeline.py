"""
Learning curves through a Pipeline
==================================

A network that stops early needs validation data on the scale of the training data. When
a scaler stands before it in a ``Pipeline``, the validation data have to go through that
same scaler, fitted to the training data alone. scikit-learn's metadata routing does
this; here it serves networks that differ in what is set layer by layer.
"""

# %%
# Four networks
# -------------
# ``activation`` and ``dropout`` take one value for all hidden layers or one for each.
# Where that is not enough, ``layers`` lists the hidden layers themselves: here two
# residual blocks, y = x + F(x). The output layer is always added.

import matplotlib.pyplot as plt
import sklearn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skdl import MLPClassifier
from skdl.inspection import LossCurveDisplay
from skdl.layers import Dense, Dropout, Residual

X, y = load_digits(return_X_y=True)
X = X.astype("float32")
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
X_train, X_val, y_train, y_val = train_test_split(
    X_train, y_train, test_size=0.25, stratify=y_train, random_state=0
)

blocks = [
    Dense(64),
    Residual(["relu", Dense(64)]),
    Residual(["relu", Dropout(0.3), Dense(64)]),
    "relu",
]
settings = {
    "relu, relu": {"hidden_layer_sizes": (64, 64)},
    "tanh, relu": {"hidden_layer_sizes": (64, 64), "activation": ["tanh", "relu"]},
    "dropout 0.2, 0.5": {"hidden_layer_sizes": (64, 64), "dropout": [0.2, 0.5]},
    "residual": {"layers": blocks},
}

# %%
# X_val through the scaler
# ------------------------
# ``transform_input=["X_val"]`` names what has to be transformed on its way to the step
# that asks for it. The networks ask for `X_val` and `y_val` from the start, so that no
# ``set_fit_request`` is needed.


def fit(name):
    net = MLPClassifier(
        **settings[name],
        batch_size=32,
        early_stopping=True,
        tol=1e-3,
        random_state=0,
    )
    model = Pipeline(
        [("scale", StandardScaler()), ("net", net)], transform_input=["X_val"]
    )
    return model.fit(X_train, y_train, X_val=X_val, y_val=y_val)


with sklearn.config_context(enable_metadata_routing=True):
    models = {name: fit(name) for name in settings}

for name, model in models.items():
    print(
        f"{name:>16}: accuracy {model.score(X_test, y_test):.3f} on held-out images, "
        f"{model['net'].best_epoch_} epochs"
    )

# %%
# All learning curves on one axis
# -------------------------------
# ``from_estimator`` takes fitted networks, or Pipelines that end in one. Of the full
# lines, the training losses, that of the network with dropout in both layers lies
# highest: it is measured with a part of the units silent. The dashed lines, the
# validation losses, decide. The dots are where each is smallest, and the weights of
# that epoch are the model.

_, ax = plt.subplots(figsize=(8, 5), layout="constrained")
LossCurveDisplay.from_estimator(models, ax=ax, log=True)
ax.set(title="Four networks on digits", ylabel="cross-entropy")
ax.legend(ncols=2, fontsize="small")
plt.show()
