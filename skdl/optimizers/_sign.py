"""Optimizers that use the sign of the gradient or of its average."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdl._compat import Interval, Real
from skdl._settings import NOT_NEGATIVE, POSITIVE, SHARE
from skdl._typing import Array
from skdl.optimizers._first_order import FirstOrder
from skdl.optimizers._optimizer import register
from skdl.schedules import Schedule


@register("rprop")
class RProp(FirstOrder):
    """Resilient propagation (Riedmiller & Braun 1993).

    Each coordinate has a step of its own: it grows while the gradient's sign holds and
    shrinks when the sign flips (and that coordinate then rests for one update);
    θᵢ ← θᵢ − stepᵢ·sign(gᵢ). The sign of a mini-batch's gradient is noise: meant for
    the whole sample, which ``batch_size="auto"`` is.

    Parameters
    ----------
    learning_rate : float, str or Schedule, default=0.01
        The first step of every coordinate. A schedule has no say beyond that.
    shrink, grow : float, default=0.5, 1.2
        Factors of the step, shrink in (0, 1) and grow above 1.
    step_min, step_max : float, default=1e-6, 50.0
        Bounds of the steps: no coordinate moves by less or by more.
    clip_norm : float, default=None
        Longest gradient. It changes no sign.
    clip_value : float, default=None
        Largest entry of the gradient. It changes no sign.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.optimizers import RProp, minimize
    >>> def plane(x):  # its gradient is the same everywhere
    ...     return x.sum(), np.ones_like(x)
    >>> optimizer = RProp(0.5, grow=2, step_max=3)  # steps grow while the sign holds
    >>> -np.diff(minimize(plane, [0.0], optimizer=optimizer, max_iter=4).path.ravel())
    array([0.5, 1. , 2. , 3. ])
    """

    full_batch = True
    slots = ("step_size", "previous")

    _parameter_constraints: dict[str, Any] = {
        **FirstOrder._parameter_constraints,
        "shrink": [Interval(Real, 0, 1, closed="neither")],
        "grow": [Interval(Real, 1, None, closed="neither")],
        "step_min": POSITIVE,
        "step_max": POSITIVE,
    }

    def __init__(
        self,
        learning_rate: float | str | Schedule = 1e-2,
        shrink: float = 0.5,
        grow: float = 1.2,
        step_min: float = 1e-6,
        step_max: float = 50.0,
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None:
        super().__init__(learning_rate, clip_norm, clip_value)
        self.shrink = shrink
        self.grow = grow
        self.step_min = step_min
        self.step_max = step_max

    def check_together(self) -> None:
        if self.step_max <= self.step_min:
            raise ValueError(
                f"RProp: step_max must be above step_min={self.step_min!r}, "
                f"got {self.step_max!r}."
            )

    def step(self, theta: Array, g: Array, s: Any, eta: float) -> None:
        if s.t == 1:
            s.step_size[:] = eta
        agreement = np.multiply(g, s.previous, out=s.previous)
        flipped = agreement < 0
        s.work[:] = 1.0
        s.work[agreement > 0] = self.grow
        s.work[flipped] = self.shrink
        s.step_size *= s.work
        np.clip(s.step_size, self.step_min, self.step_max, out=s.step_size)
        g[flipped] = 0.0
        np.copyto(s.previous, g)
        np.sign(g, out=s.work)
        s.work *= s.step_size
        theta -= s.work


@register("lion")
class Lion(FirstOrder):
    """Steps of one length by the sign of an average (Chen et al. 2023).

    θ ← θ − η·(sign(β₁m + (1−β₁)g) + λθ); m ← β₂m + (1−β₂)g.

    Every coordinate moves by η: rates are three to ten times smaller than Adam's.

    Parameters
    ----------
    learning_rate : float, str or Schedule, default=0.0001
        The rate η, or a schedule for it.
    beta_1 : float, default=0.9
        The share of m in the direction, in [0, 1).
    beta_2 : float, default=0.99
        The share of the old m that is kept, in [0, 1).
    weight_decay : float, default=0.0
        The decoupled decay λ; not negative. Each update takes the share ηλ off all
        numbers; rates are small, so λ is larger than with `AdamW`.
    clip_norm : float, default=None
        Longest gradient: a longer one is scaled to this norm.
    clip_value : float, default=None
        Largest entry of the gradient: larger ones are cut to it.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.optimizers import Lion, minimize
    >>> def slope(x):  # of very different steepness
    ...     steep = np.array([1.0, -1000.0])
    ...     return steep @ x, steep
    >>> minimize(slope, [0.0, 0.0], optimizer=Lion(0.25), max_iter=3).x
    array([-0.75,  0.75])
    """

    slots = ("m",)

    _parameter_constraints: dict[str, Any] = {
        **FirstOrder._parameter_constraints,
        "beta_1": SHARE,
        "beta_2": SHARE,
        "weight_decay": NOT_NEGATIVE,
    }

    def __init__(
        self,
        learning_rate: float | str | Schedule = 1e-4,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
        weight_decay: float = 0.0,
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None:
        super().__init__(learning_rate, clip_norm, clip_value)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.weight_decay = weight_decay

    def step(self, theta: Array, g: Array, s: Any, eta: float) -> None:
        if self.weight_decay:
            theta *= 1.0 - eta * self.weight_decay
        # β₁m + (1−β₁)g = g + β₁(m − g)
        np.subtract(s.m, g, out=s.work)
        s.work *= self.beta_1
        s.work += g
        np.sign(s.work, out=s.work)
        s.work *= eta
        theta -= s.work
        s.m *= self.beta_2
        g *= 1.0 - self.beta_2
        s.m += g
