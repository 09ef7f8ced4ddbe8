"""The dtype that NumPy computes in where Python's numbers meet arrays, for numbers that are traced."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.ops.kinds.elementwise import Elementwise
from chainrule.ops.operation import Namespace, Operation, dtype_of

_LIKE: dict[str, Any] = {"b": True, "i": 1, "f": 1.0, "c": 1j}
_NUMBERS = frozenset(map(type, _LIKE.values()))


def adapted(m: Namespace, op: Operation, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Numbers in the dtype that NumPy computes in, which the arrays beside them decide, if there are any."""
    if not isinstance(op, Elementwise):
        return inputs
    for x in inputs:
        if type(x) not in _NUMBERS and not getattr(x, "is_number", False):
            break
    else:
        return inputs  # no arrays, as in most code of numbers
    numbers = [d.dtype != "bool" and getattr(x, "is_number", False) for x, d in zip(inputs, op.domain, strict=True)]
    others = [
        dtype_of(x)
        for x, d, number in zip(inputs, op.domain, numbers, strict=True)
        if d.dtype != "bool" and not number and hasattr(x, "dtype")
    ]
    if not others:
        return inputs
    loop: tuple[Any, ...] = ()
    if all(kind.kind in "iu" for kind in others) and op.ufunc is not None:
        loop = op.ufunc.resolve_dtypes((*(_weak(x, n) for x, n in zip(inputs, numbers, strict=True)), None))
    if loop and loop[-1].kind == "b":
        return inputs  # integers are compared as they are, however long
    return tuple(
        m.astype(x, dtype=kind)
        if number and (kind := loop[i] if loop else np.result_type(*others, _LIKE[x.dtype.kind])) != x.dtype
        else x
        for i, (x, number) in enumerate(zip(inputs, numbers, strict=True))
    )


def _weak(x: Any, number: bool) -> Any:
    """The type of an input, of which NumPy is told what is a number of Python's."""
    kind = dtype_of(x)
    return {"i": int, "f": float, "c": complex}.get(kind.kind, kind) if number else kind
