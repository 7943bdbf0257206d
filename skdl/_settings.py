"""Settings: checked at one moment, and turned into Python's own numbers.

Which values a setting may have is declared once, by the class, in scikit-learn's words
(`_parameter_constraints`); which settings name parts such as optimizers, in
`_registries`. `settled` is the one place that looks at both: estimators call it when
`fit` begins (see `fit_context`), parameter objects by their method `settled`. What is
computed from there on sees `int`, `float`, `bool` and `str` alone: a NumPy integer of
eight bits would wrap around, and compiled code takes it for something else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import Any, TypeVar, cast

import numpy as np

from skdl._compat import (
    Integral,
    Interval,
    Options,
    Real,
    sklearn_fit_context,
    validate_parameter_constraints,
)

F = TypeVar("F", bound=Callable[..., Any])

# The usual constraints; [a, b) contains a and not b.
NUMBER = [Interval(Real, None, None, closed="neither")]
POSITIVE = [Interval(Real, 0, None, closed="neither")]  # (0, ∞)
NOT_NEGATIVE = [Interval(Real, 0, None, closed="left")]  # [0, ∞)
SHARE = [Interval(Real, 0, 1, closed="left")]  # [0, 1)
FACTOR = [Interval(Real, 0, 1, closed="right")]  # (0, 1]
COUNT = [Interval(Integral, 1, None, closed="left")]  # 1, 2, …
PATIENCE = [Interval(Integral, 0, None, closed="left"), Options(Real, {np.inf})]


def plain(value: Any) -> Any:
    """Return NumPy's numbers, and those in lists and tuples, as Python's own.

    Parameters
    ----------
    value : object
        What the user passed.

    Returns
    -------
    value : object
        An int, float, bool or str where it is a number or a string of any kind; a list
        or a tuple of such; else, and where nothing changes, the object itself.
    """
    kind = type(value)
    if kind in (bool, int, float, str, type(None)):
        return value
    if kind is list or kind is tuple:
        items = [plain(item) for item in value]
        same = all(new is old for new, old in zip(items, value, strict=True))
        return value if same else kind(items)
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value)
    return str(value) if isinstance(value, np.str_) else value


def checked(
    owner: str, constraints: Mapping[str, Any], values: Mapping[str, Any]
) -> dict[str, Any]:
    """Return settings as Python's numbers, if they are what they may be.

    Parameters
    ----------
    owner : str
        What the error calls the object that they belong to.
    constraints : mapping of str to list
        What each setting may be; one without constraints may be anything.
    values : mapping of str to object
        The settings.

    Returns
    -------
    values : dict
        See `plain`.

    Raises
    ------
    InvalidParameterError
        A ValueError and TypeError: the first setting that is not as declared, with
        what came and what was expected.
    """
    new = {name: plain(value) for name, value in values.items()}
    validate_parameter_constraints(dict(constraints), new, caller_name=owner)
    return new


def settled(owner: Any) -> dict[str, Any]:
    """Check all settings of an object; return them ready for use.

    Parameters
    ----------
    owner : object with get_params
        A parameter object or an estimator. It is not changed.

    Returns
    -------
    values : dict
        Numbers as Python's own, and parts settled too; the name of a part stays, if
        there is one of that name.

    Raises
    ------
    ValueError, TypeError
        If a setting is not as declared, or a name is unknown.
    """
    constraints = getattr(owner, "_parameter_constraints", {})
    registries = getattr(owner, "_registries", {})
    values = owner.get_params(deep=False)
    parts = {
        name
        for name in registries.keys() & values.keys()
        if not _is_declared(values[name], constraints.get(name, ()), registries[name])
    }
    own = {name: value for name, value in values.items() if name not in parts}
    values.update(checked(type(owner).__name__, constraints, own))
    for name in sorted(parts):
        value, registry = values[name], registries[name]
        declared = constraints.get(name, "no_validation")
        if declared != "no_validation" and not registry.knows_what_to_say(value):
            allowed = {name: [*declared, str, registry.base]}
            checked(type(owner).__name__, allowed, {name: value})  # raises
        part = registry.get(value)  # raises if there is none
        values[name] = value if isinstance(value, str) else part.settled()
    return values


def _is_declared(value: Any, constraints: Any, registry: Any) -> bool:
    """Whether a setting that may be a part is, or ought to be, something else."""
    if isinstance(value, str) and value in registry.reserved:
        return True
    if constraints == "no_validation":
        return False
    numbers = [c for c in constraints if isinstance(c, Interval)]
    types = tuple(c for c in constraints if isinstance(c, type))
    return (
        (value is None and None in constraints)
        or (bool(numbers) and (value is None or isinstance(value, Real)))
        or isinstance(value, types)
    )


@contextmanager
def python_settings(estimator: Any) -> Iterator[None]:
    """Let an estimator have Python's numbers as settings, and then the user's again.

    Parameters
    ----------
    estimator : estimator
        Its settings and those of its parts are checked first.

    Yields
    ------
    None
    """
    values = settled(estimator)
    registries = getattr(estimator, "_registries", {})
    swapped = {}
    for name, new in values.items():
        old = getattr(estimator, name)
        if new is not old and (name not in registries or isinstance(new, Real)):
            swapped[name] = old, new
            setattr(estimator, name, new)
    try:
        estimator.check_together()
        yield
    finally:
        for name, (old, new) in swapped.items():
            if getattr(estimator, name) is new:  # no callback has set another
                setattr(estimator, name, old)


def fit_context(*, prefer_skip_nested_validation: bool) -> Callable[[F], F]:
    """Decorate `fit`: scikit-learn's context, in which settings are Python's numbers.

    Parameters
    ----------
    prefer_skip_nested_validation : bool
        Whether estimators that are fitted inside may leave their settings unchecked.

    Returns
    -------
    decorator : callable
        Of `fit`, `partial_fit` and their like.
    """
    context = sklearn_fit_context(
        prefer_skip_nested_validation=prefer_skip_nested_validation
    )

    def decorator(fit: F) -> F:
        @wraps(fit)
        def with_python_settings(estimator: Any, *args: Any, **kwargs: Any) -> Any:
            with python_settings(estimator):
                return fit(estimator, *args, **kwargs)

        return cast(F, context(with_python_settings))

    return decorator
