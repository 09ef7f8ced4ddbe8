"""The functions of NumPy's that create arrays, for arrays that may hold traced values later."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper, wraps
from typing import Any

import numpy as np

from chainrule.errors import UnsupportedError
from chainrule.numpy.buffer import Buffer, without_buffers
from chainrule.ops.functions.function import together
from chainrule.tracing.apply import Traced, as_operand, holds_traced, opened, separate, traced
from chainrule.tracing.views import note_array


def _writable(array: Any) -> Any:
    """An array that a traced value may be written into, if there are any."""
    return Buffer(array) if opened and isinstance(array, np.ndarray) and array.dtype.kind in "fc" else array


def _creating(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of shapes and numbers."""

    @wraps(function)
    def create(*args: Any, **options: Any) -> Any:
        return (
            _writable(function(*without_buffers(args), **without_buffers(options)))
            if opened
            else function(*args, **options)
        )

    return create


def _like(function: Callable[..., Any], plain: Callable[..., Any]) -> Callable[..., Any]:
    """A function that takes shape and dtype of another array."""

    @wraps(function)
    def create(a: Any, *args: Any, **options: Any) -> Any:
        if not opened:
            return function(a, *args, **options)
        given = without_buffers(a)
        if isinstance(given, Traced):
            given = np.empty(given.shape, given.dtype)
        return plain(given, *map(without_buffers, args), **without_buffers(options))

    return create


def _full(shape: Any, fill_value: Any, dtype: Any = None, **options: Any) -> Any:
    value = without_buffers(fill_value)
    if not isinstance(value, Traced):
        return _writable(np.full(shape, value, dtype, **options))
    result = Buffer(np.zeros(shape, value.dtype if dtype is None else dtype))
    result[...] = value
    return result


def _full_like(a: Any, fill_value: Any, dtype: Any = None, **options: Any) -> Any:
    return _full(
        a.shape if options.get("shape") is None else options["shape"], fill_value, a.dtype if dtype is None else dtype
    )


def _array(object: Any, dtype: Any = None, **options: Any) -> Any:
    given: Any = without_buffers(object)
    if not isinstance(given, Traced) and not holds_traced(given):
        return _writable(np.array(given, dtype, **options))
    if isinstance(given, Traced):
        value: Any = given.copy() if dtype is None else given.astype(dtype)  # type: ignore[attr-defined]
    else:
        value = traced.stack_of(given)
        value = value if dtype is None else value.astype(dtype, copy=False)
    for _ in range(options.pop("ndmin", 0) - len(value.shape)):
        value = value[None]
    return note_array(value)


def _asarray(a: Any, dtype: Any = None, **options: Any) -> Any:
    held: Any = without_buffers(a)
    if isinstance(held, Traced):
        held = held if held.shape or held.is_array else separate(held)  # a number, as an array
        return note_array(held if dtype is None else held.astype(dtype, copy=False))
    if isinstance(a, Buffer) and (dtype is None or np.dtype(dtype) == held.dtype):
        return a
    if holds_traced(held):
        return _array(held, dtype)
    plain = np.asarray(held, dtype, **options)
    return plain if plain is held else _writable(plain)


def _contiguous(a: Any, dtype: Any = None) -> Any:
    found = _asarray(a, dtype)
    held: Any = without_buffers(found)
    if not held.shape:
        return found.reshape(1)
    return found if isinstance(held, Traced) or held.flags.c_contiguous else _writable(np.ascontiguousarray(held))


def _outside(function: Callable[..., Any], inside: Callable[..., Any]) -> Callable[..., Any]:
    """NumPy's function where no trace is open."""

    @wraps(function)
    def create(*args: Any, **options: Any) -> Any:
        return inside(*args, **options) if opened else function(*args, **options)

    return create


def _linspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, **options: Any) -> Any:
    start, stop = without_buffers(start), without_buffers(stop)
    if not isinstance(start, Traced) and not isinstance(stop, Traced):
        return _writable(np.linspace(start, stop, num, endpoint, **options))
    steps = np.linspace(0.0, 1.0, num, endpoint, **options)
    return start + (stop - start) * steps.reshape((-1,) + (1,) * max(np.ndim(start), np.ndim(stop)))


def _copyto(dst: Any, src: Any, casting: Any = "same_kind", where: Any = True) -> None:
    if isinstance(dst, np.ndarray):
        np.copyto(dst, without_buffers(src), casting, where)
    else:
        dst[...] = src if where is True else traced.where(where, as_operand(src), as_operand(dst))


