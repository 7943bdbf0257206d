"""The code of the documentation and of the README runs."""

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from skdl import boosting

ROOT = Path(__file__).parents[1]


def run(code, tmp_path):
    """Run code as a user would, with warnings as errors."""
    script = tmp_path / "script.py"
    script.write_text(code)
    command = [sys.executable, "-W", "error", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_adding_parts(tmp_path):
    text = (ROOT / "docs" / "extending.rst").read_text()
    blocks = re.findall(r"\.\. code-block:: python\n\n((?:    .*\n|\n)+)", text)
    assert len(blocks) == 9
    code = "\n".join(textwrap.dedent(block) for block in blocks)
    use = """
from sklearn.datasets import load_iris
from skdl import MLPClassifier

X, y = load_iris(return_X_y=True)
net = MLPClassifier(
    layers=["scale", layers.Dense(32), "softsign"], optimizer="sign_momentum",
    initializer="sparse", random_state=0, early_stopping=True,
)
print(net.set_params(optimizer__learning_rate=0.01).fit(X, y).score(X, y))
net.set_params(optimizer="ada_belief", optimizer__learning_rate=0.01)
print(net.fit(X, y).score(X, y))
"""
    printed = run(code + use, tmp_path)
    assert "Residual" in printed  # the table of the architecture
    assert min(map(float, printed.split()[-2:])) > 0.8


def test_readme(tmp_path):
    text = (ROOT / "README.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert float(run(code, tmp_path).split()[-1]) > 0.95


@pytest.mark.parametrize("name", ["run", "test"])
def test_readme_has_one_line_commands(name):
    text = (ROOT / "README.md").read_text()
    (command,) = re.findall(
        rf"<!-- command: {name} -->\n```bash\n(.*?)\n```", text, re.DOTALL
    )
    assert "\n" not in command


NAMES = [*boosting.__all__, "TreeDisplay", "FeatureImportanceDisplay", "export_text"]


@pytest.mark.parametrize("name", NAMES)
def test_an_example_shows(name):
    texts = [path.read_text("utf-8") for path in (ROOT / "examples").rglob("*.py")]
    assert any(re.search(rf"\b{name}\b", text) for text in texts)
