"""The best epoch so far, and when to stop waiting for a better one."""

from __future__ import annotations

import math

from skdl._typing import Snapshot
from skdl.networks import Network


class Best:
    """Follow one number and keep the weights of its best epoch.

    Parameters
    ----------
    patience : int
        Stop after more than so many epochs in a row without an improvement.
    tol : float, default=0.0
        Smallest difference that counts as an improvement.
    higher_is_better : bool, default=False
        Whether it is a score (or else a loss).
    keep_weights : bool, default=True
        Whether to keep a copy of the best epoch's weights.

    Attributes
    ----------
    value : float
        The best value; NaN at the start.
    epoch : int
        Its epoch, from 1; 0 at the start.
    waiting : int
        Epochs in a row without an improvement of `tol` or more.
    weights : tuple of ndarray or None
        The kept weights.
    """

    def __init__(
        self,
        patience: float,
        tol: float = 0.0,
        higher_is_better: bool = False,
        keep_weights: bool = True,
    ) -> None:
        self.patience = patience
        self.tol = tol
        self.sign = 1.0 if higher_is_better else -1.0
        self.keep_weights = keep_weights
        self.value = math.nan
        self.epoch = 0
        self.waiting = 0
        self.weights: Snapshot | None = None

    def observe(self, value: float, epoch: int, network: Network | None = None) -> bool:
        """Take note of an epoch.

        Parameters
        ----------
        value : float
            Loss or score of the epoch; NaN is no improvement.
        epoch : int
            Number of the epoch, from 1.
        network : Network, default=None
            The network at its end, whose weights are kept if they are to be.

        Returns
        -------
        stop : bool
            Whether patience is exhausted.
        """
        gain = math.inf if math.isnan(self.value) else self.sign * (value - self.value)
        # The comparisons are scikit-learn's, a score may equal best + tol and a loss
        # best − tol, but for tol=0: a number that only repeats itself, such as the
        # accuracy on few rows, is no improvement here.
        improved = gain >= self.tol and gain > 0
        self.waiting = 0 if improved else self.waiting + 1
        if gain > 0 and not math.isnan(value):
            self.value, self.epoch = value, epoch
            if self.keep_weights and network is not None:
                self.weights = network.snapshot()
        return self.waiting > self.patience

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
        return (self.sign, self.keep_weights) == (other.sign, other.keep_weights)
