"""Sphinx configuration; CONTRIBUTING.md has the command."""

import importlib
import os
import pkgutil
import re
import warnings
from pathlib import Path

from sphinx.util import logging
from sphinx_gallery.sorting import ExplicitOrder

import skdl

os.environ.setdefault("MPLBACKEND", "Agg")
warnings.simplefilter("ignore", category=FutureWarning)

project = "skdl"
author = "The skdl developers"
copyright = "2026, the skdl developers"
version = release = skdl.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False
exclude_patterns = ["_build", "auto_examples/**/*.ipynb", "auto_examples/**/*.py"]
templates_path = ["templates"]
html_theme = "alabaster"
html_theme_options = {
    "description": "Deep learning, scikit-learn all the way through",
    "fixed_sidebar": True,
    "page_width": "1100px",
}

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"/(plot_|quickstart)",
    "subsection_order": ExplicitOrder(
        [
            f"../examples/{name}"
            for name in (
                "neurons",
                "training",
                "images",
                "sequences",
                "practice",
                "boosting",
                "extending",
            )
        ]
    ),
    "backreferences_dir": "api/generated/backreferences",
    "doc_module": ("skdl",),
    "ignore_pattern": r"__init__\.py",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_memory": False,
    "remove_config_comments": True,
    "min_reported_time": 1000,
}


# What scikit-learn's base classes bring is described there.
_ROUTING = ("get_metadata_routing", "set_fit_request", "set_partial_fit_request")


def skip_foreign(app, what, name, obj, skip, options):
    """Leave out members that scikit-learn defines."""
    module = getattr(obj, "__module__", None) or ""
    foreign = module.startswith(("sklearn.", "builtins"))
    return True if foreign or name in (*_ROUTING, "set_score_request") else None


def check_complete(app):
    """Warn of public names that the API page lacks."""
    page = (Path(app.srcdir) / "api.rst").read_text()
    listed = set(re.findall(r"^   (\w+)$", page, re.MULTILINE)) | {"AdaBoost"}
    names = [info.name for info in pkgutil.iter_modules(skdl.__path__)]
    modules = [importlib.import_module(f"skdl.{n}") for n in names if n[0] != "_"]
    for module in [skdl, *modules]:
        for name in sorted(set(getattr(module, "__all__", ())) - listed):
            where = f"{module.__name__}.{name}"
            logging.getLogger(__name__).warning("api.rst does not list %s", where)


def setup(app):
    app.connect("builder-inited", check_complete)
    app.connect("autodoc-skip-member", skip_foreign)
