"""Paths of optimizers on the contours of a function of two variables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from skdl._typing import Array
from skdl.inspection._loss_curve import _pyplot
from skdl.inspection._names import named
from skdl.optimizers import Optimizer, get, minimize

Limits = tuple[float, float] | None


class OptimizationPathDisplay:
    """Paths through a plane, on the contours of the function that they descend.

    Use `from_function` to draw paths that there are, `from_optimizers` to let
    optimizers make them.

    Parameters
    ----------
    paths : dict of str to ndarray of shape (n_points, 2)
        For each name the points of a path.
    xs, ys : ndarray of shape (n_x,) and (n_y,)
        The grid.
    values : ndarray of shape (n_y, n_x)
        The function on the grid.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it was drawn.
    figure_ : matplotlib Figure
        Its figure.
    contours_ : matplotlib QuadContourSet
        The contours.
    lines_ : list of matplotlib Line2D
        The paths.

    See Also
    --------
    LossSurfaceDisplay : The same for the weights of a network.

    Examples
    --------
    >>> from scipy.optimize import rosen
    >>> from skdl.inspection import OptimizationPathDisplay
    >>> display = OptimizationPathDisplay.from_optimizers(
    ...     rosen, [-1.2, 1.0], ["newton", "lbfgs"]
    ... )
    >>> [len(path) > 10 for path in display.paths.values()]
    [True, True]
    """

    def __init__(
        self, *, paths: Mapping[str, Array], xs: Array, ys: Array, values: Array
    ) -> None:
        self.paths = paths
        self.xs = xs
        self.ys = ys
        self.values = values

    @classmethod
    def from_function(
        cls,
        fun: Callable[..., Any],
        paths: Any,
        *,
        xlim: Limits = None,
        ylim: Limits = None,
        n_points: int = 150,
        ax: Any = None,
        name: str | Sequence[str] | None = None,
        levels: int | ArrayLike = 20,
        **line_kwargs: Any,
    ) -> Self:
        """Draw paths on the contours of a function.

        Parameters
        ----------
        fun : callable
            ``fun(x) -> value`` or ``(value, gradient)`` for x of shape (2,).
        paths : array-like of shape (n_points, 2), OptimizeResult, list or dict of them
            One or several paths, or results of `skdl.optimizers.minimize`; the keys of
            a dict are their names.
        xlim, ylim : tuple of float, default=None
            What is drawn; None is a little more than the paths.
        n_points : int, default=150
            Points of the grid in each direction.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        name : str or sequence of str, default=None
            Names for the legend; None numbers several paths.
        levels : int or array-like, default=20
            How many contours, closer where the function is low, or their values.
        **line_kwargs : dict
            Handed to every ``ax.plot`` of a path.

        Returns
        -------
        display : OptimizationPathDisplay
            The drawn display.

        Raises
        ------
        ValueError
            If a path is not one of points in a plane, or there are not as many names
            as paths.
        """
        found = {key: _points(item) for key, item in _by_name(paths, name).items()}
        every = np.concatenate(list(found.values()))
        xs = _grid(xlim, every[:, 0], n_points)
        ys = _grid(ylim, every[:, 1], n_points)
        with np.errstate(all="ignore"):
            values = np.array([[_value(fun, x, y) for x in xs] for y in ys])
        display = cls(paths=found, xs=xs, ys=ys, values=values)
        return display.plot(ax=ax, levels=levels, **line_kwargs)

    @classmethod
    def from_optimizers(
        cls,
        fun: Callable[..., Any],
        x0: ArrayLike,
        optimizers: Any,
        *,
        jac: Any = None,
        hess: Callable[..., Any] | None = None,
        max_iter: int = 200,
        xlim: Limits = None,
        ylim: Limits = None,
        n_points: int = 150,
        ax: Any = None,
        name: str | Sequence[str] | None = None,
        levels: int | ArrayLike = 20,
        **line_kwargs: Any,
    ) -> Self:
        """Minimise with several optimizers and draw their paths.

        Parameters
        ----------
        fun : callable
            ``fun(x) -> value`` or ``(value, gradient)`` for x of shape (2,).
        x0 : array-like of shape (2,)
            The starting point.
        optimizers : str or Optimizer, list or dict of them
            One or several optimizers; the keys of a dict are their names.
        jac, hess : object, default=None
            As in `skdl.optimizers.minimize`.
        max_iter : int, default=200
            Most updates of each.
        xlim, ylim : tuple of float, default=None
            What is drawn; None is a little more than the paths.
        n_points : int, default=150
            Points of the grid in each direction.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        name : str or sequence of str, default=None
            Names for the legend; None takes the classes' names, and those settings that
            tell optimizers of one class apart.
        levels : int or array-like, default=20
            How many contours, closer where the function is low, or their values.
        **line_kwargs : dict
            Handed to every ``ax.plot`` of a path.

        Returns
        -------
        display : OptimizationPathDisplay
            The drawn display.

        Raises
        ------
        ValueError
            As `skdl.optimizers.minimize` does.
        """
        if isinstance(optimizers, Mapping):
            items = {key: get(item) for key, item in optimizers.items()}
        else:
            single = isinstance(optimizers, (str, Optimizer))
            given = [optimizers] if single else optimizers
            items = named([get(item) for item in given], name)
        results = {
            key: minimize(fun, x0, jac, hess, item, max_iter=max_iter)
            for key, item in items.items()
        }
        return cls.from_function(
            fun,
            results,
            xlim=xlim,
            ylim=ylim,
            n_points=n_points,
            ax=ax,
            levels=levels,
            **line_kwargs,
        )

    def plot(
        self, ax: Any = None, *, levels: int | ArrayLike = 20, **line_kwargs: Any
    ) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        levels : int or array-like, default=20
            How many contours, closer where the function is low, or their values.
        **line_kwargs : dict
            Handed to every ``ax.plot`` of a path.

        Returns
        -------
        display : OptimizationPathDisplay
            This display.
        """
        plt = _pyplot()
        if ax is None:
            _, ax = plt.subplots(layout="constrained")
        self.ax_, self.figure_, self.lines_ = ax, ax.figure, []
        self.contours_ = draw_contours(ax, self.xs, self.ys, self.values, levels)
        for i, (name, path) in enumerate(self.paths.items()):
            options = {"label": name, "color": f"C{i + 1}", "marker": "o", "lw": 1.2}
            self.lines_ += ax.plot(*path.T, **{"ms": 2.5, **options, **line_kwargs})
            ax.plot(*path[-1], "*", color=self.lines_[-1].get_color(), ms=11)
        ax.plot(*next(iter(self.paths.values()))[0], "ko", ms=5)
        ax.set(
            xlim=(self.xs[0], self.xs[-1]),
            ylim=(self.ys[0], self.ys[-1]),
            xlabel="$x_1$",
            ylabel="$x_2$",
        )
        if len(self.paths) > 1:
            ax.legend()
        return self


