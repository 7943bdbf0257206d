"""Machine code on disk is not used once a file that it was made from has changed."""

import os
import subprocess
import sys

import pytest

pytest.importorskip("numba")

INNER = """
from skdl.ops._numba._inner import inner

@inner
def answer():
    return {answer}
"""
ENTRY = """
from part import answer
from skdl.ops._numba._inner import entry

@entry
def ask():
    return answer()

print(ask(), sum(ask.stats.cache_hits.values()))
"""


def test_code_is_kept_until_a_file_beside_it_changes(tmp_path):
    (tmp_path / "whole.py").write_text(ENTRY)
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    env.pop("NUMBA_CACHE_DIR", None)
    found = []
    for answer in (41, 41, 42):
        (tmp_path / "part.py").write_text(INNER.format(answer=answer))
        command = [sys.executable, "-B", str(tmp_path / "whole.py")]
        done = subprocess.run(
            command, env=env, capture_output=True, text=True, check=True
        )
        found.append(done.stdout.split())
    assert found == [["41", "0"], ["41", "1"], ["42", "0"]]
