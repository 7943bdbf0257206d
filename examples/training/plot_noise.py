"""
The good that noise does, and its price
=======================================

A network's loss has many minima, and some of them are poor. Noise gets out of them: the
noise of mini-batches, that of several starts, and plain jogs of the weights. Near a good
minimum the same noise is a nuisance, and the learning rate has to put an end to it.
"""

# %%
# A problem with poor minima
# --------------------------
# Two rings, and a network of four tanh units, just enough to wrap the inner one. From
# many starts, gradient descent ends where a part of the ring lies on the wrong side.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_circles
from sklearn.inspection import DecisionBoundaryDisplay

from skdl import MLPClassifier, MLPRegressor
from skdl.callbacks import Jog
from skdl.optimizers import SGD

X, y = make_circles(400, noise=0.1, factor=0.5, random_state=0)


def train(seed, n_epochs=200, callback=None, **settings):
    """So many epochs, without any criterion to stop."""
    net = MLPClassifier((4,), "tanh", alpha=0.0, random_state=seed, **settings)
    if callback is not None:
        net.set_callbacks(callback)
    for _ in range(n_epochs):
        net.partial_fit(X, y)
    return net

t = []
for b in (400, 20):
    for lr in (0.03,):
        L=[]
        for seed in range(12):
            net = train(seed, optimizer="momentum", optimizer__learning_rate=lr if 0 else 0.1, batch_size=b, n_epochs=200 if b==20 else 600) if False else None
            net = MLPClassifier((4,), "tanh", alpha=0.0, random_state=seed, optimizer=SGD(0.5), batch_size=b)
            for _ in range(4000//(400//b)): net.partial_fit(X,y)
            L.append(net.history_["loss"][-1])
        print(b, lr, np.round(L,3))
