"""Copies of some arrays, and whether these are still what they were."""

from __future__ import annotations

from collections.abc import Iterable

from skdl._params import ParamVector
from skdl._typing import Array
from skdl.ops.bits import same_bits


class Excerpt:
    """Copies of some arrays of a vector.

    Parameters
    ----------
    params : ParamVector
        The vector.
    names : iterable of str
        Names of the arrays.

    Attributes
    ----------
    copies : ParamVector
        The copies.

    Examples
    --------
    >>> from skdl.networks._excerpt import Excerpt
    >>> from skdl._params import ParamVector
    >>> params = ParamVector({"0.W": (2, 3), "0.b": (3,), "1.W": (3, 1)})
    >>> excerpt = Excerpt(params, ["0.W", "0.b"])
    >>> params["1.W"][...] = 1
    >>> excerpt.equals(params)
    True
    >>> params["0.b"][0] = 1
    >>> excerpt.equals(params), excerpt.copies["0.b"]
    (False, array([0., 0., 0.]))
    """

    def __init__(self, params: ParamVector, names: Iterable[str]) -> None:
        self.copies = params.like_some(names)
        self._starts = params.starts
        places = dict(zip(params, params.starts, strict=True))
        # (from, to, size): arrays that lie side by side in both are compared as one.
        runs: list[list[int]] = []
        copied = zip(self.copies, self.copies.starts, strict=True)
        for name, to in sorted(copied, key=lambda pair: pair[1]):
            start, size = places[name], params[name].size
            if runs and [start, to] == [runs[-1][0] + runs[-1][2], sum(runs[-1][1:])]:
                runs[-1][2] += size
            else:
                runs.append([start, to, size])
        self._parts: list[tuple[slice, Array]] = []
        for start, to, size in runs:
            part, its = self.copies.vector[to : to + size], slice(start, start + size)
            part[...] = params.vector[its]
            self._parts.append((its, part))

    def equals(self, params: ParamVector) -> bool:
        """Return whether the arrays are the same in a vector with the same layout.

        Parameters
        ----------
        params : ParamVector
            The vector.

        Returns
        -------
        equal : bool
            Whether layout, type and all numbers are those that were copied.
        """
        vector = params.vector
        return (
            vector.dtype == self.copies.vector.dtype
            and params.starts == self._starts
            and all(same_bits(vector[its], part) for its, part in self._parts)
        )
