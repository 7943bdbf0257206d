"""What `verbose` prints."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping

_COLUMNS = {
    "loss": ("loss", "{:>10.5f}"),
    "val_loss": ("val loss", "{:>10.5f}"),
    "val_score": ("val score", "{:>10.4f}"),
    "learning_rate": ("rate", "{:>10.3g}"),
}


class Report:
    """A table with a line an epoch.

    Parameters
    ----------
    title : str
        First line.
    every : int
        Print each so many epochs; 0 prints nothing.
    header : bool, default=True
        Whether to print the title and the heads of the columns.
    """

    def __init__(self, title: str, every: int, header: bool = True) -> None:
        self.title = title
        self.every = every
        self.header = header
        self._start = time.perf_counter()
        self._columns: list[str] = []

    def epoch(self, epoch: int, row: Mapping[str, float], is_best: bool) -> None:
        """Print the line of an epoch.

        Parameters
        ----------
        epoch : int
            Number of the epoch, from 1.
        row : mapping of str to float
            The epoch's numbers.
        is_best : bool
            Whether it is the best so far; marked with a star.
        """
        if not self.every or (epoch % self.every and epoch != 1):
            return
        if not self._columns:
            self._columns = [name for name in _COLUMNS if name in row]
            if math.isnan(row.get("learning_rate", 0.0)):  # a line search has none
                self._columns.remove("learning_rate")
            heads = "".join(f"{_COLUMNS[name][0]:>11}" for name in self._columns)
            if self.header:
                print(f"{self.title}\n{'epoch':>6}{heads}{'time':>9}")
        cells = "".join(
            " " + _COLUMNS[name][1].format(row[name]) for name in self._columns
        )
        seconds = time.perf_counter() - self._start
        print(f"{epoch:>6}{cells}{seconds:>7.1f} s{' *' if is_best else ''}")

    def end(self, message: str) -> None:
        """Print the last line.

        Parameters
        ----------
        message : str
            Why training stopped.
        """
        if self.every:
            print(message)
