"""Bad input: each a clear error that says what came, what is expected and known."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skdl import MLPClassifier, MLPRegressor
from skdl.activations import ELU, LeakyReLU, ReLU
from skdl.initializers import Normal, Uniform, VarianceScaling, XavierNormal
from skdl.layers import BatchNorm, Dense
from skdl.losses import CrossEntropy
from skdl.optimizers import LBFGS, SGD, Adam, Lion, Momentum, RProp
from skdl.schedules import Cosine

N, D = 30, 4
X = np.random.default_rng(0).normal(size=(N, D))
Y = np.arange(N) % 3
ONES = np.ones(N)


def spoiled(array, value):
    array = np.array(array, dtype=float)
    array.flat[3] = value
    return array


# arguments of fit -> the message
DATA = {
    "NaN in X": ({"X": spoiled(X, np.nan)}, "Input X contains NaN"),
    "infinite X": ({"X": spoiled(X, np.inf)}, "Input X contains infinity"),
    "NaN in y": ({"y": spoiled(Y, np.nan)}, "Input y contains NaN"),
    "infinite y": ({"y": spoiled(Y, -np.inf)}, "Input y contains infinity"),
    "one row": ({"X": X[0]}, "Expected 2D array, got 1D array"),
    "three dimensions": ({"X": X[:, :, None]}, "Found array with dim 3"),
    "no rows": ({"X": X[:0], "y": Y[:0]}, r"Found array with 0 sample\(s\)"),
    "no columns": ({"X": X[:, :0]}, r"Found array with 0 feature\(s\)"),
    "other length": ({"y": Y[:7]}, r"inconsistent numbers of samples: \[30, 7\]"),
    "no y": ({"y": None}, "requires y to be passed"),
    "3-d y": ({"y": np.zeros((N, 2, 2))}, "dim"),
    "words in X": ({"X": np.full((N, D), "a")}, "could not convert string to float"),
    "complex X": ({"X": X * 1j}, "Complex data not supported"),
    "NaN weights": ({"sample_weight": ONES * np.nan}, "sample_weight contains NaN"),
    "infinite weights": (
        {"sample_weight": ONES * np.inf},
        "sample_weight contains infinity",
    ),
    "negative weights": ({"sample_weight": spoiled(ONES, -1)}, "Negative values in"),
    "zero weights": ({"sample_weight": 0 * ONES}, "at least one non-zero number"),
    "short weights": ({"sample_weight": ONES[:5]}, r"sample_weight\.shape == \(5,\)"),
    "2-d weights": ({"sample_weight": X}, "must be 1D array or scalar"),
    "X_val alone": ({"X_val": X}, "X_val was given without y_val; give both"),
    "y_val alone": ({"y_val": Y}, "y_val was given without X_val; give both"),
    "val weights alone": ({"sample_weight_val": ONES}, "without X_val and y_val"),
}


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("cls", [MLPClassifier, MLPRegressor])
@pytest.mark.parametrize("case", DATA)
def test_data(case, cls, method):
    arguments, message = DATA[case]
    net = cls((3,), max_iter=2)
    with pytest.raises(ValueError, match=message):
        getattr(net, method)(**{"X": X, "y": Y, **arguments})
    assert not hasattr(net, "network_")


PREDICT = {
    "NaN": (spoiled(X, np.nan), "Input X contains NaN"),
    "infinite": (spoiled(X, np.inf), "Input X contains infinity"),
    "other width": (X[:, :2], "X has 2 features, but MLP.* is expecting 4 features"),
    "one row": (X[0], "Expected 2D array, got 1D array"),
    "no rows": (X[:0], "0 sample"),
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("cls", [MLPClassifier, MLPRegressor])
@pytest.mark.parametrize("case", PREDICT)
def test_data_to_predict(case, cls):
    data, message = PREDICT[case]
    net = cls((3,), max_iter=2).fit(X, Y)
    for name in ("predict", "predict_proba", "predict_log_proba"):
        if hasattr(net, name):
            with pytest.raises(ValueError, match=message):
                getattr(net, name)(data)


def test_prediction_needs_a_fit():
    for cls in (MLPClassifier, MLPRegressor):
        with pytest.raises(NotFittedError, match=f"This {cls.__name__} instance"):
            cls().predict(X)


# Names: (setting, what is wrong) -> one of the known names that the message lists.
NAMES = {
    ("optimizer", "adamant"): "Unknown optimizer 'adamant'. Known names:.*adam, adamw",
    ("initializer", "hee"): "Unknown initializer 'hee'. Known names:.*he_normal",
    ("activation", "relux"): "Unknown activation 'relux'. Known names:.*relu",
    ("loss", "entropy"): "Unknown loss 'entropy'. Known names:.*cross_entropy",
    ("layers", "dens"): "Unknown layer 'dens'. Known layers:.*dense.*relu",
    ("optimizer__learning_rate", "cosin"): "Unknown schedule 'cosin'.*cosine",
}


@pytest.mark.parametrize(("setting", "name"), NAMES)
def test_unknown_names_list_the_known_ones(setting, name):
    value = [name] if setting == "layers" else name
    net = MLPClassifier((3,)).set_params(**{setting: value})  # no error before fit
    repr(clone(net))
    for method in ("fit", "partial_fit", "initialize"):
        if method == "initialize" and setting.startswith("optimizer__"):
            continue  # it makes no step
        with pytest.raises(ValueError, match=NAMES[setting, name]):
            getattr(net, method)(X, Y)


# Wrong kinds of objects -> the message
KINDS = {
    "an optimizer's class": ({"optimizer": Adam}, r"Pass an instance: Adam\(\)"),
    "a schedule": ({"optimizer": Cosine()}, "The optimizer must be one of the names"),
    "a number": ({"optimizer": 0.1}, "got 0.1 of type float"),
    "nothing": ({"optimizer": None}, "got None of type NoneType"),
    "a list": ({"optimizer": ["adam"]}, "of type list"),
    "an optimizer to start": ({"initializer": SGD()}, "The initializer must be one of"),
    "a layer's class": ({"layers": [Dense]}, r"Pass an instance: Dense\(\)"),
    "no list": ({"layers": "relu"}, "layers must be a list of layers or names"),
    "one layer": ({"layers": Dense(3)}, "layers must be a list of layers or names"),
    "an optimizer inside": ({"layers": [SGD()]}, "The layer must be one of the names"),
    "an activation inside": ({"layers": [ReLU()]}, "The layer must be one of the name"),
    "a class as activation": ({"activation": ReLU}, r"Pass an instance: ReLU\(\)"),
    "a number as activation": ({"activation": 3}, "The activation must be one of the"),
    "a number as loss": ({"loss": 3}, "The loss must be one of the names"),
}


@pytest.mark.parametrize("method", ["fit", "partial_fit", "initialize"])
@pytest.mark.parametrize("case", KINDS)
def test_wrong_kinds(case, method):
    settings, message = KINDS[case]
    with pytest.raises(TypeError, match=message):
        getattr(MLPClassifier(**settings), method)(X, Y)


# Values out of range -> the message
VALUES = {
    "size 0": ({"hidden_layer_sizes": 0}, "positive integers, got 0"),
    "half a unit": ({"hidden_layer_sizes": (2.5,)}, r"positive integers, got \(2\.5,"),
    "no sizes": ({"hidden_layer_sizes": None}, "positive integers, got None"),
    "few activations": (
        {"hidden_layer_sizes": (3, 2), "activation": ["relu"]},
        "activation has 1 entries for 2 hidden layers; give one for all or one for",
    ),
    "many rates": (
        {"hidden_layer_sizes": (3,), "dropout": [0.1, 0.2]},
        "dropout has 2 entries for 1 hidden layers",
    ),
    "all dropped": ({"dropout": 1.0}, r"Dropout .* \[0.0, 1.0\). Got 1\.0"),
    "less than none": ({"dropout": -0.1}, r"'rate' .* Got -0\.1"),
    "a word": ({"dropout": "some"}, r"'rate' .* Got 'some'"),
    "a word as momentum": (
        {"layers": [BatchNorm(momentum="x")]},
        r"Layer 0 .*'momentum' .* \(0.0, 1.0\]. Got 'x'",
    ),
    "a word as first rate": (
        {"optimizer": SGD(Cosine(initial="x"))},
        r"'initial' parameter of Cosine .* Got 'x'",
    ),
    "a word as std": ({"initializer": Normal("x")}, r"'std' .* Got 'x'"),
    "a word as bound": ({"initializer": Uniform("x")}, r"'low' .* Got 'x'"),
    "a word as gain": ({"initializer": XavierNormal("x")}, r"'gain' .* Got 'x'"),
    "a word as scale": ({"initializer": VarianceScaling("x")}, r"'scale' .* Got 'x'"),
    "a word as smoothing": (
        {"loss": CrossEntropy("x")},
        r"_smoothing' .* Got 'x'",
    ),
    "a word as slope": ({"activation": LeakyReLU("x")}, r"'slope' .* Got 'x'"),
    "a word as alpha": ({"activation": ELU("x")}, r"'alpha' .* Got 'x'"),
    "step": ({"activation": "step"}, "no useful derivative and cannot be trained"),
    "rate 0": ({"optimizer": SGD(0.0)}, r"'learning_rate' parameter of SGD .* \(0"),
    "rate NaN": (
        {"optimizer": SGD(np.nan)},
        r"'learning_rate' .* Got nan",
    ),
    "momentum 1": (
        {"optimizer": Momentum(momentum=1.0)},
        r"'momentum' .* Got 1.0",
    ),
    "beta −1": ({"optimizer": Adam(beta_1=-1.0)}, r"'beta_1' .* Got -1.0"),
    "decay −1": ({"optimizer": Lion(weight_decay=-1.0)}, r"'weight_decay' .* Got -1.0"),
    "clip 0": ({"optimizer": Adam(clip_norm=0.0)}, r"'clip_norm' .* Got 0.0"),
    "shrink 2": ({"optimizer": RProp(shrink=2.0)}, r"'shrink' .* Got 2.0"),
    "memory 0": ({"optimizer": LBFGS(memory=0)}, r"'memory' .* \[1, inf\). Got 0"),
    "batch for lbfgs": (
        {"optimizer": "lbfgs", "batch_size": 5},
        "LBFGS works on the whole sample",
    ),
    "no such layer": ({"freeze": "some"}, "freeze: no layer is called 'some'"),
    "no such rate": ({"layer_rates": -1.0}, r"'layer_rates' .* Got -1\.0"),
    "rate of no layer": ({"layer_rates": {9: 0.1}}, "layer_rates: there are 2 layers"),
    "weights of nothing fitted": (
        {"init_from": MLPClassifier()},
        "This MLPClassifier instance is not fitted yet",
    ),
    "weights below zero": ({"class_weight": {0: -1.0}}, "gives negative weights"),
    "weights of zero": (
        {"class_weight": {0: 0.0, 1: 0.0, 2: 0.0}},
        "or none but zeros",
    ),
}


@pytest.mark.parametrize("case", VALUES)
def test_values_out_of_range(case):
    settings, message = VALUES[case]
    net = MLPClassifier(**{"hidden_layer_sizes": (3,), **settings})
    with pytest.raises(ValueError, match=message):
        net.fit(X, Y)
    assert not hasattr(net, "network_")


# What scikit-learn's own validation of settings says.
SETTINGS = {
    "alpha": -1.0,
    "l1": -1.0,
    "batch_size": 0,
    "max_iter": 0,
    "shuffle": "yes",
    "random_state": "seed",
    "tol": -1.0,
    "verbose": "yes",
    "warm_start": "yes",
    "early_stopping": "yes",
    "validation_fraction": 1.0,
    "n_iter_no_change": 0,
    "n_init": 0,
    "n_jobs": "all",
    "dtype": "float16",
    "batch_norm": "yes",
    "class_weight": "fair",
    "scoring": 3,
    "layer_rates": "fast",
}


@pytest.mark.parametrize("setting", SETTINGS)
def test_settings(setting):
    net = MLPClassifier().set_params(**{setting: SETTINGS[setting]})
    with pytest.raises(ValueError, match=f"The '{setting}' parameter of MLPClassifier"):
        net.fit(X, Y)


def test_every_setting_is_checked():
    checked = {
        *SETTINGS,
        *(name for kind in (KINDS, VALUES) for s, _ in kind.values() for name in s),
        "scoring",
    }
    assert set(MLPClassifier().get_params(deep=False)) <= checked


def test_partial_fit_cannot_balance_or_use_lbfgs():
    with pytest.raises(ValueError, match='class_weight="balanced" needs all of the'):
        MLPClassifier(class_weight="balanced").partial_fit(X, Y)
    with pytest.raises(ValueError, match="one batch at a time, got LBFGS; use fit"):
        MLPClassifier(optimizer="lbfgs").partial_fit(X, Y)
    with pytest.raises(ValueError, match="needs validation data: pass X_val and y_val"):
        MLPClassifier(early_stopping=True).partial_fit(X, Y)
