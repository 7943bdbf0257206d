"""Who may import whom, what `import skdl` costs, and what each package makes public."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import skdl

ROOT = Path(skdl.__file__).parent
FILES = {path.relative_to(ROOT).as_posix(): path for path in ROOT.rglob("*.py")}
TREES = {name: ast.parse(path.read_text("utf-8")) for name, path in FILES.items()}
PACKAGES = sorted(
    ".".join(("skdl", *Path(name).parts[:-1])) for name in FILES if "__init__" in name
)

# part -> the parts right below it; what those may import it may import too
BELOW = {
    "_config": ["_warn"],
    "_typing": [],
    "_best": ["_typing"],
    "_digest": ["_typing"],
    "_runs": ["_best"],
    "_report": [],
    "_request": [],
    "_registry": [],
    "_params": ["_typing"],
    "_ragged": ["_typing"],
    "_picture_shape": ["_compat"],
    "_touched": ["_params"],
    "_warn": [],
    "_tables": ["_typing"],
    "_compat": ["_runs", "_typing", "_tables"],
    "_settings": ["_compat"],
    "_site": [],
    "_html": ["_compat"],
    "_base": ["_registry", "_settings", "_site", "_html"],
    "foundation": [
        "_typing",
        "_best",
        "_digest",
        "_report",
        "_request",
        "_config",
        "_registry",
        "_params",
        "_settings",
        "_site",
        "_html",
        "_ragged",
        "_picture_shape",
        "_touched",
        "_warn",
        "_base",
    ],
    "ops": ["foundation"],
    "activations": ["ops"],
    "initializers": ["ops"],
    "losses": ["ops"],
    "schedules": ["ops"],
    "optimizers": ["activations", "initializers", "losses", "schedules"],
    "layers": ["activations", "initializers", "losses", "schedules"],
    "networks": ["optimizers", "layers"],
    "io": ["networks"],
    "targets": ["losses", "metrics"],
    "metrics": ["foundation"],
    "text": ["foundation"],
    "tasks": ["networks", "targets", "metrics"],
    "augment": ["ops"],
    "training": ["networks", "augment"],
    "callbacks": ["training"],
    "neural_network": ["callbacks", "tasks", "text"],
    "tree": ["losses", "optimizers"],
    "boosting": ["tree", "targets"],
    "inspection": ["neural_network", "boosting"],
    "datasets": ["foundation"],
    "testing": ["networks"],
    "_compile": ["neural_network", "boosting"],
    "__init__": ["_compile", "inspection", "datasets", "testing", "io"],
}
# Parameter objects and estimators are scikit-learn's; the rest does not need it.
USES_SKLEARN = {
    "_base",
    "_compat",
    "boosting",
    "callbacks",
    "datasets",
    "inspection",
    "neural_network",
    "targets",
    "testing",
    "text",
    "layers/_layer.py",  # a layer's copy is scikit-learn's clone
}
# narwhals and threadpoolctl come with scikit-learn, which requires them.
REQUIRED = {"joblib", "narwhals", "numpy", "scipy", "sklearn", "threadpoolctl"}
OPTIONAL = {"matplotlib", "numba", "pandas", "polars", "rich"}


def part_of(name):
    """Return the part that a file belongs to: ops/pool.py is of ops."""
    return Path(name).parts[0].removesuffix(".py")


def may_import(part):
    """Return all parts below a part."""
    found, queue = {part}, [part]
    while queue:
        for below in BELOW[queue.pop()]:
            if below not in found:
                found.add(below)
                queue.append(below)
    return found


def modules(node):
    """Return the modules that one import statement names."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        if node.module == "skdl":
            return [f"skdl.{alias.name}" for alias in node.names]
        return [node.module] if node.module else []
    return []


def imports(tree):
    return [module for node in ast.walk(tree) for module in modules(node)]


def test_every_part_has_its_place():
    assert {part_of(name) for name in FILES} <= set(BELOW)


def test_no_cycles():
    for part in BELOW:
        for below in BELOW[part]:
            assert part not in may_import(below)


def test_direction():
    wrong = [
        (name, module)
        for name, tree in TREES.items()
        for module in imports(tree)
        if module == "skdl"
        or (
            module.startswith("skdl.")
            and module.split(".")[1] not in may_import(part_of(name))
        )
    ]
    assert not wrong


def test_third_parties():
    wrong = []
    for name, tree in TREES.items():
        for module in imports(tree):
            top = module.split(".")[0]
            known = top in REQUIRED | OPTIONAL | {"skdl"} | sys.stdlib_module_names
            if not known or (
                top == "sklearn" and not {part_of(name), name} & USES_SKLEARN
            ):
                wrong.append((name, module))
    assert not wrong


def test_privates_of_sklearn_are_for_compat():
    wrong = [
        (name, module)
        for name, tree in TREES.items()
        for module in imports(tree)
        if module.startswith("sklearn.") and "._" in module and name != "_compat.py"
    ]
    assert not wrong


