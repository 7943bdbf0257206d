"""The safetensors format: a header in JSON, then the numbers.

https://github.com/huggingface/safetensors: eight bytes, the length of the header (an
unsigned integer, little-endian); the header, an object of names mapped to ``dtype``,
``shape`` and ``data_offsets``; then the arrays, in C order and without gaps.
"""

from __future__ import annotations

import json
import math
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from skdl._typing import Array

_TYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BF16": "<u2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "|i1",
    "U64": "<u8",
    "U32": "<u4",
    "U16": "<u2",
    "U8": "|u1",
    "BOOL": "|b1",
}
_NAMES = {np.dtype(code): name for name, code in _TYPES.items() if name != "BF16"}
_LONGEST = 100_000_000  # bytes of a header, the format's own limit


def read_safetensors(path: str | os.PathLike[str]) -> dict[str, Array]:
    """Read the arrays of a safetensors file.

    The file is mapped into memory: what is not looked at is not read.

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    arrays : dict of str to ndarray
        Read-only views of the file (bfloat16: copies in float32). In the order of their
        names, numbers in them as numbers; the format itself knows no order.

    Raises
    ------
    ValueError
        If the file is damaged, or not of this format.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from skdl.io import read_safetensors, write_safetensors
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "arrays.safetensors")
    ...     write_safetensors(path, {"W": np.eye(2)})
    ...     arrays = read_safetensors(path)
    >>> arrays["W"]
    array([[1., 0.],
           [0., 1.]])
    """
    path = Path(path)
    size = path.stat().st_size
    if size < 8:
        raise ValueError(f"{path} is no safetensors file: it has {size} bytes.")
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > min(size - 8, _LONGEST):
            raise ValueError(
                f"{path} is no safetensors file: its header would have {length} bytes, "
                f"the file has {size}."
            )
        header = _parse(path, file.read(length))
    start = 8 + length
    raw = np.memmap(path, np.uint8, mode="r") if size > start else np.zeros(0, np.uint8)
    entries = {name: _entry(path, name, value) for name, value in header.items()}
    _check_layout(path, entries, size - start)
    arrays = {}
    for name in sorted(entries, key=_natural):
        kind, shape, begin, end = entries[name]
        part = np.asarray(raw[start + begin : start + end] if end > begin else raw[:0])
        array = part.view(np.dtype(_TYPES[kind])).reshape(shape)
        arrays[name] = from_bfloat16(array) if kind == "BF16" else array
    return arrays


def _parse(path: Path, text: bytes) -> dict[str, Any]:
    try:
        header = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is no safetensors file: {error}") from error
    if not isinstance(header, dict):
        raise ValueError(f"{path} is no safetensors file: its header is no object.")
    header.pop("__metadata__", None)
    return header


def _entry(path: Path, name: str, value: Any) -> tuple[str, tuple[int, ...], int, int]:
    try:
        kind, shape = value["dtype"], tuple(value["shape"])
        begin, end = value["data_offsets"]
    except (TypeError, KeyError, ValueError) as error:
        raise ValueError(
            f"{path}: the entry of {name!r} must have dtype, shape and two "
            f"data_offsets, got {value!r}."
        ) from error
    if kind not in _TYPES:
        raise ValueError(
            f"{path}: {name!r} is of type {kind!r}; known: {', '.join(_TYPES)}."
        )
    numbers = (*shape, begin, end)
    if not all(type(n) is int and n >= 0 for n in numbers):
        raise ValueError(f"{path}: the entry of {name!r} has {numbers}.")
    n_bytes = math.prod(shape) * np.dtype(_TYPES[kind]).itemsize
    if end - begin != n_bytes:
        raise ValueError(
            f"{path}: {name!r} of shape {shape} and type {kind} takes {n_bytes} bytes, "
            f"its entry says {begin} to {end}."
        )
    return kind, shape, begin, end


def _check_layout(path: Path, entries: Mapping[str, Any], size: int) -> None:
    """Raise unless the arrays fill the file, one after another."""
    at = 0
    for name, (_, _, begin, end) in sorted(entries.items(), key=lambda e: e[1][2:]):
        if begin != at:
            raise ValueError(f"{path}: {name!r} begins at {begin}, expected {at}.")
        at = end
    if at != size:
        raise ValueError(f"{path}: the arrays take {at} bytes, the file has {size}.")


def _natural(name: str) -> list[tuple[bool, int, str]]:
    """Key of an order in which "2.weight" comes before "10.weight"."""
    return [
        (not part.isdecimal(), int(part) if part.isdecimal() else 0, part)
        for part in re.split(r"(\d+)", name)
        if part
    ]


def from_bfloat16(bits: Array) -> Array:
    """Return the numbers of bfloat16, the upper halves of those of float32.

    Parameters
    ----------
    bits : ndarray of uint16
        Their bits.

    Returns
    -------
    numbers : ndarray of float32
        The same numbers.
    """
    return (bits.astype(np.uint32) << 16).view(np.float32)


def write_safetensors(
    path: str | os.PathLike[str],
    arrays: Mapping[str, Any],
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write arrays to a safetensors file.

    It is written beside and renamed: an older file stays whole until the new one is.

    Parameters
    ----------
    path : str or path
        The file.
    arrays : mapping of str to array-like
        The arrays.
    metadata : mapping of str to str, default=None
        Words to go with them.

    Raises
    ------
    ValueError
        If the type of an array is not one of the format.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from skdl.io import read_safetensors, write_safetensors
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "arrays.safetensors")
    ...     write_safetensors(path, {"b": np.arange(3)}, metadata={"from": "me"})
    ...     print(sorted(read_safetensors(path)), path.stat().st_size < 200)
    ['b'] True
    """
    path = Path(path)
    header: dict[str, Any] = {}
    if metadata:
        header["__metadata__"] = {str(k): str(v) for k, v in metadata.items()}
    contents, at = [], 0
    # Large numbers first: all of them are aligned then.
    plain = {name: np.asarray(array) for name, array in arrays.items()}
    for name in sorted(plain, key=lambda name: -plain[name].dtype.itemsize):
        array = plain[name]
        little = array.dtype.newbyteorder("<")
        if little not in _NAMES:
            raise ValueError(
                f"{name!r} is of type {array.dtype}, which safetensors cannot hold; it "
                f"takes {', '.join(sorted(map(str, _NAMES)))}."
            )
        content = np.ascontiguousarray(array, dtype=little)
        header[name] = {
            "dtype": _NAMES[little],
            "shape": list(array.shape),
            "data_offsets": [at, at + content.nbytes],
        }
        contents.append(content)
        at += content.nbytes
    text = json.dumps(header, separators=(",", ":")).encode("utf-8")
    text += b" " * (-len(text) % 8)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(len(text).to_bytes(8, "little") + text)
            for content in contents:
                file.write(content.tobytes())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
