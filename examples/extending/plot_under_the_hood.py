"""
Under the hood: training without an estimator
=============================================

``MLPClassifier`` puts together parts that also work by themselves: a network, an
objective, an optimizer and a loop. Here they are used one by one, for whoever wants to
see how it works or needs something that ``fit`` does not do.
"""

# %%
# A network is a chain of layers and one vector
# ---------------------------------------------
# The layers hold no arrays. All trainable arrays of a network are views into one
# contiguous vector, in which weights come before biases.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skdl.layers import BatchNorm, Dense, DropConnect
from skdl.networks import Network, mlp_layers

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16, y, stratify=y, random_state=0
)

layers = [*mlp_layers((50, 30), activation="tanh"), Dense(10)]
network = Network(layers, input_shape=(64,))
network.initialize(np.random.default_rng(0))
print(*network.layers, sep="\n")
for name in network.params:
    print(f"{name:>4}: {network.params[name].shape}")
print(f"one vector of {network.params.size:,} numbers")

# %%
# Forward and backward
# --------------------
# A context says whether this is training, and gives out random numbers and memory. With
# an arena the memory of one step is used again in the next. Backpropagation goes
# through the layers from the last to the first and writes the gradient of every array.

from skdl.layers import Arena, Context
from skdl.losses import CrossEntropy

loss = CrossEntropy()
arena = Arena(np.float64)
ctx = Context(train=True, rng=np.random.default_rng(0), arena=arena)
gradient = network.params.like()  # the same layout, all zero

raw, caches = network.forward(network.tree(network.params), X_train, ctx)
value, d_raw = loss.weighted(y_train, raw, None, 1 / len(y_train))
network.backward(network.tree(network.params), gradient.tree, caches, d_raw, ctx)
arena.reset()
print(f"loss {value:.4f}, length of the gradient {np.linalg.norm(gradient.vector):.4f}")

# %%
# The objective
# -------------
# ``Objective`` is all this as one pure function of the vector, with penalties. Being
# that, it can be checked against finite differences, and handed to any minimiser, such
# as SciPy's.

from scipy.optimize import minimize

from skdl.testing import check_gradient
from skdl.training import Objective

objective = Objective(network, loss, l2=1.0)


def function(theta):
    value, gradient = objective.loss_and_gradient(theta, X_train, y_train)
    return value, gradient.copy()


theta = network.params.vector.copy()
check_gradient(lambda at: function(at)[0], theta, function(theta)[1])
result = minimize(function, theta, jac=True, method="CG", options={"maxiter": 100})
network.params.vector[:] = result.x
accuracy = np.mean(network.predict(X_test).argmax(axis=1) == y_test)
print(f"SciPy's conjugate gradients: held-out accuracy {accuracy:.3f}")

# %%
# A loop by hand
# --------------
# An optimizer has hyper-parameters alone; what it remembers is an ``OptimizerState``,
# and ``update`` changes both in place. This is mini-batch training in six lines, with a
# twist that no estimator has: noise on the images, new in every step.

from skdl.optimizers import Adam, OptimizerState

rng = np.random.default_rng(0)
network.initialize(rng)
theta = network.params.vector
objective = Objective(network, loss)
optimizer = Adam(3e-3, clip_norm=1.0)
state: OptimizerState = optimizer.init(theta.size)
for _ in range(40):
    for rows in np.array_split(rng.permutation(len(y_train)), 40):
        noisy = X_train[rows] + rng.normal(0, 0.1, (len(rows), 64))
        _, gradient = objective.loss_and_gradient(theta, noisy, y_train[rows])
        optimizer.update(theta, gradient, state)

accuracy = np.mean(network.predict(X_test).argmax(axis=1) == y_test)
print(f"{state.t} updates by hand: held-out accuracy {accuracy:.3f}")

# %%
# The loop of the estimators
# --------------------------
# ``Trainer`` adds shuffling, history, validation and early stopping. A
# ``TrainingState`` is all that is needed to go on as if training had never stopped.
# This network has batch normalisation, whose moving averages are kept beside the
# parameters, and drops weights instead of units.

from skdl.training import Best, Data, RowBatches, Trainer, TrainingState

layers = [Dense(50), BatchNorm(), "relu", DropConnect(30, rate=0.3), "relu", Dense(10)]
network = Network(layers, input_shape=(64,))
network.initialize(rng)
print(network.describe())


def validate(network):
    raw = network.predict(X_test)
    return {"val_loss": loss(y_test, raw)}


optimizer = Adam(3e-3)
run = TrainingState(network, optimizer.init(network.params.size), rng, seed=0)
run.best = Best(patience=10)
rows = Data(X_train, y_train, None, y_train)
trainer = Trainer(
    run,
    Objective(network, loss),
    optimizer,
    rows,
    RowBatches(rows, batch_size=32),
    validate=validate,
    monitor="val_loss",
)
trainer.run(n_epochs=200)
network.restore(run.best.weights)
accuracy = np.mean(network.predict(X_test).argmax(axis=1) == y_test)
print(
    f"ended for {trainer.stop_reason!r} after {run.epoch} epochs, best {run.best.epoch}"
)
print(f"accuracy on the validation images {accuracy:.3f}")

fig, ax = plt.subplots(figsize=(7, 3.6), layout="constrained")
for name in ["loss", "val_loss"]:
    ax.plot(np.arange(1, run.epoch + 1), run.history[name], label=name)
ax.axvline(run.best.epoch, color="0.6", ls=":", label="best")
ax.set(xlabel="epoch", ylabel="cross-entropy", yscale="log")
ax.legend()
plt.show()

# %%
# A rate that is far too large ends in a clear error, and the last finite weights stay:

from skdl.optimizers import SGD
from skdl.training import DivergenceError

wild = SGD(1e20)
run = TrainingState(network, wild.init(network.params.size), rng, seed=0)
objective = Objective(network, loss, l2=1.0)
trainer = Trainer(run, objective, wild, rows, RowBatches(rows, batch_size=32))
try:
    trainer.run(n_epochs=5)
except DivergenceError as error:
    print(f"DivergenceError: {error}")
print("all weights finite:", np.isfinite(network.params.vector).all())

# %%
# What an optimizer asks for
# --------------------------
# ``run`` of an optimizer takes a ``Problem``: something with ``gradients``, an epoch of
# them, and ``value_and_gradient``, the whole. A trainer is one. Here is another: least
# squares, for L-BFGS, which calls the second.

from skdl.optimizers import LBFGS, Optimizer, Problem


class LeastSquares:
    def __init__(self, A, b):
        self.A, self.b = A, b

    def value_and_gradient(self, theta):
        error = self.A @ theta - self.b
        return 0.5 * error @ error, self.A.T @ error

    def gradients(self, theta):
        yield self.value_and_gradient(theta)[1]


def solve(problem: Problem, optimizer: Optimizer, n: int, n_epochs: int):
    theta = np.zeros(n)
    state = optimizer.init(n)
    optimizer.run(problem, theta, state, n_epochs, end_iteration=lambda: False)
    return theta


A = rng.normal(size=(100, 5))
b = A @ [1, 2, 3, 4, 5]
print(solve(LeastSquares(A, b), LBFGS(), n=5, n_epochs=100).round(4))

# %%
# Engines
# -------
# The NumPy code is the reference. Where Numba is installed (the extra ``fast``),
# compiled twins of the hot parts are taken, with the same bits.

import skdl

print(skdl.get_config())
with skdl.config_context(engine="numpy"):
    print(skdl.get_config())
skdl.set_config(engine="auto")
