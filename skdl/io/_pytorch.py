"""State dicts of PyTorch, read without PyTorch and without executing code.

A file of `torch.save` is a pickle: a program for a small machine that may call any
function. The machine here knows only what a state dict is made of: tensors, ordered
dictionaries and plain values. Everything else ends the reading before it is called.

Two containers: a zip file (PyTorch 1.6 on) with the pickle in ``data.pkl`` and the
numbers of each storage in a file of its own; and the older one, five pickles in a row
with the numbers behind them.
"""

from __future__ import annotations

import math
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np

from skdl._typing import Array
from skdl.io._safetensors import from_bfloat16

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
_STORAGES = {
    "DoubleStorage": "f8",
    "FloatStorage": "f4",
    "HalfStorage": "f2",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "i8",
    "IntStorage": "i4",
    "ShortStorage": "i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "b1",
}


class UnsafeFileError(ValueError):
    """A file asks for more than tensors: it could execute code, and is not read.

    Examples
    --------
    >>> import pickle
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skdl.io import UnsafeFileError, read_weights
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "weights.pt")
    ...     _ = path.write_bytes(pickle.dumps(print))
    ...     try:
    ...         read_weights(path)
    ...     except (UnsafeFileError, ValueError) as error:
    ...         print(type(error).__name__)
    UnsafeFileError
    """


class _Fixed:
    """Base of what a file can get hold of: it cannot set anything on it."""

    __slots__ = ()

    def __setattr__(self, name: str, value: Any) -> None:
        raise UnsafeFileError(f"a new {name!r} of {type(self).__name__}")

    def _set(self, **values: Any) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)


class _StorageType(_Fixed):
    """Stands for ``torch.FloatStorage`` and its like."""

    __slots__ = ("code",)
    code: str

    def __init__(self, code: str) -> None:
        self._set(code=code)

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype("u2" if self.code == "bfloat16" else self.code)


class _Storage(_Fixed):
    """Numbers that tensors are views of."""

    __slots__ = ("numbers", "type")
    numbers: Array
    type: _StorageType

    def __init__(self, type_: _StorageType, numbers: Array) -> None:
        self._set(type=type_, numbers=numbers)


class _Tensor(_Fixed):
    """A tensor whose numbers may come later in the file."""

    __slots__ = ("offset", "shape", "storage", "strides")
    offset: int
    shape: tuple[int, ...]
    storage: _Storage
    strides: tuple[int, ...]

    def __init__(
        self, storage: _Storage, offset: Any, shape: Any, strides: Any
    ) -> None:
        self._set(storage=storage, offset=offset)
        self._set(shape=tuple(shape), strides=tuple(strides))
        numbers = (offset, *self.shape, *self.strides)
        if len(self.shape) != len(self.strides) or not all(
            type(n) is int and n >= 0 for n in numbers
        ):
            raise ValueError(f"a tensor of offset, shape and strides {numbers}")
        steps = zip(self.shape, self.strides, strict=True)
        last = offset + sum((n - 1) * step for n, step in steps)
        empty = 0 in self.shape
        if not empty and last >= len(storage.numbers):
            raise ValueError(
                f"a tensor of shape {self.shape} reaches number {last} of a storage of "
                f"{len(storage.numbers)}"
            )
        if math.prod(self.shape) > max(len(storage.numbers), 1) and not empty:
            raise ValueError(  # strides of 0 would make much of little
                f"a tensor of shape {self.shape} in a storage of "
                f"{len(storage.numbers)} numbers"
            )

    def array(self) -> Array:
        numbers = self.storage.numbers
        if 0 in self.shape:
            array = np.zeros(self.shape, numbers.dtype)
        else:
            array = np.lib.stride_tricks.as_strided(
                numbers[self.offset :],
                self.shape,
                [step * numbers.itemsize for step in self.strides],
                writeable=False,
            ).copy()
        if self.storage.type.code == "bfloat16":
            return from_bfloat16(array)
        return array.astype(array.dtype.newbyteorder("="), copy=False)


class _Builder(_Fixed):
    """A function that a state dict may call."""

    __slots__ = ("kind",)
    kind: str

    def __init__(self, kind: str) -> None:
        self._set(kind=kind)

    def __call__(self, *args: Any) -> Any:
        if self.kind == "size":
            (shape,) = args
            return tuple(shape)
        if self.kind == "parameter":
            tensor = args[0]
        else:
            storage, offset, shape, strides, *_ = args
            if not isinstance(storage, _Storage):
                raise ValueError("a tensor without a storage")
            tensor = _Tensor(storage, offset, shape, strides)
        if not isinstance(tensor, _Tensor):
            raise ValueError("a parameter without a tensor")
        return tensor


class _StateDict(OrderedDict[Any, Any]):
    """What becomes of ordered dictionaries: what is set on them is left out."""

    def __setstate__(self, state: Any) -> None:
        pass  # "_metadata": versions of the modules


_KNOWN = {
    ("collections", "OrderedDict"): _StateDict,
    ("torch._utils", "_rebuild_tensor"): _Builder("tensor"),
    ("torch._utils", "_rebuild_tensor_v2"): _Builder("tensor"),
    ("torch._utils", "_rebuild_parameter"): _Builder("parameter"),
    ("torch", "Size"): _Builder("size"),
    **{("torch", name): _StorageType(code) for name, code in _STORAGES.items()},
}


