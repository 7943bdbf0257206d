"""A directive that makes a table of a registry: ``.. registry:: skdl.optimizers``."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList
from sphinx.util.nodes import nested_parse_with_titles


def settings(value: Any) -> str:
    """Return the settings of a class or function with their defaults."""
    target = value.__init__ if inspect.isclass(value) else value
    try:
        parameters = list(inspect.signature(target).parameters.values())
    except ValueError:
        return ""
    words = [
        f"``{p.name}={p.default!r}``" if p.default is not p.empty else f"``{p.name}``"
        for p in parameters
        if p.name != "self" and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]
    return ", ".join(words)


def summary(value: Any) -> str:
    """Return the first sentence of a docstring."""
    text = inspect.getdoc(value) or ""
    return " ".join(text.split("\n\n")[0].split())


class RegistryTable(Directive):
    """Names of a registry, what they stand for, and their settings."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        module = importlib.import_module(self.arguments[0])
        lines = [".. list-table::", "   :header-rows: 1", "   :widths: 18 44 38", ""]
        lines += ["   * - name", "     - what it is", "     - settings"]
        for name in module.names():
            value = module.get(name)
            kind = value if inspect.isroutine(value) else type(value)
            public = getattr(module, kind.__name__, None) is kind
            role = "func" if inspect.isroutine(kind) else "class"
            link = f":py:{role}:`{name} <{module.__name__}.{kind.__name__}>`"
            lines.append(f"   * - {link if public else f'``{name}``'}")
            lines.append(f"     - {summary(kind)}")
            lines.append(f"     - {settings(kind)}")
        node = nodes.section()
        node.document = self.state.document
        nested_parse_with_titles(self.state, StringList(lines, "registry"), node)
        return node.children


def setup(app: Any) -> dict[str, bool]:
    """Tell Sphinx of the directive."""
    app.add_directive("registry", RegistryTable)
    return {"parallel_read_safe": True}
