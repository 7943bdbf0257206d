"""Checks for people who extend skdl, and for skdl's own tests.

`check_gradient` compares a derivative with finite differences along random directions;
`check_loss`, `check_optimizer` and `check_layer` hold an object against its contract.
Each raises AssertionError with a message that says what was expected and what came.
"""

from skdl.testing._gradient import check_gradient
from skdl.testing._layer import check_layer
from skdl.testing._loss import check_loss
from skdl.testing._optimizer import check_optimizer

__all__ = ["check_gradient", "check_layer", "check_loss", "check_optimizer"]
