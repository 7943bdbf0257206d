"""What others see of a fit: callbacks, and what is printed."""

import numpy as np
import pytest
import sklearn
from boosters import TASKS, X, Y, made
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdl import GradientBoostingRegressor


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
    assert model.n_estimators_ == 1


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


LINES = {0: 0, 1: 11, 2: 25}


@pytest.mark.parametrize("verbose", LINES)
def test_verbose(verbose, capsys):
    model = made("regression", verbose=verbose, n_estimators=25).fit(X, Y)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == LINES[verbose]
    for line in lines:
        _, t, _, _, loss, _, leaves = line.split()
        assert float(loss) == pytest.approx(model.train_score_[int(t) - 1], rel=1e-5)
        assert int(leaves) == model.estimators_[int(t) - 1][0].n_leaves
