"""Many arrays as one argument.

An array costs the compiler seven values in every function that it is handed to, and a
grower has forty of them: most of the time to compile was spent on passing them around.
A `Struct` is one pointer to a table of addresses, shapes and numbers. Its fields read
like those of a tuple (``w.rows[i]``), and the table is constant while a kernel runs, so
that the compiler may load a field once and keep it.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import AttributeTemplate
from numba.extending import (
    infer_getattr,
    intrinsic,
    lower_getattr_generic,
    models,
    register_model,
)
from numba.np.arrayobj import populate_array
from numba.np.numpy_support import as_dtype
from numpy.typing import NDArray

ir = cgutils.ir
_WORD = ir.IntType(64)
_VIEWS = {
    types.int64: "i",
    types.boolean: "i",
    types.uint64: "u",
    types.float64: "f",
}


class Struct(types.Type):
    """A table of contiguous arrays and numbers, of which kernels see the address.

    Parameters
    ----------
    name : str
        Its name; no other struct has it.
    **fields : numba type
        int64, uint64, float64, boolean, or a C-contiguous array type.
    """

    def __init__(self, name: str, **fields: Any) -> None:
        self.fields = fields
        self.offsets = {}
        size = 0
        for field, kind in fields.items():
            self.offsets[field] = size
            size += 1 + kind.ndim if isinstance(kind, types.Array) else 1
        self.size = size
        self._numbers = [  # (field, place, view), looked up once
            (field, self.offsets[field], _VIEWS[kind])
            for field, kind in fields.items()
            if not isinstance(kind, types.Array)
        ]
        super().__init__(name=name)

    def fill(self, **values: Any) -> SimpleNamespace:
        """Return the fields with their table.

        Parameters
        ----------
        **values : ndarray or number
            One for each field.

        Returns
        -------
        filled : namespace
            The fields, and the `table` that a kernel wants; it keeps the arrays alive.
        """
        table = np.zeros(self.size, np.int64)
        views = {"i": table, "u": table.view(np.uint64), "f": table.view(np.float64)}
        for field, at, view in self._numbers:
            views[view][at] = values[field]
        if len(self._numbers) < len(self.fields):
            self._enter_arrays(table, values)
        return SimpleNamespace(table=table, **values)

    def _enter_arrays(self, table: NDArray[np.int64], values: dict[str, Any]) -> None:
        for field, kind in self.fields.items():
            if isinstance(kind, types.Array):
                at, value = self.offsets[field], values[field]
                assert value.dtype == as_dtype(kind.dtype), field
                assert value.ndim == kind.ndim, field
                assert value.flags.c_contiguous, field
                table[at] = value.ctypes.data
                table[at + 1 : at + 1 + kind.ndim] = value.shape

    def opener(self) -> Any:
        """Return the function that turns a table into this struct in a kernel."""
        struct = self

        @intrinsic
        def view(typingctx: Any, table: Any) -> Any:
            signature = struct(table)

            def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
                return context.make_array(sig.args[0])(context, builder, args[0]).data

            return signature, codegen

        return view


@register_model(Struct)
class _StructModel(models.PrimitiveModel):
    def __init__(self, manager: Any, struct: Any) -> None:
        super().__init__(manager, struct, _WORD.as_pointer())


@infer_getattr
class _StructFields(AttributeTemplate):
    key = Struct

    def generic_resolve(self, struct: Any, field: str) -> Any:
        return struct.fields.get(field)


@lower_getattr_generic(Struct)
def _load_field(context: Any, builder: Any, struct: Any, value: Any, field: str) -> Any:
    """Read a field from the table."""
    kind = struct.fields[field]
    first = struct.offsets[field]
    constant = builder.module.add_metadata([])

    def load(at: int) -> Any:
        word = builder.load(builder.gep(value, [ir.Constant(_WORD, at)]))
        word.set_metadata("invariant.load", constant)
        return word

    word = load(first)
    if not isinstance(kind, types.Array):
        if kind == types.boolean:
            return builder.icmp_signed("!=", word, ir.Constant(_WORD, 0))
        if kind == types.float64:
            return builder.bitcast(word, ir.DoubleType())
        return word
    item = context.get_data_type(kind.dtype)
    size = context.get_abi_sizeof(item)
    shape = [load(first + 1 + axis) for axis in range(kind.ndim)]
    strides = [ir.Constant(_WORD, size)]
    for length in shape[:0:-1]:
        strides.insert(0, builder.mul(length, strides[0]))
    array = context.make_array(kind)(context, builder)
    populate_array(
        array,
        data=builder.inttoptr(word, item.as_pointer()),
        shape=shape,
        strides=strides,
        itemsize=size,
        meminfo=None,
    )
    return array._getvalue()
