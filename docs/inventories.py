"""Write the inventories by which names of other projects become links.

``python docs/inventories.py``: the documentation is then built without a network. The
names are those that are installed, the addresses those of the projects' references.
"""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path
from types import SimpleNamespace

from sphinx.util.inventory import InventoryFile

FOLDER = Path(__file__).parent / "inventories"

SKLEARN = [
    "base", "compose", "datasets", "decomposition", "dummy", "ensemble",
    "exceptions", "inspection", "linear_model", "metrics", "model_selection",
    "neighbors", "neural_network", "pipeline", "preprocessing", "svm", "tree",
]  # fmt: skip
UNLISTED = [  # public names of modules that do not list them
    "sklearn.calibration.CalibratedClassifierCV",
    "sklearn.calibration.CalibrationDisplay",
    "sklearn.utils.estimator_checks.check_estimator",
]
SCIPY = ["optimize", "special", "sparse", "stats"]
NUMPY = [
    "ndarray", "dtype", "array", "asarray", "errstate", "exp", "log", "tanh", "float32",
    "float64", "int64", "int32", "uint8", "nan", "inf", "memmap", "save", "load",
]  # fmt: skip
# Of Python what docstrings speak of: its page, and the anchor there.
PYTHON = {
    "None": "library/constants.html#None",
    "callable": "library/functions.html#callable",
    "slice": "library/functions.html#slice",
    "bool": "library/functions.html#bool",
    "int": "library/functions.html#int",
    "float": "library/functions.html#float",
    "str": "library/stdtypes.html#str",
    "bytes": "library/stdtypes.html#bytes",
    "list": "library/stdtypes.html#list",
    "tuple": "library/stdtypes.html#tuple",
    "dict": "library/stdtypes.html#dict",
    "set": "library/stdtypes.html#set",
    "object": "library/functions.html#object",
    "ValueError": "library/exceptions.html#ValueError",
    "TypeError": "library/exceptions.html#TypeError",
    "KeyError": "library/exceptions.html#KeyError",
    "ImportError": "library/exceptions.html#ImportError",
    "KeyboardInterrupt": "library/exceptions.html#KeyboardInterrupt",
    "collections.abc.Iterable": (
        "library/collections.abc.html#collections.abc.Iterable"
    ),
    "collections.abc.Sequence": (
        "library/collections.abc.html#collections.abc.Sequence"
    ),
    "collections.abc.Mapping": ("library/collections.abc.html#collections.abc.Mapping"),
    "pathlib.Path": "library/pathlib.html#pathlib.Path",
    "warnings.catch_warnings": "library/warnings.html#warnings.catch_warnings",
}


def members(package: str, modules: list[str], folder: str) -> dict[str, str]:
    """Return the pages of the public names of some modules."""
    pages = {}
    for module in modules:
        where = f"{package}.{module}"
        loaded = importlib.import_module(where)
        for name in getattr(loaded, "__all__", ()):
            full = f"{where}.{name}"
            pages[full] = f"{folder}/{full}.html#{full}"
            try:
                value = getattr(loaded, name)
            except (AttributeError, ImportError):  # experimental, or needs an extra
                continue
            if inspect.isclass(value) and package == "sklearn":
                for method in ("fit", "predict", "score", "get_params", "set_params"):
                    if hasattr(value, method):
                        page = f"{folder}/{full}.html#{full}.{method}"
                        pages[f"{full}.{method}"] = page
    return pages


def kind(full: str) -> str:
    """Return what the name is to the Python domain."""
    last = full.rpartition(".")[2]
    if last.islower() and full not in PYTHON:
        return "method" if full.split(".")[-2][0].isupper() else "function"
    return "class"


def write(name: str, version: str, pages: dict[str, str]) -> None:
    """Write one inventory."""
    objects = [
        (full, full, kind(full), *page.split("#"), 1)
        for full, page in sorted(pages.items())
    ]
    domain = SimpleNamespace(name="py", get_objects=lambda: objects)
    env = SimpleNamespace(
        config=SimpleNamespace(project=name, version=version),
        domains=SimpleNamespace(sorted=lambda: [domain]),
    )
    builder = SimpleNamespace(get_target_uri=lambda page: page)
    InventoryFile.dump(str(FOLDER / f"{name}.inv"), env, builder)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    write("python", "3", PYTHON)
    sklearn = members("sklearn", SKLEARN, "modules/generated")
    for full in UNLISTED:
        sklearn[full] = f"modules/generated/{full}.html#{full}"
    write("sklearn", "", sklearn)
    write("scipy", "", members("scipy", SCIPY, "reference/generated"))
    numpy = {
        f"numpy.{n}": f"reference/generated/numpy.{n}.html#numpy.{n}" for n in NUMPY
    }
    for name, page in (("Generator", "generator"), ("RandomState", "legacy")):
        full = f"numpy.random.{name}"
        numpy[full] = f"reference/random/{page}.html#{full}"
    write("numpy", "", numpy)
