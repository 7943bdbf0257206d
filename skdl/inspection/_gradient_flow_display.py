"""How far a loss reaches back through the states of recurrent layers, drawn."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np

from skdl._typing import Array
from skdl.inspection._gradient_flow import gradient_flow
from skdl.inspection._loss_curve import _pyplot
from skdl.inspection._names import named


class GradientFlowDisplay:
    """The norm of ∂L/∂s_t against the distance of the state s_t to the loss.

    A line that falls is a gradient that vanishes on its way back: what happened long
    before the end cannot be learned. One that rises is a gradient that explodes. Use
    `from_estimator` or `from_layers` to make one.

    Parameters
    ----------
    norms : dict of str to ndarray of shape (n, n_steps)
        For each line's name what `gradient_flow` gives: sequences, and distances from 0
        on; NaN where a sequence is shorter.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it was drawn.
    figure_ : matplotlib Figure
        Its figure.
    lines_ : list of matplotlib Line2D
        The medians of the sequences.

    See Also
    --------
    gradient_flow : The numbers alone.

    Examples
    --------
    >>> import numpy as np
    >>> from skdl.inspection import GradientFlowDisplay
    >>> from skdl.layers import GRU, RNN
    >>> X = np.random.default_rng(0).normal(size=(5, 20, 3))
    >>> models = {"tanh": [RNN(8)], "GRU": [GRU(8)]}
    >>> display = GradientFlowDisplay.from_layers(models, X, random_state=0)
    >>> len(display.lines_)
    2
    """

    def __init__(self, *, norms: Mapping[str, Array]) -> None:
        self.norms = norms

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any = None,
        *,
        relative: bool = False,
        band: bool = True,
        random_state: Any = None,
        name: str | Sequence[str] | None = None,
        ax: Any = None,
        **line_kwargs: Any,
    ) -> Self:
        """Compute and draw the gradients of fitted estimators.

        Parameters
        ----------
        estimator : estimator, sequence or dict of them
            One or several estimators with recurrent layers that were fitted or have
            done `initialize`, Pipelines that end with one, or searches for one; the
            keys of a dict are their names. They are not changed.
        X : array-like of shape (n, ...) or sequence of them
            Sequences, as their `predict` takes them; some dozens are enough.
        y : array-like of shape (n, ...), default=None
            Their targets: L is then the loss, else the product of the raw output with a
            random direction. See `gradient_flow`.
        relative : bool, default=False
            Whether to divide the norms of each sequence by that at the least distance.
        band : bool, default=True
            Whether to shade where the middle half of the sequences lies.
        random_state : int, RandomState instance or None, default=None
            Draws the directions, without `y`.
        name : str or sequence of str, default=None
            Names for the legend; None takes the classes' names, and those settings
            that tell estimators of one class apart.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        **line_kwargs : dict
            Handed to every ``ax.plot``.

        Returns
        -------
        display : GradientFlowDisplay
            The drawn display. An estimator with several recurrent layers has a line for
            each.

        Raises
        ------
        TypeError
            If an estimator is none of skdl's networks.
        ValueError
            If it has no recurrent layer.
        """
        models = named(estimator, name)
        display = cls(norms=_norms(models, X, y, random_state))
        return display.plot(ax=ax, relative=relative, band=band, **line_kwargs)

    @classmethod
    def from_layers(
        cls,
        layers: Any,
        X: Any,
        *,
        relative: bool = False,
        band: bool = True,
        random_state: Any = None,
        name: str | None = None,
        ax: Any = None,
        **line_kwargs: Any,
    ) -> Self:
        """Compute and draw the gradients of networks with their starting weights.

        Parameters
        ----------
        layers : list of Layer, Network or dict of them
            The layers of a network, which gets its starting weights here, or a network.
            The keys of a dict are names.
        X : array-like of shape (n, ...)
            Sequences.
        relative : bool, default=False
            Whether to divide the norms of each sequence by that at the least distance.
        band : bool, default=True
            Whether to shade where the middle half of the sequences lies.
        random_state : int, RandomState instance or None, default=None
            Draws the weights, and the direction that the output is multiplied by.
        name : str, default=None
            Name for the legend of one network; None takes that of its layers.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        **line_kwargs : dict
            Handed to every ``ax.plot``.

        Returns
        -------
        display : GradientFlowDisplay
            The drawn display.

        Raises
        ------
        TypeError
            If they are no layers.
        ValueError
            If none of them is recurrent, or they do not fit.
        """
        models = layers if isinstance(layers, Mapping) else {name or "": layers}
        display = cls(norms=_norms(models, X, None, random_state))
        return display.plot(ax=ax, relative=relative, band=band, **line_kwargs)

    def plot(
        self,
        ax: Any = None,
        *,
        relative: bool = False,
        band: bool = True,
        **line_kwargs: Any,
    ) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        relative : bool, default=False
            Whether to divide the norms of each sequence by that at the least distance.
        band : bool, default=True
            Whether to shade where the middle half of the sequences lies.
        **line_kwargs : dict
            Handed to every ``ax.plot``.

        Returns
        -------
        display : GradientFlowDisplay
            This display.
        """
        if ax is None:
            _, ax = _pyplot().subplots()
        self.ax_, self.figure_, self.lines_ = ax, ax.figure, []
        for name, norms in self.norms.items():
            values = norms / _nearest(norms) if relative else norms
            low, middle, high = _quartiles(values)
            distances = np.arange(len(middle))
            (line,) = ax.plot(distances, middle, **{"label": name, **line_kwargs})
            self.lines_.append(line)
            if band and len(values) > 1:
                ax.fill_between(
                    distances, low, high, color=line.get_color(), alpha=0.2, lw=0
                )
        what = r"$\|\partial L/\partial s_t\|$"
        ax.set(
            xlabel="distance to the loss (steps)",
            ylabel=f"{what}, at the least distance: 1" if relative else what,
            yscale="log",
        )
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.legend()
        return self


def _norms(
    models: Mapping[str, Any], X: Any, y: Any, random_state: Any
) -> dict[str, Array]:
    """Return the norms of all layers of all models, by names for the legend."""
    norms = {}
    for name, model in models.items():
        flow = gradient_flow(model, X, y, random_state=random_state)
        for layer, values in flow.items():
            alone = len(flow) == 1 and name
            norms[name if alone else ": ".join(filter(None, (name, layer)))] = values
    return norms


def _nearest(norms: Array) -> Array:
    """Return the norm of each sequence at the least distance."""
    first = np.isfinite(norms).argmax(axis=1)[:, None]
    return np.take_along_axis(norms, first, axis=1)


def _quartiles(values: Array) -> Array:
    """Return the quartiles of the sequences that are long enough, 0 as a gap."""
    with warnings.catch_warnings():  # no sequence may be so long
        warnings.simplefilter("ignore", RuntimeWarning)
        quartiles = np.nanquantile(values, [0.25, 0.5, 0.75], axis=0)
    return np.where(quartiles > 0, quartiles, np.nan)
