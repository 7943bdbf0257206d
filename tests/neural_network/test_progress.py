"""What one sees of training: history, printed table, scikit-learn's callbacks."""

import re

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdl import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings(
    "ignore:Training stopped after max_iter:sklearn.exceptions.ConvergenceWarning"
)


def made(**settings):
    return MLPClassifier((8,), **{"max_iter": 6, "random_state": 0, **settings})


# ---- history

KEYS = {
    "plain": ({}, {"loss", "learning_rate"}),
    "early stopping": (
        {"early_stopping": True},
        {"loss", "learning_rate", "val_loss", "val_score"},
    ),
    "by score": (
        {"early_stopping": True, "scoring": "f1_macro"},
        {"loss", "learning_rate", "val_loss", "val_score"},
    ),
    "lbfgs": ({"optimizer": "lbfgs"}, {"loss", "learning_rate"}),
}


@pytest.mark.parametrize("case", KEYS)
def test_history(iris, case):
    settings, keys = KEYS[case]
    net = made(**settings).fit(*iris)
    assert set(net.history_) == keys
    for values in net.history_.values():
        assert len(values) == net.n_iter_ == 6
        assert all(type(value) is float for value in values)
    assert net.loss_curve_ is net.history_["loss"]
    assert net.loss_ == net.loss_curve_[-1]
    assert net.best_loss_ == min(net.loss_curve_)
    assert net.validation_scores_ is net.history_.get("val_score")
    assert net.t_ >= 6 * (150 - 15 * settings.get("early_stopping", False))


def test_history_can_be_a_frame(iris):
    net = made(early_stopping=True).fit(*iris)
    assert pd.DataFrame(net.history_).shape == (6, 4)


def test_a_new_fit_has_a_new_history(iris):
    net = made().fit(*iris)
    old = net.history_
    net.fit(*iris)
    assert net.history_ is not old
    assert len(old["loss"]) == len(net.history_["loss"]) == 6


# ---- verbose


def test_silent_by_default(iris, capsys):
    made().fit(*iris).predict(iris[0])
    assert capsys.readouterr() == ("", "")


def test_table(iris, capsys):
    net = made(verbose=True, early_stopping=True, batch_size=20).fit(*iris)
    title, head, *rows, last = capsys.readouterr().out.splitlines()
    assert title == (
        "MLPClassifier: 67 parameters, 135 samples in batches of 20 "
        "(7 updates an epoch)"
    )
    columns = ["epoch", "loss", "val loss", "val score", "rate", "time"]
    assert re.split(r"\s{2,}", head.strip()) == columns
    assert len(rows) == 6
    history, best = net.history_, net.best_epoch_
    for i, row in enumerate(rows):
        epoch, loss, val_loss, val_score, rate, _, _, *star = row.split()
        assert int(epoch) == i + 1
        assert float(loss) == pytest.approx(history["loss"][i], abs=1e-5)
        assert float(val_loss) == pytest.approx(history["val_loss"][i], abs=1e-5)
        assert float(val_score) == pytest.approx(history["val_score"][i], abs=1e-4)
        assert float(rate) == 0.001
        if i + 1 >= best:
            assert star == (["*"] if i + 1 == best else [])
    assert last == (
        f"Done: 6 epochs. Best validation loss "
        f"{min(history['val_loss']):.5g} in epoch {best}, whose weights are kept."
    )


REASONS = {
    "max_iter": ({}, r"Done: 6 epochs\. Best training loss \S+ in epoch 6\."),
    "no improvement": (
        {"tol": 1.0, "n_iter_no_change": 2},
        r"Stopped after epoch \d: the training loss did not improve by 1 for 2 epochs",
    ),
    "validation": (
        {
            "early_stopping": True,
            "scoring": "loss",
            "tol": 1.0,
            "n_iter_no_change": 2,
        },
        r"Stopped after epoch \d: the validation loss did not improve .* are kept\.",
    ),
    "converged": (
        {"optimizer": "lbfgs", "max_iter": 1000, "n_iter_no_change": "never"},
        r"Done: the optimizer converged after \d+ iterations\.",
    ),
}


