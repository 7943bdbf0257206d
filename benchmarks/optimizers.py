"""Second-order optimizers against SciPy's, and L-BFGS on networks against scikit-learn.

On thirty functions: evaluations and time until the value is within 1e-6 of the minimum
that a run ends in. A product of the Hessian with a vector is a difference of gradients
for all, and counts as the two gradients that it costs.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

from benchmarks._functions import Array, Problem, problems
from benchmarks._runner import measure, print_table, timed

SCIPY = ("BFGS", "L-BFGS-B", "Newton-CG", "trust-krylov")
CONTENDERS = ("skdl newton", "skdl lbfgs", *SCIPY)
NETS = ("diabetes 442x10", "breast cancer 569x30")
MAX_ITER, SMALL = 3000, 1e-9


class Watch:
    """A problem that notes evaluations and times at which its value fell."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.n = 0
        self.lowest = np.inf
        self.falls: list[tuple[int, float, float]] = []
        self._begun = time.perf_counter()

    def fun(self, x: Array) -> float:
        self.n += 1
        value = self.problem.fun(x)
        if value < self.lowest:
            self.lowest = value
            self.falls.append((self.n, time.perf_counter() - self._begun, value))
        return value

    def jac(self, x: Array) -> Array:
        self.n += 1
        return self.problem.jac(x)

    def hessp(self, x: Array, v: Array) -> Array:
        length = np.linalg.norm(v)
        if length == 0:
            return np.zeros_like(v)
        h = np.finfo(float).eps ** (1 / 3) * (1 + np.linalg.norm(x)) / length
        return (self.jac(x + h * v) - self.jac(x - h * v)) / (2 * h)

    def reached(self, minima: tuple[float, ...]) -> tuple[float, float]:
        """Return evaluations and seconds to 1e-6 of the minimum; NaN if it was not."""
        first = self.falls[0][2]
        for best in minima:
            # Relative to the minimum, or to 1 (or what there was to win) if it is less.
            close = 1e-6 * max(abs(best), min(1.0, first - best))
            if abs(self.lowest - best) <= close:
                within = [fall for fall in self.falls if fall[2] <= best + close]
                return float(within[0][0]), within[0][1]
        return np.nan, np.nan


def run(contender: str, watch: Watch) -> None:
    """Minimise until the contender gives up or is done."""
    from scipy.optimize import minimize as scipy_minimize

    from skdl import optimizers

    start = watch.problem.start
    if contender == "skdl newton":
        optimizers.minimize(
            watch.fun,
            start,
            watch.jac,
            hessp=watch.hessp,
            optimizer=optimizers.Newton(gtol=SMALL),
            max_iter=MAX_ITER,
            gtol=SMALL,
        )
        return
    if contender == "skdl lbfgs":
        optimizer = optimizers.LBFGS(gtol=SMALL, ftol=0)
        optimizers.minimize(
            watch.fun,
            start,
            watch.jac,
            optimizer=optimizer,
            max_iter=MAX_ITER,
            gtol=SMALL,
        )
        return
    options: dict[str, Any] = {"maxiter": MAX_ITER}
    if contender == "Newton-CG":
        options["xtol"] = 1e-12
    else:
        options["gtol"] = SMALL
    if contender == "L-BFGS-B":
        options.update(ftol=0.0, maxfun=20 * MAX_ITER)
    more = {} if contender in ("BFGS", "L-BFGS-B") else {"hessp": watch.hessp}
    scipy_minimize(
        watch.fun, start, method=contender, jac=watch.jac, options=options, **more
    )


def minima_of(problem: Problem) -> tuple[float, ...]:
    """Return the known minima, or that of a convex function, to rounding."""
    if problem.minima:
        return problem.minima
    from scipy.optimize import minimize

    x = problem.start
    for _ in range(3):
        options = {"gtol": 1e-12, "ftol": 0, "maxiter": 10_000, "maxcor": 50}
        x = minimize(
            problem.fun, x, jac=problem.jac, method="L-BFGS-B", options=options
        ).x
    return (problem.fun(x),)


def work(case: str, contender: str, seed: int) -> dict[str, float]:
    """Solve all functions, or fit a network, in a process of its own."""
    warnings.simplefilter("ignore")
    if case in NETS:
        return fit(case, contender, seed)
    numbers = {}
    for name, problem in problems().items():
        if case not in ("functions", name):
            continue
        problem.fun(problem.start), problem.jac(problem.start)  # warm up
        watch = Watch(problem)
        # What it has reached counts, also where it breaks down.
        broken = suppress(ArithmeticError, ValueError, np.linalg.LinAlgError)
        with np.errstate(all="ignore"), broken:
            run(contender, watch)
        evaluations, seconds = watch.reached(minima_of(problem))
        numbers[f"score {name}"] = evaluations
        numbers[name] = seconds
    return numbers


