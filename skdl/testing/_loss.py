"""The contract of losses."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skdl import losses
from skdl._typing import Array
from skdl.losses import FunctionLoss, Loss
from skdl.testing._assert import (
    check_parameter_object,
    close,
    equal,
    finite,
    same,
)
from skdl.testing._gradient import check_gradient, derivative


def check_loss(
    loss: str | Loss,
    y: ArrayLike | None = None,
    raw: ArrayLike | None = None,
    *,
    rtol: float = 1e-6,
    seed: int = 0,
) -> None:
    """Check that a loss keeps the contract of `skdl.losses.Loss`.

    The gradient and the Hessian agree with finite differences; `evaluate` leaves its
    arguments alone, keeps single precision and does not count on cleared memory;
    weights act as repetitions of rows; elements of sequences or pictures, (n, ..., k),
    count as rows, with a weight for each row or element, also 0 (a loss for rows alone
    raises IndexError or ValueError of them); `init_raw` is the best constant; `link`
    inverts `inverse_link`; the object clones and pickles.

    Parameters
    ----------
    loss : str or Loss
        Name or instance.
    y : array-like of shape (n,) or (n, k), default=None
        Targets, with `raw`. None draws some, for classification in every form that the
        loss has: exclusive classes, two classes, several labels.
    raw : array-like of shape (n, k), default=None
        Raw predictions, away from kinks of the loss.
    rtol : float, default=1e-6
        Allowed relative error of the derivatives.
    seed : int, default=0
        Draws all that is random.

    Raises
    ------
    AssertionError
        If the loss breaks its contract.
    ValueError
        If only one of `y` and `raw` is given.

    Examples
    --------
    >>> from skdl.testing import check_loss
    >>> check_loss("huber")
    """
    if (y is None) != (raw is None):
        raise ValueError("Give both y and raw, or neither.")
    loss = losses.get(loss)
    rng = np.random.default_rng(seed)
    check_parameter_object(loss)
    if y is not None and raw is not None:
        cases = [(loss, np.asarray(y), np.asarray(raw, dtype=np.float64))]
    elif loss.task == "classification":
        cases = _classification_cases(loss, rng)
    else:
        targets = _regression_targets(loss, rng)
        n_raw = loss.n_raw_for_targets(targets.shape[1])
        cases = [(loss, targets, rng.normal(size=(12, n_raw)))]
    for form, targets, predictions in cases:
        weight = rng.integers(1, 4, len(predictions)).astype(np.float64)
        _check_evaluate(form, targets, predictions)
        _check_loss_derivatives(form, targets, predictions, rtol, seed)
        _check_weighted(form, targets, predictions, weight)
        if loss.task in ("regression", "classification", "any"):
            _check_elements(form, targets, predictions, rng)
        _check_init_raw(form, targets, weight, rng)
        _check_link(form, predictions)


def _regression_targets(loss: Loss, rng: np.random.Generator) -> Array:
    n_targets = 2
    try:
        loss.n_raw_for_targets(n_targets)
    except ValueError:  # it takes one, such as several quantiles
        n_targets = 1
    y = rng.normal(size=(12, n_targets))
    for candidate in (y, rng.poisson(2.0, size=y.shape).astype(float), np.exp(y)):
        try:
            loss.check_targets(candidate)
        except ValueError:
            continue
        return candidate
    raise ValueError(
        f"{type(loss).__name__} takes neither normal, Poisson nor log-normal targets; "
        "give y and raw."
    )


def _classification_cases(
    loss: Loss, rng: np.random.Generator
) -> list[tuple[Loss, Array, Array]]:
    cases = []
    for n_classes, multilabel in ((3, False), (2, False), (3, True), (2, True)):
        try:
            form = loss.for_classes(n_classes, multilabel)
        except ValueError:
            continue
        k = form.n_raw(n_classes)
        if multilabel:
            equal(k, n_classes, f"{loss!r}: n_raw for several labels")
        raw = rng.normal(size=(12, k))
        # Each class comes at least once.
        codes = rng.permutation(np.arange(12) % n_classes)
        if multilabel:
            y = rng.permuted(np.arange(12 * k).reshape(12, k) // k % 2, axis=0)
        else:
            y = codes if k > 1 else codes[:, None]
        cases.append((form, y, raw))
    assert cases, f"{type(loss).__name__}: for_classes refuses every problem"
    return cases


def _check_evaluate(loss: Loss, y: Array, raw: Array) -> None:
    name = f"{loss!r}.evaluate"
    y_given, raw_given = y.copy(), raw.copy()
    value, gradient = loss.evaluate(y, raw)
    same(y, y_given, f"{name} changed y; it")
    same(raw, raw_given, f"{name} changed raw; it")
    if value.shape != raw.shape:
        equal(value.shape, raw.shape[:1], f"{name}: shape of the loss")
    equal(gradient.shape, raw.shape, f"{name}: shape of the gradient")
    finite(value, f"{name}: the loss")

    def dirty(shape: Any, dtype: Any = np.float64) -> Array:
        kind = np.dtype(dtype).kind
        return np.full(shape, np.nan if kind == "f" else 99, dtype=dtype)

    again = loss.evaluate(y, raw, dirty)
    same(again[0], value, f"{name} counts on cleared memory: the loss")
    same(again[1], gradient, f"{name} counts on cleared memory: the gradient")

    y32 = y.astype(np.float32) if y.dtype.kind == "f" else y
    single = loss.evaluate(y32, raw.astype(np.float32))
    for what, got, expected in zip(("loss", "gradient"), single, again, strict=True):
        equal(got.dtype, np.dtype(np.float32), f"{name}: type of a float32 {what}")
        close(got, expected, f"{name}: the {what} in float32", 1e-5, 1e-5)


def _check_loss_derivatives(
    loss: Loss, y: Array, raw: Array, rtol: float, seed: int
) -> None:
    gradient = loss.gradient(y, raw)

    def total(at: Array) -> float:
        return float(np.sum(loss.evaluate(y, at)[0]))

    name = f"{loss!r}: the gradient"
    check_gradient(total, raw, gradient, rtol=rtol, seed=seed, name=name)
    if not loss.has_hessian:
        return
    assert type(loss).hessian is not Loss.hessian, (
        f"{loss!r}: has_hessian is True, but hessian is not defined"
    )
    try:
        hessian = loss.hessian(y, raw)
    except ValueError:
        return  # A class that may have one, but this object has none.
    equal(hessian.shape, raw.shape, f"{loss!r}: shape of the Hessian")
    both = loss.gradient_hessian(y, raw)
    same(both[0], gradient, f"{loss!r}.gradient_hessian: the gradient")
    same(both[1], hessian, f"{loss!r}.gradient_hessian: the Hessian")
    direction = np.random.default_rng(seed).normal(size=len(raw))
    for j in range(raw.shape[1]):

        def slope(h: float, j: int = j) -> float:
            at = raw.copy()
            at[:, j] += h * direction
            return float(direction @ loss.gradient(y, at)[:, j])

        got = float(direction**2 @ hessian[:, j])
        name = f"{loss!r}: the Hessian's diagonal, output {j}"
        close(got, derivative(slope), name, rtol, 1e-9)


def _check_weighted(loss: Loss, y: Array, raw: Array, weight: Array) -> None:
    name = f"{loss!r}.weighted"
    value, gradient = loss.evaluate(y, raw)
    rows = value.reshape(len(raw), -1).sum(axis=1)
    total, weighted = loss.weighted(y, raw, weight, 0.5)
    close(total, 0.5 * float(weight @ rows), f"{name}: the sum", 1e-12)
    expected = 0.5 * weight[:, None] * gradient
    close(weighted, expected, f"{name}: the gradient", 1e-12, 1e-15)

    times = weight.astype(np.intp)
    repeated = loss(np.repeat(y, times, axis=0), np.repeat(raw, times, axis=0))
    close(loss(y, raw, weight), repeated, f"{loss!r}: weights as repetitions", 1e-12)
    close(loss(y, raw, 7 * weight), repeated, f"{loss!r}: seven times the weights")


def _check_elements(loss: Loss, y: Array, raw: Array, rng: np.random.Generator) -> None:
    """Compare samples of two elements each with the elements as rows."""
    n = len(raw) // 2
    y, raw = y[: 2 * n], raw[: 2 * n]
    inside = y.reshape(n, 2, *y.shape[1:]), raw.reshape(n, 2, *raw.shape[1:])
    name = f"{loss!r}, elements of shape {inside[1].shape}"
    try:
        value, gradient = loss.evaluate(*inside)
    except (IndexError, ValueError):
        if loss.verified and not isinstance(loss, FunctionLoss):
            raise
        return  # It is for rows alone, and says so.
    flat = loss.evaluate(y, raw)
    equal(value.shape, (n, 2, *flat[0].shape[1:]), f"{name}: shape of the loss")
    close(value.reshape(flat[0].shape), flat[0], f"{name}: the loss", 1e-12, 1e-15)
    close(gradient.reshape(raw.shape), flat[1], f"{name}: the gradient", 1e-12, 1e-15)
    of_rows = rng.integers(0, 3, n).astype(np.float64)
    of_elements = rng.integers(0, 3, (n, 2)).astype(np.float64)
    of_elements[0] = 0, 1  # the mask of one that is padded
    for weight in (None, of_rows, of_elements):
        each = None
        if weight is not None:
            each = np.repeat(weight, 2) if weight.ndim == 1 else weight.ravel()
        kind = "no weights" if weight is None else f"weights of shape {weight.shape}"
        got, expected = (
            loss.weighted(*inside, weight, 0.5),
            loss.weighted(y, raw, each, 0.5),
        )
        close(got[0], expected[0], f"{name}, {kind}: the sum", 1e-12, 1e-15)
        got_gradient = got[1].reshape(raw.shape)
        close(got_gradient, expected[1], f"{name}, {kind}: the gradient", 1e-12, 1e-15)


def _check_init_raw(
    loss: Loss, y: Array, weight: Array, rng: np.random.Generator
) -> None:
    if y.ndim == 1 and type(loss).init_raw is Loss.init_raw:
        return  # The general search does not know the number of classes.
    for w in (None, weight):
        best = np.asarray(loss.init_raw(y, w), dtype=np.float64)
        finite(best, f"{loss!r}.init_raw")
        constant = np.broadcast_to(best, (len(y), len(best)))
        lowest = loss(y, constant, w)
        for size in (1e-3, 1e-1):
            step = size * rng.normal(size=(20, len(best)))
            around = min(loss(y, constant + d, w) for d in step)
            assert lowest <= around + 1e-10, (
                f"{loss!r}.init_raw: {best} has the mean loss {lowest:.10g}, but a "
                f"point {size} away has {around:.10g}"
            )


def _check_link(loss: Loss, raw: Array) -> None:
    prediction = loss.inverse_link(raw)
    equal(prediction.shape, raw.shape, f"{loss!r}: shape of inverse_link")
    again = loss.inverse_link(loss.link(prediction))
    close(again, prediction, f"{loss!r}: inverse_link(link(prediction))", 1e-9)
