"""What is public is listed in the documentation."""

import importlib
import pkgutil
import re
import tomllib
from pathlib import Path

import pytest

import skdl
from skdl._base import NestedParams
from skdl._site import PAGES, SITE, page_of

PACKAGES = ["skdl"] + [
    info.name
    for info in pkgutil.iter_modules(skdl.__path__, "skdl.")
    if info.ispkg and not info.name.split(".")[1].startswith("_")
]
PAGE = Path(__file__).parents[1] / "docs" / "api.rst"


@pytest.mark.parametrize("package", PACKAGES)
def test_public_names_are_in_the_reference(package):
    text = PAGE.read_text(encoding="utf-8")
    listed = re.findall(r"^(?:   |``skdl\.)(\w+)(?:$|``)", text, re.MULTILINE)
    packages = [name.rpartition(".")[2] for name in PACKAGES]
    public = getattr(importlib.import_module(package), "__all__", ())
    assert set(public) <= {*listed, *packages}


def pages():
    """Return the names of all pages that the reference has."""
    module, found = "", set()
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith(".. currentmodule:: "):
            module = line.split()[-1]
        elif re.fullmatch(r"   \w+", line):
            found.add(f"{module}.{line.strip()}")
    return found


def test_notebooks_link_to_pages_of_the_reference():
    known, seen = pages(), 0
    for package in PACKAGES:
        module = importlib.import_module(package)
        for name in getattr(module, "__all__", ()):
            cls = getattr(module, name)
            if isinstance(cls, type) and issubclass(cls, NestedParams):
                address = PAGES.format(**page_of(cls))
                page = address.removeprefix(f"{SITE}api/generated/")
                assert page.removesuffix(".html") in known
                seen += 1
    assert seen > 150


def test_links_of_the_representation():
    page = f"{SITE}api/generated/skdl.optimizers.Adam.html"
    assert skdl.optimizers.Adam()._get_doc_link() == page
    page = f"{SITE}api/generated/skdl.MLPClassifier.html"
    shown = skdl.MLPClassifier(dropout=0.3)._repr_html_()
    assert f'href="{page}"' in shown
    assert f'href="{page}#:~:text=dropout' in shown

    class Mine(skdl.optimizers.Adam):
        """The page of a class of somebody else is not ours."""

    assert Mine()._get_doc_link() == ""


def test_the_site_is_that_of_the_package():
    text = (PAGE.parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    assert tomllib.loads(text)["project"]["urls"]["Documentation"] == SITE
