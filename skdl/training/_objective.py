"""What a network minimises, as a pure function of its parameter vector."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdl._typing import Array
from skdl.layers import Arena, Context
from skdl.losses import Loss
from skdl.networks import Network
from skdl.ops.vector import BLOCK, add_scaled


class Objective:
    """The weighted mean loss of a network, plus penalties on its weights.

    F(θ) = [Σᵢ wᵢ ℓ(yᵢ, f(xᵢ; θ)) + ½·l2·‖W‖² + l1·‖W‖₁] / Σᵢ wᵢ, W the entries of θ
    that belong to arrays of two and more dimensions (no biases). Dividing the penalty
    by the sum of weights is scikit-learn's convention.

    Parameters
    ----------
    network : Network
        Gives the layers and, while training, its running statistics.
    loss : Loss
        The loss.
    l2, l1 : float, default=0.0
        Strengths of the penalties.
    """

    def __init__(
        self, network: Network, loss: Loss, l2: float = 0.0, l1: float = 0.0
    ) -> None:
        self.network = network
        self.loss = loss
        self.l2 = l2
        self.l1 = l1
        self._arena = Arena(network.dtype)
        self._context = Context(True, None, network.dtype, self._arena)
        self._context.want_dx = False
        self._gradient = network.params.like()
        self._theta: Array | None = None
        self._tree: Any = None

    def loss_and_gradient(
        self,
        theta: Array,
        X: Any,
        y: Array,
        weight: Array | None = None,
        rng: np.random.Generator | None = None,
        total: float | None = None,
    ) -> tuple[float, Array]:
        """Return F(θ) over the given rows, and its gradient.

        Parameters
        ----------
        theta : ndarray of shape (n_params,)
            Parameters, in the layout of the network's.
        X : {ndarray, sparse matrix} of shape (n, ...)
            Input.
        y : ndarray of shape (n,) or (n, k)
            Targets, as the loss takes them.
        weight : ndarray of shape (n,), default=None
            Sample weights; None means 1 each.
        rng : numpy.random.Generator, default=None
            For layers that draw random numbers.
        total : float, default=None
            The sum of weights to divide by; None takes the rows' own. With the sum
            over several shards of rows, and penalties 0, the shards' results add up
            to the result of all rows.

        Returns
        -------
        loss : float
            F(θ).
        gradient : ndarray of shape (n_params,)
            Memory that the next call overwrites.
        """
        if theta is not self._theta:
            self._tree = self.network.tree(self.network.params.like(theta))
            self._theta = theta
        gradient = self._gradient
        if total is None:
            total = float(X.shape[0] if weight is None else weight.sum())
        if total == 0:  # a batch of rows without weight
            gradient.vector[:] = 0
            return 0.0, gradient.vector
        self._arena.reset()
        ctx = self._context
        ctx.rng = rng
        raw, caches = self.network.forward(self._tree, X, ctx)
        loss, draw = self.loss.weighted(y, raw, weight, 1.0 / total, ctx.empty)
        self.network.backward(self._tree, gradient.tree, caches, draw, ctx)
        return loss + self._penalise(theta, gradient.vector, total), gradient.vector

    def _penalise(self, theta: Array, gradient: Array, total: float) -> float:
        """Add the penalties' gradient, return their value."""
        n = self.network.params.n_weights
        W, dW = theta[:n], gradient[:n]
        value = 0.0
        if self.l2:
            work = self._context.empty(min(n, BLOCK))
            squared_norm = add_scaled(dW, W, self.l2 / total, work)
            value += 0.5 * self.l2 / total * squared_norm
        if self.l1:
            work = self._context.empty(n)
            np.abs(W, out=work)
            value += self.l1 / total * float(work.sum())
            np.sign(W, out=work)
            work *= self.l1 / total
            dW += work
        return value
