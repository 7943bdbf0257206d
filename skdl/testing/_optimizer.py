"""The contract of optimizers."""

from __future__ import annotations

import math
import pickle
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import clone

from skdl import optimizers
from skdl._typing import Array
from skdl.ops.vector import BLOCK
from skdl.optimizers import FirstOrder, Optimizer
from skdl.testing._assert import (
    attributes,
    check_parameter_object,
    close,
    equal,
    finite,
    same,
)


def check_optimizer(optimizer: str | Optimizer, *, seed: int = 0) -> None:
    """Check that an optimizer keeps the contract of `skdl.optimizers.Optimizer`.

    It lowers a convex quadratic (with curvatures from 0.1 to 1), twice with the same
    bits, and never changes its own attributes; the object clones and pickles. One that
    takes one gradient at a time also: changes θ in place without a copy of it, goes on
    from a copied or pickled state with the same bits, keeps single precision, and acts
    element by element, so that a vector may be cut in blocks.

    Parameters
    ----------
    optimizer : str or Optimizer
        Name or instance.
    seed : int, default=0
        Draws the problem.

    Raises
    ------
    AssertionError
        If the optimizer breaks its contract.

    Examples
    --------
    >>> from skdl.testing import check_optimizer
    >>> check_optimizer("adam")
    """
    optimizer = optimizers.get(optimizer)
    check_parameter_object(optimizer)
    before = attributes(optimizer)
    optimizer.settled().check(200, 1)
    _check_descends(optimizer, seed)
    if isinstance(optimizer, FirstOrder):
        _check_state(optimizer, seed)
        _check_element_by_element(optimizer, seed)
        _check_in_place(optimizer, seed)
    assert attributes(optimizer) == before, (
        f"{optimizer!r} changed its own attributes; what it remembers belongs in the "
        "state"
    )


def _check_descends(optimizer: Optimizer, seed: int) -> None:
    rng = np.random.default_rng(seed)
    basis, _ = np.linalg.qr(rng.normal(size=(8, 8)))
    curvature = (basis * np.geomspace(0.1, 1.0, 8)) @ basis.T
    start = rng.normal(size=8)

    def quadratic(x: Array) -> tuple[float, Array]:
        gradient = curvature @ x
        return 0.5 * float(x @ gradient), gradient

    results = [
        optimizers.minimize(quadratic, start, optimizer=optimizer, max_iter=200)
        for _ in range(2)
    ]
    first = quadratic(start)[0]
    assert results[0].fun < first, (
        f"{optimizer!r} does not lower a convex quadratic: from {first:.6g} to "
        f"{results[0].fun:.6g} in {results[0].nit} updates"
    )
    same(results[1].x, results[0].x, f"{optimizer!r}: the result of a second run")


def _updates(
    optimizer: FirstOrder, theta: Array, gradients: Array, state: Any
) -> Array:
    """Return a copy of `theta` after one update for each row of `gradients`."""
    theta = theta.copy()
    for gradient in gradients:
        optimizer.update(theta, gradient.astype(theta.dtype), state)
    return theta


def _check_state(optimizer: FirstOrder, seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 50
    start, gradients = rng.normal(size=n), rng.normal(size=(10, n))
    state = optimizer.init(n, np.float64)
    state.plan(10, 1)
    half = _updates(optimizer, start, gradients[:5], state)
    copied, pickled = state.copy(), pickle.loads(pickle.dumps(state))
    expected = _updates(optimizer, half, gradients[5:], state)
    for what, other in (("copied", copied), ("pickled", pickled)):
        got = _updates(optimizer, half, gradients[5:], other)
        same(got, expected, f"{optimizer!r}: going on from a {what} state")
    finite(expected, f"{optimizer!r}: the parameters")
    rate = optimizer.learning_rate_now(state)
    assert 0 <= rate < math.inf, (
        f"{optimizer!r}: learning_rate_now must be a finite rate, got {rate}"
    )

    single = optimizer.init(n, np.float32)
    single.plan(10, 1)
    theta = _updates(optimizer, start.astype(np.float32), gradients, single)
    finite(theta, f"{optimizer!r}: the parameters in float32")
    for slot, vector in single.slots.items():
        equal(vector.dtype, np.dtype(np.float32), f"{optimizer!r}: type of {slot}")


def _check_element_by_element(optimizer: FirstOrder, seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 2 * BLOCK + 17
    start, gradients = rng.normal(size=n), rng.normal(size=(4, n))
    # The norm is the one thing that the elements share.
    if "clip_norm" in optimizer.get_params():
        optimizer = clone(optimizer).set_params(clip_norm=None)

    def run(part: slice) -> Array:
        theta = start[part].copy()
        state = optimizer.init(theta.size, np.float64)
        state.plan(4, 1)
        return _updates(optimizer, theta, gradients[:, part], state)

    pieces = np.concatenate([run(slice(0, 1001)), run(slice(1001, n))])
    name = f"{optimizer!r}: the vector in two pieces"
    close(pieces, run(slice(0, n)), name, 1e-12, 1e-15)


def _check_in_place(optimizer: FirstOrder, seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 8 * BLOCK
    theta, gradient = rng.normal(size=n), rng.normal(size=n)
    given, memory = theta.copy(), gradient.copy()
    state = optimizer.init(n, np.float64)
    state.plan(3, 1)
    update: Callable[..., Any] = optimizer.update
    result = None
    tracemalloc.start()
    try:
        for _ in range(3):
            gradient[:] = memory
            tracemalloc.reset_peak()
            held = tracemalloc.get_traced_memory()[0]
            result = update(theta, gradient, state)
            extra = tracemalloc.get_traced_memory()[1] - held
    finally:
        tracemalloc.stop()
    assert result is None, f"{optimizer!r}.update must return None: it acts in place"
    assert not np.array_equal(theta, given), (
        f"{optimizer!r}.update left theta as it was: it must act in place"
    )
    assert extra < theta.nbytes // 2, (
        f"{optimizer!r}.update allocated {extra} bytes for {theta.nbytes} bytes of "
        "parameters; write into theta and s.work"
    )
