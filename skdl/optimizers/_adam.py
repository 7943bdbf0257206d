"""Adam and its family.

With m and s the averages of g and g², m̂ = m/(1−β₁ᵗ) and ŝ = s/(1−β₂ᵗ) their bias
corrections, Adam steps by η·m̂/(√ŝ + ε). The code remembers *sums* instead of averages,
m/(1−β₁) and s/(1−β₂): each then costs two passes over memory where the averages need
three, and the factors move into two numbers, a and b:
θ ← θ − a·m / (√s + b).
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from skdl._settings import NOT_NEGATIVE, POSITIVE, SHARE
from skdl._typing import Array
from skdl.optimizers._first_order import FirstOrder
from skdl.optimizers._optimizer import register
from skdl.optimizers._state import OptimizerState
from skdl.schedules import Schedule


class _AdamFamily(FirstOrder):
    slots: ClassVar[tuple[str, ...]] = ("m", "s")
    memory_settings = ("beta_1", "beta_2")  # the sums are worth 1/(1−β) averages

    beta_1: float
    beta_2: float
    epsilon: float
    weight_decay = 0.0

    _parameter_constraints: dict[str, Any] = {
        **FirstOrder._parameter_constraints,
        "beta_1": SHARE,
        "beta_2": SHARE,
        "epsilon": POSITIVE,
    }

    def twin_numbers(self, shared: Any, eta: float) -> tuple[float, ...]:
        a, b = shared
        decay = 1.0 - eta * self.weight_decay
        return self.beta_1, self.beta_2, a * eta, b, decay

    def begin(self, state: OptimizerState) -> tuple[float, float]:
        """Return a (per unit of η) and b of the module's formula."""
        b1, b2, t = self.beta_1, self.beta_2, state.t
        root = math.sqrt((1.0 - b2) / (1.0 - b2**t))  # √ŝ = root · √(sum)
        return (1.0 - b1) / (1.0 - b1**t) / root, self.epsilon / root

    def _remember(self, g: Array, s: Any) -> None:
        s.m *= self.beta_1
        s.m += g
        np.multiply(g, g, out=s.work)
        s.s *= self.beta_2
        s.s += s.work

    def _move(self, theta: Array, m: Array, s_: Array, s: Any, eta: float) -> None:
        a, b = s.shared
        np.sqrt(s_, out=s.work)
        s.work += b
        np.divide(m, s.work, out=s.work)
        s.work *= a * eta
        theta -= s.work


