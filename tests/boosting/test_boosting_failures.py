"""Fits that cannot begin or end well say so, and leave no trace."""

import numpy as np
import pytest
from boosters import XI, YI, X, Y, fitted, made
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression
from sklearn.neighbors import KNeighborsRegressor
from sklearn.tree import DecisionTreeRegressor

from skdl import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    config_context,
    losses,
    optimizers,
)

ENGINES = ["numpy", "numba"]


# ---- bad settings


BAD = {
    "n_estimators": (0, -1, 1.5, "many"),
    "subsample": (0.0, 1.1, -1),
    "max_depth": (0, 1.5),
    "max_leaf_nodes": (1, 0),
    "min_samples_leaf": (0, 0.1),
    "min_samples_split": (1,),
    "min_child_weight": (-1.0, "light"),
    "l2_regularization": (-1.0,),
    "min_impurity_decrease": (-0.1,),
    "max_features": (0, 0.0, 1.5, "all"),
    "max_bins": (1, 256),
    "validation_fraction": (0.0, 1.0),
    "n_iter_no_change": (0,),
    "tol": (-1.0,),
    "importance_type": ("cover",),
    "init": ("one", 3),
    "estimator": ("tree", 3),
    "learning_rate": (0.0, -1.0, float("nan"), "nonsense"),
    "loss": ("nonsense", 3, losses.Huber),
    "optimizer": ("nonsense", 3),
    "scoring": ("nonsense",),
    "shared_trees": ("yes",),
    "warm_start": ("yes",),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_settings_are_errors_of_fit(name):
    for value in BAD[name]:
        model = made("regression").set_params(**{name: value})
        with pytest.raises((ValueError, TypeError)) as caught:
            model.fit(X, Y)
        assert repr(value)[:10] in str(caught.value) or name in str(caught.value)
        assert not hasattr(model, "ensemble_")


def fails(
    match, X=X, y=Y, cls=GradientBoostingRegressor, error=ValueError, fit=None, **p
):
    with pytest.raises(error, match=match):
        cls(**{"n_estimators": 2, **p}).fit(X, y, **(fit or {}))


def wrong_shape(y, raw):
    return (raw - y) ** 2, (raw - y)[:-1]


def not_a_number(y, raw):
    return (raw - y) ** 2, np.full_like(raw, np.nan)


@pytest.mark.parametrize(
    ("match", "settings"),
    [
        ("Unknown loss .*Known names", {"loss": "nonsense"}),
        ("Unknown step rule .*newton", {"optimizer": "nonsense"}),
        ("no linear combination", {"optimizer": optimizers.RProp()}),
        ("clipping", {"optimizer": optimizers.GD(clip_norm=1.0)}),
        ("Two learning rates", {"optimizer": optimizers.GD(0.5)}),
        ("'quantile' .*Got 1.0", {"loss": losses.Quantile(1.0)}),
        ("quantile must lie in", {"loss": losses.Quantile([0.5, 0.0])}),
        ("targets ≥ 0", {"loss": "poisson", "y": Y - 200}),
        ("targets > 0", {"loss": "gamma", "y": Y - Y.min()}),
        ("no loss for regression", {"loss": "log_loss"}),
        ("must return a loss of shape", {"loss": wrong_shape}),
        ("NaN or infinite", {"loss": not_a_number}),
        ("monotonic_cst must have shape", {"monotonic_cst": [1]}),
        (
            "Categories have no order",
            {"monotonic_cst": [1] * 10, "categorical_features": [3]},
        ),
        (
            "one tree for each output",
            {"monotonic_cst": [1] * 10, "shared_trees": True, "y": np.c_[Y, Y]},
        ),
        (
            "set the constraints on that",
            {"monotonic_cst": [1] * 10, "estimator": DecisionTreeRegressor()},
        ),
        (
            "takes no sample_weight",
            {"estimator": KNeighborsRegressor(), "fit": {"sample_weight": Y}},
        ),
        ("X_val was given without y_val", {"fit": {"X_val": X}}),
        ("one target", {"loss": losses.Quantile([0.2, 0.8]), "y": np.c_[Y, Y]}),
    ],
)
def test_bad_input_of_the_regressor(match, settings):
    fails(match, **settings)


@pytest.mark.parametrize(
    ("match", "settings"),
    [
        ("1 class", {"y": np.zeros(150)}),
        ("1 class", {"fit": {"sample_weight": (YI == 0).astype(float)}}),
        ("for two classes", {"loss": "exponential"}),
        ("no loss for classification", {"loss": "huber"}),
        (
            r"labels \[3\] that are not among the classes",
            {"fit": {"X_val": XI, "y_val": YI + 1}},
        ),
        ("gives negative weights", {"class_weight": {0: -1.0}}),
        ("one tree for each output", {"monotonic_cst": [1, 0, 0, 0]}),
    ],
)
def test_bad_input_of_the_classifier(match, settings):
    settings = {"X": XI, "y": YI, **settings}
    fails(match, cls=GradientBoostingClassifier, **settings)


# ---- losses that are not finite, or have no curvature left


@pytest.mark.parametrize("engine", ENGINES)
def test_rows_that_are_all_right_are_no_failure(engine):
    X = np.arange(40.0)[:, None]
    y = X[:, 0] > 9
    model = GradientBoostingClassifier(learning_rate=1.0, n_estimators=400)
    with config_context(engine=engine):
        model.fit(X, y)  # Hessians vanish, but so do the gradients
    assert model.score(X, y) == 1.0
    assert model.train_score_[-1] < 1e-4
    assert model.estimators_[-1][0].n_leaves == 1


def test_a_loss_that_is_not_finite():
    with np.errstate(over="ignore"):
        fails("is inf: .*scale the targets", y=1e200 * Y)


# ---- what is left behind


def late_nan(y, raw):
    """Squared error that breaks when it is nearly solved."""
    error = raw - y
    broken = np.nan if np.mean(error**2) < 2500 else 1.0
    return 0.5 * error**2, broken * error


FAILURES = {
    "targets": ({}, X, np.full(442, np.nan), "NaN"),
    "rows": ({}, X[:3], Y, "inconsistent"),
    "rule": ({"optimizer": "adam"}, X, Y, "linear combination"),
    "loss": ({"loss": "gamma"}, X, -Y, "targets > 0"),
    "in the rounds": ({"loss": late_nan}, X, Y, "NaN or infinite"),
    "constraints": ({"monotonic_cst": [5] * 10}, X, Y, "−1, 0 and 1"),
}


@pytest.mark.parametrize("warm_start", [False, True])
@pytest.mark.parametrize("case", FAILURES)
def test_a_failed_fit_leaves_the_model_as_it_was(case, warm_start):
    settings, bad_X, bad_y, match = FAILURES[case]
    model = fitted("regression", warm_start=warm_start)
    before, state = model.predict(X), set(vars(model))
    model.set_params(n_estimators=60, **settings)
    with pytest.raises(ValueError, match=match):
        model.fit(bad_X, bad_y)
    assert set(vars(model)) == state
    assert model.n_estimators_ == 8
    np.testing.assert_array_equal(model.predict(X), before)


class Interrupting(losses.SquaredError):
    """Press Ctrl-C at a call."""

    def __init__(self, at=0):
        self.at = at

    def evaluate(self, y, raw, empty=np.empty):
        self.calls = getattr(self, "calls", 0) + 1
        if self.calls == self.at:
            raise KeyboardInterrupt
        return super().evaluate(y, raw, empty)


@pytest.mark.parametrize("at", [2, 5])
def test_an_interrupt_keeps_the_rounds_done(at):
    model = made("regression", loss=Interrupting(at))
    with pytest.warns(UserWarning, match=f"after {at - 2} rounds"):
        model.fit(X, Y)
    assert model.n_estimators_ == at - 2 == len(model.train_score_)
    if at > 2:
        same = fitted("regression", n_estimators=at - 2)
        np.testing.assert_allclose(model.predict(X), same.predict(X), rtol=1e-6)


def test_an_interrupt_keeps_the_rounds_of_the_fit_before():
    val = {"X_val": X[300:], "y_val": Y[300:]}
    model = made("regression", loss=Interrupting(), warm_start=True).fit(X, Y)
    model.set_params(n_estimators=20, loss=Interrupting(4))
    with pytest.warns(UserWarning, match=r"after \d+ rounds"):
        model.fit(X, Y, **val)
    assert model.n_estimators_ >= 8
    lengths = {len(curve) for curve in model.history_.values()}
    assert len(lengths) == 1
    assert model.predict(X).shape == (442,)


NEGATIVE = DummyRegressor(strategy="constant", constant=-1.0)


@pytest.mark.parametrize("init", [LinearRegression(), NEGATIVE])
@pytest.mark.filterwarnings("error")
def test_a_first_model_that_the_loss_does_not_allow(init):
    y = np.maximum(np.round((Y - 100) / 50), 0.0)
    model = GradientBoostingRegressor(loss="poisson", init=init)
    with pytest.raises(ValueError, match=rf"init={type(init).__name__} .*Poisson"):
        model.fit(X, y)


def test_validation_targets_of_poisson():
    y = np.maximum(np.round((Y - 100) / 50), 0.0)
    model = GradientBoostingRegressor(loss="poisson", n_estimators=3)
    model.fit(X, y, X_val=X[:9], y_val=np.zeros(9))
    assert np.isfinite(model.history_["val_loss"]).all()
    with pytest.raises(ValueError, match=r"validation data .* minimum of -1"):
        model.fit(X, y, X_val=X[:9], y_val=np.r_[-1.0, np.ones(8)])
    with pytest.raises(ValueError, match="needs a positive target"):
        model.fit(X, 0 * y, X_val=X[:9], y_val=np.ones(9))
    model.set_params(loss="gamma")
    with pytest.raises(ValueError, match=r"validation data .* targets > 0"):
        model.fit(X, y + 1, X_val=X[:9], y_val=np.zeros(9))


def test_labels_in_errors_are_plain():
    model = GradientBoostingClassifier(n_estimators=2, warm_start=True).fit(XI, YI)
    with pytest.raises(ValueError, match=r"labels \[3\] .* classes \[0, 1, 2\] of"):
        model.set_params(n_estimators=3).fit(XI, YI + 1)


# ---- losses that are objects


class Own(losses.Loss):
    """Half the squared error, one part of which goes wrong."""

    has_hessian = True

    def __init__(self, part="hessian", wrong=np.copy):
        self.part, self.wrong = part, wrong

    def changed(self, part, array):
        return self.wrong(array) if part == self.part else array

    def evaluate(self, y, raw, empty=np.empty):
        loss = self.changed("loss", 0.5 * (raw - y) ** 2)
        return loss, self.changed("gradient", raw - y)

    def hessian(self, y, raw):
        return self.changed("hessian", np.ones_like(raw))


WRONG = {
    "flat": (np.ravel, "must return a loss of shape .* and derivatives of shape"),
    "short": (lambda a: a[:-1], "must return a loss of shape .* and derivatives"),
    "NaN": (lambda a: a * np.nan, "Own returned NaN or infinite .* in its"),
    "infinite": (lambda a: a + np.inf, "Own returned NaN or infinite .* in its"),
}


@pytest.mark.parametrize("engine", ["numpy", "numba"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("part", ["gradient", "hessian"])
@pytest.mark.parametrize("case", WRONG)
def test_derivatives_of_an_own_loss_that_are_wrong(case, part, weighted, engine):
    wrong, match = WRONG[case]
    model = GradientBoostingRegressor(loss=Own(part, wrong), n_estimators=3)
    weight = Y if weighted else None
    with config_context(engine=engine), pytest.raises(ValueError, match=match):
        model.fit(X, Y, sample_weight=weight)


@pytest.mark.parametrize("result", [np.ones(3), [1.0, 2.0, 3.0], None])
def test_an_own_loss_that_evaluates_to_no_pair(result):
    class NoPair(Own):
        def evaluate(self, y, raw, empty=np.empty):
            return result

    with pytest.raises(TypeError, match=r"NoPair must return from evaluate a tuple"):
        GradientBoostingRegressor(loss=NoPair(), n_estimators=3).fit(X, Y)


@pytest.mark.parametrize("part", ["loss", "gradient", "hessian"])
def test_an_own_loss_that_is_right(part):
    model = GradientBoostingRegressor(loss=Own(part), n_estimators=3, random_state=0)
    twin = GradientBoostingRegressor(n_estimators=3, random_state=0).fit(X, Y)
    np.testing.assert_allclose(model.fit(X, Y).predict(X), twin.predict(X), rtol=1e-6)
