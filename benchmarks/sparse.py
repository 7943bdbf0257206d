"""Boosting on sparse words: skdl against XGBoost.

20,000 made documents of some 150 words from 50,000, as TF-IDF; trees of depth 3, two
threads, each contender in a process of its own, warmed up on a part of the data.
XGBoost takes the words that a document lacks for missing, skdl for zeros. (LightGBM
takes minutes to bundle the words.)
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from scipy import sparse

from benchmarks._runner import measure, print_table, timed
from benchmarks.boosting import memory, reset_peak

CONTENDERS = ("skdl", "XGBoost")
CASES = {f"20,000x50,000 TF-IDF, {rounds} trees": rounds for rounds in (10, 100)}
THREADS = "2"


def documents(n: int = 24_000, n_words: int = 50_000) -> tuple[Any, Any]:
    """Return TF-IDF of documents whose words follow Zipf's law, and their classes."""
    rng = np.random.default_rng(0)
    share = 1.0 / np.arange(2.7, n_words + 2.7)
    lengths = rng.poisson(150, n)
    drawn = rng.choice(n_words, size=lengths.sum(), p=share / share.sum())
    words = rng.permutation(n_words)[drawn]
    rows = np.repeat(np.arange(n), lengths)
    X = sparse.coo_array((np.ones(len(rows)), (rows, words)), shape=(n, n_words))
    X = sparse.csr_array(X)
    inverse = np.log((1 + n) / (1 + np.bincount(X.indices, minlength=n_words))) + 1
    X.data *= inverse[X.indices]
    norms = np.sqrt(np.add.reduceat(X.data**2, X.indptr[:-1]))
    X.data /= np.repeat(norms, np.diff(X.indptr))
    meaning = X @ (rng.normal(size=n_words) * (rng.random(n_words) < 0.05))
    noisy = meaning + 0.3 * meaning.std() * rng.normal(size=n)
    return X, (noisy > np.median(meaning)).astype(int)


def model(contender: str, rounds: int) -> Any:
    """Return a booster with the settings that all share."""
    threads = int(THREADS)
    if contender == "skdl":
        from skdl import GradientBoostingClassifier

        return GradientBoostingClassifier(
            n_estimators=rounds, max_depth=3, min_child_weight=1, n_jobs=threads
        )
    from xgboost import XGBClassifier

    return XGBClassifier(
        n_estimators=rounds,
        max_depth=3,
        learning_rate=0.1,
        tree_method="hist",
        max_bin=255,
        reg_lambda=0.0,
        n_jobs=threads,
    )


def work(case: str, contender: str, seed: int = 0) -> dict[str, float]:
    """Fit and score one contender; called in a fresh process."""
    os.environ["OMP_NUM_THREADS"] = THREADS
    X, y = documents()
    X, y, X_test, y_test = X[:20_000], y[:20_000], X[20_000:], y[20_000:]
    rounds = CASES[case]
    model(contender, 2).fit(X[:500], y[:500])
    fitted = model(contender, rounds)
    before = reset_peak()
    fit, _ = timed(lambda: fitted.fit(X, y), 1)
    numbers = {"fit": fit, "peak": memory("VmHWM") - before}
    numbers["predict"] = timed(lambda: fitted.predict(X_test), 3)[0]
    numbers["score"] = float(fitted.score(X_test, y_test))
    return numbers


def row(case: str, rounds: int) -> list[str]:
    """Return a row of the table."""
    numbers = measure("benchmarks.sparse", case, CONTENDERS, rounds)
    ours = numbers["skdl"]["fit"]
    return [
        case,
        *(f"{n['fit']:.2f} ({n['score']:.3f})" for n in numbers.values()),
        f"{numbers['XGBoost']['fit'] / ours:.2f}",
        " / ".join(f"{n['peak']:.0f}" for n in numbers.values()),
        " / ".join(f"{n['predict']:.3f}" for n in numbers.values()),
    ]


def main(rounds: int = 5, only: str | None = None) -> None:
    """Print the table.

    Parameters
    ----------
    rounds : int, default=5
        Processes for each contender.
    only : str, default=None
        Run the cases whose name has this in it.
    """
    print_table(
        "fit in seconds (accuracy); the ratio is XGBoost's time over ours",
        [
            "case",
            *CONTENDERS,
            "ratio",
            "peak MB over the data",
            "predict 4,000",
        ],
        [row(case, rounds) for case in CASES if only is None or only in case],
    )
