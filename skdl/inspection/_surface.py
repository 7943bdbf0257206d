"""The loss around a fitted network, along two directions."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from skdl._typing import Array
from skdl.inspection._loss_curve import _pyplot
from skdl.inspection._path import draw_contours
from skdl.losses import total_weight
from skdl.training import RowBatches


class LossSurfaceDisplay:
    """The loss in a plane through the weights of a fitted network.

    The two directions are random, and filter-normalised (Li et al. 2018): what leads to
    each unit gets a direction as long as its own weights, so that the picture does not
    depend on the scale of the weights, which ReLU and batch normalisation leave open;
    biases stay. Dropout is off and batch normalisation takes its running statistics, as
    in `predict`. Use `from_estimator` to make one.

    Parameters
    ----------
    xs, ys : ndarray of shape (n_x,) and (n_y,)
        Steps along the two directions; 0 is the fitted network.
    values : ndarray of shape (n_y, n_x)
        The loss there, penalties included.
    path : ndarray of shape (n_points, 2), default=None
        The training path, projected on the plane.
    explained : float, default=None
        The share of the path's squared distances from the fitted network that lies in
        the plane.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it was drawn.
    figure_ : matplotlib Figure
        Its figure.
    contours_ : matplotlib QuadContourSet
        The contours.
    line_ : matplotlib Line2D or None
        The path.

    See Also
    --------
    skdl.callbacks.RecordPath : Notes the weights while a network is trained.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdl import MLPClassifier
    >>> from skdl.callbacks import RecordPath
    >>> from skdl.inspection import LossSurfaceDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> record = RecordPath()
    >>> net = MLPClassifier((5,), optimizer="lbfgs", alpha=1.0, random_state=0)
    >>> net = net.set_callbacks(record).fit(X, y)
    >>> display = LossSurfaceDisplay.from_estimator(
    ...     net, X, y, path=record.path_, directions="path", n_points=11
    ... )
    >>> display.values.shape
    (11, 11)
    """

    def __init__(
        self,
        *,
        xs: Array,
        ys: Array,
        values: Array,
        path: Array | None = None,
        explained: float | None = None,
    ) -> None:
        self.xs = xs
        self.ys = ys
        self.values = values
        self.path = path
        self.explained = explained

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        sample_weight: Any = None,
        path: ArrayLike | None = None,
        directions: str | tuple[ArrayLike, ArrayLike] = "random",
        span: float = 1.0,
        n_points: int = 31,
        random_state: Any = 0,
        ax: Any = None,
        levels: int | ArrayLike = 20,
        **line_kwargs: Any,
    ) -> Self:
        """Compute and draw.

        Parameters
        ----------
        estimator : estimator
            A fitted network, a Pipeline that ends with one, or a search for one. It is
            not changed.
        X, y : array-like
            The rows on which the loss is taken, as `fit` has them.
        sample_weight : array-like of shape (n_samples,), default=None
            Their weights.
        path : array-like of shape (n, n_parameters), default=None
            Weights on the way, as `skdl.callbacks.RecordPath` notes them.
        directions : {"random", "path"} or pair of arrays, default="random"
            "random": drawn and filter-normalised; "path": the two principal directions
            of the path around the fitted network, of length 1, in which most of it
            can be seen; or two vectors of n_parameters numbers, taken as they are.
        span : float, default=1.0
            How far to go from the fitted network along each direction, to both sides.
            With a path, what is drawn is a little more than the path.
        n_points : int, default=31
            Points of the grid in each direction; the loss is computed for n_points².
        random_state : int or numpy.random.Generator, default=0
            Draws the directions.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        levels : int or array-like, default=20
            How many contours, closer where the loss is low, or their values.
        **line_kwargs : dict
            Handed to ``ax.plot`` of the path.

        Returns
        -------
        display : LossSurfaceDisplay
            The drawn display.

        Raises
        ------
        ValueError
            If the estimator is no network, a path is missing or has another number of
            parameters, or a setting is out of range.
        """
        fitted, X = _network_and_rows(estimator, X)
        if not (span > 0 and n_points >= 2):
            raise ValueError(
                "span must be positive and n_points at least 2, got "
                f"{span} and {n_points}."
            )
        loss = _Loss(fitted, X, y, sample_weight)
        steps = None if path is None else _steps(path, loss.theta)
        plane = _plane(directions, loss, steps, np.random.default_rng(random_state))
        seen, explained, reach = None, None, np.array([[-span, span]] * 2)
        if steps is not None:
            seen = np.linalg.lstsq(plane.T, steps.T)[0].T
            rest = steps - seen @ plane
            explained = 1 - float((rest**2).sum() / ((steps**2).sum() or 1.0))
            margin = 0.1 * np.ptp(seen, axis=0)
            margin[margin == 0] = span
            reach = np.c_[seen.min(axis=0) - margin, seen.max(axis=0) + margin]
        xs, ys = (np.linspace(low, high, n_points) for low, high in reach)
        with np.errstate(all="ignore"):
            values = np.array([[loss(a * plane[0] + b * plane[1]) for a in xs]
                               for b in ys])  # fmt: skip
        display = cls(xs=xs, ys=ys, values=values, path=seen, explained=explained)
        return display.plot(ax=ax, levels=levels, **line_kwargs)

    def plot(
        self, ax: Any = None, *, levels: int | ArrayLike = 20, **line_kwargs: Any
    ) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        levels : int or array-like, default=20
            How many contours, closer where the loss is low, or their values.
        **line_kwargs : dict
            Handed to ``ax.plot`` of the path.

        Returns
        -------
        display : LossSurfaceDisplay
            This display.
        """
        plt = _pyplot()
        if ax is None:
            _, ax = plt.subplots(layout="constrained")
        self.ax_, self.figure_, self.line_ = ax, ax.figure, None
        self.contours_ = draw_contours(ax, self.xs, self.ys, self.values, levels)
        if self.path is not None:
            options = {"color": "C1", "marker": "o", "ms": 2.5, "lw": 1.2}
            share = "" if self.explained is None else f" ({self.explained:.0%} of it)"
            options["label"] = f"training, in this plane{share}"
            (self.line_,) = ax.plot(*self.path.T, **{**options, **line_kwargs})
            ax.plot(*self.path[0], "ko", ms=5)
            ax.legend()
        ax.plot(0, 0, "k*", ms=11)
        ax.set(xlabel="first direction", ylabel="second direction")
        return self


