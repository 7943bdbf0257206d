"""Settings are checked at one moment, and what computes sees Python's numbers alone."""

import importlib
import inspect
import pkgutil
from numbers import Real

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone

import skdl
from skdl import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    MLPClassifier,
    MLPRegressor,
    activations,
    config_context,
    initializers,
    layers,
    losses,
    optimizers,
    schedules,
)
from skdl._base import NestedParams, ParameterObject
from skdl._settings import plain, settled
from skdl.callbacks import Checkpoint, EarlyStopping, Jog, LearningRateFinder
from skdl.initializers import HeNormal, Normal, Uniform
from skdl.layers import Dense, Dropout, Residual, Upsample2D
from skdl.losses import Huber, Quantile
from skdl.optimizers import LBFGS, Adam, RProp, minimize
from skdl.schedules import Cosine, Step, WarmUp
from skdl.tree import BinMapper, TreeParams, make_grower

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning",
    "ignore:batch_size=.* is larger:UserWarning",
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 6))
Y = X[:, 0] - 2 * X[:, 1] ** 2 + 0.1 * RNG.normal(size=200)
KINDS = (activations, initializers, layers, losses, optimizers, schedules)

# ---- every number of every part and estimator


def parts():
    return [kind.get(name) for kind in KINDS for name in kind.names()]


def public_classes():
    names = [
        info.name
        for info in pkgutil.walk_packages(skdl.__path__, "skdl.")
        if not any(part.startswith("_") for part in info.name.split("."))
    ]
    modules = [skdl, *map(importlib.import_module, names)]
    found = {getattr(m, name) for m in modules for name in getattr(m, "__all__", ())}
    return sorted(
        (c for c in found if inspect.isclass(c) and issubclass(c, BaseEstimator)),
        key=lambda cls: cls.__name__,
    )


def test_all_classes_with_parameters_settle():
    assert all(issubclass(cls, NestedParams) for cls in public_classes())


@pytest.mark.parametrize("cls", public_classes(), ids=lambda cls: cls.__name__)
def test_every_number_is_declared(cls):
    defaults = {
        p.name: p.default
        for p in inspect.signature(cls).parameters.values()
        if isinstance(p.default, (Real, np.bool_))
    }
    undeclared = defaults.keys() - cls._parameter_constraints.keys()
    # A number, or one for each layer, feature or side: looked at in `build`.
    one_each = {"dropout", "kernel_size", "pool_size", "stride", "dilation", "scale"}
    assert undeclared <= one_each | ({"factor"} if cls is Upsample2D else set())


@pytest.mark.parametrize("part", parts(), ids=repr)
def test_parts_settle_to_pythons_numbers(part):
    kinds = {bool: np.bool_, int: np.int16, float: np.float64}
    given = {
        name: kinds[type(value)](value)
        for name, value in part.get_params(deep=False).items()
        if type(value) in kinds
    }
    user = clone(part).set_params(**given)
    ready = user.settled()
    assert repr(ready) == repr(part.settled())
    for name, value in given.items():
        assert type(getattr(ready, name)) in kinds
        assert getattr(user, name) is value  # the user's object stays as it was
    assert type(ready) is type(part)


PLAIN = {
    np.int8(3): 3,
    np.uint64(2**63): 2**63,
    np.float32(0.5): 0.5,
    np.float16(2.0): 2.0,
    np.bool_(True): True,
    np.str_("adam"): "adam",
}


@pytest.mark.parametrize("value", PLAIN, ids=lambda v: type(v).__name__)
def test_plain(value):
    for wrap in (lambda v: v, lambda v: [v, None], lambda v: (1, (v,))):
        got, expected = plain(wrap(value)), wrap(PLAIN[value])
        assert repr(got) == repr(expected)


def test_plain_returns_what_needs_no_change():
    for value in ([1, 2.5, "a"], (1, [2]), None, True, np.ones(2), Huber(), len):
        assert plain(value) is value


# ---- estimators: narrow integers and floats act as Python's

INTEGERS = [np.int8, np.uint8, np.int64, np.uint64]


def pair(cls, convert, **settings):
    """Return one estimator with Python's numbers and one with those of NumPy."""

    def converted(value):
        if isinstance(value, tuple):
            return tuple(converted(v) for v in value)
        return convert(value) if type(value) is kind else value

    kind = int if np.issubdtype(convert, np.integer) else float
    numbers = {name: converted(value) for name, value in settings.items()}
    return cls(**settings), cls(**numbers)


