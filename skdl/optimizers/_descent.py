"""Gradient descent and its momentum."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdl._settings import SHARE
from skdl._typing import Array
from skdl.optimizers._first_order import FirstOrder
from skdl.optimizers._optimizer import register
from skdl.schedules import Schedule


@register("sgd")
class SGD(FirstOrder):
    """Stochastic gradient descent: θ ← θ − η·g.

    With a constant rate the noise of the mini-batches leaves a floor under the loss;
    a schedule such as "inverse" (η/k) lets it vanish (Robbins & Monro 1951).

    Parameters
    ----------
    learning_rate : float, str or Schedule, default=0.01
        The rate η, or a schedule for it.
    clip_norm : float, default=None
        Longest gradient: a longer one is scaled to this norm.
    clip_value : float, default=None
        Largest entry of the gradient: larger ones are cut to it.

    Examples
    --------
    >>> from skdl.optimizers import SGD, minimize
    >>> def parabola(x):
    ...     return 0.5 * x @ x, x
    >>> minimize(parabola, [1.0], optimizer=SGD(0.5), max_iter=3).path.ravel()
    array([1.   , 0.5  , 0.25 , 0.125])
    >>> clipped = SGD(0.5, clip_norm=2.0)  # gradients longer than 2 are shortened
    >>> minimize(parabola, [8.0], optimizer=clipped, max_iter=3).path.ravel()
    array([8., 7., 6., 5.])
    """

    linear = True
    plain = True

    def step(self, theta: Array, g: Array, s: Any, eta: float) -> None:
        np.multiply(g, eta, out=s.work)
        theta -= s.work


@register("gd")
class GD(SGD):
    """Gradient descent with the gradient of the whole sample: θ ← θ − η·g.

    The same update as `SGD`; ``batch_size="auto"`` is the whole sample.

    Parameters
    ----------
    learning_rate : float, str or Schedule, default=0.01
        The rate η, or a schedule for it.
    clip_norm : float, default=None
        Longest gradient: a longer one is scaled to this norm.
    clip_value : float, default=None
        Largest entry of the gradient: larger ones are cut to it.

    Examples
    --------
    >>> from skdl.optimizers import GD, minimize
    >>> def parabola(x):
    ...     return 0.5 * x @ x, x
    >>> minimize(parabola, [1.0], optimizer=GD(0.5), max_iter=3).path.ravel()
    array([1.   , 0.5  , 0.25 , 0.125])
    >>> GD.full_batch  # batch_size="auto" takes the whole sample
    True
    """

    full_batch = True


class _WithMomentum(FirstOrder):
    slots = ("v",)

    _parameter_constraints: dict[str, Any] = {
        **FirstOrder._parameter_constraints,
        "momentum": SHARE,
    }

    def __init__(
        self,
        learning_rate: float | str | Schedule = 1e-2,
        momentum: float = 0.9,
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None:
        super().__init__(learning_rate, clip_norm, clip_value)
        self.momentum = momentum


@register("momentum")
class Momentum(_WithMomentum):
    """Descent with a velocity: heavy-ball momentum (Polyak 1964).

    v ← βv − g; θ ← θ + ηv.

    With a constant rate the same as m ← αm − ηg; θ ← θ + m.

    Parameters
    ----------
    learning_rate : float, str or Schedule, default=0.01
        The rate η, or a schedule for it.
    momentum : float, default=0.9
        The share β of the old velocity that is kept, in [0, 1). Along a steady slope
        steps become 1/(1 − β) times as long: with more of it, a smaller rate.
    clip_norm : float, default=None
        Longest gradient: a longer one is scaled to this norm.
    clip_value : float, default=None
        Largest entry of the gradient: larger ones are cut to it.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.optimizers import Momentum, minimize
    >>> def plane(x):  # its gradient is the same everywhere
    ...     return x.sum(), np.ones_like(x)
    >>> result = minimize(plane, [0.0], optimizer=Momentum(0.1, 0.5), max_iter=4)
    >>> (-np.diff(result.path.ravel())).round(4)  # the steps grow, up to 0.1/(1 − 0.5)
    array([0.1   , 0.15  , 0.175 , 0.1875])
    """

    linear = True

    def step(self, theta: Array, g: Array, s: Any, eta: float) -> None:
        s.v *= self.momentum
        s.v -= g
        np.multiply(s.v, eta, out=s.work)
        theta += s.work


@register("nesterov")
class Nesterov(_WithMomentum):
    """Momentum that looks ahead, and brakes before the wall (Nesterov 1983).

    v ← βv − g(θ + ηβv); θ ← θ + ηv.

    The gradient belongs to the look-ahead point φ = θ + ηβv. Written for φ itself, one
    gradient at the current point is enough (Bengio et al. 2013, eq. 7):
    v ← βv − g(φ); φ ← φ + η(βv − g(φ)). The parameters that you see are φ.

    Parameters
    ----------
    learning_rate : float, str or Schedule, default=0.01
        The rate η, or a schedule for it; the change of variables is exact where the
        rate is constant, as in PyTorch.
    momentum : float, default=0.9
        The share β of the old velocity that is kept, in [0, 1). Along a steady slope
        steps become 1/(1 − β) times as long: with more of it, a smaller rate.
    clip_norm : float, default=None
        Longest gradient: a longer one is scaled to this norm.
    clip_value : float, default=None
        Largest entry of the gradient: larger ones are cut to it.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.optimizers import Momentum, Nesterov, minimize
    >>> def parabola(x):
    ...     return 0.5 * x @ x, x
    >>> for rule in (Momentum, Nesterov):
    ...     path = minimize(parabola, [1.0], optimizer=rule(0.1), max_iter=100).path
    ...     print(f"{rule.__name__}: overshoots to {path.min():.2f}")
    Momentum: overshoots to -0.60
    Nesterov: overshoots to -0.39
    """

    linear = True

    def step(self, theta: Array, g: Array, s: Any, eta: float) -> None:
        s.v *= self.momentum
        s.v -= g
        np.multiply(s.v, self.momentum, out=s.work)
        s.work -= g
        s.work *= eta
        theta += s.work


@register("ema")
class EMA(FirstOrder):
    """Descent along an average of gradients: one rate for every memory.

    m ← βm + (1−β)g; θ ← θ − ηm.

    From m = 0 this is `Momentum` with the rate η(1−β): the memory changes the length
    of the step no more, so one rate suits every β. PyTorch's dampening differs in its
    first step alone (m ← g).

    Parameters
    ----------
    learning_rate : float, str or Schedule, default=0.1
        The rate η, or a schedule for it.
    beta : float, default=0.9
        The share of the old average that is kept, in [0, 1): it remembers some
        1/(1 − β) gradients.
    clip_norm : float, default=None
        Longest gradient: a longer one is scaled to this norm.
    clip_value : float, default=None
        Largest entry of the gradient: larger ones are cut to it.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.optimizers import EMA, minimize
    >>> def plane(x):  # its gradient is the same everywhere
    ...     return x.sum(), np.ones_like(x)
    >>> result = minimize(plane, [0.0], optimizer=EMA(0.1, beta=0.5), max_iter=4)
    >>> (-np.diff(result.path.ravel())).round(5)  # the steps grow up to the rate
    array([0.05   , 0.075  , 0.0875 , 0.09375])
    """

    slots = ("m",)
    linear = True

    _parameter_constraints: dict[str, Any] = {
        **FirstOrder._parameter_constraints,
        "beta": SHARE,
    }

    def __init__(
        self,
        learning_rate: float | str | Schedule = 1e-1,
        beta: float = 0.9,
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None:
        super().__init__(learning_rate, clip_norm, clip_value)
        self.beta = beta

    def step(self, theta: Array, g: Array, s: Any, eta: float) -> None:
        np.multiply(g, 1.0 - self.beta, out=s.work)
        s.m *= self.beta
        s.m += s.work
        np.multiply(s.m, eta, out=s.work)
        theta -= s.work
