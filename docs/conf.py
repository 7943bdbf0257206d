"""Sphinx configuration; CONTRIBUTING.md has the command."""

import os
import warnings

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


def setup(app):
    app.connect("autodoc-skip-member", skip_foreign)
