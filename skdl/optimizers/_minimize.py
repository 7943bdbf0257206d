"""`minimize`: any function with any of the optimizers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import ArrayLike
from scipy.optimize import OptimizeResult

from skdl.optimizers._descend import descend
from skdl.optimizers._optimizer import Optimizer, get


def minimize(
    fun: Callable[..., Any],
    x0: ArrayLike,
    jac: bool | str | Callable[..., Any] | None = None,
    hess: Callable[..., Any] | None = None,
    optimizer: str | Optimizer = "adam",
    callback: Callable[..., Any] | None = None,
    *,
    hessp: Callable[..., Any] | None = None,
    args: tuple[Any, ...] = (),
    max_iter: int = 1000,
    gtol: float = 1e-6,
    check_gradient: bool = False,
    keep_path: bool = True,
    random_state: Any = 0,
) -> OptimizeResult:
    """Minimise a function with any of skdl's optimizers.

    ``scipy.optimize.minimize(fun, x0, method=Adam(0.01))`` does the same.

    Parameters
    ----------
    fun : callable
        ``fun(x) -> value`` or ``fun(x) -> (value, gradient)``.
    x0 : array-like of shape (n,)
        The starting point.
    jac : callable, bool or str, default=None
        Callable: ``jac(x) -> gradient``. True: `fun` must return the gradient, too.
        None takes the gradient from `fun` if it is there. Else, and for False, it comes
        from finite differences: "3-point" (2n values), "2-point" (n values) or "cs" (n
        values at complex points), "3-point" unless one of them is named.
    hess : callable, default=None
        ``hess(x) -> H`` of shape (n, n): array, sparse matrix or LinearOperator; for
        "newton", which else makes products of gradients.
    optimizer : str or Optimizer, default="adam"
        Name or instance.
    callback : callable, default=None
        Called with a copy of x after each update, or with an OptimizeResult (`x`,
        `fun`) if its only parameter is named `intermediate_result`; True or
        StopIteration stops.
    hessp : callable, default=None
        ``hessp(x, v) -> H·v``, in place of `hess`.
    args : tuple, default=()
        Further arguments of all these callables.
    max_iter : int, default=1000
        Most updates (iterations, of methods that call the function themselves).
    gtol : float, default=1e-6
        It stops when no entry of the gradient is larger than this.
    check_gradient : bool, default=False
        Whether to compare gradient and Hessian with finite differences at `x0` first.
    keep_path : bool, default=True
        Whether the result holds all points.
    random_state : int or numpy.random.Generator, default=0
        For optimizers that draw random numbers; the same integer, the same path.

    Returns
    -------
    result : scipy.optimize.OptimizeResult
        `x`, `fun` and (unless it would take differences that the optimizer does not
        need) `jac` at x; `nit` updates; `nfev` calls of `fun`, `njev` gradients, `nhev`
        Hessians or products; `path`, of shape (nit + 1, n), the points from `x0` on,
        and `path_fun`, the values there; `success` (whether `gtol` was reached, or the
        optimizer's own criterion of convergence), `status` (0, 1: max_iter, 2: the
        callback, 3: it failed) and `message`.

    Raises
    ------
    ValueError
        If `x0` is not a finite vector, a setting is out of range, the value is no
        number, the gradient has another shape or contradicts finite differences
        (`check_gradient`; the message names the coordinate), or the function is not
        finite at `x0` or stops being so.

    Examples
    --------
    >>> from scipy.optimize import rosen
    >>> from skdl.optimizers import minimize
    >>> result = minimize(rosen, [-1.2, 1.0], optimizer="newton")
    >>> result.x.round(4)
    array([1., 1.])
    >>> result.path.shape == (result.nit + 1, 2)
    True
    """
    return descend(
        get(optimizer),
        fun,
        x0,
        args,
        jac,
        hess,
        hessp,
        callback,
        max_iter,
        gtol,
        check_gradient,
        keep_path,
        random_state,
    )
