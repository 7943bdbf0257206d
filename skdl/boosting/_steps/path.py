"""Optimizers in function space.

A fitted learner b_t stands for minus the gradient at step t. Every optimizer whose step
is a linear combination of the gradients so far therefore makes an ensemble
a(x) = b₀ + Σ c_t b_t(x): run on the vector of coefficients, with minus the t-th unit
vector as the t-th gradient, it gives the c_t; run on predictions, with −b_t(x) as
gradient, it gives a(x) at each stage.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from sklearn.base import clone

from skdl._typing import Array
from skdl.optimizers import FirstOrder, OptimizerState


@dataclass
class Correction:
    """What a round does otherwise than its rate says, for the sake of the loss.

    Parameters
    ----------
    scale : float64 ndarray of shape (k,)
        Factor of the learner of each output, at least 0; at most 1 of trees.
    anew : bool ndarray of shape (k,)
        Whether the rule forgot its earlier steps.
    """

    scale: Array
    anew: Array


class Path:
    """Predictions that follow a step rule with given rates.

    Parameters
    ----------
    rule : FirstOrder
        The step rule.
    start : float64 ndarray of shape (n, k)
        Where they start; changed in place.

    Attributes
    ----------
    values : float64 ndarray of shape (n, k)
        The predictions now.
    before : float64 ndarray of shape (n, k)
        What they were at the mark.
    """

    def __init__(self, rule: FirstOrder, start: Array) -> None:
        self.rule = clone(rule)
        self.values = start
        self.flat = start.reshape(-1)
        self.state: OptimizerState = self.rule.init(self.flat.size)
        self.before = start
        self._slots: dict[str, Array] = {}

    def mark(self) -> None:
        """Remember the place, to come back to it."""
        self.before = self.values.copy()
        self._slots = {name: slot.copy() for name, slot in self.state.slots.items()}

    def back(self) -> None:
        """Come back to the mark, one step later."""
        np.copyto(self.values, self.before)
        self.state.t -= 1
        for name, slot in self._slots.items():
            np.copyto(self.state.slots[name], slot)

    def step(
        self, learner: Array, rate: float, correction: Correction | None = None
    ) -> None:
        """Take a step.

        Parameters
        ----------
        learner : float64 ndarray of the shape of `start`
            The learner's values, minus the gradient.
        rate : float
            The learning rate.
        correction : Correction, default=None
            What differs in this round.
        """
        gradient = np.negative(learner)
        if correction is not None:
            gradient *= correction.scale
            for slot in self.state.slots.values():
                slot.reshape(self.values.shape)[:, correction.anew] = 0.0
        self.rule.learning_rate = rate
        gradient = gradient.reshape(-1)
        self.rule.update(self.flat, gradient, self.state)


def coefficients(
    rule: FirstOrder, rates: list[float], corrections: Mapping[int, Correction]
) -> Array:
    """Return the coefficient of each learner after the last round.

    Parameters
    ----------
    rule : FirstOrder
        The step rule.
    rates : list of float
        The learning rate of each round.
    corrections : mapping of int to Correction
        Of the rounds that needed one.

    Returns
    -------
    coefficients : float64 ndarray of shape (n_rounds,) or (n_rounds, k)
        c_t; of each output where they differ.
    """
    n, k = len(rates), max((len(c.scale) for c in corrections.values()), default=1)
    learners = (np.eye(1, n, t).T.repeat(k, axis=1) for t in range(n))
    path = np.zeros((n, k))
    for _ in follow(rule, path, learners, rates, corrections):
        pass
    return path[:, 0] if k == 1 else path


def follow(
    rule: FirstOrder,
    start: Array,
    learners: Iterable[Array],
    rates: Iterable[float],
    corrections: Mapping[int, Correction],
) -> Iterator[Array]:
    """Yield the raw predictions after each round.

    Parameters
    ----------
    rule : FirstOrder
        The step rule.
    start : float64 ndarray of shape (n, k)
        The raw predictions before the first.
    learners : iterable of float64 ndarray of shape (n, k)
        Each round's learner.
    rates : iterable of float
        Each round's rate.
    corrections : mapping of int to Correction
        Of the rounds that needed one.

    Yields
    ------
    raw : float64 ndarray of shape (n, k)
        The same array each time, changed in place.
    """
    path = Path(rule, start)
    for t, (learner, rate) in enumerate(zip(learners, rates, strict=True)):
        path.step(learner, rate, corrections.get(t))
        yield path.values
