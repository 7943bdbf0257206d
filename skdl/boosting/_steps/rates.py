"""The learning rates of an ensemble as it grows."""

from __future__ import annotations

from collections.abc import Iterable

from skdl.optimizers import FirstOrder


class Steps:
    """The learning rates of an ensemble as it grows.

    Parameters
    ----------
    rule : FirstOrder
        The step rule.
    n_rounds : int
        Planned rounds.
    n_done : int, default=0
        Rounds already done.
    losses : sequence of float, default=()
        What the schedule saw of them.
    """

    def __init__(
        self,
        rule: FirstOrder,
        n_rounds: int,
        n_done: int = 0,
        losses: Iterable[float] = (),
    ) -> None:
        rule.check(n_rounds, 1)
        self.rule = rule
        self.state = rule.init(1)
        for loss in losses:
            rule.observe(self.state, loss)
        self.state.t = self.state.epoch = n_done
        self.state.plan(1, n_rounds - n_done)

    @property
    def plain(self) -> bool:
        """Whether a round adds η times its learner and nothing else."""
        return self.rule.plain

    @property
    def rate(self) -> float:
        """The learning rate of the coming round."""
        return float(self.rule.learning_rate_now(self.state))

    def next(self) -> None:
        """Go on to the next round."""
        self.state.t += 1

    def observe(self, loss: float) -> None:
        """Let the schedule see a round's loss.

        Parameters
        ----------
        loss : float
            Validation loss where there is one, else training loss.
        """
        self.rule.observe(self.state, loss)
