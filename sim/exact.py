"""Exact sums of integers and of their products, as arrays: neither order nor grouping of the terms can show.

A float sum depends on the order of its terms, so a result that was streamed would depend on the size of its blocks
and on the number of workers. These sums are whole numbers instead, of 32 bits a limb, least first::

    value = limb[0] + limb[1] * 2**32 + limb[2] * 2**64 + ...

All limbs but the last lie in [0, 2**32), the last one carries the sign; so each value has one form, and equal sums
have equal bytes. An int64 is ``high * 2**32 + low`` with high in [-2**31, 2**31), hence each partial product fits 64
bits and its halves can be added hundreds of millions of times before a limb overflows.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Exact = NDArray[np.object_]
"""Whole numbers of any size, as Python's own."""

SUM_LIMBS: Final = 2
"""Enough for 2**31 terms of any int64."""
PRODUCT_LIMBS: Final = 4
"""Enough for 2**31 products of any two int64."""

_BITS = 32
_MASK = np.int64(0xFFFFFFFF)


def zeros(shape: tuple[int, ...], limbs: int) -> Integers:
    """An exact sum of no terms, shape ``[limbs, *shape]``."""
    return np.zeros((limbs, *shape), dtype=np.int64)


def sums(values: Integers, axis: int) -> Integers:
    """Sums along an axis, shape ``[2, ...]``.

    Args:
        values: int64, at most 2**31 along the axis.
    """
    return carried(np.stack([(values & _MASK).sum(axis=axis), (values >> _BITS).sum(axis=axis)]))


def products(a: Integers, b: Integers, axis: int) -> Integers:
    """Sums of ``a * b`` along an axis, shape ``[4, ...]``; ``a`` and ``b`` have one shape.

    Args:
        a: int64, at most 2**29 along the axis.
        b: the other factor.
    """
    a_low, a_high, b_low, b_high = a & _MASK, a >> _BITS, b & _MASK, b >> _BITS
    # The product of the low halves needs all 64 bits, so it is taken without a sign.
    low = a_low.astype(np.uint64) * b_low.astype(np.uint64)
    crossed = (a_low * b_high, a_high * b_low)
    high = a_high * b_high
    limbs = [
        (low & np.uint64(_MASK)).astype(np.int64).sum(axis=axis),
        (low >> np.uint64(_BITS)).astype(np.int64).sum(axis=axis)
        + sum((term & _MASK).sum(axis=axis) for term in crossed),
        (high & _MASK).sum(axis=axis) + sum((term >> _BITS).sum(axis=axis) for term in crossed),
        (high >> _BITS).sum(axis=axis),
    ]
    return carried(np.stack(limbs))


def carried(limbs: Integers) -> Integers:
    """The one form of a sum: what a limb holds beyond 32 bits moves on to the next, in place."""
    for place in range(len(limbs) - 1):
        limbs[place + 1] += limbs[place] >> _BITS
        limbs[place] &= _MASK
    return limbs


def added(a: Integers, b: Integers) -> Integers:
    """The sum of two exact sums of one shape."""
    return carried(a + b)


def whole(limbs: Integers) -> Exact:
    """The values as Python's whole numbers, shape without the limbs."""
    total: Any = limbs[-1].astype(object)
    for limb in limbs[-2::-1]:
        total = total * 2**_BITS + limb.astype(object)
    return np.asarray(total, dtype=object)


def divided(above: Exact, below: int) -> NDArray[np.float64]:
    """Quotients rounded once, to the nearest double.

    Args:
        above: whole numbers.
        below: not zero.
    """
    return np.asarray(np.asarray(above, dtype=object) / below, dtype=np.float64)