class _Unpickler(pickle.Unpickler):
    """A machine that knows tensors and dictionaries alone."""

    def __init__(self, file: Any, load_storage: Any) -> None:
        super().__init__(file, encoding="utf-8")
        self.load_storage = load_storage

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _KNOWN[module, name]
        except KeyError:
            raise UnsafeFileError(f"{module}.{name}") from None

    def persistent_load(self, pid: Any) -> Any:
        if not (isinstance(pid, tuple) and len(pid) >= 5 and pid[0] == "storage"):
            raise ValueError(f"an unknown kind of reference: {pid!r:.80}")
        _, type_, key, _, n, *view = pid
        if not isinstance(type_, _StorageType) or not isinstance(key, str):
            raise ValueError("a storage without a type")
        if type(n) is not int or n < 0:
            raise ValueError(f"a storage of {n!r} numbers")
        storage = self.load_storage(type_, key, n)
        if view and view[0] is not None:  # a part of another one, of long ago
            _, start, length = view[0]
            return _Storage(type_, storage.numbers[start : start + length])
        return storage


def read_pytorch(path: Path) -> dict[str, Array]:
    """Read a state dict that `torch.save` has written.

    Parameters
    ----------
    path : path
        The file.

    Returns
    -------
    arrays : dict of str to ndarray
        The tensors, in their order.

    Raises
    ------
    UnsafeFileError
        If the file asks for anything but tensors; nothing of it was executed.
    ValueError
        If the file is damaged, or holds no state dict.
    """
    try:
        if zipfile.is_zipfile(path):
            content = _read_zip(path)
        else:
            with path.open("rb") as file:
                content = _read_legacy(file, path.stat().st_size)
    except UnsafeFileError as error:
        raise UnsafeFileError(
            f"{path} asks for {error}, which is no part of a state dict and could "
            "execute code: it is not read, and nothing of it was executed. Save "
            "tensors alone: torch.save(model.state_dict(), path)."
        ) from None
    except Exception as error:  # a damaged pickle can raise anything
        raise ValueError(
            f"{path} is no state dict of PyTorch that can be read: "
            f"{type(error).__name__}: {error}"
        ) from error
    return _arrays(path, content)


def _arrays(path: Path, content: Any) -> dict[str, Array]:
    """Return the one dictionary of tensors in what was read."""
    if isinstance(content, dict):
        nested = [value for value in content.values() if _is_state_dict(value)]
        if not _is_state_dict(content) and len(nested) == 1:  # a checkpoint
            content = nested[0]
    if not _is_state_dict(content):
        what = f"the keys {list(content)[:8]}" if isinstance(content, dict) else content
        raise ValueError(
            f"{path} holds no dictionary of tensors, or several, but {what!r:.300}. "
            "Save model.state_dict()."
        )
    return {name: tensor.array() for name, tensor in content.items()}


def _is_state_dict(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and bool(value)
        and all(isinstance(tensor, _Tensor) for tensor in value.values())
        and all(isinstance(name, str) for name in value)
    )


def _read_zip(path: Path) -> Any:
    with zipfile.ZipFile(path) as archive:
        sizes = {info.filename: info.file_size for info in archive.infolist()}
        pickles = [name for name in sizes if name.split("/")[1:] == ["data.pkl"]]
        if len(pickles) != 1:
            raise ValueError("a zip file without data.pkl")
        folder = pickles[0].partition("/")[0]
        order: Literal["<", ">"] = "<"
        if f"{folder}/byteorder" in sizes:
            order = ">" if archive.read(f"{folder}/byteorder") == b"big" else "<"
        storages: dict[str, _Storage] = {}

        def load_storage(type_: _StorageType, key: str, n: int) -> _Storage:
            if key not in storages:
                name, dtype = f"{folder}/data/{key}", type_.dtype.newbyteorder(order)
                expected = n * dtype.itemsize
                if sizes.get(name, -1) < expected:
                    raise ValueError(
                        f"{name} has {sizes.get(name, 0)} bytes, expected {expected}"
                    )
                numbers = np.frombuffer(archive.read(name), dtype, count=n)
                storages[key] = _Storage(type_, numbers)
            return storages[key]

        with archive.open(pickles[0]) as file:
            return _Unpickler(file, load_storage).load()


def _read_legacy(file: BinaryIO, size: int) -> Any:
    def none(*_: Any) -> Any:
        raise ValueError("a storage in the head of the file")

    if _Unpickler(file, none).load() != _MAGIC:
        raise ValueError("it does not begin as such files do")
    if _Unpickler(file, none).load() != _PROTOCOL:
        raise ValueError("another version of the format")
    system = _Unpickler(file, none).load()
    order: Literal["<", ">"] = "<" if system.get("little_endian", True) else ">"
    storages: dict[str, _Storage] = {}

    def load_storage(type_: _StorageType, key: str, n: int) -> _Storage:
        if key not in storages:
            dtype = type_.dtype.newbyteorder(order)
            if n * dtype.itemsize > size:
                raise ValueError(f"a storage of {n} numbers in {size} bytes")
            storages[key] = _Storage(type_, np.zeros(n, dtype))
        return storages[key]

    content = _Unpickler(file, load_storage).load()
    for key in _Unpickler(file, none).load():
        numbers = storages[key].numbers
        head, data = file.read(8), file.read(numbers.nbytes)
        n = int.from_bytes(head, "little" if order == "<" else "big")
        if len(head) != 8 or n != len(numbers) or len(data) != numbers.nbytes:
            raise ValueError(f"storage {key} has {n} numbers, expected {len(numbers)}")
        numbers[...] = np.frombuffer(data, numbers.dtype)
    return content
