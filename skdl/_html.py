"""The HTML representation in notebooks: each nested object is a box of its own.

scikit-learn draws boxes for nested estimators alone. Here optimizers, schedules, losses
and layers have settings and pages of the reference, too, and a box each that shows
them; what can be copied from it is the nested name, ``optimizer__learning_rate``.
"""

from __future__ import annotations

import re
from typing import Any

from skdl._compat import VisualBlock

# What a cell of the table of settings, and a label, have room for.
CELL, LABEL = 30, 44
STATUS = re.compile(r'<span class="sk-estimator-doc-link ?">i<span>.*?</span></span>')


class Abbreviated:
    """Stands for an object whose own box shows it in full.

    Parameters
    ----------
    value : object
        The object.
    """

    def __init__(self, value: Any) -> None:
        self.value = value

    def __repr__(self) -> str:
        text = repr(self.value)
        return text if len(text) <= CELL else f"{type(self.value).__name__}(...)"


class Part:
    """An object inside of another, with the label of its box.

    Parameters
    ----------
    name : str
        The setting whose value it is, or its number in a list.
    value : object
        An object with settings, or the name of one in a registry.
    """

    def __init__(self, name: str, value: Any) -> None:
        self.value = value
        text = value if isinstance(value, str) else repr(value)
        kind = type(value).__name__
        self.label = f"{name}: {text if len(text) <= LABEL else kind}"

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Tell that this has settings; they are asked of the object.

        Parameters
        ----------
        deep : bool, default=True
            Has no effect.

        Returns
        -------
        params : dict
            None.
        """
        return {}

    def _get_doc_link(self) -> str:
        link = getattr(self.value, "_get_doc_link", None)
        return link() if link else ""

    def _get_params_html(self, deep: bool = True, doc_link: str = "") -> Any:
        if isinstance(self.value, str):
            return _NoTable()
        return self.value._get_params_html(deep, doc_link)

    def _sk_visual_block_(self) -> Any:
        inner = getattr(self.value, "_sk_visual_block_", None)
        block = inner() if inner else None
        if block is not None and block.kind != "single":
            return block
        return VisualBlock(
            "single",
            self.value,
            names=self.label,
            name_details=str(self.value),
            doc_link_label=type(self.value).__name__,
        )


class _NoTable:
    """The settings of a name: none."""

    def _repr_html_inner(self) -> str:
        return ""


def has_settings(value: Any) -> bool:
    """Return whether a value is an object with settings of its own.

    Parameters
    ----------
    value : object
        The value of a setting.

    Returns
    -------
    has : bool
        Whether it is an instance with `get_params`.
    """
    return hasattr(value, "get_params") and not isinstance(value, type)


def abbreviated(value: Any) -> Any:
    """Return what a table of settings shows for a value.

    Parameters
    ----------
    value : object
        The value of a setting.

    Returns
    -------
    shown : object
        Itself; what has a box of its own, and lists of that, are abbreviated.
    """
    if isinstance(value, (list, tuple)):
        return type(value)(map(abbreviated, value)) if _is_chain(value) else value
    return Abbreviated(value) if has_settings(value) else value


def block_of(owner: Any) -> Any:
    """Return the boxes that scikit-learn draws for an object.

    Parameters
    ----------
    owner : object
        An object with settings.

    Returns
    -------
    block : VisualBlock
        Boxes side by side, one for each setting whose value has settings; those of a
        list stand below each other.
    """
    settings = owner.get_params(deep=False).items()
    boxes = [box for name, value in settings if (box := _box(name, value))]
    if boxes:
        return VisualBlock("parallel", boxes)
    kind = type(owner).__name__
    return VisualBlock("single", owner, names=kind, name_details=str(owner))


def without_status(html: str) -> str:
    """Leave out that an object is not fitted: what has no `fit` never is.

    Parameters
    ----------
    html : str
        The representation that scikit-learn makes.

    Returns
    -------
    html : str
        The same without the mark.
    """
    return STATUS.sub("", html)


def _is_chain(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and any(map(has_settings, value))


def _box(name: str, value: Any) -> Any:
    """Return the box of a setting, or None where its value has no settings."""
    if has_settings(value):
        return _stacked([Part(name, value)])
    if _is_chain(value):
        parts = [Part(str(i), item) for i, item in enumerate(value)]
        details = str(list(value))
        return VisualBlock(
            "serial",
            [_stacked(parts)],
            names=[name],
            name_details=[details],
            dash_wrapped=False,
        )
    return None


def _stacked(parts: list[Part]) -> Any:
    """Return boxes below each other; their names begin the keys that can be copied."""
    return VisualBlock(
        "serial",
        parts,
        names=[part.label for part in parts],
        name_details=[str(part.value) for part in parts],
        dash_wrapped=False,
    )