CASES = {
    "gradient boosting": (
        GradientBoostingRegressor,
        {
            "n_estimators": 8,
            "max_depth": 6,
            "max_leaf_nodes": 100,
            "min_samples_leaf": 2,
            "min_samples_split": 5,
            "max_bins": 120,
            "max_features": 4,
            "n_iter_no_change": 100,
            "random_state": 3,
            "subsample": 0.5,
            "l2_regularization": 0.25,
            "min_child_weight": 0.5,
            "tol": 0.125,
            "learning_rate": 0.25,
            "validation_fraction": 0.25,
        },
    ),
    "AdaBoost.R2": (
        AdaBoostRegressor,
        {"n_estimators": 8, "max_depth": 3, "random_state": 3, "learning_rate": 0.5},
    ),
    "AdaBoost": (
        AdaBoostClassifier,
        {"n_estimators": 8, "max_depth": 2, "random_state": 3, "learning_rate": 0.5},
    ),
    "network": (
        MLPClassifier,
        {
            "hidden_layer_sizes": (100, 7),
            "batch_size": 100,
            "max_iter": 7,
            "n_iter_no_change": 3,
            "random_state": 3,
            "n_init": 2,
            "alpha": 0.25,
            "l1": 0.125,
            "dropout": 0.25,
            "tol": 0.5,
            "validation_fraction": 0.25,
            "early_stopping": True,
        },
    ),
}


@pytest.mark.parametrize("convert", [*INTEGERS, np.float32, np.float64])
@pytest.mark.parametrize("case", CASES)
def test_numpy_numbers_change_nothing(case, convert):
    cls, settings = CASES[case]
    classifies = "Classifier" in cls.__name__
    y = (Y > 0).astype(int) if classifies else Y
    predictions = []
    for made in pair(cls, convert, **settings):
        before = made.get_params()
        made.fit(X, y)
        assert made.get_params().keys() == before.keys()
        assert all(made.get_params()[name] is v for name, v in before.items())
        predictions.append(made.predict_proba(X) if classifies else made.predict(X))
    np.testing.assert_array_equal(*predictions)


def test_settings_are_the_users_again_after_a_fit_that_fails():
    depth = np.int8(4)
    model = GradientBoostingRegressor(max_depth=depth, n_estimators=2).fit(X, Y)
    with pytest.raises(ValueError, match="NaN"):
        model.fit(X, np.full(200, np.nan))
    assert model.max_depth is depth
    assert len(model.estimators_) == 2


@pytest.mark.parametrize("dtype", INTEGERS)
def test_lbfgs_takes_any_integer(dtype):
    def square(x):
        return float(x @ x), 2 * x

    own = LBFGS(memory=dtype(10), max_line_search=dtype(20))
    assert minimize(square, [3.0, -1.0], optimizer=own, max_iter=dtype(9)).success


@pytest.mark.parametrize("dtype", INTEGERS)
def test_layers_take_any_integer(dtype):
    chain = [Dense(dtype(120)), "relu", Residual([Dense(dtype(60))])]
    expected = [Dense(120), "relu", Residual([Dense(60)])]
    nets = [
        MLPRegressor(layers=c, max_iter=3, random_state=0) for c in (chain, expected)
    ]
    np.testing.assert_array_equal(*(net.fit(X, Y).predict(X) for net in nets))


def test_single_precision_stays_with_double_settings():
    optimizer = Adam(np.float64(1e-3), beta_1=np.float64(0.5), clip_norm=np.float64(1))
    net = MLPRegressor(optimizer=optimizer, alpha=np.float64(0.1), max_iter=3)
    net.fit(X.astype(np.float32), Y)
    assert net.network_.params.vector.dtype == np.float32
    assert {
        slot.dtype for slot in net._training_state.optimizer_state.slots.values()
    } == {np.dtype(np.float32)}


# ---- one moment: before any work, whatever the depth

DEEP = {
    "optimizer": ({"optimizer": Adam(beta_1=2.0)}, "'beta_1' .* Got 2.0"),
    "schedule": ({"optimizer": Adam(Step(every=0))}, "'every' .* Got 0"),
    "schedule in a schedule": (
        {"optimizer": Adam(WarmUp(after=Cosine(final=3.0)))},
        "'final' .* Got 3.0",
    ),
    "together": ({"optimizer": RProp(step_max=1e-9)}, "step_max must be above"),
    "initializer": ({"initializer": HeNormal(-1.0)}, "'gain' .* Got -1.0"),
    "bounds": ({"initializer": Uniform(1.0, 0.0)}, "low must not exceed high"),
    "loss": ({"loss": Huber(-1.0)}, "'delta' .* Got -1.0"),
    "levels": ({"loss": Quantile([0.5, 1.5])}, r"quantile must lie in \(0, 1\)"),
    "layer": ({"layers": [Dense(3), Dropout(1.0)]}, r"Layer 1 \(Dropout.*'rate'"),
    "initializer of a layer": (
        {"layers": [Dense(3, initializer=Normal(-1.0))]},
        "'std' .* Got -1.0",
    ),
    "inside a layer": (
        {"layers": [Residual([Dense(-3)])]},
        r"Layer 0 \(Residual.*Layer 0 \(Dense.*Got -3",
    ),
    "activation": ({"activation": "rellu"}, "Did you mean 'relu'"),
    "name": ({"optimizer": "adm"}, "Unknown optimizer 'adm'.*Did you mean 'adam'"),
}


class Untouchable:
    """Data that fail as soon as anybody looks at them."""

    def __array__(self, *args, **kwargs):
        raise AssertionError("the data were looked at before the settings")

    def __len__(self):
        raise AssertionError("the data were looked at before the settings")


