"""Warnings that point to the line of the user."""

from __future__ import annotations

import sys
import warnings

# Between the user's line and ours: they wrap `fit`, clone, and run jobs.
_INSIDE = {"joblib", "skdl", "sklearn"}


def warn(message: str | Warning, category: type[Warning] = UserWarning) -> None:
    """Issue a warning at the first line outside of skdl and of what wraps its methods.

    Counting frames by hand (`stacklevel`) goes wrong as soon as a method is called by
    another or by scikit-learn. Python 3.12 has `skip_file_prefixes` for this.

    Parameters
    ----------
    message : str or Warning
        What to say.
    category : type, default=UserWarning
        The class of the warning, where `message` is a text.
    """
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and _is_inside(frame.f_globals):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


def _is_inside(names: dict[str, object]) -> bool:
    return str(names.get("__name__")).partition(".")[0] in _INSIDE
