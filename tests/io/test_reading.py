"""Files of weights are read as they are, and nothing in them is executed."""

import json
import struct
import zipfile

import numpy as np
import pytest
from files import (
    EMPTY,
    MAGIC,
    legacy_head,
    legacy_tail,
    number,
    numbers,
    state_dict,
    storage,
    tensor,
    text,
    write_header,
    write_legacy,
    write_zip,
)

from skdl.io import (
    UnsafeFileError,
    read_safetensors,
    read_weights,
    write_safetensors,
)

rng = np.random.default_rng(0)
ARRAYS = {
    "conv.weight": rng.normal(size=(4, 3, 2, 2)).astype("f4"),
    "conv.bias": rng.normal(size=4),
    "bn.num_batches_tracked": np.array(7, "i8"),
    "half": rng.normal(size=3).astype("f2"),
    "mask": np.array([True, False]),
    "bytes": np.arange(5, dtype="u1"),
    "none": np.zeros((0, 3), "f4"),
}


def same(a, b):
    assert list(a) == list(b)
    for name in a:
        assert a[name].dtype == np.asarray(b[name]).dtype
        np.testing.assert_array_equal(a[name], b[name])


# ---- PyTorch


@pytest.mark.parametrize("write", [write_zip, write_legacy])
def test_state_dicts(write, tmp_path):
    path = tmp_path / "weights"
    write(path, state_dict(ARRAYS, write is write_legacy), ARRAYS)
    same(read_weights(path), ARRAYS)


@pytest.mark.parametrize("write", [write_zip, write_legacy])
def test_tensors_that_are_views(write, tmp_path):
    base, legacy = {"x": np.arange(12.0)}, write is write_legacy
    body = b"}" + text("t")
    body += tensor("0", base["x"], legacy, 2, (2, 3), (1, 3)) + b"s"
    write(tmp_path / "w.pt", body, base)
    expected = np.arange(12.0)[2:].reshape(-1)[[[0, 3, 6], [1, 4, 7]]]
    np.testing.assert_array_equal(read_weights(tmp_path / "w.pt")["t"], expected)


def test_parameters_and_checkpoints(tmp_path):
    x = {"x": np.arange(3.0)}
    parameter = b"ctorch._utils\n_rebuild_parameter\n(" + tensor("0", x["x"])
    parameter += b"\x88" + EMPTY + b"tR"
    inner = b"}" + text("w") + parameter + b"s"
    body = b"}(" + text("epoch") + number(3) + text("model") + inner + b"u"
    write_zip(tmp_path / "w.pt", body, x)
    same(read_weights(tmp_path / "w.pt"), {"w": x["x"]})


def test_big_endian(tmp_path):
    x = np.arange(3, dtype=">f4")
    body = b"}" + text("w") + tensor("0", x.astype("<f4")) + b"s"
    with zipfile.ZipFile(tmp_path / "w.pt", "w") as archive:
        archive.writestr("a/data.pkl", b"\x80\x02" + body + b".")
        archive.writestr("a/byteorder", b"big")
        archive.writestr("a/data/0", x.tobytes())
    same(read_weights(tmp_path / "w.pt"), {"w": np.arange(3, dtype="f4")})


