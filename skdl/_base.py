"""Parameter objects: hyper-parameters that clone, grid-search and print.

Optimizers, schedules, initializers, activations, losses and layers hold
hyper-parameters and nothing else, as scikit-learn's estimators do before `fit`.
`NestedParams` adds what scikit-learn lacks: `optimizer__learning_rate` works also
while `optimizer` is still the string ``"adam"``, and lists of objects (layers) can be
addressed as ``layers__0__units``.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, ClassVar, Self

from skdl._compat import BaseEstimator
from skdl._html import abbreviated, block_of, without_status
from skdl._registry import Registry, did_you_mean
from skdl._settings import settled
from skdl._site import PAGES, page_of


class NestedParams(BaseEstimator):
    """`get_params` and `set_params` that see through registry names and lists.

    Attributes
    ----------
    _registries : dict of str to Registry
        Which constructor parameters are registry entries.
    _parameter_constraints : dict of str to list
        What the other ones may be, as scikit-learn declares it.
    """

    _registries: ClassVar[dict[str, Registry[Any]]] = {}
    _parameter_constraints: dict[str, Any] = {}
    # Where "?" and the names of parameters lead in a notebook.
    _doc_link_module = "skdl"
    _doc_link_template = PAGES

    def _doc_link_url_param_generator(self) -> dict[str, str]:
        return page_of(type(self))

    def _get_params_html(self, deep: bool = False, doc_link: str = "") -> Any:
        table = super()._get_params_html(False, doc_link)
        table.data = {name: abbreviated(value) for name, value in table.data.items()}
        return table

    def _sk_visual_block_(self) -> Any:
        return block_of(self)

    def _validate_params(self) -> None:
        """Leave it to `settled`, which also sees the parts and skips nothing."""

    def check_together(self) -> None:
        """Raise if settings that are right by themselves do not fit together.

        Raises
        ------
        ValueError
            If they do not.
        """

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Get the parameters of this object.

        Parameters
        ----------
        deep : bool, default=True
            If True, also the parameters of nested objects, of registry names (as
            the default object of that name has them) and of lists of objects.

        Returns
        -------
        params : dict
            Parameter names mapped to their values.
        """
        params = super().get_params(deep=deep)
        if not deep:
            return params
        for name in self._get_param_names():
            value, registry = params[name], self._registries.get(name)
            if isinstance(value, str):
                if registry is not None and value in registry:
                    params.update(_prefixed(name, registry.get(value)))
            elif isinstance(value, (list, tuple)):
                for i, item in enumerate(value):
                    if isinstance(item, str) and registry is not None:
                        item = registry.get(item) if item in registry else None
                    if hasattr(item, "get_params") and not isinstance(item, type):
                        params[f"{name}__{i}"] = value[i]
                        params.update(_prefixed(f"{name}__{i}", item))
        return params

    def set_params(self, **params: Any) -> Self:
        """Set the parameters of this object, also nested ones.

        Parameters
        ----------
        **params : dict
            ``name=value`` or ``name__sub=value``. A registry name in the way of a
            nested key is first replaced by the default object of that name.

        Returns
        -------
        self : object
            This object.

        Raises
        ------
        ValueError
            If a name is no parameter, or a nested key meets an unknown registry
            name; the message lists the valid ones.
        """
        nested: dict[str, dict[str, Any]] = defaultdict(dict)
        direct = {}
        for key, new in params.items():
            name, delimiter, rest = key.partition("__")
            if delimiter:
                nested[name][rest] = new
            else:
                direct[key] = new
        self._check_names([*direct, *nested])
        super().set_params(**direct)
        for name, sub in nested.items():
            value, registry = getattr(self, name, None), self._registries.get(name)
            if isinstance(value, (list, tuple)):
                setattr(self, name, _set_in_list(self, name, value, sub))
                continue
            if isinstance(value, str) and registry is not None:
                value = registry.get(value)
                setattr(self, name, value)
            if name in self._get_param_names() and not hasattr(value, "set_params"):
                raise ValueError(
                    f"{type(self).__name__}: {name}__{next(iter(sub))} cannot be set, "
                    f"because {name}={value!r} has no parameters of its own."
                )
            super().set_params(**{f"{name}__{key}": v for key, v in sub.items()})
        return self

    def _check_names(self, names: list[str]) -> None:
        """Raise if a name is no parameter: before any of the others is set."""
        known = self._get_param_names()
        for name in names:
            if name not in known:
                raise ValueError(
                    f"Invalid parameter {name!r} for estimator {self}. Valid "
                    f"parameters are: {known!r}.{did_you_mean(name, known)}"
                )


class ParameterObject(NestedParams):
    """Base of optimizers, schedules, initializers, activations, losses and layers."""

    def _html_repr(self) -> str:
        return without_status(super()._html_repr())

    def settled(self) -> Self:
        """Return a copy that is ready for use.

        Returns
        -------
        copy : object
            Its settings, and those of the objects in them, are Python's own numbers.

        Raises
        ------
        ValueError, TypeError
            If a setting is not as the class declares it, or a name is unknown.
        """
        new = copy.copy(self)
        for name, value in settled(self).items():
            setattr(new, name, value)
        new.check_together()
        return new


def _prefixed(prefix: str, obj: Any) -> dict[str, Any]:
    return {f"{prefix}__{key}": value for key, value in obj.get_params().items()}


def _set_in_list(
    owner: NestedParams, name: str, items: Sequence[Any], params: dict[str, Any]
) -> Sequence[Any]:
    """Set ``{"0": obj, "1__rate": 0.3}`` in a copy of a list of objects."""
    new = list(items)
    registry = owner._registries.get(name)
    nested: dict[int, dict[str, Any]] = defaultdict(dict)
    for key, value in params.items():
        index, _, sub = key.partition("__")
        if not index.isdecimal() or int(index) >= len(new):
            raise ValueError(
                f"Invalid key {name}__{key} for {type(owner).__name__}: {name} holds "
                f"{len(new)} objects, numbered from 0."
            )
        nested[int(index)][sub] = value
    for i, subs in sorted(nested.items()):
        if "" in subs:  # the object itself comes before its settings
            new[i] = subs.pop("")
        if not subs:
            continue
        if isinstance(new[i], str) and registry is not None:
            new[i] = registry.get(new[i])
        if not hasattr(new[i], "set_params"):
            raise ValueError(
                f"{type(owner).__name__}: {name}__{i}__{next(iter(subs))} cannot be "
                f"set, because {name}[{i}]={new[i]!r} has no parameters of its own."
            )
        new[i].set_params(**subs)
    return type(items)(new) if isinstance(items, tuple) else new