@pytest.mark.parametrize("case", REASONS)
def test_last_line(iris, capsys, case):
    settings, message = REASONS[case]
    made(verbose=50, **settings).fit(*iris)
    assert re.match(message, capsys.readouterr().out.splitlines()[-1])


@pytest.mark.parametrize(("verbose", "epochs"), [(2, [1, 2, 4, 6]), (5, [1, 5])])
def test_every_so_many_epochs(iris, capsys, verbose, epochs):
    made(verbose=verbose).fit(*iris)
    rows = capsys.readouterr().out.splitlines()[2:-1]
    assert [int(row.split()[0]) for row in rows] == epochs


def test_a_table_that_goes_on(iris, capsys):
    net = made(verbose=True, max_iter=2, warm_start=True).fit(*iris).fit(*iris)
    lines = capsys.readouterr().out.splitlines()
    numbers = [int(line.split()[0]) for line in lines if line.split()[0].isdigit()]
    assert numbers == [1, 2, 3, 4]
    assert sum(line.startswith("MLPClassifier") for line in lines) == 1
    net.set_params(verbose=False).fit(*iris)
    assert capsys.readouterr().out == ""


def test_a_stream_is_one_table(iris, capsys):
    net = made(verbose=True)
    for _ in range(3):
        net.partial_fit(*iris)
    title, _, *rows = capsys.readouterr().out.splitlines()
    assert title.endswith("samples in batches of 150 (1 update an epoch)")
    assert [int(row.split()[0]) for row in rows] == [1, 2, 3]


def test_no_column_of_rates_without_rates(iris, capsys):
    made(verbose=True, optimizer="lbfgs").fit(*iris)
    assert "rate" not in capsys.readouterr().out.splitlines()[1]


# ---- the protocol of sklearn.callback


class Spy:
    """Note every task, and what its hooks are told."""

    def __init__(self):
        self.calls = []

    def setup(self, estimator, context):
        self.calls.append(("setup", context.task_name))

    def teardown(self, estimator, context):
        self.calls.append(("teardown", context.task_name))

    def on_fit_task_begin(self, estimator, context, *, X=None, y=None):
        self.calls.append(("begin", context.task_name, context.task_id, X, y))

    def on_fit_task_end(
        self,
        estimator,
        context,
        *,
        X=None,
        y=None,
        metadata=None,
        fitted_estimator=None,
    ):
        self.calls.append(
            ("end", context.task_name, context.task_id, metadata, fitted_estimator)
        )
        return self.stop(context)

    def stop(self, context):
        return False


def test_one_task_an_epoch(iris):
    X, y = iris
    spy = Spy()
    net = made(max_iter=3).set_callbacks(spy).fit(X, y)
    assert [call[:3] for call in spy.calls] == [
        ("setup", "fit"),
        ("begin", "fit", 0),
        *((when, "epoch", i) for i in range(3) for when in ("begin", "end")),
        ("end", "fit", 0),
        ("teardown", "fit"),
    ]
    np.testing.assert_array_equal(spy.calls[2][3], X)
    np.testing.assert_array_equal(spy.calls[2][4], y)
    assert spy.calls[3][3] == {}
    # What an epoch leaves is an estimator of its own, ready to predict.
    snapshots = [call[4] for call in spy.calls if call[:2] == ("end", "epoch")]
    assert [snapshot.n_iter_ for snapshot in snapshots] == [1, 2, 3]
    for snapshot, n in zip(snapshots, (1, 2, 3), strict=True):
        again = made(max_iter=n).fit(X, y)
        np.testing.assert_array_equal(snapshot.predict_proba(X), again.predict_proba(X))
    assert not any(name.startswith("_callback") for name in vars(net))


