"""get_params and set_params see through registry names and lists of objects."""

import copy
import pickle

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.model_selection import GridSearchCV, ParameterGrid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdl import losses, optimizers, schedules
from skdl._base import NestedParams
from skdl.initializers import HeNormal
from skdl.layers import Dense, Dropout, Residual
from skdl.optimizers import SGD, Adam
from skdl.schedules import Cosine, WarmUp


class Model(ClassifierMixin, NestedParams):
    """A classifier whose score says how its parameters arrived."""

    _registries = {
        "optimizer": optimizers.registry,
        "loss": losses.registry,
    }

    def __init__(self, optimizer="adam", loss="cross_entropy", layers=(), width=10):
        self.optimizer = optimizer
        self.loss = loss
        self.layers = layers
        self.width = width

    def fit(self, X, y):
        self.rate_ = optimizers.get(self.optimizer).learning_rate
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])

    def score(self, X, y=None):
        return -abs(self.rate_ - 0.01)


LAYERS = [Dense(8), Dropout(0.1)]

# parameters set at once -> what to find afterwards
SETS = {
    "plain": ({"width": 3}, {"width": 3}),
    "through a name": (
        {"optimizer__learning_rate": 0.5},
        {"optimizer__learning_rate": 0.5, "optimizer__beta_1": 0.9},
    ),
    "name first": (
        {"optimizer__momentum": 0.5, "optimizer": "momentum"},
        {"optimizer__momentum": 0.5},
    ),
    "instance first": (
        {"optimizer__learning_rate": 0.5, "optimizer": SGD()},
        {"optimizer__learning_rate": 0.5},
    ),
    "alias": (
        {"loss": "log_loss", "loss__label_smoothing": 0.1},
        {"loss__label_smoothing": 0.1},
    ),
    "through two names": (
        {"optimizer__learning_rate": "inverse", "optimizer__learning_rate__decay": 0.5},
        {"optimizer__learning_rate__decay": 0.5},
    ),
    "through three": (
        {
            "optimizer__learning_rate": "warm_up",
            "optimizer__learning_rate__after": "cosine",
            "optimizer__learning_rate__after__final": 0.5,
        },
        {"optimizer__learning_rate__after__final": 0.5},
    ),
    "through a list": (
        {"layers": list(LAYERS), "layers__0__units": 5, "layers__1__rate": 0.3},
        {"layers__0__units": 5, "layers__1__rate": 0.3},
    ),
    "an item of a list": (
        {"layers": list(LAYERS), "layers__1": Dense(4), "layers__1__units": 6},
        {"layers__1__units": 6},
    ),
    "through a list to a name": (
        {"layers": list(LAYERS), "layers__0__initializer": "he_normal"},
        {"layers__0__initializer": "he_normal", "layers__0__initializer__gain": 1.0},
    ),
}


@pytest.mark.parametrize("case", SETS)
def test_set_then_get(case):
    params, expected = SETS[case]
    model = Model().set_params(**copy.deepcopy(params))
    got = model.get_params()
    for name, value in expected.items():
        assert got[name] == value
    assert {name: clone(model).get_params()[name] for name in expected} == expected


# All at once: the layers' numbers do not sort as text does.
MANY = [Dense(n) for n in range(1, 13)]


def test_nested_keys_of_a_long_list():
    model = Model(layers=list(MANY)).set_params(
        layers__10__units=110,
        layers__2__units=102,
        layers__1__units=101,
        layers__11=Dense(7, bias=False),
        layers__11__units=111,
    )
    units = [layer.units for layer in model.layers]
    assert units == [1, 101, 102, 4, 5, 6, 7, 8, 9, 10, 110, 111]
    assert not model.layers[11].bias


@pytest.mark.parametrize("swap", [False, True])
def test_an_item_comes_before_its_settings_whatever_the_order(swap):
    keys = [("layers__0", Dropout()), ("layers__0__rate", 0.25)]
    model = Model(layers=[Dense(3), Dense(4)])
    model.set_params(**dict(keys[::-1] if swap else keys))
    assert repr(model.layers) == "[Dropout(rate=0.25), Dense(units=4)]"
    keys = [
        ("layers__1__initializer", "normal"),
        ("layers__1__initializer__std", 0.5),
    ]
    model.set_params(**dict(keys[::-1] if swap else keys))
    assert model.layers[1].initializer.std == 0.5


