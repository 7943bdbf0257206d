"""What `verbose` prints."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping


def _loss(value: float) -> str:
    """Five digits after the point, or powers of ten where that says too little."""
    text = f"{value:.5f}"
    if len(text) > 10 or 0.0 < abs(value) < 1e-3:
        text = f"{value:.4e}"
    return text


def _score(value: float) -> str:
    """Four digits after the point, fewer of large sums such as log-likelihoods."""
    text = f"{value:.4f}"
    return text if len(text) < 11 else f"{value:.1f}"


_COLUMNS: dict[str, tuple[str, Callable[[float], str]]] = {
    "loss": ("loss", _loss),
    "val_loss": ("val loss", _loss),
    "val_score": ("val score", _score),
    "learning_rate": ("rate", "{:.3g}".format),
    "error": ("error", _loss),
    "weight": ("weight", "{:.4f}".format),
    "leaves": ("leaves", "{:.0f}".format),
}


class Report:
    """A table with a line an epoch, or a round of boosting.

    Parameters
    ----------
    title : str
        First line.
    every : int
        Print each so many epochs; 0 prints nothing.
    header : bool, default=True
        Whether to print the title and the heads of the columns.
    unit : str, default="epoch"
        What is counted.
    first : int, default=1
        Print so many from the first one on in any case.

    Examples
    --------
    >>> from skdl.training import Report
    >>> report = Report("A run", every=2)
    >>> for i, loss in enumerate((0.5, 0.25, 0.2, 0.1), 1):  # doctest: +ELLIPSIS
    ...     report.epoch(i, {"loss": loss}, is_best=loss < 0.15)
    A run
     epoch       loss     time
         1    0.50000    ... s
         2    0.25000    ... s
         4    0.10000    ... s *
    """

    def __init__(
        self,
        title: str,
        every: int,
        header: bool = True,
        unit: str = "epoch",
        first: int = 1,
    ) -> None:
        self.title = title
        self.every = every
        self.header = header
        self.unit = unit
        self.first = first
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
        if not self.every or (epoch % self.every and epoch > self.first):
            return
        if not self._columns:
            self._columns = [name for name in _COLUMNS if name in row]
            if math.isnan(row.get("learning_rate", 0.0)):  # a line search has none
                self._columns.remove("learning_rate")
            heads = "".join(f"{_COLUMNS[name][0]:>11}" for name in self._columns)
            if self.header:
                print(f"{self.title}\n{self.unit:>6}{heads}{'time':>9}")
        cells = "".join(f"{_COLUMNS[name][1](row[name]):>11}" for name in self._columns)
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
