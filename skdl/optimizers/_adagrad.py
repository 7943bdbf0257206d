"""Optimizers that divide by the size of past gradients, coordinate by coordinate."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdl._settings import POSITIVE, SHARE
from skdl._typing import Array
from skdl.optimizers._first_order import FirstOrder
from skdl.optimizers._optimizer import register
from skdl.schedules import Schedule


@register("adagrad")
class AdaGrad(FirstOrder):
    """Rates that fall with all gradients so far (Duchi et al. 2011).

    s ← s + g²; θ ← θ − η·g/(√s + ε).

    Parameters
    ----------
    learning_rate : float, str or Schedule, default=0.01
        The rate η, or a schedule for it.
    epsilon : float, default=1e-10
        Keeps the division away from zero; positive. A larger one shortens the steps
        where gradients are small.
    clip_norm : float, default=None
        Longest gradient: a longer one is scaled to this norm.
    clip_value : float, default=None
        Largest entry of the gradient: larger ones are cut to it.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.optimizers import AdaGrad, minimize
    >>> def plane(x):  # its gradient is the same everywhere
    ...     return x.sum(), np.ones_like(x)
    >>> result = minimize(plane, [0.0], optimizer=AdaGrad(0.1), max_iter=4)
    >>> (-np.diff(result.path.ravel()) / 0.1).round(2)  # the steps shrink, 1/√t
    array([1.  , 0.71, 0.58, 0.5 ])
    """

    slots = ("s",)

    _parameter_constraints: dict[str, Any] = {
        **FirstOrder._parameter_constraints,
        "epsilon": POSITIVE,
    }

    def __init__(
        self,
        learning_rate: float | str | Schedule = 1e-2,
        epsilon: float = 1e-10,
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None:
        super().__init__(learning_rate, clip_norm, clip_value)
        self.epsilon = epsilon

    def step(self, theta: Array, g: Array, s: Any, eta: float) -> None:
        np.multiply(g, g, out=s.work)
        s.s += s.work
        np.sqrt(s.s, out=s.work)
        s.work += self.epsilon
        np.divide(g, s.work, out=s.work)
        s.work *= eta
        theta -= s.work


@register("rmsprop")
class RMSProp(FirstOrder):
    """Rates by a fading average of g² (Tieleman & Hinton 2012).

    s ← βs + (1−β)g²; θ ← θ − η·g/(√s + ε).

    Parameters
    ----------
    learning_rate : float, str or Schedule, default=0.001
        The rate η, or a schedule for it.
    beta : float, default=0.9
        The share of the old average that is kept, in [0, 1): it remembers some
        1/(1 − β) gradients.
    epsilon : float, default=1e-8
        Keeps the division away from zero; positive. A larger one shortens the steps
        where gradients are small.
    clip_norm : float, default=None
        Longest gradient: a longer one is scaled to this norm.
    clip_value : float, default=None
        Largest entry of the gradient: larger ones are cut to it.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.optimizers import RMSProp, minimize
    >>> def slope(x):  # of very different steepness
    ...     steep = np.array([1.0, 1000.0])
    ...     return steep @ x, steep
    >>> optimizer = RMSProp(0.1, beta=0.75)  # both coordinates go 0.1/√(1 − 0.75)
    >>> minimize(slope, [0.0, 0.0], optimizer=optimizer, max_iter=1).x.round(3)
    array([-0.2, -0.2])
    """

    slots = ("s",)

    _parameter_constraints: dict[str, Any] = {
        **FirstOrder._parameter_constraints,
        "beta": SHARE,
        "epsilon": POSITIVE,
    }

    def __init__(
        self,
        learning_rate: float | str | Schedule = 1e-3,
        beta: float = 0.9,
        epsilon: float = 1e-8,
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None:
        super().__init__(learning_rate, clip_norm, clip_value)
        self.beta = beta
        self.epsilon = epsilon

    def step(self, theta: Array, g: Array, s: Any, eta: float) -> None:
        np.multiply(g, g, out=s.work)
        s.work *= 1.0 - self.beta
        s.s *= self.beta
        s.s += s.work
        np.sqrt(s.s, out=s.work)
        s.work += self.epsilon
        np.divide(g, s.work, out=s.work)
        s.work *= eta
        theta -= s.work


@register("adadelta")
class AdaDelta(FirstOrder):
    """Steps in the unit of the parameters, with no rate to choose (Zeiler 2012).

    s ← βs + (1−β)g²; δ = √(d + ε)/√(s + ε) · g; d ← βd + (1−β)δ²; θ ← θ − ηδ.

    Parameters
    ----------
    learning_rate : float, str or Schedule, default=1.0
        A factor on the step, 1 in the paper, or a schedule for it.
    beta : float, default=0.9
        The share of the old averages that is kept, in [0, 1): they remember some
        1/(1 − β) updates.
    epsilon : float, default=1e-6
        Keeps the roots away from zero and sets the first steps; positive.
    clip_norm : float, default=None
        Longest gradient: a longer one is scaled to this norm.
    clip_value : float, default=None
        Largest entry of the gradient: larger ones are cut to it.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.optimizers import AdaDelta, minimize
    >>> def valley(x):
    ...     scales = np.array([1.0, 1e6])
    ...     return 0.5 * x @ (scales * x), scales * x
    >>> optimizer = AdaDelta(epsilon=1e-4)  # no rate is to be chosen
    >>> minimize(valley, [1.0, 1.0], optimizer=optimizer, max_iter=300).x.round(2) + 0.0
    array([0., 0.])
    """

    slots = ("s", "d")

    _parameter_constraints: dict[str, Any] = {
        **FirstOrder._parameter_constraints,
        "beta": SHARE,
        "epsilon": POSITIVE,
    }

    def __init__(
        self,
        learning_rate: float | str | Schedule = 1.0,
        beta: float = 0.9,
        epsilon: float = 1e-6,
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None:
        super().__init__(learning_rate, clip_norm, clip_value)
        self.beta = beta
        self.epsilon = epsilon

    def step(self, theta: Array, g: Array, s: Any, eta: float) -> None:
        np.multiply(g, g, out=s.work)
        s.work *= 1.0 - self.beta
        s.s *= self.beta
        s.s += s.work
        # The gradient's own memory becomes δ.
        np.add(s.s, self.epsilon, out=s.work)
        np.sqrt(s.work, out=s.work)
        g /= s.work
        np.add(s.d, self.epsilon, out=s.work)
        np.sqrt(s.work, out=s.work)
        g *= s.work
        np.multiply(g, g, out=s.work)
        s.work *= 1.0 - self.beta
        s.d *= self.beta
        s.d += s.work
        g *= eta
        theta -= g
