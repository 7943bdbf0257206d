"""What others see of a fit: callbacks, and what is printed."""

import numpy as np
import pytest
import sklearn
from boosters import TASKS, X, Y, made
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdl import AdaBoostClassifier, AdaBoostRegressor, GradientBoostingRegressor


class Counter:
    """Count the tasks by name."""

    def __init__(self):
        self.names, self.rounds = [], []

    def setup(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        self.names.append(context.task_name)
        if context.task_name == "tree":
            self.rounds.append(fitted_estimator.n_estimators_)

    def teardown(self, estimator, context):
        pass


@pytest.mark.parametrize("task", TASKS)
def test_one_task_a_tree(task):
    _, X, y = TASKS[task]
    counter = Counter()
    made(task).set_callbacks(counter).fit(X, y)
    assert counter.names[:8] == ["tree"] * 8
    assert len(counter.names) == 9
    assert counter.rounds == list(range(1, 9))


def test_callbacks_see_the_current_round_under_early_stopping():
    counter = Counter()
    model = made("regression", n_iter_no_change=2, tol=1e9).set_callbacks(counter)
    model.fit(X, Y)
    assert counter.rounds == [1, 2, 3]
    assert model.n_estimators_ == 3  # tol says when to stop, not which is the best


def test_callbacks_see_rounds_that_are_added():
    counter = Counter()
    model = made("regression", warm_start=True).fit(X, Y)
    model.set_callbacks(counter).set_params(n_estimators=10).fit(X, Y)
    assert counter.rounds == [9, 10]


@pytest.mark.parametrize("task", ["regression", "three classes"])
def test_scoring_monitor_scores_each_stage(task):
    _, X, y = TASKS[task]
    monitor = ScoringMonitor(scoring="r2" if task == "regression" else "accuracy")
    model = made(task).set_callbacks(monitor).fit(X, y)
    rows = [row for row in monitor.get_logs().data if row["task_name"] == "tree"]
    scores = [row.get("r2", row.get("accuracy")) for row in rows]
    stages = list(model.staged_predict(X))
    if task == "regression":
        expected = [sklearn.metrics.r2_score(y, stage) for stage in stages]
    else:
        expected = [(stage == y).mean() for stage in stages]
    np.testing.assert_allclose(scores, expected)


@pytest.mark.parametrize("where", ["alone", "pipeline", "search"])
def test_progress_bar(where, capsys):
    model = made("regression")
    if where != "alone":
        model = make_pipeline(StandardScaler(), model)
    if where == "search":
        model = GridSearchCV(
            model, {"gradientboostingregressor__max_depth": [1, 2]}, cv=2
        )
    model.set_callbacks(ProgressBar()).fit(X, Y)
    printed = capsys.readouterr().out
    assert ("Pipeline" if where == "search" else "GradientBoosting") in printed
    assert "100%" in printed


def test_scoring_monitor_inside_a_search():
    monitor = ScoringMonitor(scoring="r2")
    model = made("regression").set_callbacks(monitor)
    GridSearchCV(
        make_pipeline(StandardScaler(), model),
        {"gradientboostingregressor__max_depth": [1, 2]},
        cv=2,
    ).fit(X, Y)
    logs = monitor.get_logs(select="all")
    rows = [row for log in logs for row in log.data if row["task_name"] == "tree"]
    assert len(rows) == 8 * (2 * 2 + 1)  # folds × candidates, and the last fit


class Stop:
    """Stop after some trees."""

    def __init__(self, after):
        self.after = after

    def setup(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        return context.task_name == "tree" and context.task_id + 1 == self.after

    def teardown(self, estimator, context):
        pass


def test_a_callback_may_stop():
    model = GradientBoostingRegressor(n_estimators=9).set_callbacks(Stop(3)).fit(X, Y)
    assert model.n_estimators_ == 3


# ---- what is printed


LINES = {0: [], 1: [*range(1, 11), 20], 2: list(range(1, 26)), 7: list(range(1, 26))}


def table(capsys):
    """Return the title, the heads, the rows as words, and the last line."""
    lines = capsys.readouterr().out.splitlines()
    if lines[0].startswith("Compiling"):  # nobody else has needed it before
        del lines[0]
    return lines[0], lines[1].split(), [x.split() for x in lines[2:-1]], lines[-1]


def is_time(word):
    return float(word) >= 0.0


@pytest.mark.parametrize("verbose", LINES)
def test_verbose(verbose, capsys):
    model = made("regression", verbose=verbose, n_estimators=25).fit(X, Y)
    if not verbose:
        assert capsys.readouterr().out == ""
        return
    title, heads, rows, last = table(capsys)
    assert title == "GradientBoostingRegressor: 442 rows, 10 features"
    assert heads == ["round", "loss", "leaves", "time"]
    assert [int(row[0]) for row in rows] == LINES[verbose]
    for t, loss, leaves, seconds, unit in rows:
        assert float(loss) == pytest.approx(model.train_score_[int(t) - 1], rel=1e-5)
        assert int(leaves) == model.estimators_[int(t) - 1][0].n_leaves
        assert is_time(seconds)
        assert unit == "s"
    times = [float(row[3]) for row in rows]
    assert times == sorted(times)
    assert last == "Done: 25 rounds."


def test_verbose_with_validation(capsys):
    settings = {"n_iter_no_change": 2, "tol": 10.0, "scoring": "r2", "verbose": 2}
    model = GradientBoostingRegressor(**settings, n_estimators=99, random_state=0)
    model.fit(X[:300], Y[:300], X_val=X[300:], y_val=Y[300:])
    title, heads, rows, last = table(capsys)
    assert title.endswith("300 rows, 10 features, 142 rows for validation")
    assert " ".join(heads) == "round loss val loss val score leaves time"
    n = len(model.history_["loss"])
    assert len(rows) == n == 3
    for t, row in enumerate(rows):
        for name, word in zip(("loss", "val_loss", "val_score"), row[1:4], strict=True):
            assert float(word) == pytest.approx(model.history_[name][t], rel=1e-3)
    assert [row[-1] == "*" for row in rows] == [True, True, True]
    assert last == (
        "Stopped after round 3: no improvement by 10 for 2 rounds. The best round on "
        "validation data is 3, the last that is kept."
    )


def test_verbose_going_on(capsys):
    model = made("regression", warm_start=True, n_estimators=2).fit(X, Y)
    model.set_params(n_estimators=4, verbose=2).fit(X, Y)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["3", "4", "Done:"]


def test_verbose_when_a_callback_stops(capsys):
    model = made("two classes", verbose=1).set_callbacks(Stop(3))
    model.fit(TASKS["two classes"][1], TASKS["two classes"][2])
    assert table(capsys)[3] == "Stopped after round 3 by a callback."


@pytest.mark.parametrize("kind", [AdaBoostClassifier, AdaBoostRegressor])
def test_verbose_of_adaboost(kind, capsys):
    model = kind(n_estimators=12, verbose=1, random_state=0).fit(X, Y > 140)
    title, heads, rows, last = table(capsys)
    assert title == f"{kind.__name__}: 442 rows, 10 features"
    assert heads == ["round", "error", "weight", "time"]
    assert [int(row[0]) for row in rows] == list(range(1, 11))
    for t, (_, error, weight, seconds, _) in enumerate(rows):
        assert float(error) == pytest.approx(model.estimator_errors_[t], abs=6e-6)
        assert float(weight) == pytest.approx(model.estimator_weights_[t], abs=6e-5)
        assert is_time(seconds)
    assert last == "Done: 12 rounds."
    model.set_params(verbose=0).fit(X, Y > 140)
    assert capsys.readouterr().out == ""


def test_rounds_that_adaboost_drops_are_not_printed(capsys):
    """The last round is no better than chance, and the first perfect one ends."""
    model = AdaBoostClassifier(max_depth=9, verbose=2).fit(X, X[:, 0] > 0)
    _, _, rows, last = table(capsys)
    assert len(rows) == len(model.estimators_) == 1
    assert last == "Done: 1 round."
