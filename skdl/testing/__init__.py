"""Checks for people who extend skdl, and for skdl's own tests.

`check_gradient` compares a derivative with finite differences along random directions;
`check_activation`, `check_architecture`, `check_initializer`, `check_layer`,
`check_loss`, `check_optimizer` and `check_schedule` hold an object against its
contract. Each raises AssertionError with a message that says what was expected and what
came.
"""

from skdl.testing._activation import check_activation
from skdl.testing._architecture import check_architecture
from skdl.testing._gradient import check_gradient
from skdl.testing._initializer import check_initializer
from skdl.testing._layer import check_layer
from skdl.testing._loss import check_loss
from skdl.testing._optimizer import check_optimizer
from skdl.testing._schedule import check_schedule

__all__ = [
    "check_activation",
    "check_architecture",
    "check_gradient",
    "check_initializer",
    "check_layer",
    "check_loss",
    "check_optimizer",
    "check_schedule",
]
