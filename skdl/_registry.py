"""Registries: a name or an instance everywhere, and a decorator for the user's own."""

from __future__ import annotations

import copy
import difflib
import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, Self, TypeVar

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
    reserved : tuple of str, default=()
        Names that mean something else where a name of this kind may stand.
    """

    def __init__(
        self,
        kind: str,
        base: type[T],
        wrap: Callable[[Any], T] | None = None,
        reserved: tuple[str, ...] = (),
    ) -> None:
        self.kind = kind
        self.base = base
        self.wrap = wrap
        self.reserved = reserved
        self.purpose = ""
        self.__doc__ = f"The registry of the kind {kind}: names mapped to classes."
        self._classes: dict[str, type[T]] = {}
        self._aliases: dict[str, str] = {}
        self._accepts: Callable[[type[T]], bool] | None = None

    def register(
        self, name: str, *aliases: str, replace: bool = False
    ) -> Callable[[C], C]:
        """Return a class decorator that registers a class under `name`.

        Parameters
        ----------
        name : str
            The name that users pass as a string.
        *aliases : str
            Further names for the same class; they are not listed by `names`.
        replace : bool, default=False
            Whether names that exist already, built-in ones too, get a new meaning for
            the whole process. A notebook's cell that is run again needs it.

        Returns
        -------
        decorator : callable
            Registers the class and returns it unchanged.

        Raises
        ------
        TypeError
            If the class does not derive from the registry's base class.
        ValueError
            If a name exists already, or means something else; or if a constructor
            parameter has no default: a name alone could then not make an instance.

        Examples
        --------
        Of initializers; the other kinds do the same:

        >>> from copy import deepcopy
        >>> import numpy as np
        >>> from skdl import initializers
        >>> registry = deepcopy(initializers.registry)  # the one in use stays as it is
        >>> @registry.register("checkerboard")
        ... class Checkerboard(initializers.Initializer):
        ...     def draw(self, shape, rng):
        ...         return np.indices(shape).sum(axis=0) % 2.0
        >>> registry.get("checkerboard")((2, 3), np.random.default_rng(0))
        array([[0., 1., 0.],
               [1., 0., 1.]])
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
            self._check_free((name, *aliases), cls, replace)
            for taken in (name, *aliases):
                self._classes.pop(taken, None)
                self._aliases.pop(taken, None)
            self._classes[name] = cls
            self._aliases.update(dict.fromkeys(aliases, name))
            for alias, target in list(self._aliases.items()):
                if target not in self._classes:  # what it stood for was replaced
                    del self._aliases[alias]
            return cls  # type: ignore[return-value]

        return decorator

    def _check_free(
        self, names: tuple[str, ...], cls: type[Any], replace: bool
    ) -> None:
        for name in names:
            if name in self.reserved:
                raise ValueError(
                    f"{cls.__name__} cannot be registered as {name!r}, which means "
                    f"something else where the name of a {self.kind} may stand; choose "
                    "another name."
                )
            if not replace and self._taken(name):
                raise ValueError(
                    f"{cls.__name__} cannot be registered as {name!r}: the {self.kind} "
                    f"{type(self.get(name)).__name__} has this name, in the whole "
                    "process. Choose another name, or pass replace=True."
                )

    def _taken(self, name: str) -> bool:
        """Whether a new meaning of a name would hide one that exists."""
        return name in self._classes or name in self._aliases

    def only(self, accepts: Callable[[type[T]], bool], purpose: str) -> Self:
        """Return a view of this registry for a purpose that not all classes suit.

        Parameters
        ----------
        accepts : callable
            Says of a class whether it suits.
        purpose : str
            The purpose, in the words of an error message ("classification").

        Returns
        -------
        view : Registry
            It knows the same names, those registered later too, but lists and gives
            those that suit alone.
        """
        view = copy.copy(self)
        view._accepts = accepts
        view.purpose = purpose
        return view

    def names(self) -> list[str]:
        """Return the registered names, sorted.

        Returns
        -------
        names : list of str
            Without aliases.

        Examples
        --------
        Of schedules; the other kinds do the same:

        >>> from skdl.schedules import names
        >>> names()[:4]
        ['constant', 'cosine', 'exponential', 'inverse']
        """
        return sorted(name for name, cls in self._classes.items() if self._suits(cls))

    def _suits(self, cls: type[T]) -> bool:
        return self._accepts is None or self._accepts(cls)

    def listed(self) -> str:
        """Return the names with their aliases, as an error message lists them."""
        texts = []
        for name in self.names():
            aliases = [a for a, target in self._aliases.items() if target == name]
            texts.append(f"{name} ({', '.join(aliases)})" if aliases else name)
        return ", ".join(texts)

    def close_to(self, name: str) -> str:
        """Return a hint at the known names that look like a mistyped one.

        Parameters
        ----------
        name : str
            The mistyped name.

        Returns
        -------
        hint : str
            A sentence, or nothing where no name is close.
        """
        aliases = [a for a, target in self._aliases.items() if target in self.names()]
        return did_you_mean(name, [*self.names(), *aliases])

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
                f"Unknown {self.kind} {name!r}. Known names: {self.listed()}. "
                f"An instance of {self.base.__name__} works too"
                f"{', and so does a function' if self.wrap else ''}."
                f"{self.close_to(name)}"
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
            If `spec` is an unknown name, or does not suit the purpose.
        TypeError
            If `spec` is of the wrong kind.

        Examples
        --------
        Of optimizers; the other kinds do the same:

        >>> from skdl.optimizers import SGD, get
        >>> get("adam"), get(SGD(0.1))
        (Adam(), SGD(learning_rate=0.1))
        """
        if isinstance(spec, str):
            return self._suitable(self.class_of(spec)())
        if isinstance(spec, self.base):
            return self._suitable(spec)
        if self.wrap is not None and callable(spec) and not isinstance(spec, type):
            return self.wrap(spec)
        hint = ""
        if isinstance(spec, type) and issubclass(spec, self.base):
            hint = f" Pass an instance: {spec.__name__}()."
        raise TypeError(
            f"The {self.kind} must be one of the names {self.listed()} or "
            f"an instance of {self.base.__name__}, got {spec!r} of type "
            f"{type(spec).__name__}.{hint}"
        )

    def knows_what_to_say(self, spec: object) -> bool:
        """Return whether `get` gives an instance, or an error with a hint.

        Parameters
        ----------
        spec : object
            What the user passed.

        Returns
        -------
        knows : bool
            Whether it is a name, an instance, a class, or may be wrapped.
        """
        return isinstance(spec, (str, self.base, type)) or (
            self.wrap is not None and callable(spec)
        )

    def _suitable(self, instance: T) -> T:
        if self._suits(type(instance)):
            return instance
        raise ValueError(
            f"{type(instance).__name__} is no {self.kind} for {self.purpose}. Choose "
            f"one of {self.listed()}, or an instance of {self.base.__name__} that is."
        )


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a hint at the known names that look like a mistyped one.

    Parameters
    ----------
    name : str
        The mistyped name.
    known : iterable of str
        The names there are.

    Returns
    -------
    hint : str
        " Did you mean …?", or nothing where no name is close.
    """
    by_folded = {other.casefold(): other for other in known}
    close = difflib.get_close_matches(name.casefold(), by_folded, n=2, cutoff=0.7)
    if not close:
        return ""
    return f" Did you mean {' or '.join(repr(by_folded[c]) for c in close)}?"
