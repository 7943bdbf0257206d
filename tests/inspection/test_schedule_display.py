"""Schedules, drawn: the rates that training has are the rates of the picture."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline

from skdl import GradientBoostingRegressor, MLPRegressor, schedules
from skdl.inspection import ScheduleDisplay
from skdl.schedules import (
    Constant,
    Cosine,
    Exponential,
    Inverse,
    OneCycle,
    ReduceOnPlateau,
    Step,
    WarmUp,
)

X, Y = load_diabetes(return_X_y=True)
X, Y = X[:90], Y[:90] / 100
SCHEDULES = [
    Constant(0.01),
    Inverse(0.01, decay=0.1),
    Inverse(0.01, unit="epoch"),
    Step(0.01, every=3, gamma=0.3),
    Exponential(0.01, gamma=0.9, unit="step"),
    Cosine(0.01),
    Cosine(0.01, unit="epoch"),
    OneCycle(0.01),
    WarmUp(0.01, length=7, after=Cosine()),
    ReduceOnPlateau(0.01, factor=0.5, patience=0, threshold=0.1),
]


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def net(schedule, **settings):
    settings = {"max_iter": 12, "n_iter_no_change": "never", **settings}
    model = MLPRegressor((4,), optimizer="sgd", batch_size=30, random_state=0)
    return model.set_params(optimizer__learning_rate=schedule, **settings).fit(X, Y)


@pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)
def test_the_rates_of_a_network(schedule):
    """Three updates in an epoch; the history has the rate of each epoch's first."""
    model = net(schedule)
    display = ScheduleDisplay.from_schedule(
        schedule, n_epochs=12, steps_per_epoch=3, losses=model.history_["loss"]
    )
    (line,) = display.lines_
    t, rates = line.get_xdata(), line.get_ydata()
    assert len(t) == 12 * (3 if schedule.unit == "step" else 1)
    first = np.isclose(t % 1, 0)
    np.testing.assert_allclose(t[first], np.arange(12))
    np.testing.assert_allclose(rates[first], model.history_["learning_rate"])
    done = ScheduleDisplay.from_estimator(model).lines_[0]
    np.testing.assert_array_equal(done.get_xdata(), np.arange(1, 13))
    np.testing.assert_array_equal(done.get_ydata(), model.history_["learning_rate"])


@pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)
def test_the_rates_of_a_booster(schedule):
    model = GradientBoostingRegressor(learning_rate=schedule, n_estimators=12)
    model.fit(X, Y)
    display = ScheduleDisplay.from_schedule(
        schedule, n_epochs=12, losses=model.train_score_
    )
    np.testing.assert_allclose(display.lines_[0].get_ydata(), model.ensemble_.rates)
    done = ScheduleDisplay.from_estimator(model)
    np.testing.assert_array_equal(done.lines_[0].get_ydata(), model.ensemble_.rates)
    assert done.ax_.get_xlabel() == "tree"
    assert done.ax_.get_ylabel() == "learning rate"
    assert done.ax_.get_legend() is None


def labels(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


def test_names_numbers_and_words():
    display = ScheduleDisplay.from_schedule(["cosine", "inverse"], n_epochs=5)
    assert labels(display) == ["Cosine", "Inverse"]
    assert display.lines_[0].get_ydata()[0] == 1.0
    assert display.ax_.get_ylabel() == "factor of the learning rate"
    pair = [Exponential(gamma=0.5), Exponential(gamma=0.9)]
    display = ScheduleDisplay.from_schedule(pair, initial=2.0, n_epochs=3, log=True)
    assert labels(display) == ["Exponential(gamma=0.5)", "Exponential(gamma=0.9)"]
    np.testing.assert_allclose(display.lines_[0].get_ydata(), [2.0, 1.0, 0.5])
    assert display.ax_.get_ylabel() == "learning rate"
    assert display.ax_.get_yscale() == "log"
    display = ScheduleDisplay.from_schedule({"mine": Constant(0.3), "other": "step"})
    assert labels(display) == ["mine", "other"]
    display = ScheduleDisplay.from_schedule("step", name="one", initial=1, n_epochs=20)
    assert list(display.rates) == ["one"]
    np.testing.assert_allclose(display.rates["one"], [1.0] * 10 + [0.1] * 10)


def test_its_own_rate_comes_before_the_given_one():
    display = ScheduleDisplay.from_schedule(Constant(0.3), initial=5.0, n_epochs=2)
    np.testing.assert_array_equal(display.lines_[0].get_ydata(), [0.3, 0.3])


def test_losses_that_end_early_and_none():
    plateau = ReduceOnPlateau(1.0, factor=0.5, patience=1)
    display = ScheduleDisplay.from_schedule(plateau, n_epochs=7)
    np.testing.assert_allclose(
        display.lines_[0].get_ydata(), [1, 1, 1, 0.5, 0.5, 0.25, 0.25]
    )
    display = ScheduleDisplay.from_schedule(plateau, n_epochs=7, losses=[3.0, 2.0])
    np.testing.assert_allclose(
        display.lines_[0].get_ydata(), [1, 1, 1, 1, 0.5, 0.5, 0.25]
    )


def test_an_axis_of_ones_own_and_options():
    figure, ax = plt.subplots()
    models = [net(Cosine(0.01)), make_pipeline(net(Constant(0.01)))]
    display = ScheduleDisplay.from_estimator(models, ax=ax, color="k", name=["a", "b"])
    assert display.ax_ is ax
    assert display.figure_ is figure
    assert {line.get_color() for line in display.lines_} == {"k"}
    assert labels(display) == ["a", "b"]
    assert display.plot(ax=ax) is display
    assert len(ax.lines) == 4


def test_the_constructor_only_stores():
    rates = {"a": np.array([1.0, 2.0])}
    display = ScheduleDisplay(rates=rates, times={"a": np.array([0.0, 1.0])})
    assert display.rates is rates
    assert not hasattr(display, "ax_")


WRONG = {
    "an unknown name": (lambda: ScheduleDisplay.from_schedule("cosinus"), "cosinus"),
    "a setting": (
        lambda: ScheduleDisplay.from_schedule(Cosine(final=2.0)),
        "final",
    ),
    "a length": (
        lambda: ScheduleDisplay.from_schedule("step", n_epochs=0),
        "n_epochs and steps_per_epoch must be at least 1, got 0 and 1",
    ),
    "no rates": (
        lambda: ScheduleDisplay.from_estimator(LinearRegression().fit(X, Y)),
        "LinearRegression has no learning rates",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_drawn(case):
    call, message = WRONG[case]
    with pytest.raises(ValueError, match=message):
        call()


def test_all_that_are_known():
    display = ScheduleDisplay.from_schedule(schedules.names(), n_epochs=20)
    assert len(display.lines_) == len(schedules.names())