def draw_contours(
    ax: Any, xs: Array, ys: Array, values: Array, levels: int | ArrayLike
) -> Any:
    """Draw contours that lie closer where the values are low.

    Parameters
    ----------
    ax : matplotlib Axes
        Where to draw.
    xs, ys : ndarray of shape (n_x,) and (n_y,)
        The grid.
    values : ndarray of shape (n_y, n_x)
        The values; those that are not finite are left out.
    levels : int or array-like
        How many, or where.

    Returns
    -------
    contours : matplotlib QuadContourSet
        The contours.
    """
    shown = np.ma.masked_invalid(values)
    if np.ndim(levels) == 0:
        finite = shown.compressed()
        if not finite.size:
            raise ValueError("No value of the function on the grid is finite.")
        shares = np.linspace(0, 1, int(np.asarray(levels)) + 1)[1:]
        levels = np.unique(np.quantile(finite, shares**2))
        if len(levels) < 2:  # a plain
            levels = [levels[0], levels[0] + 1.0]
    return ax.contour(xs, ys, shown, levels, cmap="Blues_r", linewidths=0.8)


def _by_name(paths: Any, name: str | Sequence[str] | None) -> dict[str, Any]:
    if isinstance(paths, Mapping) and not hasattr(paths, "path"):
        return dict(paths)
    several = isinstance(paths, (list, tuple)) and any(
        hasattr(item, "path") or np.ndim(item) == 2 for item in paths[:1]
    )
    items = list(paths) if several else [paths]
    names = [name] if isinstance(name, str) else name
    names = names or [f"path {i}" for i in range(1, len(items) + 1)]
    if len(names) != len(items) or len(set(names)) < len(names):
        raise ValueError(f"Needed: {len(items)} different names, got {list(names)}.")
    return dict(zip(names, items, strict=True))


def _points(path: Any) -> Array:
    path = np.asarray(getattr(path, "path", path), dtype=np.float64)
    if path.ndim != 2 or path.shape[1] != 2 or not len(path):
        raise ValueError(
            "A path must have the shape (n_points, 2), or be a result of minimize for "
            f"two variables, got {path.shape}."
        )
    return path


def _grid(limits: Limits, seen: Array, n_points: int) -> Array:
    if limits is None:
        low, high = seen.min(), seen.max()
        margin = 0.15 * (high - low) or 1.0
        limits = low - margin, high + margin
    return np.linspace(*limits, n_points)


def _value(fun: Callable[..., Any], x: float, y: float) -> float:
    result = fun(np.array([x, y]))
    return float(result[0] if isinstance(result, (tuple, list)) else result)
