"""Data to boost on, and boosters of all kinds."""

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.tree import DecisionTreeRegressor

from skdl import GradientBoostingClassifier, GradientBoostingRegressor
from skdl.optimizers import EMA
from skdl.schedules import Inverse

X, Y = load_diabetes(return_X_y=True)
XB, YB = load_breast_cancer(return_X_y=True)
XI, YI = load_iris(return_X_y=True)
FEW = {"n_estimators": 15, "random_state": 0}
TASKS = {
    "regression": (GradientBoostingRegressor, X, Y),
    "two targets": (GradientBoostingRegressor, X, np.c_[Y, -Y]),
    "two classes": (GradientBoostingClassifier, XB, YB),
    "three classes": (GradientBoostingClassifier, XI, YI),
}
RULES = {
    "newton": {},
    "gd": {"optimizer": "gd"},
    "momentum": {"optimizer": "momentum", "learning_rate": 0.02},
    "nesterov": {"optimizer": "nesterov", "learning_rate": 0.02},
    "ema": {"optimizer": EMA(beta=0.5)},
    "schedule": {"learning_rate": Inverse(0.5)},
    "subsample": {"subsample": 0.7, "max_features": 0.5},
    "shared": {"shared_trees": True},
    "own learners": {"estimator": DecisionTreeRegressor(max_depth=2, max_features=2)},
}


def made(task, rule="newton", **settings):
    settings = {"n_estimators": 8, "random_state": 0, **RULES[rule], **settings}
    return TASKS[task][0](**settings)


def fitted(task, rule="newton", **settings):
    return made(task, rule, **settings).fit(*TASKS[task][1:])


def raw(model, X):
    return model.ensemble_.raw(np.asarray(X, dtype=np.float64))