def test_callbacks_do_not_change_training(iris):
    X, y = iris
    plain = made(dropout=0.3).fit(X, y)
    watched = made(dropout=0.3)
    watched.set_callbacks(Spy(), ScoringMonitor(scoring="accuracy")).fit(X, y)
    np.testing.assert_array_equal(
        plain.network_.params.vector, watched.network_.params.vector
    )


def test_a_callback_may_stop_training(iris, capsys):
    class Stop(Spy):
        def stop(self, context):
            return context.task_name == "epoch" and context.task_id == 2

    net = made(max_iter=100, verbose=True).set_callbacks(Stop())
    net.fit(*iris)
    assert net.n_iter_ == 3
    assert "Stopped after epoch 3 by a callback." in capsys.readouterr().out


def test_weights_and_validation_rows_in_what_callbacks_see(iris):
    X, y = iris
    weight = np.linspace(1, 2, 150)
    spy = Spy()
    net = made(max_iter=1, early_stopping=True).set_callbacks(spy).fit(X, y, weight)
    _, _, _, X_seen, y_seen = spy.calls[2]
    assert len(X_seen) == len(y_seen) == net.t_ == 135  # the training part
    assert spy.calls[3][3]["sample_weight"].shape == (135,)


def test_class_weights_are_no_sample_weights(iris):
    X, y = iris
    weight = np.linspace(1, 2, 150)
    for given in (None, weight):
        spy, monitor = Spy(), ScoringMonitor(scoring="accuracy")
        net = made(max_iter=2, class_weight={0: 100.0, 1: 1.0, 2: 0.01})
        net.set_callbacks(spy, monitor).fit(X, y, given)
        seen = spy.calls[3][3]
        if given is None:
            assert seen == {}
        else:
            np.testing.assert_array_equal(seen["sample_weight"], weight)
        expected = accuracy_score(y, net.predict(X), sample_weight=given)
        assert monitor.get_logs().data[-1]["accuracy"] == pytest.approx(expected)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_callbacks_see_the_names_of_features(iris, early_stopping):
    X, y = iris
    frame = pd.DataFrame(X, columns=list("abcd"))
    spy, monitor = Spy(), ScoringMonitor(scoring="accuracy")
    net = made(max_iter=2, early_stopping=early_stopping)
    net.set_callbacks(spy, monitor).fit(frame, y)  # no warning
    assert list(spy.calls[2][3].columns) == list("abcd")
    assert len(monitor.get_logs().data) == 2
    plain = made(max_iter=2, early_stopping=early_stopping).fit(X, y)
    assert plain.history_ == net.history_


def test_restarts_are_tasks_with_epochs(iris):
    spy = Spy()
    made(max_iter=2, n_init=3).set_callbacks(spy).fit(*iris)
    names = [call[:3] for call in spy.calls if call[0] == "end"]
    epochs = [("end", "epoch", 0), ("end", "epoch", 1)]
    assert [name for name in names if name[1] == "epoch"] == 3 * epochs
    assert names[-1] == ("end", "fit", 0)


def manual_scores(net, X, y, scorer=accuracy_score):
    """Return the score after each number of epochs, each from a fit of its own."""
    scores = []
    for n in range(1, net.max_iter + 1):
        fitted = clone(net).set_params(max_iter=n).fit(X, y)
        scores.append(scorer(y, fitted.predict(X)))
    return scores


@pytest.mark.parametrize("settings", [{}, {"dropout": 0.2, "batch_norm": True}])
def test_scoring_monitor(iris, settings):
    X, y = iris
    monitor = ScoringMonitor(scoring="accuracy")
    net = made(**settings)
    clone(net).set_callbacks(monitor).fit(X, y)
    log = monitor.get_logs().data
    assert [row["task_id"] for row in log] == list(range(6))
    assert {row["task_name"] for row in log} == {"epoch"}
    assert [row["accuracy"] for row in log] == manual_scores(net, X, y)