# ---- networks


def fit(case: str, contender: str, seed: int) -> dict[str, float]:
    """Fit 100 hidden units with L-BFGS, with the criteria of scikit-learn's solver."""
    from sklearn import datasets
    from sklearn import neural_network as peers
    from sklearn.preprocessing import scale

    import skdl
    from skdl.optimizers import LBFGS

    classify = case.startswith("breast")
    load = datasets.load_breast_cancer if classify else datasets.load_diabetes
    X, y = load(return_X_y=True)
    X, y = scale(X), y if classify else scale(y)
    settings: dict[str, Any] = {"max_iter": 200, "random_state": seed}
    name = "MLPClassifier" if classify else "MLPRegressor"
    make: Callable[..., Any] = getattr(peers, name)
    if contender == "scikit-learn":
        settings["solver"] = "lbfgs"
    else:
        make = getattr(skdl, name)
        if contender == "skdl":
            optimizer = LBFGS(gtol=1e-4, ftol=2.2e-9, max_evaluations=15_000)
            settings.update(optimizer=optimizer, n_iter_no_change="never")
        else:  # with its own settings
            settings["optimizer"] = "lbfgs"
    make(**{**settings, "max_iter": 3}).fit(X, y)
    seconds, model = timed(lambda: make(**settings).fit(X, y))
    return {
        "fit": seconds,
        "score loss": float(model.loss_),
        "score iterations": float(model.n_iter_),
    }


# ---- tables


def main(rounds: int = 5, only: str | None = None) -> None:
    """Measure all and print."""
    names = list(problems())
    chosen = [name for name in names if not only or only in name]
    if chosen:
        case = "functions" if len(chosen) > 1 else chosen[0]
        result = measure("benchmarks.optimizers", case, CONTENDERS, rounds)
        _functions_tables(chosen, result)
    rows = []
    for name in NETS:
        if only and only not in name:
            continue
        peers = ("skdl", "skdl, own stops", "scikit-learn")
        result = measure("benchmarks.optimizers", name, peers, rounds)
        ratio = result["scikit-learn"]["fit"] / result["skdl"]["fit"]
        rows.append(
            [
                name,
                *(
                    f"{result[p]['fit'] * 1e3:.0f} ms, loss "
                    f"{result[p]['score loss']:.6f}, "
                    f"{result[p]['score iterations']:.0f} iterations"
                    for p in peers
                ),
                f"{ratio:.2f}x (asked 1x)",
            ]
        )
    if rows:
        heads = ("data", *peers, "skdl faster")
        print_table("Networks of 100 units with L-BFGS, float64", heads, rows)


def _functions_tables(names: list[str], result: dict[str, dict[str, float]]) -> None:
    rows = []
    for name in names:
        cells = [name]
        for contender in CONTENDERS:
            n, seconds = (result[contender][f"score {name}"], result[contender][name])
            cells.append("-" if np.isnan(n) else f"{n:.0f}, {seconds * 1e3:.1f} ms")
        rows.append(cells)
    solved = {
        c: [not np.isnan(result[c][f"score {name}"]) for name in names]
        for c in CONTENDERS
    }
    rows.append(["solved", *(str(sum(solved[c])) for c in CONTENDERS)])
    # Where all arrive, what they need on the geometric mean.
    common = [
        name for i, name in enumerate(names) if all(solved[c][i] for c in CONTENDERS)
    ]
    if common:
        cells = [f"mean of the {len(common)} solved by all"]
        for c in CONTENDERS:
            n = np.exp(np.mean([np.log(result[c][f"score {name}"]) for name in common]))
            seconds = np.exp(np.mean([np.log(result[c][name]) for name in common]))
            cells.append(f"{n:.0f}, {seconds * 1e3:.1f} ms")
        rows.append(cells)
    heads = ("function", *CONTENDERS)
    print_table("Evaluations and time to 1e-6 of the minimum", heads, rows)
    best = max(sum(solved[c]) for c in SCIPY)
    for c in CONTENDERS[:2]:
        print(f"{c}: {sum(solved[c])} solved (asked: {best}, SciPy's best)")


if __name__ == "__main__":
    main()
