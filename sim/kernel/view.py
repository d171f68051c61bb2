"""Arrays of the compiled engine by their address: views that cost nothing to make and are never counted.

The state of a run is one record (:data:`sim.kernel.world.WORLD`) that holds numbers and the addresses of its tables. A
compiled function takes the record alone, which is one pointer, and asks for the tables that it needs. numba would
otherwise pass seven words for each array and count references to it at every call, which takes longer than the work.
Whoever calls the engine keeps the arrays alive (:class:`sim.compiled.run.Engine`).
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.extending import intrinsic


def _view(typingctx: Any, address: Any, length: Any, dtype: Any) -> Any:  # noqa: ARG001
    array = types.Array(dtype.dtype, 1, "C", aligned=True)

    def generate(context: Any, builder: Any, _: Any, arguments: Any) -> Any:
        return _at(context, builder, array, arguments[0], [arguments[1]])

    return array(types.int64, types.int64, dtype), generate


def _view_rows(typingctx: Any, address: Any, length: Any, width: Any, dtype: Any) -> Any:  # noqa: ARG001
    array = types.Array(dtype.dtype, 2, "C", aligned=True)

    def generate(context: Any, builder: Any, _: Any, arguments: Any) -> Any:
        return _at(context, builder, array, arguments[0], [arguments[1], arguments[2]])

    return array(types.int64, types.int64, types.int64, dtype), generate


def _at(context: Any, builder: Any, array: Any, address: Any, shape: list[Any]) -> Any:
    """The words of an array at an address; rows lie one behind the other."""
    from numba.np import arrayobj  # needed to compile only

    arrays: Any = arrayobj
    made = arrays.make_array(array)(context, builder)
    item = context.get_data_type(array.dtype)
    size = context.get_constant(types.intp, context.get_abi_sizeof(item))
    place = builder.bitcast(builder.inttoptr(address, context.get_value_type(types.voidptr)), made.data.type)
    strides = [size] if len(shape) == 1 else [builder.mul(size, shape[1]), size]
    arrays.populate_array(made, data=place, shape=shape, strides=strides, itemsize=size, meminfo=None)
    return made._getvalue()


view: Any = intrinsic(_view)
"""``view(address, length, dtype)``: the one-dimensional array of so many items at an address, without an owner."""

view_rows: Any = intrinsic(_view_rows)
"""``view_rows(address, length, width, dtype)``: the two-dimensional array of so many rows of so many items."""
