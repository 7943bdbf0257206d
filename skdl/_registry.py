"""Registries: a name or an instance everywhere, and a decorator for the user's own."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

T = TypeVar("T")
C = TypeVar("C", bound=type[Any])


class Registry(Generic[T]):
    """Map names to classes of one kind.

    Parameters
    ----------
    kind : str
        What is registered, in the words of an error message ("optimizer").
    base : type
        Every registered class and every accepted instance derives from it.
    wrap : callable, default=None
        Turns a callable that is not an instance of `base` into one (a plain
        function as a loss, say).
    """

    def __init__(
        self, kind: str, base: type[T], wrap: Callable[[Any], T] | None = None
    ) -> None:
        self.kind = kind
        self.base = base
        self.wrap = wrap
        self.__doc__ = f"The registry of the kind {kind}: names mapped to classes."
        self._classes: dict[str, type[T]] = {}
        self._aliases: dict[str, str] = {}

    def register(self, name: str, *aliases: str) -> Callable[[C], C]:
        """Return a class decorator that registers a class under `name`.

        Parameters
        ----------
        name : str
            The name that users pass as a string.
        *aliases : str
            Further names for the same class; they are not listed by `names`.

        Returns
        -------
        decorator : callable
            Registers the class and returns it unchanged.

        Raises
        ------
        TypeError
            If the class does not derive from the registry's base class.
        ValueError
            If a constructor parameter has no default: a name alone could then
            not make an instance.
        """

        def decorator(cls: C) -> C:
            if not (isinstance(cls, type) and issubclass(cls, self.base)):
                raise TypeError(
                    f"A {self.kind} must derive from {self.base.__name__}, got {cls!r}."
                )
            missing = [
                p.name
                for p in inspect.signature(cls).parameters.values()
                if p.default is p.empty and p.kind is not p.VAR_KEYWORD
            ]
            if missing:
                raise ValueError(
                    f"{cls.__name__} cannot be registered as {name!r}: its parameters "
                    f"{missing} need defaults, so that the name alone makes one."
                )
            self._classes[name] = cls
            self._aliases.pop(name, None)  # the newest registration counts
            self._aliases.update(dict.fromkeys(aliases, name))
            return cls  # type: ignore[return-value]

        return decorator

    def names(self) -> list[str]:
        """Return the registered names, sorted."""
        return sorted(self._classes)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and (
            name in self._classes or name in self._aliases
        )

    def class_of(self, name: str) -> type[T]:
        """Return the class registered under `name` or one of its aliases.

        Parameters
        ----------
        name : str
            A registered name or alias.

        Returns
        -------
        cls : type
            The class.

        Raises
        ------
        ValueError
            If the name is unknown; the message lists the known ones.
        """
        try:
            return self._classes[self._aliases.get(name, name)]
        except KeyError:
            raise ValueError(
                f"Unknown {self.kind} {name!r}. Known names: "
                f"{', '.join(self.names())}. An instance of "
                f"{self.base.__name__} works too."
            ) from None

    def get(self, spec: str | T | Any) -> T:
        """Return an instance for a name, an instance or (where allowed) a callable.

        Parameters
        ----------
        spec : str or instance
            What the user passed.

        Returns
        -------
        instance : object
            A new default instance for a name, the object itself otherwise.

        Raises
        ------
        ValueError
            If `spec` is an unknown name.
        TypeError
            If `spec` is of the wrong kind.
        """
        if isinstance(spec, str):
            return self.class_of(spec)()
        if isinstance(spec, self.base):
            return spec
        if self.wrap is not None and callable(spec) and not isinstance(spec, type):
            return self.wrap(spec)
        hint = ""
        if isinstance(spec, type) and issubclass(spec, self.base):
            hint = f" Pass an instance: {spec.__name__}()."
        raise TypeError(
            f"The {self.kind} must be one of the names {', '.join(self.names())} or "
            f"an instance of {self.base.__name__}, got {spec!r} of type "
            f"{type(spec).__name__}.{hint}"
        )
