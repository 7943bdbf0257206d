"""What is public is listed in the documentation."""

import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import skdl

PACKAGES = ["skdl"] + [
    info.name
    for info in pkgutil.iter_modules(skdl.__path__, "skdl.")
    if info.ispkg and not info.name.split(".")[1].startswith("_")
]
PAGE = Path(__file__).parents[1] / "docs" / "api.rst"


@pytest.mark.parametrize("package", PACKAGES)
def test_public_names_are_in_the_reference(package):
    listed = re.findall(r"^   (\w+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    packages = [name.rpartition(".")[2] for name in PACKAGES]
    public = getattr(importlib.import_module(package), "__all__", ())
    assert set(public) <= {*listed, *packages}
