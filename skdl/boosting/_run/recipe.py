"""What rounds are made with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skdl._typing import Array
from skdl.boosting._learners.learned import Learners
from skdl.boosting._steps.rates import Steps


@dataclass(frozen=True)
class Draws:
    """What rounds draw.

    Parameters
    ----------
    seed : int
        Round t draws from the generator of (seed, t), so that a run that is continued
        draws what an uninterrupted one does.
    subsample : float
        Share of the rows that a round learns from.
    """

    seed: int
    subsample: float

    def rng(self, t: int) -> np.random.Generator:
        """Return the generator of a round.

        Parameters
        ----------
        t : int
            Number of the round, from 0.

        Returns
        -------
        rng : numpy Generator
            The same for the same round.
        """
        return np.random.default_rng([self.seed, 2, t])

    def rows(self, n: int, rng: np.random.Generator) -> Array | None:
        """Draw the rows that a round learns from.

        Parameters
        ----------
        n : int
            How many there are.
        rng : numpy Generator
            That of the round.

        Returns
        -------
        rows : uint32 ndarray or None
            Ascending; None: all.
        """
        if self.subsample == 1.0:
            return None
        size = max(1, int(self.subsample * n))
        return np.sort(rng.choice(n, size, replace=False)).astype(np.uint32)


@dataclass(frozen=True)
class Recipe:
    """What rounds are made with.

    Parameters
    ----------
    learners : Learners
        Makes the learners of a round.
    steps : Steps
        The learning rates.
    draws : Draws
        The rows of a round, and the learners' randomness.
    """

    learners: Learners
    steps: Steps
    draws: Draws
