"""Windows that slide over an image: where they lie, and what is added around it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from numbers import Integral
from typing import Any, NamedTuple

Padding = str | int | Sequence[Any]


class NoWindowError(ValueError):
    """No window fits into the image."""


class Axis(NamedTuple):
    """One axis of an image and of the windows over it.

    Window p covers the pixels ``p·stride + i·dilation − before`` for i < size. Pixels
    outside 0…n−1 are padding.

    Parameters
    ----------
    n : int
        Pixels of the image.
    out : int
        Number of windows.
    size : int
        Entries of a window.
    stride : int
        Distance of windows.
    dilation : int
        Distance of the entries of a window.
    before, after : int
        Pixels added at both ends; the last ones may be in no window, and with
        ``ceil=True`` the last window may reach beyond them.
    """

    n: int
    out: int
    size: int
    stride: int = 1
    dilation: int = 1
    before: int = 0
    after: int = 0

    @property
    def span(self) -> int:
        """Pixels from the first entry of a window to its last."""
        return (self.size - 1) * self.dilation + 1

    @property
    def reach(self) -> int:
        """Pixels beyond the image that some window covers."""
        covered = (self.out - 1) * self.stride + self.span - self.before
        return max(0, covered - self.n)

    def seen(self, size: int, jump: int, offset: int) -> tuple[int, int, int] | None:
        """Return which pixels the windows see, from what the positions do.

        Parameters
        ----------
        size, jump, offset : int
            Position p sees so many pixels, from ``offset + p·jump`` on.

        Returns
        -------
        size, jump, offset : int
            The same of a window.
        """
        return (
            size + (self.size - 1) * self.dilation * jump,
            jump * self.stride,
            offset - self.before * jump,
        )

    def inside(self, i: int) -> tuple[slice, slice]:
        """Return the windows whose entry i lies on a pixel, and these pixels.

        Parameters
        ----------
        i : int
            Entry of the window.

        Returns
        -------
        windows, pixels : slice
            Of equal length; both may be empty.
        """
        shift = i * self.dilation - self.before
        first = max(0, -(shift // self.stride))
        last = min(self.out, (self.n - 1 - shift) // self.stride + 1)
        last = max(first, last)
        start = first * self.stride + shift
        stop = start + (last - first) * self.stride
        return slice(first, last), slice(start, max(start, stop), self.stride)


class Spread(NamedTuple):
    """An axis of positions that spread over windows: the transpose of an `Axis`.

    Parameters
    ----------
    axis : Axis
        From the output here to the input.
    """

    axis: Axis

    @property
    def n(self) -> int:
        """Positions of the input."""
        return self.axis.out

    @property
    def out(self) -> int:
        """Positions of the output."""
        return self.axis.n

    def seen(self, size: int, jump: int, offset: int) -> tuple[int, int, int] | None:
        """Return which pixels the positions of the output see.

        Parameters
        ----------
        size, jump, offset : int
            Of the input: position p sees so many pixels, from ``offset + p·jump`` on.

        Returns
        -------
        size, jump, offset : int or None
            The same of the output, so large that it holds for each position; None where
            the positions of the output lie closer than pixels do.
        """
        s, b = self.axis.stride, self.axis.before
        if jump % s:
            return None
        reach, jump_out = (self.axis.size - 1) * self.axis.dilation, jump // s
        # Output q gets from the positions ⌈(q + b − reach)/s⌉ to ⌊(q + b)/s⌋.
        firsts = [-((reach - q - b) // s) * jump - q * jump_out for q in range(s)]
        lasts = [(q + b) // s * jump - q * jump_out for q in range(s)]
        first, last = min(firsts), max(lasts)
        return last - first + size, jump_out, offset + first


def pair(value: Any, name: str, least: int = 1) -> tuple[int, int]:
    """Return a setting for both axes.

    Parameters
    ----------
    value : int or pair of int
        The setting; one number stands for both.
    name : str
        Its name in errors.
    least : int, default=1
        The least that is allowed.

    Returns
    -------
    vertical, horizontal : int
        The setting of each axis.

    Raises
    ------
    ValueError
        If it is something else.
    """
    both: Any = (value, value) if isinstance(value, Integral) else value
    if (
        isinstance(both, Sequence)
        and len(both) == 2
        and all(isinstance(v, Integral) and not isinstance(v, bool) for v in both)
        and min(both) >= least
    ):
        return int(both[0]), int(both[1])
    raise ValueError(
        f"{name} must be an integer of at least {least}, or two of them (vertical, "
        f"horizontal), got {value!r}."
    )


def _ends(padding: Any) -> tuple[Any, Any]:
    """Return the padding of each axis: a word, or (before, after)."""
    if isinstance(padding, str) and padding in ("valid", "same"):
        return padding, padding
    try:
        if isinstance(padding, Integral) or isinstance(padding[0], Integral):
            vertical, horizontal = pair(padding, "padding", 0)
            return (vertical, vertical), (horizontal, horizontal)
        above_below, left_right = padding
        return pair(above_below, "padding", 0), pair(left_right, "padding", 0)
    except (ValueError, TypeError, IndexError):
        raise ValueError(
            'padding must be "valid", "same", an integer of at least 0, (vertical, '
            f"horizontal) or ((top, bottom), (left, right)), got {padding!r}."
        ) from None


def make_axes(
    image_size: tuple[int, int],
    window: Any,
    stride: Any = 1,
    padding: Padding = "valid",
    dilation: Any = 1,
    ceil: bool = False,
) -> tuple[Axis, Axis]:
    """Return both axes of windows over an image.

    Parameters
    ----------
    image_size : pair of int
        Height and width in pixels.
    window, stride, dilation : int or pair of int
        Entries of a window, distance of windows, distance of a window's entries.
    padding : {"valid", "same"}, int, pair of int or pair of pairs, default="valid"
        Pixels around the image: none; so many that there are ⌈n/stride⌉ windows, half
        of them on each side, an odd one at the end (as TensorFlow has it; PyTorch's
        "same", for stride 1, is the same); a number; (vertical, horizontal);
        ((top, bottom), (left, right)).
    ceil : bool, default=False
        Whether a last window that lies only partly on the padded image counts, if it
        begins before the padding at the end.

    Returns
    -------
    vertical, horizontal : Axis
        The axes.

    Raises
    ------
    ValueError
        If a setting is out of range; `NoWindowError` if no window fits into the image.
    """
    sizes = pair(window, "the window's size")
    strides, dilations = pair(stride, "stride"), pair(dilation, "dilation")
    axes = []
    for n, size, s, d, ends in zip(
        image_size, sizes, strides, dilations, _ends(padding), strict=True
    ):
        span = (size - 1) * d + 1
        if ends == "same":
            total = max(0, (-(-n // s) - 1) * s + span - n)
            ends = (total // 2, total - total // 2)
        before, after = (0, 0) if ends == "valid" else ends
        rest = n + before + after - span
        if rest < 0:
            least = span - before - after
            raise NoWindowError(
                f"a window that spans {span} pixels does not fit into "
                f"{n} pixels with padding {before} + {after}: the image needs at "
                f"least {least} there."
            )
        out = rest // s + 1
        if ceil and rest % s and out * s < n + before:
            out += 1
        axes.append(Axis(n, out, size, s, d, before, after))
    return axes[0], axes[1]


def entries(
    vertical: Axis, horizontal: Axis
) -> Iterator[tuple[tuple[int, int], tuple[slice, ...], tuple[slice, ...]]]:
    """Go through the entries (i, j) of a window.

    Parameters
    ----------
    vertical, horizontal : Axis
        The windows.

    Yields
    ------
    entry : tuple of (int, int)
        i and j.
    windows, pixels : tuple of slice
        Slices of arrays (n, ho, wo, …) and (n, h, w, …): the windows whose entry lies
        on the image, and the pixels there.
    """
    every = slice(None)
    for i in range(vertical.size):
        for j in range(horizontal.size):
            (p, rows), (q, pixels) = vertical.inside(i), horizontal.inside(j)
            yield (i, j), (every, p, q), (every, rows, pixels)