def test_scoring_monitor_of_a_regressor_and_of_several_scores(iris, curve):
    monitor = ScoringMonitor(scoring="r2")
    net = MLPRegressor((5,), max_iter=4, random_state=0).set_callbacks(monitor)
    net.fit(*curve)
    log = monitor.get_logs().data
    assert log[-1]["r2"] == pytest.approx(net.score(*curve))
    monitor = ScoringMonitor(scoring=["accuracy", "neg_log_loss"])
    net = made().set_callbacks(monitor).fit(*iris)
    log = monitor.get_logs().data
    # The loss of an epoch is that before its updates.
    assert -log[-1]["neg_log_loss"] == pytest.approx(net.loss_, rel=0.05)


def test_scoring_monitor_in_a_pipeline(iris):
    X, y = iris
    monitor = ScoringMonitor(scoring="accuracy")
    net = made()
    make_pipeline(StandardScaler(), clone(net).set_callbacks(monitor)).fit(X, y)
    scaled = StandardScaler().fit_transform(X)
    log = monitor.get_logs().data
    assert [row["accuracy"] for row in log] == manual_scores(net, scaled, y)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_scoring_monitor_in_a_grid(iris, n_jobs):
    X, y = iris
    monitor = ScoringMonitor(scoring="accuracy")
    net = made(max_iter=3)
    cv = StratifiedKFold(2)
    grid = {"alpha": [0.0, 10.0]}
    search = GridSearchCV(
        clone(net).set_callbacks(monitor), grid, cv=cv, n_jobs=n_jobs, refit=False
    )
    search.fit(X, y)
    expected = [
        score
        for alpha in grid["alpha"]
        for rows, _ in cv.split(X, y)
        for score in manual_scores(clone(net).set_params(alpha=alpha), X[rows], y[rows])
    ]
    logs = [row for log in monitor.get_logs(select="all") for row in log.data]
    assert sorted(row["accuracy"] for row in logs) == sorted(expected)
    assert len(logs) == 2 * 2 * 3


@pytest.mark.parametrize("where", ["alone", "pipeline", "grid"])
def test_progress_bar(iris, capsys, where):
    X, y = iris
    net = made(max_iter=3)
    if where == "alone":
        net.set_callbacks(ProgressBar()).fit(X, y)
    elif where == "pipeline":
        model = make_pipeline(StandardScaler(), net)
        model.set_callbacks(ProgressBar(max_propagation_depth=None)).fit(X, y)
    else:
        search = GridSearchCV(net, {"alpha": [0.0, 1.0]}, cv=2)
        search.set_callbacks(ProgressBar(max_propagation_depth=None)).fit(X, y)
    assert "MLPClassifier" in capsys.readouterr().out


def test_callbacks_survive_clones_but_not_as_parameters(iris):
    spy = Spy()
    net = made().set_callbacks(spy)
    assert clone(net)._skl_callbacks[0] is spy
    assert not any("callback" in name for name in net.get_params())
    net.set_callbacks()
    net.fit(*iris)
    assert spy.calls == []


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_teardown_comes_also_after_an_error(iris, method):
    class Fail(Spy):
        def stop(self, context):
            raise RuntimeError("from a callback")

    spy = Fail()
    net = made().set_callbacks(spy)
    with pytest.raises(RuntimeError, match="from a callback"):
        getattr(net, method)(*iris)
    assert spy.calls[-1][0] == "teardown"
    assert not any("callback_fit" in name for name in vars(net))


def test_partial_fit_is_one_epoch_of_one_fit(iris):
    spy = Spy()
    net = made().set_callbacks(spy)
    for _ in range(2):
        net.partial_fit(*iris)
    assert [call[:3] for call in spy.calls if call[0] in ("begin", "end")] == 2 * [
        ("begin", "fit", 0),
        ("begin", "epoch", 0),
        ("end", "epoch", 0),
        ("end", "fit", 0),
    ]
