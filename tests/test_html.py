"""In notebooks every nested object has a box with its settings and its page."""

import re

import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor
from sklearn.utils.estimator_checks import check_estimator_repr

import skdl
from skdl.layers import BatchNorm, Dense, Residual
from skdl.losses import Huber
from skdl.optimizers import SGD, Adam
from skdl.schedules import Cosine, WarmUp

LAYERS = [Dense(8), "relu", Residual([Dense(8), "tanh"]), BatchNorm()]


def net():
    rate = WarmUp(after=Cosine(0.003))
    return skdl.MLPClassifier(layers=LAYERS, optimizer=Adam(rate, clip_norm=1.0))


def prefixes(html):
    """Return the nested names that the boxes' settings are copied with."""
    return re.findall(r'data-param-prefix="([^"]+)"', html)


def pages(html):
    return set(re.findall(r'href="[^"#]*/([\w.]+)\.html"', html))


def test_boxes_have_the_nested_names():
    model = net()
    found = prefixes(model._repr_html_())
    assert {
        "layers__0__",
        "layers__1__",
        "layers__2__layers__1__",
        "optimizer__learning_rate__after__",
    } <= set(found)
    known = model.get_params()
    assert {prefix.removesuffix("__") for prefix in found} <= set(known)


def test_boxes_have_pages():
    names = ("MLPClassifier", "layers.Dense", "layers.Residual", "layers.BatchNorm")
    expected = {f"skdl.{name}" for name in names}
    expected |= {"skdl.optimizers.Adam", "skdl.schedules.WarmUp"}
    assert pages(net()._repr_html_()) == expected | {"skdl.schedules.Cosine"}


def test_settings_of_parts_link_to_their_own_pages():
    html = net()._repr_html_()
    assert "skdl.optimizers.Adam.html#:~:text=clip_norm" in html
    assert "skdl.layers.Dense.html#:~:text=units" in html


def cells(html):
    return re.findall(r'<td class="value">(.*?)</td>', html)


def test_a_table_has_the_settings_of_its_object_alone():
    html = net()._repr_html_()
    assert 'class="param">optimizer__' not in html
    assert "Adam(...)" in cells(html)  # what is long is not cut in the middle
    assert "Cosine(initial=0.003)" in cells(html)
    html = skdl.MLPClassifier(optimizer=SGD(0.5))._repr_html_()
    assert cells(html)[0] == "SGD(learning_rate=0.5)"


def test_names_have_no_boxes():
    assert not prefixes(skdl.MLPClassifier(optimizer="sgd")._repr_html_())


def test_parts_in_a_pipeline_and_in_a_booster():
    html = make_pipeline(StandardScaler(), net())._repr_html_()
    assert "mlpclassifier__optimizer__learning_rate__" in prefixes(html)
    model = skdl.GradientBoostingRegressor(
        loss=Huber(), estimator=DecisionTreeRegressor(max_depth=2)
    )
    html = model._repr_html_()
    assert {"loss__", "estimator__"} <= set(prefixes(html))
    assert "sklearn.tree.DecisionTreeRegressor" in pages(html)


@pytest.mark.parametrize("part", [Adam(), Dense(3), Cosine(), Huber()])
def test_parts_are_neither_fitted_nor_not(part):
    html = part._repr_html_()
    assert "Not fitted" not in html
    assert pages(html)
    assert "Not fitted" in skdl.MLPClassifier()._repr_html_()


def test_what_is_drawn_stays_as_it_is():
    model = net()
    before = repr(clone(model))
    model._repr_html_()
    assert repr(model) == before
    check_estimator_repr("MLPClassifier", model)