def attacks(mark):
    """Yield opcodes that would write a file if they were executed."""
    code = f"open({str(mark)!r}, 'w')"
    call = text(code) + b"\x85R"
    yield b"cbuiltins\neval\n" + call
    yield b"c__builtin__\neval\n" + call
    yield text("builtins") + text("eval") + b"\x93" + call  # STACK_GLOBAL
    yield b"cposix\nsystem\n" + text(f"touch {mark}") + b"\x85R"
    yield b"(" + text(code) + b"ibuiltins\neval\n"  # INST
    yield b"(cbuiltins\neval\n" + text(code) + b"o"  # OBJ
    yield b"cpathlib\nPath\n" + text(str(mark)) + b"\x85R"
    yield b"ctorch.nn.modules.linear\nLinear\n)\x81}b"  # a pickled module
    yield b"ctorch._utils\n_rebuild_tensor_v2.__globals__\n"
    yield b"cskdl.io._pytorch\nzipfile\n"
    yield b"cnumpy._core.multiarray\n_reconstruct\n)R"
    yield b"ctorch\nload\n" + call
    # What a state dict may call must not be changed either.
    setting = b"N}" + text("kind") + text("size") + b"s\x86b"
    yield b"ctorch._utils\n_rebuild_tensor_v2\n" + setting
    yield b"ctorch\nFloatStorage\nN}" + text("code") + text("O") + b"s\x86b"
    yield (
        tensor("0", np.zeros(2)) + b"N}" + text("shape") + numbers([10**6]) + b"s\x86b"
    )
    yield storage("0", np.zeros(2), False) + b"N}" + text("numbers") + b"Ns\x86b"


N_ATTACKS = len(list(attacks("")))


@pytest.mark.parametrize("i", range(N_ATTACKS))
@pytest.mark.parametrize("write", [write_zip, write_legacy])
def test_code_in_a_file_is_refused_and_not_executed(i, write, tmp_path):
    mark, path, x = tmp_path / "executed", tmp_path / "w.pt", {"x": np.zeros(2)}
    attack = list(attacks(mark))[i].replace(
        storage("0", x["x"], False), storage("0", x["x"], write is write_legacy)
    )
    good = text("a") + tensor("0", x["x"], write is write_legacy)
    write(path, b"}(" + good + text("b") + attack + b"u", x)
    with pytest.raises(UnsafeFileError, match="nothing of it was executed"):
        read_weights(path)
    assert not mark.exists()
    write(path, b"}(" + good + b"u", x)  # and the reader is what it was
    same(read_weights(path), {"a": x["x"]})


@pytest.mark.parametrize("place", ["system", "keys"])
def test_code_in_the_other_pickles_of_the_old_format(place, tmp_path):
    mark, path, x = tmp_path / "executed", tmp_path / "w.pt", {"x": np.zeros(2)}
    attack = next(attacks(mark))
    state = b"\x80\x02" + state_dict(x, True) + b"."
    if place == "system":
        path.write_bytes(legacy_head(attack) + state + legacy_tail(x))
    else:
        path.write_bytes(legacy_head() + state + b"\x80\x02" + attack + b".")
    with pytest.raises(UnsafeFileError, match="eval"):
        read_weights(path)
    assert not mark.exists()


X = np.arange(4.0)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (
            tensor("0", X, shape=(5,), strides=(1,)),
            "reaches number 4 of a storage of 4",
        ),
        (tensor("0", X, offset=3, shape=(2,), strides=(1,)), "reaches number 4"),
        (tensor("0", X, offset=-1), "offset"),
        (tensor("0", X, shape=(2, 2), strides=(1,)), "strides"),
        (tensor("0", X, shape=(2,), strides=(-1,)), "strides"),
        (tensor("0", X, shape=(10**9,), strides=(0,)), "in a storage of 4 numbers"),
        (tensor("0", np.zeros(9)), "expected 72"),
        (tensor("5", X), "has 0 bytes"),
        (number(3), "no dictionary of tensors"),
        (b"}", "no dictionary of tensors"),
        (text("storage") + b"Q", "unknown kind of reference"),
        (b"(", "state dict"),
    ],
)
def test_damaged_zip_files(bad, message, tmp_path):
    write_zip(tmp_path / "w.pt", b"}" + text("x") + bad + b"s", {"x": X})
    with pytest.raises(ValueError, match=message):
        read_weights(tmp_path / "w.pt")


@pytest.mark.parametrize("length", [9, 20, 60, 200, -1, -9])
def test_cut_legacy_files(length, tmp_path):
    path = tmp_path / "w.pt"
    write_legacy(path, state_dict(ARRAYS, True), ARRAYS)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(ValueError, match=r"w\.pt"):
        read_weights(path)


