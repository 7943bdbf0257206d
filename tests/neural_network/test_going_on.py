"""warm_start, partial_fit and initialize: training that goes on."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skdl import MLPClassifier, MLPRegressor
from skdl.layers import Dense
from skdl.optimizers import SGD, Adam
from skdl.schedules import Exponential

pytestmark = pytest.mark.filterwarnings(
    "ignore:Training stopped after max_iter:sklearn.exceptions.ConvergenceWarning"
)

# Everything that draws random numbers or remembers something.
RICH = {"dropout": 0.2, "batch_norm": True, "alpha": 0.01, "l1": 0.01}


def made(**settings):
    settings = {"max_iter": 5, "random_state": 0, "batch_size": 40, **settings}
    return MLPClassifier((8,), **settings)


def weights(net):
    return net.network_.params.vector


def optimizer_state(net):
    return net._training_state.optimizer_state


def assert_same(a, b):
    np.testing.assert_array_equal(weights(a), weights(b))
    np.testing.assert_array_equal(a.network_.state.vector, b.network_.state.vector)
    assert a.history_ == b.history_
    assert (a.n_iter_, a.t_, a.loss_) == (b.n_iter_, b.t_, b.loss_)


OPTIMIZERS = ["sgd", "momentum", "adam", "nadam", "rmsprop", "adadelta", "amsgrad"]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("settings", [{}, RICH], ids=["plain", "rich"])
def test_two_fits_of_five_epochs_are_one_of_ten(iris, optimizer, settings):
    X, y = iris
    once = made(optimizer=optimizer, **settings, max_iter=10).fit(X, y)
    twice = made(optimizer=optimizer, **settings, warm_start=True)
    assert twice.fit(X, y) is twice
    assert twice.n_iter_ == 5
    twice.fit(X, y)
    assert_same(once, twice)
    assert optimizer_state(twice).t == 10 * 4  # 150 rows in batches of 40
    assert twice.t_ == 1500


@pytest.mark.parametrize("settings", [{}, RICH], ids=["plain", "rich"])
def test_partial_fit_over_the_same_rows_is_fit(iris, settings):
    X, y = iris
    fitted = made(**settings).fit(X, y)
    net = made(**settings)
    for _ in range(5):
        assert net.partial_fit(X, y) is net
    assert_same(fitted, net)
    assert optimizer_state(net).t == 20


def test_partial_fit_after_fit_goes_on(iris):
    X, y = iris
    longer = made(max_iter=6).fit(X, y)
    net = made(max_iter=5).fit(X, y).partial_fit(X, y)
    assert_same(longer, net)


def test_the_optimizers_memory_is_kept(iris):
    X, y = iris
    net = made(warm_start=True).fit(X, y)
    m = optimizer_state(net).slots["m"].copy()
    assert m.any()
    forgetful = pickle.loads(pickle.dumps(net))
    del forgetful._training_state
    forgetful.fit(X, y)
    net.fit(X, y)
    assert (weights(net) != weights(forgetful)).any()
    assert optimizer_state(net).t == 40
    assert optimizer_state(forgetful).t == 20


def test_without_warm_start_fit_starts_anew(iris):
    X, y = iris
    net = made(**RICH)
    first = weights(net.fit(X, y)).copy()
    np.testing.assert_array_equal(weights(net.fit(X, y)), first)
    assert net.n_iter_ == 5
    net.partial_fit(X, y).fit(X, y)
    np.testing.assert_array_equal(weights(net), first)


def test_settings_may_change_in_between(iris):
    X, y = iris
    net = made(warm_start=True, optimizer=Adam(0.01)).fit(X, y)
    m = optimizer_state(net).slots["m"].copy()
    net.set_params(optimizer__learning_rate=1e-12, alpha=0.5, dropout=0.5).fit(X, y)
    assert net.history_["learning_rate"] == [0.01] * 5 + [1e-12] * 5
    assert (optimizer_state(net).slots["m"] != m).any()
    assert optimizer_state(net).t == 40


def test_another_optimizer_starts_with_an_empty_memory(iris):
    X, y = iris
    net = made(warm_start=True).fit(X, y)
    before = weights(net).copy()
    net.set_params(optimizer=SGD(1e-9)).fit(X, y)
    np.testing.assert_allclose(weights(net), before, atol=1e-6)
    assert net.n_iter_ == 10
    assert optimizer_state(net).t == 20
    assert optimizer_state(net).slots == {}


def test_lbfgs_goes_on_from_the_weights(iris):
    X, y = iris
    net = MLPClassifier((8,), optimizer="lbfgs", warm_start=True, random_state=0)
    net.set_params(max_iter=10).fit(X, y)
    loss = net.loss_
    net.fit(X, y)
    assert net.loss_ < loss
    assert net.n_iter_ == 20
    assert np.all(np.diff(net.loss_curve_) <= 1e-12)


def test_schedules_go_on(iris):
    X, y = iris
    net = made(warm_start=True, optimizer=SGD(Exponential(0.1, 0.5)))
    net.fit(X, y).fit(X, y)
    expected = 0.1 * 0.5 ** np.arange(10)
    np.testing.assert_allclose(net.history_["learning_rate"], expected)


def test_other_rows_may_come(iris):
    X, y = iris
    net = made()
    for start in range(0, 150, 30):
        order = slice(start, start + 30)
        net.partial_fit(X[order], y[order], classes=[0, 1, 2])
    assert net.n_iter_ == 5
    assert net.t_ == 150
    warm = made(warm_start=True).fit(X, y).fit(X[:100], y[:100])  # fewer classes
    np.testing.assert_array_equal(warm.classes_, [0, 1, 2])
    assert warm.t_ == 5 * 150 + 5 * 100


def test_partial_fit_learns(digits):
    X, y = digits
    net = MLPClassifier((50,), random_state=0)
    for _ in range(30):
        for start in range(0, 600, 50):
            rows = slice(start, start + 50)
            net.partial_fit(X[rows], y[rows], classes=np.arange(10))
    assert net.score(X, y) > 0.95


def test_the_type_changes_where_it_is_asked_for(iris):
    X, y = iris
    net = made(warm_start=True, **RICH).fit(X, y).fit(X.astype(np.float32), y)
    assert weights(net).dtype == np.float64
    net = made(warm_start=True, **RICH).fit(X, y).set_params(dtype="float32").fit(X, y)
    assert weights(net).dtype == np.float32
    assert all(slot.dtype == np.float32 for slot in optimizer_state(net).slots.values())
    assert optimizer_state(net).t == 40
    assert weights(net.set_params(dtype=None).fit(X, y)).dtype == np.float32
    assert weights(net.set_params(dtype="float64").fit(X, y)).dtype == np.float64


def test_validation_data_may_come_later(iris):
    X, y = iris
    net = made(warm_start=True).fit(X, y).fit(X, y, X_val=X, y_val=y)
    assert len(net.history_["loss"]) == 10
    assert np.isnan(net.history_["val_loss"]).tolist() == [True] * 5 + [False] * 5
    net.set_params(early_stopping=True, scoring=None).fit(X, y, X_val=X, y_val=y)
    assert len(net.history_["loss"]) == 15
    assert net.score(X, y) == max(net.history_["val_score"][5:])


@pytest.mark.parametrize("scoring", [None, "loss"])
def test_early_stopping_goes_on_with_its_memory(digits, scoring):
    X, y = digits
    net = made(warm_start=True, early_stopping=True, max_iter=4, scoring=scoring)
    net.fit(X, y)
    for n in (8, 12):
        net.fit(X, y)
        scores = net.history_["val_score"]
        assert len(scores) == net.n_iter_ == n
        assert net.best_validation_score_ == max(scores)
        best = np.argmin(net.history_["val_loss"]) if scoring else np.argmax(scores)
        assert net.best_epoch_ == best + 1


# ---- initialize


def test_initialize_is_the_start_of_fit(iris):
    X, y = iris
    net = made(warm_start=True, **RICH)
    assert net.initialize(X, y) is net
    assert net.n_iter_ == net.t_ == 0
    assert np.isnan(net.loss_)
    assert net.history_ == {}
    assert net.loss_curve_ == []
    np.testing.assert_allclose(net.predict_proba(X).sum(axis=1), 1)
    assert_same(net.fit(X, y), made(**RICH).fit(X, y))


def test_starting_weights_of_ones_own(iris):
    X, y = iris
    nets = []
    for method in ("fit", "partial_fit"):
        net = made(warm_start=True, max_iter=1).initialize(X, y)
        rng = np.random.default_rng(1)
        for array in (*net.coefs_, *net.intercepts_):
            array[...] = rng.normal(size=array.shape)
        start = weights(net).copy()
        getattr(net, method)(X, y)
        assert np.abs(weights(net) - start).max() < 0.01  # four Adam steps from there
        nets.append(net)
    assert_same(*nets)


def test_initialize_with_all_classes(iris):
    X, y = iris
    net = made().initialize(X[:50], y[:50], classes=[0, 1, 2])
    assert net.predict_proba(X).shape == (150, 3)
    net.partial_fit(X, y)
    assert net.n_iter_ == 1


def test_initialize_begins_anew(iris, curve):
    X, y = iris
    net = made().fit(X, y).initialize(X[:, :2], y)
    assert net.n_iter_ == 0
    assert net.n_features_in_ == 2
    regressor = MLPRegressor((3,), random_state=0).initialize(*curve)
    assert regressor.predict(curve[0]).shape == (120,)


def test_nothing_is_kept_of_the_arrays_given(iris):
    X, y = (array.copy() for array in iris)
    net = made().fit(X, y)
    before = net.predict_proba(iris[0])
    X[:], y[:] = 0, 0
    np.testing.assert_array_equal(net.predict_proba(iris[0]), before)


# ---- what cannot go on

CHANGES = {
    "sizes": {"hidden_layer_sizes": (9,)},
    "layers": {"layers": [Dense(3), Dense(8)]},
    "norm": {"batch_norm": True},
}


@pytest.mark.parametrize("case", CHANGES)
def test_another_architecture_cannot_go_on(iris, case):
    X, y = iris
    net = made(warm_start=True).fit(X, y)
    before = weights(net).copy()
    net.set_params(**CHANGES[case])
    with pytest.raises(ValueError, match="Training cannot go on: the network's arrays"):
        net.fit(X, y)
    np.testing.assert_array_equal(weights(net), before)
    assert net.set_params(warm_start=False).fit(X, y).n_iter_ == 5


WRONG = {
    "fewer features": (lambda X, y: (X[:, :3], y), "X has 3 features, but"),
    "unknown classes": (lambda X, y: (X, y + 5), r"labels \[5, 6, 7\] that are not"),
    "several labels": (lambda X, y: (X, np.eye(3, dtype=int)[y]), "one column"),
}


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("case", WRONG)
def test_other_data_cannot_go_on(iris, case, method):
    change, message = WRONG[case]
    net = made(warm_start=True).fit(*iris)
    with pytest.raises(ValueError, match=message):
        getattr(net, method)(*change(*iris))


def test_other_numbers_of_targets_cannot_go_on(problems):
    X, y = problems["multilabel"]
    net = made().partial_fit(X, y)
    with pytest.raises(ValueError, match="y must have 3 labels"):
        net.partial_fit(X, y[:, :2])
    X, y = problems["multioutput"]
    regressor = MLPRegressor((3,)).partial_fit(X, y)
    with pytest.raises(ValueError, match="y must have 2 outputs, got 1"):
        regressor.partial_fit(X, y[:, 0])


def test_classes_of_partial_fit(iris):
    X, y = iris
    net = made().partial_fit(X[:50], y[:50], classes=[2, 1, 0, 7])
    np.testing.assert_array_equal(net.classes_, [0, 1, 2, 7])
    net.partial_fit(X, y, classes=[0, 1, 2, 7])
    with pytest.raises(
        ValueError, match=r"classes=\[0, 1\] are not those of the first"
    ):
        net.partial_fit(X, y, classes=[0, 1])
    with pytest.raises(
        ValueError, match=r"labels \[2\] that are not among the classes"
    ):
        made().partial_fit(X, y, classes=[0, 1])


def test_not_fitted(iris):
    X, _ = iris
    for net in (made(), clone(made(warm_start=True))):
        for call in (net.predict, net.predict_proba, net.predict_log_proba):
            with pytest.raises(NotFittedError):
                call(X)
        for name in ("coefs_", "classes_", "loss_curve_", "n_layers_"):
            assert not hasattr(net, name)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("adagrad", "rmsprop"),
        ("adam", "nadam"),
        ("momentum", "nesterov"),
        (Adam(beta_2=0.999), Adam(beta_2=0.9)),
    ],
)
def test_memory_under_the_same_names_is_not_taken(iris, first, second):
    """As one does that is given the same weights, and never saw the first."""
    X, y = iris
    settings = {"shuffle": False, "warm_start": True}
    went_on = made(optimizer=first, **settings).fit(X, y)
    reached = weights(went_on).copy()
    went_on.set_params(optimizer=second).fit(X, y)
    fresh = made(optimizer=second, **settings).initialize(X, y)
    fresh.network_.params.vector[:] = reached
    fresh.fit(X, y)
    np.testing.assert_array_equal(weights(went_on), weights(fresh))
    assert (weights(went_on) != reached).any()
    assert went_on.n_iter_ == 10


def test_another_measure_does_not_bring_weights_of_the_old_one_back(iris):
    X, y = iris
    net = MLPClassifier(
        (8,), max_iter=3, warm_start=True, early_stopping=True, scoring="accuracy",
        n_iter_no_change="never", random_state=0,
    )  # fmt: skip
    net.fit(X, y)
    before = net.network_.params.vector.copy()
    net.set_params(scoring="neg_log_loss", max_iter=10).fit(X, y)
    assert net.best_validation_score_ < 0
    assert net.best_epoch_ > 3
    assert not np.array_equal(net.network_.params.vector, before)


def test_curves_of_what_was_not_measured_then_keep_step(iris):
    X, y = iris
    net = MLPClassifier((8,), max_iter=3, warm_start=True, random_state=0)
    net.set_params(n_iter_no_change="never").fit(X, y)
    net.set_params(early_stopping=True).fit(X, y)
    lengths = {len(curve) for curve in net.history_.values()}
    assert lengths == {6}
    assert np.isnan(net.history_["val_loss"][:3]).all()
    assert np.isfinite(net.history_["val_loss"][3:]).all()
    net.set_params(early_stopping=False).fit(X, y)
    assert {len(curve) for curve in net.history_.values()} == {9}
    assert np.isnan(net.history_["val_loss"][6:]).all()


def test_weights_of_classes_that_a_chunk_lacks(iris):
    X, y = iris
    chunk = y < 2
    weights = {0: 2.0, 2: 5.0}
    net = MLPClassifier((8,), class_weight=weights, random_state=0)
    net.partial_fit(X[chunk], y[chunk], classes=[0, 1, 2])
    same = MLPClassifier((8,), random_state=0)
    same.partial_fit(X[chunk], y[chunk], [0, 1, 2], np.where(y[chunk] == 0, 2.0, 1.0))
    np.testing.assert_allclose(net.predict_proba(X), same.predict_proba(X))
    with pytest.raises(ValueError, match="class_weight"):
        MLPClassifier(class_weight={7: 2.0}).fit(X, y)
