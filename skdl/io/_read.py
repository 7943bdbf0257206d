"""Weights of a file, whatever its format."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

from skdl._typing import Array
from skdl.io._pytorch import read_pytorch
from skdl.io._safetensors import read_safetensors


def read_weights(path: str | os.PathLike[str]) -> dict[str, Array]:
    """Read named arrays from a file: safetensors, or a state dict of PyTorch.

    Neither PyTorch nor another package is needed, and no code of the file is executed:
    what is not a tensor, a dictionary or a plain value ends the reading.

    Parameters
    ----------
    path : str or path
        A ``.safetensors`` file, or one that ``torch.save(model.state_dict())`` has
        written (``.pt``, ``.pth``; of any version since 0.1.12). The content decides,
        not the name.

    Returns
    -------
    arrays : dict of str to ndarray
        In the order of the file; of safetensors, which knows none, in the order of the
        names. bfloat16 becomes float32.

    Raises
    ------
    UnsafeFileError
        If a PyTorch file asks for anything but tensors, such as a pickled module.
    ValueError
        If the file is damaged, or of neither format.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from skdl.io import read_weights, write_safetensors
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "weights.safetensors")
    ...     write_safetensors(path, {"fc.weight": np.ones((2, 3))})
    ...     print({name: array.shape for name, array in read_weights(path).items()})
    {'fc.weight': (2, 3)}
    """
    path = Path(path)
    with path.open("rb") as file:
        head = file.read(9)
    is_pickle = head[:1] == b"\x80" or zipfile.is_zipfile(path)
    if len(head) == 9 and head[8:] == b"{" and not zipfile.is_zipfile(path):
        return read_safetensors(path)
    if is_pickle:
        return read_pytorch(path)
    raise ValueError(
        f"{path} is neither a safetensors file nor one of torch.save: it begins with "
        f"{head!r}."
    )
