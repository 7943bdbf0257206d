"""What a network minimises, as a pure function of its parameter vector."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdl._config import use_numba
from skdl._touched import TouchedRows
from skdl._typing import Array
from skdl.layers import Arena, Carried, Context
from skdl.losses import Loss, total_weight
from skdl.networks import Network
from skdl.ops.vector import BLOCK, add_scaled

_SMALL = 2**18  # bytes of a batch that is worth a copy


class Objective:
    """The weighted mean loss of a network, plus penalties on its weights.

    F(θ) = [Σᵢ wᵢ ℓ(yᵢ, f(xᵢ; θ)) + ½·l2·‖W‖² + l1·‖W‖₁] / Σᵢ wᵢ, W the entries of θ
    that belong to penalised arrays (weights, not biases). The sums are over rows, and
    over the elements of each where it has many targets (pixels, steps). Dividing the
    penalty by the sum of weights is scikit-learn's convention. Side outputs of layers
    add their loss on the same targets.

    Parameters
    ----------
    network : Network
        Gives the layers and, while training, its running statistics.
    loss : Loss
        The loss.
    l2, l1 : float, default=0.0
        Strengths of the penalties.

    Attributes
    ----------
    parts : ndarray of shape (n_parts,)
        The parts of the loss in the last call, see `skdl.losses.Loss`; without
        penalties and side outputs.
    counts : bool
        Whether a row of the last call had a weight.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.layers import Dense
    >>> from skdl.losses import SquaredError
    >>> from skdl.networks import Network
    >>> from skdl.training import Objective
    >>> objective = Objective(Network([Dense(1)], (1,)), SquaredError(), l2=2.0)
    >>> theta = np.array([3.0, 1.0])  # w and b of w·x + b
    >>> X, y = np.array([[1.0], [2.0]]), np.array([[4.0], [5.0]])
    >>> objective.loss_and_gradient(theta, X, y)  # ((0² + 2²)/2 + 2·3²/2)/2
    (5.5, array([5., 1.]))
    """

    def __init__(
        self, network: Network, loss: Loss, l2: float = 0.0, l1: float = 0.0
    ) -> None:
        self.network = network
        self.loss = loss
        self.l2 = l2
        self.l1 = l1
        self.parts = np.zeros(len(loss.parts))
        self.counts = True
        self._arena = Arena(network.dtype)
        self._context = Context(True, None, network.dtype, self._arena)
        self._context.want_dx = False
        self._convolves = network.convolves and use_numba()
        self._gradient = network.params.like()
        self._grads = network.gradient_tree(self._gradient)
        self._theta: Array | None = None
        self._tree: Any = None
        self._copy_to: Array | None = None
        self._out = self._gradient.vector

    def loss_and_gradient(
        self,
        theta: Array,
        X: Any,
        y: Array,
        weight: Array | None = None,
        rng: np.random.Generator | None = None,
        total: float | None = None,
        *,
        lengths: Array | None = None,
        carried: Carried | None = None,
    ) -> tuple[float, Array]:
        """Return F(θ) over the given rows, and its gradient.

        Parameters
        ----------
        theta : ndarray of shape (n_active,) or (n_params,)
            Parameters, in the layout of the network's: those that learn, or all.
        X : {ndarray, sparse matrix} of shape (n, ...)
            Input.
        y : ndarray of shape (n, ...) or (n, ..., k)
            Targets, as the loss takes them.
        weight : ndarray of shape (n,) or (n, ...), default=None
            Weights of the rows, or of each of their elements; None means 1 each.
        rng : numpy.random.Generator, default=None
            For layers that draw random numbers.
        total : float, default=None
            The sum of weights to divide by; None takes the rows' own. With the sum
            over several shards of rows, and penalties 0, the shards' results add up
            to the result of all rows.
        lengths : ndarray of int of shape (n,), default=None
            Steps of each sample, where they are padded.
        carried : Carried, default=None
            States of the window before, for recurrent layers.

        Returns
        -------
        loss : float
            F(θ).
        gradient : ndarray of the shape of `theta`
            Memory that the next call overwrites; of frozen arrays it is 0.
        """
        self._take(theta)
        gradient = self._out
        self._arena.reset()
        ctx = self._context
        ctx.begin(rng, lengths, carried, y)
        if total == 0 or (weight is not None and not weight.any()):
            gradient[:] = 0  # a batch of rows without weight
            if ctx.touched is not None:
                ctx.touched.forget()
            self.parts[:] = 0
            self.counts = False
            return 0.0, gradient
        self.counts = True
        raw, caches = self.network.forward(self._tree, self._in_place(X), ctx)
        if total is None:
            total = total_weight(raw, weight)
        if self.loss.parts:
            self.parts[:] = self.loss.part_sums(y, raw, weight, 1.0 / total)
        loss, draw = self._loss_of(y, raw, weight, 1.0 / total)
        for side in ctx.sides:
            scale = side.weight / total
            side_loss, side.gradient = self._loss_of(y, side.raw, weight, scale)
            loss += side_loss
        self.network.backward(self._tree, self._grads, caches, draw, ctx)
        if len(gradient) > self.network.params.n_active:
            gradient[self.network.params.n_active :] = 0
        return loss + self._penalise(theta, gradient, total), gradient

    def _in_place(self, X: Any) -> Any:
        """Return a small batch of pictures where the last one was.

        What compiled layers did with that can then be done again, see `Context.again`.
        """
        if not (self._convolves and isinstance(X, np.ndarray) and X.nbytes <= _SMALL):
            return X
        x = self._context.empty(X.shape, X.dtype)
        np.copyto(x, X)
        return x

    def _loss_of(
        self, y: Array, raw: Array, weight: Array | None, scale: float
    ) -> tuple[float, Array]:
        """Return the weighted loss and its gradient.

        Of elements it may be compiled, of rows never: networks of rows give the same
        bits with and without Numba. Where convolutions are compiled that is not asked,
        and the class of a picture is the class of its only element.
        """
        rows, empty = raw, self._context.empty
        if self._convolves and y.ndim == 1 and raw.ndim == 2 and self.loss.verified:
            y, raw = y[:, None], raw[:, None]
        loss, gradient = self.loss.weighted(y, raw, weight, scale, empty)
        return loss, gradient.reshape(rows.shape)

    def track_rows(self) -> TouchedRows | None:
        """Have layers note which rows of sparse gradients are not zero.

        Returns
        -------
        touched : TouchedRows or None
            What each evaluation brings up to date; None if no gradient is sparse.
        """
        touched = TouchedRows(self._gradient)
        self._context.touched = touched if touched.parts else None
        return self._context.touched

    def _take(self, theta: Array) -> None:
        """Make θ the parameters that the layers see."""
        params = self.network.params
        if theta is not self._theta:
            in_place = theta.ctypes.data == params.vector.ctypes.data
            if in_place:
                seen = params
            elif len(theta) == params.size:
                seen = params.like(theta)
            else:
                seen = params.like(params.vector.copy())
            self._theta, self._tree = theta, self.network.tree(seen)
            self._copy_to = None if seen.vector.size == len(theta) else seen.vector
            whole = self._gradient
            self._out = whole.vector if len(theta) == params.size else whole.active
            if in_place:
                self._copy_to = None
        if self._copy_to is not None:
            self._copy_to[: len(theta)] = theta

    def _penalise(self, theta: Array, gradient: Array, total: float) -> float:
        """Add the penalties' gradient, return their value."""
        value = 0.0
        for part in self.network.params.penalised:
            W, dW = theta[part], gradient[part]
            if self.l2:
                work = self._context.empty(min(W.size, BLOCK))
                squared_norm = add_scaled(dW, W, self.l2 / total, work)
                value += 0.5 * self.l2 / total * squared_norm
            if self.l1:
                work = self._context.empty(W.size)
                np.abs(W, out=work)
                value += self.l1 / total * float(work.sum())
                np.sign(W, out=work)
                work *= self.l1 / total
                dW += work
        return value
