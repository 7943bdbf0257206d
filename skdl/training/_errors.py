"""Errors of training."""

from __future__ import annotations

from typing import Any


class DivergenceError(ValueError, ArithmeticError):
    """The loss or the weights stopped being finite.

    Parameters
    ----------
    epoch : int
        The epoch, from 1, in which it happened.
    what : str
        What was not finite.
    has_rate : bool, default=True
        Whether the optimizer has a learning rate that could be smaller.

    Examples
    --------
    >>> from skdl import MLPRegressor
    >>> from skdl.optimizers import SGD
    >>> from skdl.training import DivergenceError
    >>> model = MLPRegressor(optimizer=SGD(1e9), random_state=0)
    >>> try:
    ...     model.fit([[0.0], [1.0], [2.0]], [0.0, 1.0, 2.0])
    ... except DivergenceError as error:
    ...     print(error.epoch < 10, error.has_rate)
    True True
    """

    def __init__(self, epoch: int, what: str, has_rate: bool = True) -> None:
        self.epoch = epoch
        self.what = what
        self.has_rate = has_rate
        remedy = "Scale the input and the target."
        if has_rate:
            remedy = (
                "Use a smaller learning rate (optimizer__learning_rate), clip the "
                "gradients (optimizer__clip_norm=1.0) or scale the input and the "
                "target."
            )
        super().__init__(
            f"Training diverged in epoch {epoch}: {what} is no longer finite. {remedy}"
        )

    def __reduce__(self) -> tuple[type, tuple[int, str, bool]]:
        return type(self), (self.epoch, self.what, self.has_rate)


class NoRandomness:
    """Stands in for a generator where nothing may be random, and says so.

    Parameters
    ----------
    optimizer : str
        Who cannot work with a noisy objective.
    """

    def __init__(self, optimizer: str) -> None:
        self._optimizer = optimizer

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise ValueError(
            f"{self._optimizer} compares the loss at different weights and needs the "
            "same loss at the same weights, but a layer draws random numbers while "
            "training (dropout, for one). Remove it (dropout=0), or use an optimizer "
            'for noisy gradients, such as "adam" or "sgd".'
        )