class _Vectorized:
    """`np.vectorize(f)`: NumPy's for plain numbers; where there are traced ones, f of each of them, put together."""

    def __init__(self, own: Any) -> None:
        self._own = own
        update_wrapper(self, own.pyfunc if callable(own.pyfunc) else own)

    def __call__(self, *args: Any, **options: Any) -> Any:
        own, given = self._own, [without_buffers(x) for x in args]
        if not callable(own.pyfunc):
            return _Vectorized(own(*args, **options))  # settings first, then the function, as a decorator
        if not opened or not any(isinstance(x, Traced) or holds_traced(x) for x in (*given, *options.values())):
            return own(*args, **options)
        if options or own.excluded or own.signature is not None:
            raise UnsupportedError(
                f"np.vectorize of {getattr(own.pyfunc, '__name__', 'this function')} was given traced values and keywords, or has "
                "excluded= or signature=. Use chainrule.vmap, which has in_axes for all of that."
            )
        arrays: Any = np.broadcast_arrays(*map(as_operand, given))
        shape = tuple(arrays[0].shape)
        results = [own.pyfunc(*(x[place] for x in arrays)) for place in np.ndindex(shape)]
        several = bool(results) and isinstance(results[0], tuple)
        joined = [_array(list(x)).reshape(shape) for x in (zip(*results, strict=True) if several else [results])]
        return tuple(joined) if several else joined[0]


def _vectorize(pyfunc: Any = np._NoValue, *args: Any, **options: Any) -> Any:
    return _Vectorized(np.vectorize(pyfunc, *args, **options))


def _ndenumerate(arr: Any) -> Any:
    held: Any = without_buffers(arr)
    if not isinstance(as_operand(held), Traced):
        return np.ndenumerate(held)
    return ((place, held[place]) for place in np.ndindex(held.shape))


def _isscalar(element: Any) -> bool:
    held: Any = without_buffers(element)
    return not (held.shape or held.is_array) if isinstance(held, Traced) else np.isscalar(held)


class _Joining:
    """`np.r_` and `np.c_` with traced values among what is joined."""

    def __init__(self, own: Any, join: Callable[[list[Any]], Any]) -> None:
        self._own, self._join = own, join

    def __getitem__(self, key: Any) -> Any:
        pieces = without_buffers(key if isinstance(key, tuple) else (key,))
        if not any(isinstance(x, Traced) or holds_traced(x) for x in pieces):
            return _writable(self._own[pieces]) if opened else self._own[key]
        alone = [self._own[x] if isinstance(x, slice) else x for x in pieces]
        return self._join(
            together(traced, *(x if type(x) in (bool, int, float, complex) else as_operand(x) for x in alone))
        )

    def __len__(self) -> int:
        return 0


CREATING: dict[str, Any] = {
    **{name: _creating(getattr(np, name)) for name in ("zeros", "empty", "ones", "eye", "identity", "tri")},
    "full": _outside(np.full, _full),
    "zeros_like": _like(np.zeros_like, lambda a, *args, **options: _writable(np.zeros_like(a, *args, **options))),
    "ones_like": _like(np.ones_like, lambda a, *args, **options: _writable(np.ones_like(a, *args, **options))),
    "empty_like": _like(np.empty_like, lambda a, *args, **options: _writable(np.empty_like(a, *args, **options))),
    "full_like": _like(np.full_like, _full_like),
    "array": _outside(np.array, _array),
    "asarray": _outside(np.asarray, _asarray),
    "asanyarray": _outside(np.asanyarray, _asarray),
    "ascontiguousarray": _outside(np.ascontiguousarray, _contiguous),
    "asfortranarray": _outside(np.asfortranarray, lambda a, dtype=None: _asarray(a, dtype)),
    "require": _outside(np.require, lambda a, dtype=None, requirements=None: _asarray(a, dtype)),
    "vectorize": wraps(np.vectorize, updated=())(_vectorize),
    "ndenumerate": _outside(np.ndenumerate, _ndenumerate),
    "copy": _outside(np.copy, lambda a, order="K", subok=False: _array(a)),
    "linspace": _outside(np.linspace, _linspace),
    "copyto": _outside(np.copyto, _copyto),
    "isscalar": _outside(np.isscalar, _isscalar),
    "r_": _Joining(np.r_, lambda pieces: np.concatenate([np.atleast_1d(x) for x in pieces])),
    "c_": _Joining(
        np.c_, lambda pieces: np.concatenate([x[:, None] if np.ndim(x) == 1 else x for x in pieces], axis=1)
    ),
}
"""What `chainrule.numpy` has of its own, by name."""
