"""In which precision SciPy's special functions compute: that is asked of them, for numbers of the same types."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from typing import Any

import numpy as np

from chainrule.ops.kinds.elementwise import NUMBERS
from chainrule.tracing.apply import Traced, as_operand, traced


def _sort(x: Any) -> Any:
    """What decides the precision of a result: the dtype of an array, the type of one of Python's numbers."""
    if type(x) in NUMBERS:
        return type(x)
    if getattr(x, "is_number", False):
        return {"i": int, "f": float}.get(x.dtype.kind, complex)
    return x.dtype if hasattr(x, "dtype") else None


def _example(sort: Any) -> Any:
    return sort(1) if isinstance(sort, type) else np.ones(1, sort)


@cache
def _kind(own: Callable[..., Any], sorts: tuple[Any, ...]) -> np.dtype[Any] | None:
    """The real dtype of what SciPy's function gives for arguments of such sorts; `None` where it takes none such."""
    try:
        with np.errstate(all="ignore"):
            found = own(*map(_example, sorts))
    except (TypeError, ValueError):
        return None
    kind = np.asarray(found[0] if isinstance(found, tuple) else found).real.dtype
    return kind if kind.kind == "f" else None


def _cast(x: Any, kind: np.dtype[Any], weak: bool) -> Any:
    if type(x) in NUMBERS:
        return kind.type(x) if weak else x
    sort = getattr(x, "dtype", np.dtype(bool)).kind
    number = getattr(x, "is_number", False)
    if sort not in "fc" and not (number and weak):
        return x
    wide = np.result_type(kind, np.complex64) if sort == "c" else kind
    if wide == x.dtype or (wide.itemsize < x.dtype.itemsize and not (number and weak)):
        return x
    return traced.astype(x, dtype=wide) if isinstance(x, Traced) else np.asarray(x).astype(wide)


def in_scipys_precision(own: Callable[..., Any], derived: Callable[..., Any], weak: bool = False) -> Callable[..., Any]:
    """The same, of arguments in the precision that SciPy computes in; with `weak` Python's numbers as well."""

    @wraps(derived)
    def function(*args: Any, **options: Any) -> Any:
        args = tuple(x if isinstance(x, list | tuple) else as_operand(x) for x in args)
        kind = _kind(own, tuple(map(_sort, args)))
        if kind is not None:
            args = tuple(_cast(x, kind, weak) for x in args)
        return derived(*args, **options)

    return function
