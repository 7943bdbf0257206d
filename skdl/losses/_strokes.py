"""The loss of handwriting: the next move of the pen, and whether it is lifted."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import expit

from skdl._settings import COUNT, POSITIVE
from skdl._typing import Array
from skdl.losses._loss import Empty, Loss
from skdl.ops.mixture import nll


class StrokeLoss(Loss):
    """Minus the log-density of a pen's next point (Graves 2013, §4.1).

    A point has three numbers: the move (x₁, x₂) from the point before, and e, 1 where
    the pen is lifted behind it. The move has a mixture of Gaussians with correlation,
    the end of a stroke a Bernoulli distribution:

        −ln Σₖ πₖ N(x | μₖ, σₖ, ρₖ) − e·ln p − (1−e)·ln(1−p).

    The raw predictions of a point are 1 + 6·M numbers: p = σ(ê), then π = softmax(π̂),
    μ₁, μ₂, σ₁ = s + exp(σ̂₁), σ₂ = s + exp(σ̂₂) and ρ = 0.99·tanh(ρ̂), M of each. The
    paper has s = 0 and no factor: its density has no bound.

    Parameters
    ----------
    n_components : int, default=10
        M; at least 1. More of them tell apart more ways in which a line may go on.
    min_scale : float, default=0.01
        s, the least σ; positive. It bounds the density, by 1/(2π·s²·√(1 − 0.99²)).

    Raises
    ------
    ValueError
        When called, or in `fit`, if a setting is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.losses import StrokeLoss
    >>> loss = StrokeLoss(n_components=2)
    >>> n_raw = loss.n_raw_for_targets(3)
    >>> n_raw
    13
    >>> y = np.array([[0.0, 0.0, 1.0], [3.0, 4.0, 0.0]])  # a short move and a long one
    >>> loss.evaluate(y, np.zeros((2, n_raw)))[0].round(2)
    array([ 2.55, 14.8 ])
    """

    verified = True
    task = "strokes"

    _parameter_constraints: dict[str, Any] = {
        "n_components": COUNT,
        "min_scale": POSITIVE,
    }

    def __init__(self, n_components: int = 10, min_scale: float = 0.01) -> None:
        self.n_components = n_components
        self.min_scale = min_scale

    def n_raw_for_targets(self, n_targets: int) -> int:
        return 1 + 6 * self.n_components

    def evaluate(
        self, y: Array, raw: Array, empty: Empty = np.empty
    ) -> tuple[Array, Array]:
        rows, points = raw.reshape(-1, raw.shape[-1]), y.reshape(-1, 3)
        gradient = empty(rows.shape, raw.dtype)
        loss = nll(points[:, :2], rows[:, 1:], self.min_scale, gradient[:, 1:], empty)
        lifted, logit = points[:, 2], rows[:, 0]
        loss += np.logaddexp(logit, 0.0)
        loss -= lifted * logit
        np.subtract(expit(logit), lifted, out=gradient[:, 0])
        return loss.reshape(raw.shape[:-1]), gradient.reshape(raw.shape)

    def check_targets(self, y: Array) -> None:
        lifted = y[..., 2]
        if not ((lifted == 0) | (lifted == 1)).all():
            wrong = lifted[(lifted != 0) & (lifted != 1)][0]
            raise ValueError(
                "The third number of a point must be 1 where the pen is lifted behind "
                f"it and 0 elsewhere, got {wrong:g}."
            )
