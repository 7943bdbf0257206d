"""Samples beside what is rebuilt of them, drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from skdl._picture_shape import flat_shape, given_shape
from skdl._typing import Array, Shape
from skdl.inspection._names import fitted_part
from skdl.inspection._pictures import montage, show


class ReconstructionDisplay:
    """Pictures in rows: as they are, and as one or several models rebuild them.

    Use `from_estimator` or `from_predictions` to make one.

    Parameters
    ----------
    rows : dict of str to ndarray of shape (n_pictures, height, width, channels)
        Pictures by the name of their row; the first row is what the others are to be.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where they were drawn.
    figure_ : matplotlib Figure
        Its figure.
    image_ : matplotlib AxesImage
        The picture of all rows.

    See Also
    --------
    skdl.Autoencoder : Rebuilds samples from a few numbers.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.decomposition import PCA
    >>> from skdl.inspection import ReconstructionDisplay
    >>> X, _ = load_digits(return_X_y=True)
    >>> models = {f"PCA, {n}": PCA(n).fit(X) for n in (2, 8)}
    >>> display = ReconstructionDisplay.from_estimator(models, X[:6])
    >>> list(display.rows)
    ['input', 'PCA, 2', 'PCA, 8']
    """

    def __init__(self, *, rows: Mapping[str, Array]) -> None:
        self.rows = rows

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: ArrayLike,
        *,
        X_clean: ArrayLike | None = None,
        image_shape: Any = None,
        ax: Any = None,
        errors: bool = True,
        **image_kwargs: Any,
    ) -> Self:
        """Rebuild pictures and draw them below the ones given.

        Parameters
        ----------
        estimator : estimator or dict of str to estimator
            A fitted transformer with `inverse_transform` (`Autoencoder`, scikit-learn's
            PCA, a Pipeline of such); or several by the names of their rows.
        X : array-like of shape (n_pictures, ...)
            Pictures, as the estimator's `transform` takes them.
        X_clean : array-like of shape (n_pictures, ...), default=None
            What they are to be, if that is something else: the pictures before noise.
        image_shape : tuple of (int, int) or (int, int, int), default=None
            Height, width and channels of flat rows. None takes those of an
            `Autoencoder`, or a square.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        errors : bool, default=True
            Whether the mean squared error stands in the name of a row.
        **image_kwargs : dict
            Handed to ``ax.imshow``.

        Returns
        -------
        display : ReconstructionDisplay
            The drawn display.

        Raises
        ------
        TypeError
            If an estimator cannot rebuild samples.
        NotFittedError
            If it was not fitted.
        ValueError
            If the samples are no pictures.
        """
        given = estimator if isinstance(estimator, Mapping) else {"": estimator}
        rebuilt = {}
        for name, model in given.items():
            lacking = [
                method
                for method in ("transform", "inverse_transform")
                if not hasattr(model, method)
            ]
            if lacking:
                raise TypeError(
                    f"{cls.__name__} takes transformers with inverse_transform, such "
                    f"as Autoencoder or PCA; {type(model).__name__} has no "
                    f"{' and no '.join(lacking)}."
                )
            check_is_fitted(model)
            rebuilt[name or "rebuilt"] = model.inverse_transform(model.transform(X))
            shape = getattr(fitted_part(model), "input_shape_", ())
            if image_shape is None and len(shape) == 3:
                image_shape = shape
        return cls.from_predictions(
            X if X_clean is None else X_clean,
            rebuilt,
            X_noisy=None if X_clean is None else X,
            image_shape=image_shape,
            ax=ax,
            errors=errors,
            **image_kwargs,
        )

    @classmethod
    def from_predictions(
        cls,
        X: ArrayLike,
        rebuilt: ArrayLike | Mapping[str, ArrayLike],
        *,
        X_noisy: ArrayLike | None = None,
        image_shape: Any = None,
        ax: Any = None,
        errors: bool = True,
        **image_kwargs: Any,
    ) -> Self:
        """Draw pictures and what was rebuilt of them.

        Parameters
        ----------
        X : array-like of shape (n_pictures, ...)
            What the pictures are to be: (n, h, w, c), (n, h, w) or flat rows.
        rebuilt : array-like of shape (n_pictures, ...) or dict of str to array-like
            What came out; or several by the names of their rows.
        X_noisy : array-like of shape (n_pictures, ...), default=None
            What went in, if that is something else.
        image_shape : tuple of (int, int) or (int, int, int), default=None
            Height, width and channels of flat rows; None takes a square.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        errors : bool, default=True
            Whether the mean squared error stands in the name of a row.
        **image_kwargs : dict
            Handed to ``ax.imshow``.

        Returns
        -------
        display : ReconstructionDisplay
            The drawn display.

        Raises
        ------
        ValueError
            If the samples are no pictures, or of different numbers or shapes.
        """
        shape = given_shape(image_shape)
        first = "input" if X_noisy is None else "clean"
        named: dict[str, Any] = {first: X}
        if X_noisy is not None:
            named["input"] = X_noisy
        named |= rebuilt if isinstance(rebuilt, Mapping) else {"rebuilt": rebuilt}
        rows = {name: _pictures(array, shape) for name, array in named.items()}
        for name, row in rows.items():
            if row.shape != rows[first].shape:
                raise ValueError(
                    f"The pictures {name!r} have shape {row.shape}, those of {first!r} "
                    f"have {rows[first].shape}."
                )
        return cls(rows=rows).plot(ax=ax, errors=errors, **image_kwargs)

    def plot(self, ax: Any = None, *, errors: bool = True, **image_kwargs: Any) -> Self:
        """Draw, on the scale of the first row.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        errors : bool, default=True
            Whether the mean squared error stands in the name of a row.
        **image_kwargs : dict
            Handed to ``ax.imshow``.

        Returns
        -------
        display : ReconstructionDisplay
            This display.
        """
        names, rows = list(self.rows), list(self.rows.values())
        n, h, w, c = rows[0].shape
        low, high = float(rows[0].min()), float(rows[0].max())
        sheet = np.concatenate(rows)
        sheet = (sheet - low) / (high - low or 1.0)
        sheet = np.clip(sheet if c == 3 else sheet.mean(axis=-1), 0, 1)
        gap = 1 + max(h, w) // 16
        options = {} if c == 3 else {"cmap": "gray", "vmin": 0, "vmax": 1}
        self.ax_, self.image_ = show(
            ax, montage(sheet, n, gap), **{**options, **image_kwargs}
        )
        for i in range(1, len(rows) if errors else 0):
            error = np.mean((rows[i] - rows[0]) ** 2)
            names[i] += f"\nerror {error:.3g}"
        self.ax_.set_axis_on()
        self.ax_.set_yticks([i * (h + gap) + h / 2 for i in range(len(rows))], names)
        self.ax_.set_xticks([])
        self.ax_.tick_params(length=0)
        for spine in self.ax_.spines.values():
            spine.set_visible(False)
        self.figure_ = self.ax_.figure
        return self


def _pictures(X: Any, shape: Shape | None) -> Array:
    """Return pictures as (n, height, width, channels), in double precision."""
    X = np.asarray(X, np.float64)
    if X.ndim == 2:
        return X.reshape(len(X), *flat_shape(shape, X.shape[1]))
    if X.ndim == 3:
        return X[..., None]
    if X.ndim == 4:
        return X
    raise ValueError(
        "Pictures have shape (n, height, width, channels), (n, height, width) or are "
        f"flat rows, got {X.shape}."
    )
