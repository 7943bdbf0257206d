"""The networks of MTCNN, read from their package, find the face in a photograph."""

import runpy
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.reference

EXAMPLE = Path(__file__).parents[2] / "examples" / "images" / "plot_find_a_face.py"


def test_the_face_of_the_astronaut():
    if find_spec("mtcnn") is None:  # to import it takes TensorFlow
        pytest.skip("needs the files of mtcnn")
    pytest.importorskip("skimage")
    plt = pytest.importorskip("matplotlib.pyplot")
    found = runpy.run_path(str(EXAMPLE))
    plt.close("all")
    assert len(found["third"]) == 1
    x0, y0, x1, y1 = found["third"][0]
    middle, sides = ((x0 + x1) / 2, (y0 + y1) / 2), (x1 - x0, y1 - y0)
    np.testing.assert_allclose(middle, (222, 118), atol=25)  # between eyes and mouth
    assert all(60 < side < 180 for side in sides)
    assert found["scores"][0] > 0.99
    ((eye, other, nose, mouth, _),) = found["points"]
    assert eye[0] < nose[0] < other[0]
    assert eye[1] < nose[1] < mouth[1]
