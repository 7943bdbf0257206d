"""Sphinx configuration; CONTRIBUTING.md has the command."""

import importlib
import os
import pkgutil
import re
import sys
import warnings
from importlib.metadata import distribution
from pathlib import Path

from sphinx.util import logging
from sphinx_gallery.sorting import ExplicitOrder

import skdl

sys.path.insert(0, str(Path(__file__).parent))
os.environ.setdefault("MPLBACKEND", "Agg")
warnings.simplefilter("ignore", category=FutureWarning)

# Formulas are set in the browser by a copy of MathJax that stands beside the pages.
_installed = Path(str(distribution("sphinx-mathjax-offline").locate_file(".")))
mathjax_file = _installed / "sphinx-mathjax-offline/static/mathjax/tex-svg.js"
mathjax_path = mathjax_file.name

project = "skdl"
author = "The skdl developers"
copyright = "2026, the skdl developers"
version = release = skdl.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
    "numpydoc",
    "myst_parser",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "registry_tables",
]
autosummary_generate = True
autodoc_typehints = "none"
autodoc_preserve_defaults = True
toc_object_entries_show_parents = "hide"
default_role = "py:obj"
# A name that is meant as a link and leads nowhere is an error; names in single
# backquotes may be parameters, which have no page.
nitpicky = True
nitpick_ignore_regex = [("py:obj", ".*"), ("py:class", "integer -- return.*")]
numpydoc_show_class_members = False
numpydoc_xref_param_type = True


def own_classes():
    """Return links to public classes by their bare names, where these tell them."""
    found = {}
    names = [info.name for info in pkgutil.iter_modules(skdl.__path__)]
    modules = [importlib.import_module(f"skdl.{n}") for n in names if n[0] != "_"]
    for module in [skdl, *modules]:
        for name in getattr(module, "__all__", ()):
            if isinstance(value := getattr(module, name), type):
                found.setdefault(name, {}).setdefault(value, module.__name__)
    return {
        name: f":class:`~{next(iter(meanings.values()))}.{name}`"
        for name, meanings in found.items()
        if len(meanings) == 1
    }


# Types of parameters: the names here become links, all other words stay words.
numpydoc_xref_ignore = "all"
numpydoc_xref_aliases = {
    **own_classes(),
    **{name: f":obj:`{name}`" for name in ("None", "bool", "callable", "slice")},
    "numpy": "numpy",
    "np.inf": ":obj:`numpy.inf`",
    "numpy.inf": ":obj:`numpy.inf`",
    "dtype": ":obj:`dtype <numpy.dtype>`",
    "RandomState": ":obj:`RandomState <numpy.random.RandomState>`",
    "array_like": ":obj:`array_like <numpy.asarray>`",
    "array-like": ":obj:`array-like <numpy.asarray>`",
    "sequence": ":obj:`sequence <collections.abc.Sequence>`",
    "iterable": ":obj:`iterable <collections.abc.Iterable>`",
    "mapping": ":obj:`mapping <collections.abc.Mapping>`",
}
# Quotes in them stay as they are typed: notebooks look for the text of a type.
smartquotes = False
exclude_patterns = [
    "_build",
    "inventories",
    "auto_examples/**/*.ipynb",
    "auto_examples/**/*.py",
    "sg_execution_times.rst",
    "auto_examples/**/sg_execution_times.rst",
]
templates_path = ["templates"]
copybutton_exclude = ".linenos, .gp, .go"

# The inventories are kept here, so that the build needs no network:
# `python docs/inventories.py` writes them from what is installed.
intersphinx_mapping = {
    name: (url, str(Path(__file__).parent / "inventories" / f"{name}.inv"))
    for name, url in {
        "python": "https://docs.python.org/3/",
        "numpy": "https://numpy.org/doc/stable/",
        "scipy": "https://docs.scipy.org/doc/scipy/",
        "sklearn": "https://scikit-learn.org/stable/",
    }.items()
}

html_theme = "pydata_sphinx_theme"
html_title = "skdl"
html_static_path = ["_static", str(mathjax_file.resolve())]
html_css_files = ["skdl.css"]
html_show_sourcelink = False
html_theme_options = {
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "show_prev_next": True,
    "header_links_before_dropdown": 6,
    "pygments_light_style": "tango",
    "pygments_dark_style": "monokai",
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
}
html_sidebars = {"index": [], "install": [], "limits": [], "glossary": []}

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
    """Warn of public names that the API page lacks; remove pages of those it lost."""
    page = (Path(app.srcdir) / "api.rst").read_text()
    pages = re.findall(r"^   (\w+)$", page, re.MULTILINE)
    for path in (Path(app.srcdir) / "api/generated").glob("*.rst"):
        if path.stem.rpartition(".")[2] not in pages:
            path.unlink()
    listed = set(re.findall(r"^(?:   |``skdl\.)(\w+)(?:$|``)", page, re.MULTILINE))
    names = [info.name for info in pkgutil.iter_modules(skdl.__path__)]
    modules = [importlib.import_module(f"skdl.{n}") for n in names if n[0] != "_"]
    for module in [skdl, *modules]:
        for name in sorted(set(getattr(module, "__all__", ())) - listed):
            where = f"{module.__name__}.{name}"
            logging.getLogger(__name__).warning("api.rst does not list %s", where)


def setup(app):
    app.connect("builder-inited", check_complete)
    app.connect("autodoc-skip-member", skip_foreign)