class _Loss:
    """The loss of a network as a function of the step away from its weights."""

    def __init__(self, fitted: Any, X: Any, y: Any, sample_weight: Any) -> None:
        self.data = fitted._labelled(X, y, sample_weight)
        self.network = fitted.network_.copy()
        self.task, self.l2, self.l1 = fitted._task, fitted.alpha, fitted.l1
        self.params = self.network.params
        self.theta = self.params.active.astype(np.float64)

    def __call__(self, step: Array) -> float:
        self.params.active[:] = self.theta + step
        data = self.data
        batches = RowBatches(data, data.n, made=self.task.of_batch)
        loss = total = 0.0
        for rows, raw in self.network.predict_parts(data.X):
            y, weight = batches.answers(rows)
            total += total_weight(raw, weight)
            loss += self.task.loss.weighted(y, raw, weight, 1.0)[0]
        for part in self.params.penalised:
            W = self.params.active[part].astype(np.float64)
            loss += 0.5 * self.l2 * float(W @ W) + self.l1 * float(np.abs(W).sum())
        return loss / total

    def filter_normalised(self, rng: np.random.Generator) -> Array:
        """Return a random direction, scaled unit by unit; 0 for vectors."""
        params = self.params
        direction = params.like(np.zeros(params.size))
        for name in params:
            W = params[name].astype(np.float64)
            if W.ndim < 2:
                continue
            d = rng.normal(size=W.shape)
            axes = tuple(range(W.ndim - 1))  # the last one counts the units
            length = np.sqrt((d**2).sum(axis=axes))
            direction[name][...] = d * np.sqrt((W**2).sum(axis=axes)) / length
        return direction.vector[: params.n_active]


def _network_and_rows(estimator: Any, X: Any) -> tuple[Any, Any]:
    estimator = getattr(estimator, "best_estimator_", estimator)
    check_is_fitted(estimator)
    if hasattr(estimator, "steps"):
        if len(estimator.steps) > 1:
            X = estimator[:-1].transform(X)
        estimator = estimator[-1]
    if not hasattr(estimator, "network_"):
        raise ValueError(
            f"{type(estimator).__name__} is no fitted network: it has no weights to "
            "walk away from."
        )
    return estimator, X


def _steps(path: ArrayLike, theta: Array) -> Array:
    points = np.asarray(path, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != theta.size or not len(points):
        raise ValueError(
            f"path must have the shape (n, {theta.size}), a row of weights for each "
            f"point, got {points.shape}; RecordPath notes them."
        )
    return points - theta


def _plane(
    directions: Any, loss: _Loss, steps: Array | None, rng: np.random.Generator
) -> Array:
    """Return two directions, of shape (2, n_parameters)."""
    if isinstance(directions, str) and directions == "random":
        return np.array([loss.filter_normalised(rng) for _ in range(2)])
    if isinstance(directions, str) and directions == "path":
        if steps is None or len(steps) < 3:
            raise ValueError('directions="path" needs a path of at least 3 points.')
        return np.linalg.svd(steps, full_matrices=False)[2][:2]
    if isinstance(directions, str):
        raise ValueError(
            f'directions must be "random", "path" or two vectors, got {directions!r}.'
        )
    plane = np.asarray(directions, dtype=np.float64)
    if plane.shape != (2, loss.theta.size):
        raise ValueError(
            f"Two directions must have the shape (2, {loss.theta.size}), "
            f"got {plane.shape}."
        )
    return plane
