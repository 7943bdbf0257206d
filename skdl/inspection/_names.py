"""Names for several models in one picture, by what sets them apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

_LONGEST = 40  # characters of a value


def fitted_part(estimator: Any) -> Any:
    """Return the model inside a search or a Pipeline.

    Parameters
    ----------
    estimator : estimator
        Any estimator.

    Returns
    -------
    part : estimator
        The best one of a search, the last step of a Pipeline, or the estimator itself.
    """
    estimator = getattr(estimator, "best_estimator_", estimator)
    return estimator[-1] if hasattr(estimator, "steps") else estimator


def named(estimator: Any, name: str | Sequence[str] | None) -> dict[str, Any]:
    """Return one or several estimators by name.

    Parameters
    ----------
    estimator : estimator, sequence or dict of them
        The keys of a dict are their names.
    name : str or sequence of str or None
        Names. None takes the classes' names, with those settings of estimators of one
        class that are not the same, and a number where all of them are.

    Returns
    -------
    named : dict
        In the given order.

    Raises
    ------
    ValueError
        If there are not as many names as estimators, or two are alike.
    """
    if isinstance(estimator, Mapping):
        return dict(estimator)
    items = list(estimator) if isinstance(estimator, (list, tuple)) else [estimator]
    names = [name] if isinstance(name, str) else name
    if names is None:
        names = _own_names(items)
    if len(names) != len(items):
        raise ValueError(f"{len(names)} names for {len(items)} estimators.")
    if len(set(names)) < len(names):
        raise ValueError(f"Names must differ, got {list(names)}.")
    return dict(zip(names, items, strict=True))


def _own_names(items: list[Any]) -> list[str]:
    parts = [fitted_part(item) for item in items]
    names = [type(item).__name__ for item in items]
    for where in _alike(names):  # Pipelines of different models
        inner = {type(parts[i]).__name__ for i in where}
        for i in where if len(inner) > 1 else ():
            names[i] = f"{names[i]} of {type(parts[i]).__name__}"
    for where in _alike(names):
        columns = _differing([parts[i].get_params(deep=False) for i in where])
        for row, i in enumerate(where):
            settings = ", ".join(
                f"{key}={texts[row]}" for key, texts in columns.items()
            )
            names[i] += f"({settings})" if settings else ""
    for where in _alike(names):
        for number, i in enumerate(where, start=1):
            names[i] += f" {number}"
    return names


def _alike(names: list[str]) -> list[list[int]]:
    """Where each name stands that stands there more than once."""
    places: dict[str, list[int]] = defaultdict(list)
    for i, name in enumerate(names):
        places[name].append(i)
    return [where for where in places.values() if len(where) > 1]


def _differing(params: list[dict[str, Any]]) -> dict[str, list[str]]:
    """The settings that are not the same everywhere, with the text of each."""
    found: dict[str, list[str]] = {}
    for key in params[0]:
        values: list[Any] = [each.get(key) for each in params]
        if len({repr(value) for value in values}) == 1:
            continue
        alike = len({type(value) for value in values}) == 1
        if alike and hasattr(values[0], "get_params"):
            inner = _differing([value.get_params(deep=False) for value in values])
            found.update({f"{key}__{sub}": texts for sub, texts in inner.items()})
        else:
            found[key] = [_short(value) for value in values]
    return found


def _short(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