def test_other_files(tmp_path):
    for content in (
        b"",
        b"hello",
        b"GIF89a" * 9,
        MAGIC,
        b"\x80\x02N.",
        struct.pack("<Q", 2**62) + b"{}",
    ):
        (tmp_path / "w").write_bytes(content)
        with pytest.raises(ValueError, match="w"):
            read_weights(tmp_path / "w")
    with zipfile.ZipFile(tmp_path / "w", "w") as archive:
        archive.writestr("a.txt", "text")
    with pytest.raises(ValueError, match=r"without data\.pkl"):
        read_weights(tmp_path / "w")
    with pytest.raises(FileNotFoundError):
        read_weights(tmp_path / "nothing.pt")


# ---- safetensors


def test_there_and_back(tmp_path):
    path = tmp_path / "new" / "w.safetensors"
    write_safetensors(path, ARRAYS, {"format": "test"})
    for read in (read_safetensors, read_weights):
        found = read(path)
        same(found, {name: ARRAYS[name] for name in sorted(ARRAYS)})
        assert not any(array.flags.writeable for array in found.values() if array.size)
    assert [p.name for p in path.parent.iterdir()] == ["w.safetensors"]


def test_the_layout_is_the_format_s(tmp_path):
    """The example of the format's own description, byte by byte."""
    path = tmp_path / "w"
    write_safetensors(path, {"a": np.array([[1, 2]], ">i2"), "b": np.array(3.0, "f4")})
    raw = path.read_bytes()
    n = int.from_bytes(raw[:8], "little")
    assert n % 8 == 0
    assert json.loads(raw[8 : 8 + n]) == {
        "b": {"dtype": "F32", "shape": [], "data_offsets": [0, 4]},
        "a": {"dtype": "I16", "shape": [1, 2], "data_offsets": [4, 8]},
    }
    assert raw[8 + n :] == struct.pack("<fhh", 3.0, 1, 2)


def test_bfloat16_and_order_of_names(tmp_path):
    header = {
        "10.weight": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]},
        "2.weight": {"dtype": "U8", "shape": [1], "data_offsets": [4, 5]},
    }
    write_header(tmp_path / "w", header, b"\x80\x3f\x20\xc0" + b"\x09")
    found = read_weights(tmp_path / "w")
    assert list(found) == ["2.weight", "10.weight"]
    np.testing.assert_array_equal(found["10.weight"], [1.0, -2.5])
    assert found["10.weight"].dtype == np.float32


GOOD = {"dtype": "U8", "shape": [2], "data_offsets": [0, 2]}


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({"a": {**GOOD, "dtype": "F8_E4M3"}}, "F8_E4M3"),
        ({"a": {**GOOD, "shape": [3]}}, "takes 3 bytes"),
        ({"a": {**GOOD, "shape": [-2]}}, "entry of 'a'"),
        ({"a": {**GOOD, "data_offsets": [1, 3]}}, "begins at 1, expected 0"),
        ({"a": {**GOOD, "data_offsets": [0]}}, "data_offsets"),
        ({"a": {"dtype": "U8"}}, "data_offsets"),
        ({"a": GOOD, "b": GOOD}, "begins at 0, expected 2"),
        ({"a": {**GOOD, "shape": [1], "data_offsets": [0, 1]}}, "the file has 2"),
        ({"a": {**GOOD, "shape": [9], "data_offsets": [0, 9]}}, "the file has 2"),
        ([1], "no object"),
    ],
)
def test_damaged_safetensors(header, message, tmp_path):
    write_header(tmp_path / "w", header, b"\x01\x02")
    with pytest.raises(ValueError, match=message):
        read_safetensors(tmp_path / "w")


@pytest.mark.parametrize(
    "array", [np.array(["a"]), np.array([None]), np.zeros(2, complex)]
)
def test_what_safetensors_cannot_hold(array, tmp_path):
    with pytest.raises(ValueError, match="cannot hold"):
        write_safetensors(tmp_path / "w", {"x": array})
    assert not list(tmp_path.iterdir())