@pytest.mark.parametrize("method", ["fit", "partial_fit", "initialize"])
@pytest.mark.parametrize("case", DEEP)
def test_all_settings_are_checked_before_the_data(case, method):
    settings, message = DEEP[case]
    net = MLPRegressor(**settings)  # storing is all that happens here
    clone(net)
    with pytest.raises(ValueError, match=message):
        getattr(net, method)(Untouchable(), Untouchable())


def test_partial_fit_checks_settings_of_a_fitted_network():
    net = MLPRegressor(max_iter=2).fit(X, Y)
    net.set_params(batch_size=-1)
    with pytest.raises(ValueError, match=r"'batch_size' .* Got -1"):
        net.partial_fit(X, Y)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"learning_rate": -1.0}, "'learning_rate' .* Got -1.0"),
        ({"learning_rate": Step(gamma=2.0)}, "'gamma' .* Got 2.0"),
        ({"optimizer": "newtn"}, "Did you mean 'newton'"),
        ({"loss": Huber(0.0)}, "'delta' .* Got 0.0"),
        ({"max_depth": np.int8(0)}, "'max_depth' .* Got 0"),
    ],
)
def test_boosters_check_all_settings_before_the_data(settings, message):
    with pytest.raises(ValueError, match=message):
        GradientBoostingRegressor(**settings).fit(Untouchable(), Untouchable())


def test_a_users_part_without_declarations_settles():
    class Mine(ParameterObject):
        def __init__(self, width=3, table=None):
            self.width = width
            self.table = table

    table = {"a": 1}
    ready = Mine(np.int8(5), table).settled()
    assert type(ready.width) is int
    assert ready.table is table
    assert settled(Mine()) == {"width": 3, "table": None}


# ---- n_iter_no_change=np.inf


@pytest.mark.parametrize("early", [False, True])
def test_infinite_patience_of_networks(early):
    nets = [
        MLPRegressor(
            (3,), max_iter=40, tol=10.0, n_iter_no_change=n, early_stopping=early
        ).set_params(random_state=0)
        for n in ("never", np.inf, np.float32(np.inf), 2)
    ]
    never, *infinite, short = [net.fit(X, Y) for net in nets]
    assert never.n_iter_ == 40 > short.n_iter_
    for net in infinite:
        assert net.n_iter_ == 40
        np.testing.assert_array_equal(net.predict(X), never.predict(X))


def test_infinite_patience_of_boosting_does_all_rounds_and_keeps_the_best():
    noise = np.random.default_rng(1).permutation(Y > 0)
    model = GradientBoostingClassifier(
        n_estimators=30, n_iter_no_change=np.inf, learning_rate=0.5, random_state=0
    ).fit(X, noise)
    assert len(model.history_["val_loss"]) == 30
    assert model.n_estimators_ == 1 + int(np.argmin(model.history_["val_loss"])) < 30


def test_there_is_no_patience_of_minus_infinity():
    for cls in (MLPRegressor, GradientBoostingRegressor):
        for wrong in (-np.inf, np.nan, 2.5):
            with pytest.raises(ValueError, match="'n_iter_no_change'"):
                cls(n_iter_no_change=wrong).fit(X, Y)


# ---- callbacks and trees by themselves


@pytest.mark.parametrize("dtype", INTEGERS)
def test_callbacks_hold_pythons_numbers(dtype, tmp_path):
    made = [
        EarlyStopping(patience=dtype(100), tol=np.float32(0.5)),
        Checkpoint(tmp_path / "file", every=dtype(3), resume=np.bool_(False)),
        Jog(scale=np.float64(0.5), patience=dtype(4)),
        LearningRateFinder(n_steps=dtype(50), low=np.float64(1e-3), apply=np.bool_(1)),
    ]
    for callback in made:
        for name in inspect.signature(type(callback)).parameters:
            value = getattr(callback, name)
            assert not isinstance(value, np.generic), f"{callback}.{name}: {value!r}"
    with pytest.raises(ValueError, match=r"'every' .* int in the range"):
        Checkpoint(tmp_path / "file", every=2.5)
    with pytest.raises(ValueError, match=r"'patience' .* Got 1.5"):
        EarlyStopping(patience=1.5)


@pytest.mark.parametrize("engine", ["numpy", "numba"])
@pytest.mark.parametrize("dtype", INTEGERS)
def test_trees_take_any_integer(engine, dtype):
    limits = {
        "max_leaf_nodes": 100,
        "max_depth": 20,
        "min_samples_leaf": 2,
        "min_samples_split": 5,
        "max_features": 3,
    }
    trees = []
    for kind in (int, dtype):
        params = TreeParams(**{name: kind(n) for name, n in limits.items()})
        with config_context(engine=engine):
            rng = np.random.default_rng(0)
            binned = BinMapper(kind(100)).fit_transform(X, rng)
            trees.append(make_grower(binned, params).grow(Y[None], None, seed=1).tree)
    np.testing.assert_array_equal(trees[0].feature, trees[1].feature)
    np.testing.assert_array_equal(trees[0].threshold, trees[1].threshold)
    assert trees[0].n_leaves > 20
