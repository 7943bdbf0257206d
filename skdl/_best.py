"""The best epoch or round so far, and when to stop waiting for a better one."""

from __future__ import annotations

import copy
import math
from typing import Protocol

from skdl._typing import Snapshot


class HasWeights(Protocol):
    """A model whose numbers can be copied."""

    def snapshot(self) -> Snapshot:
        """Return copies of all numbers."""


class Best:
    """Follow one number and keep the weights of its best epoch.

    Parameters
    ----------
    patience : float
        Stop after more than so many epochs in a row without an improvement; infinite:
        never.
    tol : float, default=0.0
        Smallest difference that counts as an improvement.
    higher_is_better : bool, default=False
        Whether it is a score (or else a loss).
    keep_weights : bool, default=True
        Whether the best epoch's weights are kept in the end, for which there is a copy
        of them; of boosting, the rounds up to the best one.
    adds_up : bool, default=False
        What an improvement is measured from. False: the best value, so that a curve
        which falls by less than `tol` an epoch stands still, as in scikit-learn's
        networks. True: the last value that counted as an improvement, so that small
        gains add up, as in scikit-learn's boosting.
    measure : str, default=""
        What the number is: values of another measure cannot be compared with it.

    Attributes
    ----------
    value : float
        The best value; NaN at the start.
    epoch : int
        Its epoch, from 1; 0 at the start. `tol` has no part in it.
    waiting : int
        Epochs in a row without an improvement of `tol` or more.
    weights : tuple of ndarray or None
        The kept weights.

    Examples
    --------
    >>> from skdl.training import Best
    >>> best = Best(patience=1)
    >>> losses = 3.0, 2.0, 2.5, 2.1
    >>> [best.observe(loss, epoch) for epoch, loss in enumerate(losses, 1)]
    [False, False, False, True]
    >>> best.value, best.epoch, best.waiting
    (2.0, 2, 2)
    >>> for adds_up in (False, True):  # small gains: do they count together?
    ...     best = Best(patience=1, tol=0.5, adds_up=adds_up)
    ...     print([best.observe(loss, 1) for loss in (3.0, 2.7, 2.4, 2.1)])
    [False, False, True, True]
    [False, False, False, False]
    """

    def __init__(
        self,
        patience: float,
        tol: float = 0.0,
        higher_is_better: bool = False,
        keep_weights: bool = True,
        adds_up: bool = False,
        measure: str = "",
    ) -> None:
        self.measure = measure
        self.patience = patience
        self.tol = tol
        self.sign = 1.0 if higher_is_better else -1.0
        self.keep_weights = keep_weights
        self.adds_up = adds_up
        self.value = math.nan
        self.epoch = 0
        self.waiting = 0
        self.weights: Snapshot | None = None
        self._improved = math.nan

    def start(self, value: float, epoch: int) -> None:
        """Take the model so far as the best.

        Parameters
        ----------
        value : float
            Its loss or score.
        epoch : int
            Epochs done.
        """
        self.value = self._improved = value
        self.epoch, self.waiting = epoch, 0

    def observe(
        self, value: float, epoch: int, model: HasWeights | None = None
    ) -> bool:
        """Take note of an epoch.

        Parameters
        ----------
        value : float
            Loss or score of the epoch; NaN is no improvement.
        epoch : int
            Number of the epoch, from 1.
        model : Network, default=None
            The network at its end, whose weights are kept if they are to be.

        Returns
        -------
        stop : bool
            Whether patience is exhausted.
        """
        gain = self._gain(value, self.value)
        step = self._gain(value, self._improved) if self.adds_up else gain
        # The comparisons are scikit-learn's, a score may equal best + tol and a loss
        # best − tol, but for tol=0: a number that only repeats itself, such as the
        # accuracy on few rows, is no improvement here.
        if step >= self.tol and step > 0:
            self.waiting, self._improved = 0, value
        else:
            self.waiting += 1
        if gain > 0 and not math.isnan(value):
            self.value, self.epoch = value, epoch
            if self.keep_weights and model is not None:
                self.weights = model.snapshot()
        return self.waiting > self.patience

    def _gain(self, value: float, since: float) -> float:
        return math.inf if math.isnan(since) else self.sign * (value - since)

    def follows_like(self, other: Best) -> bool:
        """Return whether `other` follows the same kind of number.

        Parameters
        ----------
        other : Best
            The memory of an earlier run.

        Returns
        -------
        same : bool
            Whether its best value and weights mean the same here.
        """
        mine = self.sign, self.keep_weights, self.measure
        return mine == (other.sign, other.keep_weights, other.measure)

    def kept_to(self, n_epochs: int) -> Best:
        """Return a copy for a model of which later epochs were dropped.

        Parameters
        ----------
        n_epochs : int
            How many are left.

        Returns
        -------
        best : Best
            Its best epoch is none of those dropped.
        """
        new = copy.copy(self)  # kept weights are never written to
        new.epoch = min(self.epoch, n_epochs)
        return new


def round_best(
    n_rounds: float | None, tol: float, higher_is_better: bool, keep_weights: bool
) -> Best:
    """Return what follows the rounds of boosting.

    Networks and boosting count as scikit-learn's of their kind do: a network stops
    after *more* than `n_iter_no_change` epochs, boosting after so many rounds, and
    there small gains add up.

    Parameters
    ----------
    n_rounds : float or None
        Stop after so many rounds in a row without an improvement; None: never.
    tol, higher_is_better, keep_weights : object
        See `Best`.

    Returns
    -------
    best : Best
        Its memory is empty.
    """
    patience = math.inf if n_rounds is None else max(0.0, n_rounds - 1.0)
    return Best(patience, tol, higher_is_better, keep_weights, adds_up=True)
