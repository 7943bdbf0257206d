"""
Your own layer, activation, loss, initializer and schedule
==========================================================

Every part of a network is a small object with hyper-parameters and no data. A subclass
with a registered name works everywhere: in estimators, in grids, in checkpoints. The
checks of :mod:`skdl.testing` tell whether it is right. Here a network is put together
from five new parts, to separate tumours.
"""

# %%
# An activation
# -------------
# Mish is x·tanh(ln(1 + eˣ)) (Misra 2019). ``derivative_from`` says whether ``backward``
# wants the output or the input of the forward pass; ``out`` and ``work`` are memory to
# write to, so that a training step allocates nothing. ``initializer`` is what "auto"
# takes before this activation.

import matplotlib.pyplot as plt
import numpy as np
from scipy.special import expit, softmax

from skdl import activations, initializers, layers, losses, schedules
from skdl.activations import ActivationFunction
from skdl.initializers import Initializer
from skdl.layers import Context, Layer, ParamSpec
from skdl.losses import Loss
from skdl.schedules import Schedule
from skdl.testing import check_gradient, check_layer, check_loss


@activations.register("mish")
class Mish(ActivationFunction):
    derivative_from = "input"
    initializer = "he_uniform"

    def forward(self, x, out, work):
        np.logaddexp(x, 0, out=work)
        np.tanh(work, out=work)
        return np.multiply(x, work, out=out)

    def backward(self, dy, z, out, work):
        np.logaddexp(z, 0, out=work)
        np.tanh(work, out=work)  # t, and Mish' = t + z·(1 − t²)·sigmoid(z)
        out[:] = work + z * (1 - work**2) * expit(z)
        out *= dy
        return out


x = np.random.default_rng(0).normal(size=(5, 3))
mish, dy = Mish(), np.ones_like(x)
check_gradient(
    lambda at: mish(at).sum(),
    x,
    mish.backward(dy, x, np.empty_like(x), np.empty_like(x)),
)

# %%
# A layer
# -------
# Features of very different sizes want a scaler. This layer learns one: y = e^a·x + b,
# feature by feature. ``build`` names the arrays and says how they start; ``forward``
# returns the output and what ``backward`` will need; ``backward`` writes the gradients
# of the arrays and returns that of the input. ``ctx`` says whether this is training and
# gives out memory.


@layers.register("learned_scale")
class LearnedScale(Layer):
    def __init__(self, start=0.0):
        self.start = start

    def build(self, input_shape):
        start = initializers.Constant(self.start)
        return input_shape, {
            "a": ParamSpec(input_shape, start),
            "b": ParamSpec(input_shape, "zeros"),
        }

    def forward(self, params, x, ctx: Context):
        y = np.multiply(x, np.exp(params["a"]), out=ctx.empty(x.shape))
        y += params["b"]
        return y, x if ctx.train else None

    def backward(self, params, grads, cache, dy, ctx: Context):
        scale = np.exp(params["a"])
        np.sum(dy * cache, axis=0, out=grads["a"])
        grads["a"][:] *= scale
        np.sum(dy, axis=0, out=grads["b"])
        return np.multiply(dy, scale, out=ctx.empty(dy.shape))


check_layer(LearnedScale(), (4,))

# %%
# A loss
# ------
# The focal loss −(1 − p)^γ ln p of the true class's probability p (Lin et al. 2017)
# cares less about samples that are right already. ``evaluate`` compares class numbers
# with raw predictions and returns the loss of each row and its gradient;
# ``inverse_link`` turns raw predictions into probabilities.


@losses.register("focal")
class Focal(Loss):
    task = "classification"
    out_activation = "softmax"

    def __init__(self, gamma=2.0):
        self.gamma = gamma

    def evaluate(self, y, raw, empty=np.empty):
        rows, y = np.arange(len(y)), y.astype(int)
        p_all = self.inverse_link(raw)
        p = p_all[rows, y].clip(1e-12)
        log_p, rest = np.log(p), (1 - p).clip(1e-12)
        loss = -(rest**self.gamma) * log_p
        # dloss/dp times dp/draw = p·(onehot − p_all)
        slope = self.gamma * rest ** (self.gamma - 1) * p * log_p - rest**self.gamma
        gradient = -slope[:, None] * p_all
        gradient[rows, y] += slope
        return loss, gradient

    def inverse_link(self, raw):
        return softmax(raw, axis=1)

    def link(self, prediction):
        return np.log(prediction)

    def for_classes(self, n_classes, multilabel):
        if multilabel:
            raise ValueError("The focal loss is for exclusive classes.")
        return self


check_loss(Focal())

# %%
# A function will do where there is nothing to set: see ``shortage_costs_more`` in
# :ref:`sphx_glr_auto_examples_practice_plot_losses.py`.

# %%
# An initializer and a schedule
# -----------------------------
# Weights most of which are zero, and a rate that falls along a straight line. The fans
# of an array are how many numbers it connects.


@initializers.register("sparse")
class Sparse(Initializer):
    def __init__(self, share=0.8):
        self.share = share

    def draw(self, shape, rng):
        fan_in, _ = initializers.fans(shape)
        std = np.sqrt(2 / (fan_in * (1 - self.share)))  # of those that are kept
        return rng.normal(0, std, shape) * (rng.random(shape) >= self.share)


@schedules.register("linear")
class Linear(Schedule):
    def multiplier(self, t, total, memory):
        return max(1 - t / total, 0.0)


# %%
# All of them together
# --------------------
# The tumour data have features from 0.001 to 4,000, with no scaler before the network:
# the first layer has to take care of that. Batch normalisation measures the scales, the
# new layer has to learn them, and is the slower one. Names are enough, and nested
# settings are reached as those of built-in parts are.

from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

from skdl import MLPClassifier
from skdl.inspection import LossCurveDisplay
from skdl.layers import Dense

X, y = load_breast_cancer(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

nets = {}
for first in ["learned_scale", "batch_norm"]:
    net = MLPClassifier(
        layers=[first, Dense(32), "mish"],
        loss="focal",
        initializer="sparse",
        batch_size=64,
        max_iter=150,
        n_iter_no_change="never",
        random_state=0,
    )
    net.set_params(initializer__share=0.5, loss__gamma=1.0)
    net.set_params(optimizer__learning_rate="linear")
    net.set_params(optimizer__learning_rate__initial=3e-3)
    nets[first] = net.fit(X_train, y_train)
    print(f"{first:>14}: accuracy {net.score(X_test, y_test):.3f} on held-out tumours")
print(net)

_, ax = plt.subplots(figsize=(7, 4), layout="constrained")
LossCurveDisplay.from_estimator(nets, curves=["loss"], ax=ax, log=True)
ax.set(title="Focal loss on tumours, by the first layer", ylabel="focal loss")
plt.show()