@register("adam")
class Adam(_AdamFamily):
    """Adam: rates by the mean g², along the mean g (Kingma & Ba 2015).

    θ ← θ − η·m̂/(√ŝ + ε), with averages m of g and s of g² whose start at zero is made
    good: m̂ = m/(1−β₁ᵗ), ŝ = s/(1−β₂ᵗ).

    Parameters
    ----------
    learning_rate : float, str or Schedule, default=0.001
        The rate η, or a schedule for it. 3e-4 is a common advice for deep networks.
    beta_1 : float, default=0.9
        The share of the old average of g that is kept, in [0, 1): it remembers some
        1/(1 − β₁) gradients; more is smoother, and slower to turn.
    beta_2 : float, default=0.999
        The share of the old average of g² that is kept, in [0, 1): more makes steps
        of an even length, less follows a changing size of the gradient sooner.
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
    >>> from skdl.optimizers import Adam, minimize
    >>> def slope(x):  # of very different steepness
    ...     steep = np.array([1.0, 1000.0])
    ...     return steep @ x, steep
    >>> minimize(slope, [0.0, 0.0], optimizer=Adam(0.1), max_iter=3).x.round(3)
    array([-0.3, -0.3])
    >>> from skdl import MLPClassifier
    >>> model = MLPClassifier(optimizer=Adam(0.003, clip_norm=1.0))
    """

    twin = "adam"

    def __init__(
        self,
        learning_rate: float | str | Schedule = 1e-3,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None:
        super().__init__(learning_rate, clip_norm, clip_value)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def step(self, theta: Array, g: Array, s: Any, eta: float) -> None:
        self._remember(g, s)
        self._move(theta, s.m, s.s, s, eta)


@register("amsgrad")
class AMSGrad(Adam):
    """Adam with the largest s so far in the denominator (Reddi et al. 2018).

    As in PyTorch, the maximum is taken before the bias correction.

    Parameters
    ----------
    learning_rate : float, str or Schedule, default=0.001
        The rate η, or a schedule for it.
    beta_1 : float, default=0.9
        The share of the old average of g that is kept, in [0, 1): it remembers some
        1/(1 − β₁) gradients; more is smoother, and slower to turn.
    beta_2 : float, default=0.999
        The share of the old average of g² that is kept, in [0, 1): more makes steps
        of an even length, less follows a changing size of the gradient sooner.
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
    >>> from skdl.optimizers import Adam, AMSGrad
    >>> for optimizer in (Adam(beta_2=0.5), AMSGrad(beta_2=0.5)):
    ...     theta, state = np.zeros(1), optimizer.init(1)
    ...     for g in (1000.0, *[1.0] * 100):  # one large gradient, then small ones
    ...         before = theta.copy()
    ...         optimizer.update(theta, np.array([g]), state)
    ...     print(f"{(before - theta)[0]:.6f}")  # the last step
    0.001003
    0.000001
    """

    slots = ("m", "s", "s_max")

    def step(self, theta: Array, g: Array, s: Any, eta: float) -> None:
        self._remember(g, s)
        np.maximum(s.s_max, s.s, out=s.s_max)
        self._move(theta, s.m, s.s_max, s, eta)


@register("adamw")
class AdamW(_AdamFamily):
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019).

    First θ ← θ − ηλθ, then Adam's step.

    As in the paper and in PyTorch, all parameters decay, biases too.

    Parameters
    ----------
    learning_rate : float, str or Schedule, default=0.001
        The rate η, or a schedule for it.
    beta_1 : float, default=0.9
        The share of the old average of g that is kept, in [0, 1): it remembers some
        1/(1 − β₁) gradients; more is smoother, and slower to turn.
    beta_2 : float, default=0.999
        The share of the old average of g² that is kept, in [0, 1): more makes steps
        of an even length, less follows a changing size of the gradient sooner.
    epsilon : float, default=1e-8
        Keeps the division away from zero; positive. A larger one shortens the steps
        where gradients are small.
    weight_decay : float, default=0.01
        The decay λ; not negative. Each update takes the share ηλ off all numbers.
    clip_norm : float, default=None
        Longest gradient: a longer one is scaled to this norm.
    clip_value : float, default=None
        Largest entry of the gradient: larger ones are cut to it.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.optimizers import AdamW
    >>> optimizer = AdamW(learning_rate=0.1, weight_decay=0.5)
    >>> theta, state = np.array([8.0, -8.0]), optimizer.init(2)
    >>> for _ in range(10):
    ...     optimizer.update(theta, np.zeros(2), state)  # no gradient: decay alone
    >>> (theta / 8).round(4)  # (1 − 0.1·0.5)¹⁰
    array([ 0.5987, -0.5987])
    """

    twin = "adam"

    _parameter_constraints: dict[str, Any] = {
        **_AdamFamily._parameter_constraints,
        "weight_decay": NOT_NEGATIVE,
    }

    def __init__(
        self,
        learning_rate: float | str | Schedule = 1e-3,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 1e-2,
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None:
        super().__init__(learning_rate, clip_norm, clip_value)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.weight_decay = weight_decay

    def step(self, theta: Array, g: Array, s: Any, eta: float) -> None:
        theta *= 1.0 - eta * self.weight_decay
        self._remember(g, s)
        self._move(theta, s.m, s.s, s, eta)


@register("nadam")
class NAdam(_AdamFamily):
    """Adam with Nesterov's look-ahead in m̂ (Dozat 2016).

    With μₜ = β₁(1 − ½·0.96^(tψ)):
    m̂ = μₜ₊₁·m/(1 − Πᵢ≤ₜ₊₁ μᵢ) + (1−μₜ)·g/(1 − Πᵢ≤ₜ μᵢ).

    Parameters
    ----------
    learning_rate : float, str or Schedule, default=0.002
        The rate η, or a schedule for it.
    beta_1 : float, default=0.9
        The share of the old average of g that is kept, in [0, 1): it remembers some
        1/(1 − β₁) gradients; more is smoother, and slower to turn.
    beta_2 : float, default=0.999
        The share of the old average of g² that is kept, in [0, 1): more makes steps
        of an even length, less follows a changing size of the gradient sooner.
    epsilon : float, default=1e-8
        Keeps the division away from zero; positive. A larger one shortens the steps
        where gradients are small.
    momentum_decay : float, default=0.004
        ψ, how fast μₜ rises from ½β₁ to β₁; not negative.
    clip_norm : float, default=None
        Longest gradient: a longer one is scaled to this norm.
    clip_value : float, default=None
        Largest entry of the gradient: larger ones are cut to it.

    Examples
    --------
    >>> from skdl.optimizers import NAdam, minimize
    >>> def bowl(x):
    ...     return 0.5 * x @ x, x
    >>> minimize(bowl, [3.0, -1.0], optimizer=NAdam(0.1), max_iter=300).x.round(2) + 0.0
    array([0., 0.])
    """

    _parameter_constraints: dict[str, Any] = {
        **_AdamFamily._parameter_constraints,
        "momentum_decay": NOT_NEGATIVE,
    }

    def __init__(
        self,
        learning_rate: float | str | Schedule = 2e-3,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        momentum_decay: float = 4e-3,
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None:
        super().__init__(learning_rate, clip_norm, clip_value)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.momentum_decay = momentum_decay

    def _mu(self, t: int) -> float:
        return self.beta_1 * (1.0 - 0.5 * 0.96 ** (t * self.momentum_decay))

    def begin(self, state: OptimizerState) -> Any:
        mu, mu_next = self._mu(state.t), self._mu(state.t + 1)
        product = state.memory["mu_product"] = mu * state.memory.get("mu_product", 1.0)
        # a of the module's formula, with the correction of m taken out of it:
        # here the sum m and the gradient g have factors of their own.
        root = math.sqrt((1.0 - self.beta_2) / (1.0 - self.beta_2**state.t))
        of_m = mu_next * (1.0 - self.beta_1) / (1.0 - product * mu_next)
        of_g = (1.0 - mu) / (1.0 - product)
        return of_m, of_g, (1.0 / root, self.epsilon / root)

    def step(self, theta: Array, g: Array, s: Any, eta: float) -> None:
        self._remember(g, s)
        of_m, of_g, s.shared = s.shared
        np.multiply(s.m, of_m, out=s.work)
        g *= of_g
        g += s.work
        self._move(theta, g, s.s, s, eta)