def test_optional_packages_are_imported_in_functions_and_nothing_else_is():
    wrong = []
    for name, tree in TREES.items():
        functions = [
            node
            for node in ast.walk(tree)
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        ]
        late = {m for function in functions for m in imports(function)}
        early = set(imports(tree)) - late
        if "_numba" in name:  # the compiled twins are themselves imported late
            early = {m for m in early if m.split(".")[0] != "numba"}
        wrong += [(name, m) for m in late if m.split(".")[0] not in OPTIONAL]
        wrong += [(name, m) for m in early if m.split(".")[0] in OPTIONAL]
    assert not wrong


def test_no_relative_and_no_star_imports():
    wrong = [
        (name, node.module)
        for name, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        and (node.level or node.names[0].name == "*")
    ]
    assert not wrong


def test_import_skdl_brings_in_no_optional_package():
    heavy = OPTIONAL | {"torch", "skorch"}
    code = (
        "import sys, sklearn.neural_network; before = set(sys.modules); import skdl; "
        f"print(sorted({heavy!r} & (set(sys.modules) - before)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("package", PACKAGES)
def test_all_lists_what_is_public(package):
    module = importlib.import_module(package)
    init = Path(package.replace(".", "/")).relative_to("skdl") / "__init__.py"
    imported = {
        alias.asname or alias.name
        for node in TREES[init.as_posix()].body
        if isinstance(node, ast.ImportFrom) and node.module != "__future__"
        for alias in node.names
    }
    public = {name for name in imported if not name.startswith("_")}
    if not public:
        return  # ops: modules, not names
    assert len(set(module.__all__)) == len(module.__all__)
    assert public <= set(module.__all__)
    assert all(hasattr(module, name) for name in module.__all__)


def test_a_package_is_used_through_what_it_exports():
    """`optimizers._optimizer.registry` reaches through another package's privates."""
    wrong = [
        (name, f"{node.value.id}.{node.attr}")
        for name, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.attr.startswith("_")
        and not node.attr.startswith("__")
        and node.value.id in BELOW
    ]
    assert not wrong


def test_private_modules_are_for_their_own_package():
    wrong = [
        (name, module)
        for name, tree in TREES.items()
        for module in imports(tree)
        if module.startswith("skdl.")
        and module.count(".") >= 2
        and module.split(".")[2].startswith("_")
        and module.split(".")[1] not in (part_of(name), "ops")  # which all share
    ]
    assert not wrong


# The rooms of boosting, in the order that data flows; each knows those before it.
ROOMS = ("_inputs", "_steps", "_gradients", "_learners", "_ensemble", "_run")


def room_of(module):
    """Return the place of a module of boosting's among the rooms."""
    parts = module.split(".")
    return ROOMS.index(parts[2]) if len(parts) > 3 and parts[2] in ROOMS else -1


def test_rooms_of_boosting_know_those_before_them():
    own = {n: ".".join(("skdl", *Path(n).with_suffix("").parts)) for n in TREES}
    inside = {n: own[n] for n in TREES if room_of(own[n]) >= 0}
    assert {room_of(module) for module in inside.values()} == set(range(len(ROOMS)))
    wrong = [
        (name, module)
        for name in inside
        for module in imports(TREES[name])
        if module.startswith("skdl.boosting.")
        and not 0 <= room_of(module) <= room_of(inside[name])
        and "._numba" not in module
    ]
    assert not wrong


def in_a_fresh_process(code):
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_package_is_an_attribute_and_imported_when_asked_for():
    names = sorted({name.split(".")[1] for name in PACKAGES if name.count(".") == 1})
    names = [name for name in names if not name.startswith("_")]
    assert {"callbacks", "inspection", "testing", "optimizers"} <= set(names)
    uses = "; ".join(f"assert skdl.{name}.__name__ == 'skdl.{name}'" for name in names)
    at_once = in_a_fresh_process(
        "import sys, skdl; dir(skdl); "
        f"print([m for m in sys.modules if m.startswith('skdl.')]); {uses}"
    )
    assert "'skdl.optimizers'" in at_once
    for name in ("callbacks", "inspection", "testing"):
        assert f"'skdl.{name}'" not in at_once
    assert set(names) | set(skdl.__all__) <= set(dir(skdl))
    assert not [name for name in dir(skdl) if hasattr(sys.modules.get(name), "path")]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("NetworkFeature", " Did you mean 'NetworkFeatures'?"),
        ("callback", " Did you mean 'callbacks'?"),
        ("adaboost", " Did you mean 'AdaBoost'?"),
        ("nothing_like_it", ""),
    ],
)
def test_a_mistyped_name_gets_a_hint(name, hint):
    with pytest.raises(AttributeError) as caught:
        getattr(skdl, name)
    assert str(caught.value) == f"module 'skdl' has no attribute '{name}'.{hint}"
