"""Errors of training."""

from __future__ import annotations


class DivergenceError(ValueError, ArithmeticError):
    """The loss or the weights stopped being finite.

    Parameters
    ----------
    epoch : int
        The epoch, from 1, in which it happened.
    what : str
        What was not finite.
    """

    def __init__(self, epoch: int, what: str) -> None:
        self.epoch = epoch
        self.what = what
        super().__init__(
            f"Training diverged in epoch {epoch}: {what} is no longer finite. Use a "
            "smaller learning rate (optimizer__learning_rate), clip the gradients "
            "(optimizer__clip_norm=1.0) or scale the input and the target."
        )

    def __reduce__(self) -> tuple[type, tuple[int, str]]:
        return type(self), (self.epoch, self.what)
