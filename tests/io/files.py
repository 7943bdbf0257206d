"""Files as PyTorch writes them, made by hand: the opcodes of pickles, one by one."""

import json
import struct
import zipfile

import numpy as np

STORAGES = {
    "f8": "DoubleStorage",
    "f4": "FloatStorage",
    "f2": "HalfStorage",
    "i8": "LongStorage",
    "u1": "ByteStorage",
    "b1": "BoolStorage",
}
MAGIC = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."


def text(value):
    raw = value.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def number(value):
    return b"J" + struct.pack("<i", value)


def numbers(values):
    return b"(" + b"".join(map(number, values)) + b"t"


def storage(key, array, legacy):
    name = STORAGES[array.dtype.str[1:]]
    view = b"N" if legacy else b""
    body = text("storage") + f"ctorch\n{name}\n".encode() + text(key) + text("cpu")
    return b"(" + body + number(array.size) + view + b"tQ"


EMPTY = b"ccollections\nOrderedDict\n)R"


def tensor(key, array, legacy=False, offset=0, shape=None, strides=None):
    shape = array.shape if shape is None else shape
    if strides is None:
        strides = [step // array.itemsize for step in array.strides]
    body = storage(key, array, legacy) + number(offset)
    body += numbers(shape) + numbers(strides) + b"\x89" + EMPTY
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + body + b"tR"


def state_dict(arrays, legacy=False):
    """Return the opcodes of an ordered dictionary, with the attribute that it has."""
    body = EMPTY + b"("
    for i, (name, array) in enumerate(arrays.items()):
        body += text(name) + tensor(str(i), np.asarray(array), legacy)
    return body + b"u}" + text("_metadata") + EMPTY + b"sb"


def write_zip(path, opcodes, arrays, files=()):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model/data.pkl", b"\x80\x02" + opcodes + b".")
        archive.writestr("model/byteorder", b"little")
        for i, array in enumerate(arrays.values()):
            archive.writestr(f"model/data/{i}", np.asarray(array).tobytes())
        for name, content in files:
            archive.writestr(name, content)


LITTLE = b"}" + text("little_endian") + b"\x88s"


def legacy_head(system=LITTLE):
    return MAGIC + b"\x80\x02M\xe9\x03." + b"\x80\x02" + system + b"."


def legacy_tail(arrays):
    keys = b"]" + b"".join(text(str(i)) + b"a" for i in range(len(arrays)))
    out = b"\x80\x02" + keys + b"."
    for array in map(np.asarray, arrays.values()):
        out += struct.pack("<q", array.size) + array.tobytes()
    return out


def write_legacy(path, opcodes, arrays):
    path.write_bytes(legacy_head() + b"\x80\x02" + opcodes + b"." + legacy_tail(arrays))


def write_header(path, header, content=b""):
    raw = json.dumps(header).encode()
    path.write_bytes(len(raw).to_bytes(8, "little") + raw + content)
