"""The code of the guide runs: tutorial, how-to pages, tables from other libraries."""

import re
import textwrap
import warnings
from pathlib import Path

import numpy as np
import pytest
import sklearn.ensemble
import sklearn.neural_network
import sklearn.tree
from sklearn.exceptions import ConvergenceWarning

import skdl
from skdl import layers, losses, optimizers

DOCS = Path(__file__).parents[1] / "docs"
PAGES = [
    DOCS / "tutorial.rst",
    *sorted((DOCS / "howto").glob("*.rst")),
    *sorted((DOCS / "guide").glob("*.rst")),
]
TABLES = sorted((DOCS / "coming_from").glob("[!i]*.rst"))


def blocks(page):
    found = re.findall(
        r"\.\. code-block:: python\n\n((?:   .*\n|\n)+)", page.read_text()
    )
    return [textwrap.dedent(block) for block in found]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_pages(page, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = blocks(page)
    assert code or page.stem == "index"
    names = {"__name__": "__main__"}
    with warnings.catch_warnings(), skdl.config_context(engine="numpy"):
        warnings.simplefilter("ignore", ConvergenceWarning)
        for block in code:
            exec(compile(block, page.name, "exec"), names)


def cells(page):
    """Return the two columns of a table, row by row."""
    text = page.read_text()
    return re.findall(r"^   \* - (.*)\n     - (.*)$", text, re.MULTILINE)[1:]


def expression(cell):
    found = re.fullmatch(r"``([A-Z]\w+\(.*\)|net\..*)``", cell)
    return found and found[1]


OURS = {**vars(skdl), **vars(layers), **vars(losses), **vars(optimizers)}
THEIRS = {
    **vars(sklearn.neural_network),
    **vars(sklearn.ensemble),
    "DecisionTreeClassifier": sklearn.tree.DecisionTreeClassifier,
}
ROWS = [
    pytest.param(left, right, id=f"{page.stem}-{i}")
    for page in TABLES
    for i, (left, right) in enumerate(cells(page))
]


def fitted(model):
    rng = np.random.default_rng(0)
    X, y = rng.random((120, 4)), np.arange(120) % 2
    if type(model).__name__.startswith("CNN"):
        X = X.reshape(-1, 2, 2)
    if getattr(model, "categorical_features", None) == [0]:
        X[:, 0] = np.arange(120) % 3
    for name in ("max_iter", "n_estimators"):
        if name in model.get_params():
            model.set_params(**{name: 2})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(X, y + 1.0 if "Regressor" in type(model).__name__ else y)


@pytest.mark.parametrize(("left", "right"), ROWS)
def test_rows(left, right):
    theirs, ours = expression(left), expression(right)
    assert ours or right.startswith("``"), right
    with skdl.config_context(engine="numpy"):
        if ours and ours.startswith("net."):
            net = skdl.MLPClassifier(early_stopping=True, scoring="accuracy")
            eval(ours, {"net": fitted(net)})
        elif ours:
            model = fitted(eval(ours, dict(OURS)))
            shape = (3, 2, 2) if "CNN" in ours else (3, 4)
            assert len(model.predict(np.zeros(shape))) == 3
    if theirs and theirs[0].isupper():
        assert eval(theirs, dict(THEIRS)).get_params()


def test_tables_have_rows():
    assert len(ROWS) > 50
    assert sum(bool(expression(row.values[1])) for row in ROWS) > 45