def test_lists_in_lists():
    inner = Residual([Dense(n) for n in range(1, 12)])
    model = Model(layers=[Dense(3), inner]).set_params(
        layers__1__layers__10__units=50,
        layers__1__layers__2=Dense(9),
        layers__1__layers__2__bias=False,
    )
    layers = model.layers[1].layers
    assert [layers[i].units for i in (1, 2, 10)] == [2, 9, 50]
    assert not layers[2].bias


def test_a_wrong_name_is_found_before_anything_is_set():
    model = Model()
    for wrong, meant in (("widht", "width"), ("optimiser__beta_1", "optimizer")):
        with pytest.raises(ValueError, match=f"Did you mean '{meant}'"):
            model.set_params(**{"width": 3, wrong: 5})
    assert model.width == 10


WRONG = {
    "unknown": ({"depth": 3}, "Invalid parameter 'depth'"),
    "unknown nested": ({"optimizer__speed": 3}, "Invalid parameter 'speed'"),
    "unknown prefix": ({"optimiser__beta_1": 3}, "Invalid parameter 'optimiser'"),
    "unknown name in the way": (
        {"optimizer": "adamant", "optimizer__beta_1": 0.5},
        "Unknown optimizer 'adamant'. Known names: adadelta",
    ),
    "no such item": ({"layers": [Dense()], "layers__1__units": 3}, "holds 1 objects"),
    "no index": ({"layers": [Dense()], "layers__first": 3}, "holds 1 objects"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_names(case):
    params, message = WRONG[case]
    with pytest.raises(ValueError, match=message):
        Model().set_params(**params)


def test_an_unknown_name_alone_is_left_to_fit():
    assert Model(optimizer="adamant").set_params(loss="wrong").loss == "wrong"
    assert "optimizer__beta_1" not in Model(optimizer="adamant").get_params()


def test_reading_changes_nothing():
    model = Model()
    model.get_params()
    assert model.optimizer == "adam"
    assert model.get_params(deep=False) == {
        "optimizer": "adam",
        "loss": "cross_entropy",
        "layers": (),
        "width": 10,
    }


def test_every_deep_name_can_be_set():
    model = Model(layers=[Dense(8, initializer=HeNormal()), Residual([Dense(3)])])
    for name, value in model.get_params().items():
        clone(model).set_params(**{name: value})


def test_clones_share_nothing():
    model = Model(Adam(WarmUp(after=Cosine())), layers=list(LAYERS))
    other = clone(model).set_params(
        optimizer__learning_rate__after__final=0.5, layers__0__units=99
    )
    assert other.optimizer.learning_rate.after.final == 0.5
    assert model.optimizer.learning_rate.after.final == 0.0
    assert model.layers[0].units == 8


def test_set_params_leaves_the_users_list_alone():
    mine = list(LAYERS)
    Model(layers=mine).set_params(layers__0=Dense(5))
    assert mine == LAYERS


@pytest.mark.parametrize(
    "obj", [Adam(3e-4), WarmUp(after="cosine"), Residual([Dense(3)]), HeNormal(2.0)]
)
def test_objects_pickle_and_print(obj):
    assert repr(pickle.loads(pickle.dumps(obj))) == repr(obj) == repr(clone(obj))
    assert isinstance(obj, BaseEstimator)


@pytest.mark.parametrize(
    "wrap", [lambda m: m, lambda m: make_pipeline(StandardScaler(), m)]
)
def test_grid_search(wrap):
    model = wrap(Model())
    prefix = "" if isinstance(model, Model) else "model__"
    grid = {
        f"{prefix}optimizer": ["sgd", "adam", SGD()],
        f"{prefix}optimizer__learning_rate": [1e-3, 1e-2, 1e-1],
    }
    X, y = np.ones((12, 2)), np.arange(12) % 2
    search = GridSearchCV(model, grid, cv=2).fit(X, y)
    rates = search.cv_results_[f"param_{prefix}optimizer__learning_rate"]
    expected = [-abs(float(rate) - 0.01) for rate in rates]
    assert len(rates) == len(ParameterGrid(grid)) == 9
    np.testing.assert_allclose(search.cv_results_["mean_test_score"], expected)
    assert search.best_params_[f"{prefix}optimizer__learning_rate"] == 1e-2


def test_grid_search_with_the_default_name_left_alone():
    X, y = np.ones((12, 2)), np.arange(12) % 2
    grid = {"optimizer__learning_rate": [schedules.Cosine(0.5), 0.01]}
    search = GridSearchCV(Model(), grid, cv=2, scoring=lambda *_: 0.0).fit(X, y)
    assert search.best_estimator_.optimizer.learning_rate.initial == 0.5
