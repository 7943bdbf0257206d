"""A line a round."""

from __future__ import annotations

from skdl._report import Report


def round_report(title: str, verbose: int, header: bool = True) -> Report:
    """Return what prints a line a round, as often as `verbose` says.

    Parameters
    ----------
    title : str
        First line.
    verbose : int
        0 for nothing, 1 for the first ten rounds and every tenth, more for all.
    header : bool, default=True
        Whether to print the title and the heads of the columns.

    Returns
    -------
    report : Report
        Its clock has started.
    """
    every = (0, 10, 1)[min(int(verbose), 2)]
    return Report(title, every, header, unit="round", first=10)
