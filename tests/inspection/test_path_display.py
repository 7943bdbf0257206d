"""Paths of optimizers, drawn."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from skdl.inspection import OptimizationPathDisplay
from skdl.optimizers import GD, Adam, Newton, minimize


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def bowl(x):
    return float(x @ x * 0.5), x


def barrier(x):
    with np.errstate(all="ignore"):
        return float(5 * x @ x - np.log(x).sum())


PATH = np.array([[2.0, 1.0], [1.0, 1.0], [0.0, 0.5]])


def test_a_path_and_the_function():
    display = OptimizationPathDisplay.from_function(bowl, PATH, n_points=7)
    np.testing.assert_array_equal(display.lines_[0].get_xydata(), PATH)
    np.testing.assert_allclose(display.xs[[0, -1]], [-0.3, 2.3])
    np.testing.assert_allclose(display.ys[[0, -1]], [0.425, 1.075])
    expected = 0.5 * (display.xs**2 + display.ys[:, None] ** 2)
    np.testing.assert_allclose(display.values, expected)
    assert display.ax_.get_legend() is None
    assert display.figure_ is display.ax_.figure


@pytest.mark.parametrize("kind", ["dict", "list", "names"])
def test_several_paths(kind):
    result = minimize(bowl, PATH[0], optimizer=GD(0.1), max_iter=5)
    paths = {"a": PATH, "b": result}
    arguments = {
        "dict": (paths,),
        "list": ([PATH, result],),
        "names": ((PATH, result),),
    }[kind]
    more = {"name": ["a", "b"]} if kind == "names" else {}
    display = OptimizationPathDisplay.from_function(bowl, *arguments, **more)
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert texts == (["path 1", "path 2"] if kind == "list" else ["a", "b"])
    np.testing.assert_array_equal(display.lines_[1].get_xydata(), result.path)


def test_one_result_or_a_list_of_points():
    result = minimize(bowl, PATH[0], optimizer=GD(0.1), max_iter=5)
    for path in (result, PATH.tolist()):
        assert len(OptimizationPathDisplay.from_function(bowl, path).lines_) == 1


def test_optimizers_make_their_paths():
    optimizers = ["newton", GD(0.1), GD(0.3)]
    display = OptimizationPathDisplay.from_optimizers(
        bowl, [2.0, 1.0], optimizers, max_iter=10
    )
    names = ["Newton", "GD(learning_rate=0.1)", "GD(learning_rate=0.3)"]
    assert list(display.paths) == names
    expected = minimize(bowl, [2.0, 1.0], optimizer=GD(0.3), max_iter=10).path
    np.testing.assert_array_equal(display.paths[names[2]], expected)
    display = OptimizationPathDisplay.from_optimizers(
        bowl, [2.0, 1.0], {"mine": Adam(), "yours": Newton()}, max_iter=3
    )
    assert list(display.paths) == ["mine", "yours"]
    single = OptimizationPathDisplay.from_optimizers(bowl, [2.0, 1.0], "lbfgs")
    assert list(single.paths) == ["LBFGS"]


def test_limits_axes_levels_and_style():
    _, ax = plt.subplots()
    display = OptimizationPathDisplay.from_function(
        bowl, PATH, xlim=(-3, 3), ylim=(-1, 2), ax=ax, levels=[0.5, 1, 2], color="k"
    )
    assert display.ax_ is ax
    assert ax.get_xlim() == (-3, 3)
    assert ax.get_ylim() == (-1, 2)
    assert display.contours_.levels.tolist() == [0.5, 1, 2]
    assert display.lines_[0].get_color() == "k"


def test_contours_lie_closer_where_the_function_is_low():
    display = OptimizationPathDisplay.from_function(
        bowl, PATH, xlim=(-9, 9), ylim=(-9, 9), levels=12
    )
    levels = display.contours_.levels
    assert len(levels) == 12
    assert (np.diff(np.diff(levels)) > 0).mean() > 0.7


def test_where_the_function_is_not_finite_nothing_is_drawn():
    display = OptimizationPathDisplay.from_function(barrier, PATH + 0.1, xlim=(-1, 3))
    assert np.isnan(display.values).any()
    assert np.isfinite(display.contours_.levels).all()


def test_a_plain():
    OptimizationPathDisplay.from_function(lambda x: 1.0, PATH)


@pytest.mark.parametrize(
    ("paths", "arguments", "message"),
    [
        (np.ones((3, 3)), {}, r"shape \(n_points, 2\).* got \(3, 3\)"),
        (np.ones(2), {}, r"got \(2,\)"),
        (np.ones((0, 2)), {}, r"got \(0, 2\)"),
        ([PATH, PATH], {"name": ["a"]}, "2 different names"),
        ([PATH, PATH], {"name": ["a", "a"]}, "2 different names"),
    ],
)
def test_bad_paths(paths, arguments, message):
    with pytest.raises(ValueError, match=message):
        OptimizationPathDisplay.from_function(bowl, paths, **arguments)


def test_no_finite_value():
    with pytest.raises(ValueError, match="No value of the function"):
        OptimizationPathDisplay.from_function(lambda x: np.nan, PATH)
