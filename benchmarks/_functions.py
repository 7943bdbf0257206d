"""Thirty functions to minimise, with start and minima.

Most are sums of squares of the collection of Moré, Garbow and Hillstrom (1981), under
its numbers and names, from its standard starting points. Residuals are written for x of
shape (n,) or (n, k), so that one call at complex points gives the whole Jacobian,
exact to rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import rosen, rosen_der
from scipy.special import expit, logsumexp

Array = np.ndarray


class Problem(NamedTuple):
    """A function with its gradient, where to start, and its (local) minima."""

    start: Array
    fun: Callable[[Array], float]
    jac: Callable[[Array], Array]
    minima: tuple[float, ...] = ()


def squares(residuals: Callable[[Array], Any], start: Any, *minima: float) -> Problem:
    """Return the problem of the sum of the squares of some residuals."""
    start = np.asarray(start, dtype=float)
    steps = 1e-30j * np.eye(len(start))

    def fun(x: Array) -> float:
        r = np.stack(list(residuals(x)))
        return float(r @ r)

    def jac(x: Array) -> Array:
        r = np.stack(np.broadcast_arrays(*residuals(x[:, None] + steps)))
        return 2.0 * r.real[:, 0] @ (r.imag / 1e-30)

    return Problem(start, fun, jac, minima)


# ---- residuals


def freudenstein_roth(x: Array) -> Any:
    a, b = x
    return (-13 + a + ((5 - b) * b - 2) * b, -29 + a + ((b + 1) * b - 14) * b)


def powell_badly_scaled(x: Array) -> Any:
    a, b = x
    return 1e4 * a * b - 1, np.exp(-a) + np.exp(-b) - 1.0001


def brown_badly_scaled(x: Array) -> Any:
    a, b = x
    return a - 1e6, b - 2e-6, a * b - 2


def beale(x: Array) -> Any:
    a, b = x
    return [y - a * (1 - b**i) for i, y in enumerate((1.5, 2.25, 2.625), start=1)]


def jennrich_sampson(x: Array) -> Any:
    a, b = x
    return [2 + 2 * i - (np.exp(i * a) + np.exp(i * b)) for i in range(1, 11)]


def helical_valley(x: Array) -> Any:
    a, b, c = x
    turn = np.arctan(b / a) / (2 * np.pi) + np.where(a.real < 0, 0.5, 0.0)
    return 10 * (c - 10 * turn), 10 * (np.sqrt(a**2 + b**2) - 1), c


_BARD = (0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34,
         2.10, 4.39)  # fmt: skip


def bard(x: Array) -> Any:
    a, b, c = x
    for u, y in enumerate(_BARD, start=1):
        v = 16 - u
        yield y - (a + u / (v * b + min(u, v) * c))


_GAUSSIAN = (0.0009, 0.0044, 0.0175, 0.0540, 0.1295, 0.2420, 0.3521, 0.3989)


def gaussian(x: Array) -> Any:
    a, b, c = x
    for i, y in enumerate((*_GAUSSIAN, *_GAUSSIAN[-2::-1]), start=1):
        t = (8 - i) / 2
        yield a * np.exp(-b * (t - c) ** 2 / 2) - y


def gulf(x: Array) -> Any:
    a, b, c = x
    for i in range(1, 100):
        t = i / 100
        y = 25 + (-50 * np.log(t)) ** (2 / 3)
        # |y − b|, analytic on each side
        gap = (y - b) * np.sign(y - b.real)
        yield np.exp(-(gap**c) / a) - t


def box(x: Array) -> Any:
    a, b, c = x
    for i in range(1, 11):
        t = 0.1 * i
        yield (np.exp(-t * a) - np.exp(-t * b) - c * (np.exp(-t) - np.exp(-10 * t)))


def wood(x: Array) -> Any:
    a, b, c, d = x
    return (
        10 * (b - a**2), 1 - a, 90**0.5 * (d - c**2), 1 - c, 10**0.5 * (b + d - 2),
        10**-0.5 * (b - d),
    )  # fmt: skip


_KOWALIK_Y = (0.1957, 0.1947, 0.1735, 0.1600, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323,
              0.0235, 0.0246)  # fmt: skip
_KOWALIK_U = (4.0, 2.0, 1.0, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625)


def kowalik_osborne(x: Array) -> Any:
    a, b, c, d = x
    for y, u in zip(_KOWALIK_Y, _KOWALIK_U, strict=True):
        yield y - a * (u**2 + u * b) / (u**2 + u * c + d)


def brown_dennis(x: Array) -> Any:
    a, b, c, d = x
    for i in range(1, 21):
        t = i / 5
        yield (a + t * b - np.exp(t)) ** 2 + (c + d * np.sin(t) - np.cos(t)) ** 2


_OSBORNE_1 = (
    0.844, 0.908, 0.932, 0.936, 0.925, 0.908, 0.881, 0.850, 0.818, 0.784, 0.751, 0.718,
    0.685, 0.658, 0.628, 0.603, 0.580, 0.558, 0.538, 0.522, 0.506, 0.490, 0.478, 0.467,
    0.457, 0.448, 0.438, 0.431, 0.424, 0.420, 0.414, 0.411, 0.406,
)  # fmt: skip


def osborne_1(x: Array) -> Any:
    a, b, c, d, e = x
    for i, y in enumerate(_OSBORNE_1):
        t = 10 * i
        yield y - (a + b * np.exp(-t * d) + c * np.exp(-t * e))


def biggs(x: Array) -> Any:
    a, b, c, d, e, f = x
    for i in range(1, 14):
        t = 0.1 * i
        y = np.exp(-t) - 5 * np.exp(-10 * t) + 3 * np.exp(-4 * t)
        yield c * np.exp(-t * a) - d * np.exp(-t * b) + f * np.exp(-t * e) - y


_OSBORNE_2 = (
    1.366, 1.191, 1.112, 1.013, 0.991, 0.885, 0.831, 0.847, 0.786, 0.725, 0.746, 0.679,
    0.608, 0.655, 0.616, 0.606, 0.602, 0.626, 0.651, 0.724, 0.649, 0.649, 0.694, 0.644,
    0.624, 0.661, 0.612, 0.558, 0.533, 0.495, 0.500, 0.423, 0.395, 0.375, 0.372, 0.391,
    0.396, 0.405, 0.428, 0.429, 0.523, 0.562, 0.607, 0.653, 0.672, 0.708, 0.633, 0.668,
    0.645, 0.632, 0.591, 0.559, 0.597, 0.625, 0.739, 0.710, 0.729, 0.720, 0.636, 0.581,
    0.428, 0.292, 0.162, 0.098, 0.054,
)  # fmt: skip


def osborne_2(x: Array) -> Any:
    for i, y in enumerate(_OSBORNE_2):
        t = i / 10
        yield y - (
            x[0] * np.exp(-t * x[4])
            + x[1] * np.exp(-((t - x[8]) ** 2) * x[5])
            + x[2] * np.exp(-((t - x[9]) ** 2) * x[6])
            + x[3] * np.exp(-((t - x[10]) ** 2) * x[7])
        )


def watson(x: Array) -> Any:
    n = len(x)
    for i in range(1, 30):
        t = i / 29
        slope = sum(j * x[j] * t ** (j - 1) for j in range(1, n))
        yield slope - sum(x[j] * t**j for j in range(n)) ** 2 - 1
    yield x[0]
    yield x[1] - x[0] ** 2 - 1


def extended_rosenbrock(x: Array) -> Any:
    for a, b in zip(x[::2], x[1::2], strict=True):
        yield 10 * (b - a**2)
        yield 1 - a


def extended_powell(x: Array) -> Any:
    for a, b, c, d in zip(x[::4], x[1::4], x[2::4], x[3::4], strict=True):
        yield a + 10 * b
        yield 5**0.5 * (c - d)
        yield (b - 2 * c) ** 2
        yield 10**0.5 * (a - d) ** 2


def penalty_1(x: Array) -> Any:
    yield from 1e-5**0.5 * (x - 1)
    yield (x**2).sum(axis=0) - 0.25


def penalty_2(x: Array) -> Any:
    n = len(x)
    yield x[0] - 0.2
    for i in range(1, n):
        y = np.exp((i + 1) / 10) + np.exp(i / 10)
        yield 1e-5**0.5 * (np.exp(x[i] / 10) + np.exp(x[i - 1] / 10) - y)
    for i in range(1, n):
        yield 1e-5**0.5 * (np.exp(x[i] / 10) - np.exp(-0.1))
    yield sum((n - j) * x[j] ** 2 for j in range(n)) - 1


def variably_dimensioned(x: Array) -> Any:
    yield from x - 1
    total = sum((j + 1) * (x[j] - 1) for j in range(len(x)))
    yield total
    yield total**2


def trigonometric(x: Array) -> Any:
    n = len(x)
    total = np.cos(x).sum(axis=0)
    for i in range(n):
        yield n - total + (i + 1) * (1 - np.cos(x[i])) - np.sin(x[i])


def integral_equation(x: Array) -> Any:
    n = len(x)
    h = 1 / (n + 1)
    t = h * np.arange(1, n + 1)
    cubes = [(x[j] + t[j] + 1) ** 3 for j in range(n)]
    for i in range(n):
        below = sum(t[j] * cubes[j] for j in range(i + 1))
        above = sum(((1 - t[j]) * cubes[j] for j in range(i + 1, n)), start=0.0)
        yield x[i] + h * ((1 - t[i]) * below + t[i] * above) / 2


def broyden_tridiagonal(x: Array) -> Any:
    n = len(x)
    for i in range(n):
        before = x[i - 1] if i else 0.0
        after = x[i + 1] if i + 1 < n else 0.0
        yield (3 - 2 * x[i]) * x[i] - before - 2 * after + 1


def chebyquad(x: Array) -> Any:
    n = len(x)
    older, old = np.ones_like(x), 2 * x - 1
    for i in range(1, n + 1):
        yield old.mean(axis=0) + (1 / (i**2 - 1) if i % 2 == 0 else 0.0)
        older, old = old, 2 * (2 * x - 1) * old - older


# ---- models on data


def least_squares() -> Problem:
    """Linear regression on the diabetes data, as it comes."""
    from sklearn.datasets import load_diabetes

    X, y = load_diabetes(return_X_y=True)
    A = np.c_[X, np.ones(len(y))]
    best = np.linalg.lstsq(A, y)[0]

    def fun(w: Array) -> float:
        error = A @ w - y
        return 0.5 * float(error @ error) / len(y)

    return Problem(
        np.zeros(11), fun, lambda w: A.T @ (A @ w - y) / len(y), (fun(best),)
    )


def logistic() -> Problem:
    """Logistic regression with a small penalty on the breast-cancer data, scaled."""
    from sklearn.datasets import load_breast_cancer
    from sklearn.preprocessing import scale

    X, y = load_breast_cancer(return_X_y=True)
    A, sign = np.c_[scale(X), np.ones(len(y))], 2.0 * y - 1

    def fun(w: Array) -> float:
        return float(np.logaddexp(0, -sign * (A @ w)).mean() + 5e-4 * w @ w)

    def jac(w: Array) -> Array:
        return -A.T @ (sign * expit(-sign * (A @ w))) / len(y) + 1e-3 * w

    return Problem(np.zeros(31), fun, jac)


def softmax() -> Problem:
    """Multinomial regression with a small penalty on the digits: 650 parameters."""
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    A, Y = np.c_[X / 16, np.ones(len(y))], np.eye(10)[y]

    def fun(w: Array) -> float:
        raw = A @ w.reshape(65, 10)
        loss = (logsumexp(raw, axis=1) - (raw * Y).sum(axis=1)).mean()
        return float(loss + 5e-4 * w @ w)

    def jac(w: Array) -> Array:
        raw = A @ w.reshape(65, 10)
        p = np.exp(raw - logsumexp(raw, axis=1, keepdims=True))
        return (A.T @ (p - Y) / len(y)).ravel() + 1e-3 * w

    return Problem(np.zeros(650), fun, jac)


# ---- the set


def problems() -> dict[str, Problem]:
    """Return the thirty problems by name."""
    tenths = np.arange(1, 11) / 10
    grid = np.arange(1, 11) / 11
    return {
        "rosen 10 (SciPy)": Problem(
            np.tile([-1.2, 1.0], 5), rosen, rosen_der, (0.0, 3.9865791123471)
        ),
        "2 Freudenstein-Roth": squares(
            freudenstein_roth, [0.5, -2], 0.0, 48.98425367924
        ),
        "3 Powell badly scaled": squares(powell_badly_scaled, [0, 1], 0.0),
        "4 Brown badly scaled": squares(brown_badly_scaled, [1, 1], 0.0),
        "5 Beale": squares(beale, [1, 1], 0.0),
        "6 Jennrich-Sampson": squares(jennrich_sampson, [0.3, 0.4], 124.36218235561),
        "7 helical valley": squares(helical_valley, [-1, 0, 0], 0.0),
        "8 Bard": squares(bard, [1, 1, 1], 8.2148773065789e-3),
        "9 Gaussian": squares(gaussian, [0.4, 1, 0], 1.1279327696189e-8),
        "11 Gulf": squares(gulf, [5, 2.5, 0.15], 0.0),
        "12 Box": squares(box, [0, 10, 20], 0.0),
        "14 Wood": squares(wood, [-3, -1, -3, -1], 0.0),
        "15 Kowalik-Osborne": squares(
            kowalik_osborne, [0.25, 0.39, 0.415, 0.39], 3.0750560384924e-4
        ),
        "16 Brown-Dennis": squares(brown_dennis, [25, 5, -5, -1], 85822.20162635628),
        "17 Osborne 1": squares(osborne_1, [0.5, 1.5, -1, 0.01, 0.02], 5.4648946974e-5),
        "18 Biggs": squares(biggs, [1, 2, 1, 1, 1, 1], 0.0, 5.6556499255e-3),
        "19 Osborne 2": squares(
            osborne_2,
            [1.3, 0.65, 0.65, 0.7, 0.6, 3, 5, 7, 2, 4.5, 5.5],
            4.0137736293547e-2,
        ),
        "20 Watson 6": squares(watson, np.zeros(6), 2.2876700535524e-3),
        "21 extended Rosenbrock 20": squares(
            extended_rosenbrock, np.tile([-1.2, 1.0], 10), 0.0
        ),
        "22 extended Powell 12": squares(
            extended_powell, np.tile([3.0, -1.0, 0.0, 1.0], 3), 0.0
        ),
        "23 penalty 1, 10": squares(penalty_1, np.arange(1, 11), 7.0876514670904e-5),
        "24 penalty 2, 4": squares(penalty_2, np.full(4, 0.5), 9.3762930073555e-6),
        "25 variably dimensioned 10": squares(variably_dimensioned, 1 - tenths, 0.0),
        "26 trigonometric 10": squares(
            trigonometric, np.full(10, 0.1), 0.0, 2.7950561218780e-5
        ),
        "29 integral equation 10": squares(integral_equation, grid * (grid - 1), 0.0),
        "30 Broyden tridiagonal 20": squares(broyden_tridiagonal, -np.ones(20), 0.0),
        "35 Chebyquad 8": squares(chebyquad, np.arange(1, 9) / 9, 3.5168737256779e-3),
        "least squares, diabetes": least_squares(),
        "logistic, breast cancer": logistic(),
        "softmax, digits": softmax(),
    }
