"""
Your own optimizer in ten lines
===============================

An optimizer says how a gradient changes the parameters. All parameters of a network are
one vector, so that is a few lines on one-dimensional arrays. Once registered, it has a
name and works wherever a built-in one does: in the estimators, in grids, and for any
function in ``minimize``.
"""

# %%
# The rule
# --------
# Sign descent with a memory, in the spirit of "signum" (Bernstein et al. 2018): the
# average of past gradients votes on the direction of each parameter, and every
# parameter moves by the learning rate,
#
# .. math:: m \leftarrow \beta m + (1 - \beta) g, \qquad
#    \theta \leftarrow \theta - \eta \, \mathrm{sign}(m).
#
# ``slots`` names the vectors that the optimizer remembers, zero at the start; ``step``
# changes θ in place. Clipping and learning-rate schedules come with the base class.

import matplotlib.pyplot as plt
import numpy as np

from skdl import optimizers


@optimizers.register("signum")
class Signum(optimizers.FirstOrder):
    slots = ("m",)

    def __init__(self, learning_rate=1e-3, beta=0.9, clip_norm=None, clip_value=None):
        super().__init__(learning_rate, clip_norm, clip_value)
        self.beta = beta

    def step(self, theta, g, s, eta):
        s.m[:] = self.beta * s.m + (1 - self.beta) * g
        theta -= eta * np.sign(s.m)


# %%
# Is it right?
# ------------
# ``check_optimizer`` lets it descend, clones and pickles it, stops and resumes it, and
# cuts the vector in pieces: an error would say what is wrong.

from skdl.testing import check_optimizer

check_optimizer(Signum())
print("known now:", ", ".join(optimizers.names()))

# %%
# Does it work?
# -------------
# In a grid, by its name, against two built-in optimizers, with settings that reach
# inside of it. One rate for every optimizer would be unfair, so each has its own two.
# (With ``n_jobs`` pass an instance, ``Signum()``: a worker process does not know the
# name, which was registered in this one.)

from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skdl import MLPClassifier

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X.astype("float32"), y, stratify=y, random_state=0
)
net = MLPClassifier(batch_size=32, early_stopping=True, max_iter=500, random_state=0)
model = make_pipeline(MinMaxScaler(), net)

searches = {}
for name, rates in {
    "signum": [3e-4, 1e-3],
    "adam": [3e-3, 1e-2],
    "sgd": [1e-1, 3e-1],
}.items():
    grid = {
        "mlpclassifier__optimizer": [name],
        "mlpclassifier__optimizer__learning_rate": rates,
    }
    searches[name] = GridSearchCV(model, grid, cv=3).fit(X_train, y_train)
    rate = searches[name].best_params_["mlpclassifier__optimizer__learning_rate"]
    accuracy = searches[name].score(X_test, y_test)
    print(f"{name:>6}: best rate {rate:g}, accuracy {accuracy:.3f} on held-out images")

# %%
# The learning curves of the three winners; the dots are the epochs whose weights were
# kept.

from skdl.inspection import LossCurveDisplay

_, ax = plt.subplots(figsize=(7, 4.5), layout="constrained")
best = {name: search.best_estimator_ for name, search in searches.items()}
LossCurveDisplay.from_estimator(best, ax=ax, log=True)
ax.set(title="Digits, the best learning rate of each optimizer")
plt.show()

# %%
# With a schedule
# ---------------
# Steps of a fixed length never settle: near a minimum they hop over it. A schedule
# shrinks them, and needs nothing from the optimizer. Here on Rosenbrock's valley.

from scipy.optimize import rosen, rosen_der

from skdl.schedules import Cosine

paths = {}
for name, rate in {"constant": 0.01, "cosine": Cosine(0.01)}.items():
    values = []
    optimizers.minimize(
        rosen,
        [-1.0, 1.5],
        jac=rosen_der,
        optimizer=Signum(learning_rate=rate),
        max_iter=1500,
        callback=lambda x, values=values: values.append(rosen(x)),
    )
    paths[name] = values

_, ax = plt.subplots(figsize=(7, 3.5), layout="constrained")
for name, values in paths.items():
    ax.plot(values, lw=1, label=f"{name} rate")
ax.set(yscale="log", xlabel="update", ylabel="Rosenbrock's function")
ax.legend()
plt.show()

# %%
# What needs more than one gradient at a time, such as a line search, derives from
# ``Optimizer`` instead and defines ``run``; see `skdl.optimizers.LBFGS`.
