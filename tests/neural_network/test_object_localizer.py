"""Where is the object: boxes as targets, in scikit-learn's manner."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.callback import ScoringMonitor
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skdl import ObjectLocalizer
from skdl.callbacks import EarlyStopping
from skdl.layers import Conv2D, Dense, Flatten, MaxPool2D
from skdl.losses import BoxLoss
from skdl.metrics import mean_box_iou

LAYERS = [Conv2D(8, 3, padding=1), "relu", MaxPool2D(), Flatten(), Dense(32), "relu"]
NOTHING = [0, np.nan, np.nan, np.nan, np.nan]

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning",
)


def scenes(n, seed=0):
    """Return pictures with a bright rectangle or none; some reach over the edge."""
    rng = np.random.default_rng(seed)
    X = rng.random((n, 12, 12), dtype=np.float32) / 4
    y = np.full((n, 5), np.nan)
    y[:, 0] = np.arange(n) % 4 > 0
    for picture, target in zip(X, y, strict=True):
        if not target[0]:
            continue
        h, w = rng.integers(3, 7, 2)
        top, left = rng.integers(-1, 13 - h), rng.integers(-1, 13 - w)
        picture[max(top, 0) : top + h, max(left, 0) : left + w] = 1
        target[1:] = (left + w / 2) / 12, (top + h / 2) / 12, w / 12, h / 12
    return X, y


X, Y = scenes(160)


def made(**settings):
    settings = {"layers": LAYERS, "max_iter": 2, "n_iter_no_change": "never"} | settings
    return ObjectLocalizer(batch_size=16, random_state=0, **settings)


@pytest.fixture(scope="module")
def fitted():
    X_val, y_val = scenes(40, seed=1)
    return made(max_iter=25).fit(X, Y, X_val=X_val, y_val=y_val)


def test_boxes_are_found(fitted):
    X_new, y_new = scenes(60, seed=2)
    predicted, p = fitted.predict(X_new), fitted.predict_proba(X_new)
    assert predicted.shape == y_new.shape
    assert (predicted[:, 0] == y_new[:, 0]).mean() > 0.95
    np.testing.assert_array_equal(predicted[:, 0], fitted.classes_[p.argmax(axis=1)])
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-6)
    nothing = predicted[:, 0] == 0
    assert np.isnan(predicted[nothing, 1:]).all()
    boxes = fitted.predict_boxes(X_new)
    np.testing.assert_array_equal(predicted[~nothing, 1:], boxes[~nothing])
    assert np.isfinite(boxes).all()
    score = fitted.score(X_new, y_new)
    assert score > 0.5
    assert score == pytest.approx(mean_box_iou(y_new, predicted))


def test_boxes_may_reach_over_the_edge(fitted):
    over = (Y[:, 1] - Y[:, 3] / 2 < 0) | (Y[:, 2] - Y[:, 4] / 2 < 0)
    assert over.sum() > 5
    boxes = fitted.predict_boxes(X[over])
    assert (boxes[:, :2] - boxes[:, 2:] / 2 < 0).any()


def test_parts_of_the_loss_are_in_the_history(fitted):
    parts = [f"loss_{part}" for part in BoxLoss.parts]
    assert parts == [
        "loss_presence",
        "loss_x",
        "loss_y",
        "loss_width",
        "loss_height",
    ]
    history = fitted.history_
    total = np.sum([history[part] for part in parts], axis=0)
    penalty = np.array(history["loss"]) - total
    assert (penalty > 0).all()
    assert (penalty < 0.01).all()  # alpha
    total = np.sum([history[f"val_{part}"] for part in parts], axis=0)
    np.testing.assert_allclose(total, history["val_loss"], rtol=1e-5)
    X_val, y_val = scenes(40, seed=1)
    y_val = y_val.astype(np.float32)
    raw = fitted.network_.predict(X_val[..., None])
    expected = BoxLoss().evaluate(y_val, raw)[0].mean(axis=0)
    got = [history[f"val_{part}"][-1] for part in parts]
    np.testing.assert_allclose(got, expected, rtol=1e-4)


def test_parts_under_an_optimizer_of_all_rows():
    net = made(optimizer="lbfgs", alpha=0.0).set_params(batch_size="auto")
    history = net.fit(X[:20], Y[:20]).history_
    total = sum(history[f"loss_{part}"][-1] for part in BoxLoss.parts)
    raw = net.network_.predict(X[:20, ..., None])
    assert history["loss"][-1] == pytest.approx(BoxLoss()(Y[:20], raw), rel=1e-3)
    assert np.isfinite(total)


def test_starts_with_the_mean_box():
    net = made().initialize(X, Y)
    there = Y[:, 0] == 1
    bias = net.network_.params["6.b"]
    expected = BoxLoss().init_raw(Y)
    np.testing.assert_allclose(bias, expected, rtol=1e-5)
    np.testing.assert_allclose(np.exp(bias[3]), np.exp(np.log(Y[there, 3]).mean()))
    assert net.predict(X).shape == (160, 5)


def test_weights_are_repetitions():
    weight = np.arange(24) % 3
    repeated = np.repeat(np.arange(24), weight)
    settings = {"max_iter": 3, "optimizer": "gd", "dtype": "float64"}
    a = made(**settings).set_params(batch_size="auto").fit(X[:24], Y[:24], weight)
    b = made(**settings).set_params(batch_size="auto").fit(X[repeated], Y[repeated])
    np.testing.assert_allclose(a.predict_boxes(X), b.predict_boxes(X), rtol=1e-9)


def test_as_scikit_learn():
    flat = X.reshape(len(X), -1)
    names = {"loss__box_weight": [0.5, 1.0], "optimizer__learning_rate": [1e-3]}
    search = GridSearchCV(made(max_iter=1), names, cv=2).fit(flat, Y)
    assert search.best_estimator_.input_shape_ == (12, 12, 1)
    pipe = make_pipeline(FunctionTransformer(np.sqrt), made()).fit(flat, Y)
    again = pickle.loads(pickle.dumps(pipe))
    np.testing.assert_array_equal(again.predict(flat), pipe.predict(flat))
    assert pipe.score(flat, Y) == again.score(flat, Y)
    new = clone(pipe[-1])
    assert not hasattr(new, "network_")
    with pytest.raises(NotFittedError):
        new.classes_  # noqa: B018
    with pytest.raises(NotFittedError):
        new.predict(flat)


def test_going_on():
    stream = made()
    for start in (0, 80):
        stream.partial_fit(X[start : start + 80], Y[start : start + 80])
    assert stream.n_iter_ == 2
    stream.partial_fit(X[:3], [NOTHING] * 3)  # later pieces may be empty
    warm = made(warm_start=True)
    assert warm.fit(X, Y).fit(X, Y).n_iter_ == 4


def test_early_stopping_and_callbacks():
    net = made(max_iter=4, early_stopping=True, scoring=None)
    net.fit(X.astype(np.float64), Y)
    assert len(net.validation_scores_) == 4
    assert max(net.validation_scores_) == net.best_validation_score_
    stopped = made(max_iter=9)
    stopped.set_callbacks(EarlyStopping("loss", patience=1, tol=10.0))
    assert stopped.fit(X[:40], Y[:40]).n_iter_ < 9
    monitor = ScoringMonitor(scoring={"iou": lambda net, X, y: net.score(X, y)})
    net = made().set_callbacks(monitor).fit(X[:40], Y[:40])
    assert monitor.get_logs().data[-1]["iou"] == net.score(X[:40], Y[:40])


def with_row(row):
    y = Y.copy()
    y[5] = row
    return y


BAD = [
    (with_row([1, 0.5, 0.5, 0, 0.2]), "picture 5, .* width or height that is not"),
    (with_row([1, 0.5, 0.5, 0.2, -0.2]), "width or height that is not > 0"),
    (with_row([1, 1.2, 0.5, 0.2, 0.2]), "centre outside the picture"),
    (with_row([1, 6, 7, 3, 3]), "Divide pixels"),
    (with_row([1, np.nan, 0.5, 0.2, 0.2]), "not finite though an object is there"),
    (with_row([0.5, 0.5, 0.5, 0.2, 0.2]), "0 or 1"),
    (np.array([NOTHING] * 160), "no object in any picture"),
    (Y[:, :4], "five columns"),
    (Y[:, 0], "five columns"),
    (Y[:7], "inconsistent numbers of samples: 160 pictures"),
    (None, "requires y to be passed"),
    (np.full((160, 5), "a"), "could not convert string"),
]


@pytest.mark.parametrize("case", range(len(BAD)))
def test_bad_targets(case, fitted):
    y, message = BAD[case]
    net = clone(fitted)
    with pytest.raises(ValueError, match=message):
        net.fit(X, y)
    assert not hasattr(net, "network_")
    before = fitted.predict(X)
    with pytest.raises(ValueError, match=message):
        fitted.fit(X, y)
    np.testing.assert_array_equal(fitted.predict(X), before)


def test_other_losses_and_transforms_that_move_things():
    with pytest.raises(ValueError, match="is no loss for boxes"):
        made(loss="squared_error").fit(X, Y)
    with pytest.raises(ValueError, match="Boxes need a loss such as BoxLoss"):
        made(loss=lambda y, raw: (raw, raw)).fit(X, Y)
    for name in ("shift", "flip", "rotate", "crop_resize", "mixup"):
        with pytest.raises(ValueError, match="the boxes in y would have to change"):
            made(augment=[name]).fit(X, Y)
    assert made(augment=["brightness", "cutout"], max_iter=1).fit(X, Y).n_iter_ == 1
    with pytest.raises(ValueError, match="takes flat ones"):
        made(layers=[Conv2D(2, 3)]).fit(X, Y)
