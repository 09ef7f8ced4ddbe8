"""An array that holds plain numbers until a traced value is written into it; from then on it holds traced ones."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from functools import partial, wraps
from types import MappingProxyType
from typing import Any

import numpy as np

from chainrule.errors import InPlaceError, shortened
from chainrule.tracing.apply import Trace, Traced, as_operand, holds_traced
from chainrule.tracing.assignment import as_key
from chainrule.tracing.views import note_array, written_to
from chainrule.tracing.writing import METHODS, WRITING, add_at, repeated, write


class Buffer:
    """What creating functions give while a trace is open.

    It behaves as the array it holds: NumPy's functions and operators apply to that, other libraries get it as a plain array, or an
    error where its numbers are traced. A view of it, by an index, `T` or `reshape`, is another one that writes through.
    """

    __slots__ = ("_content", "_of", "_take")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, content: Any, of: Buffer | None = None, take: Callable[[Any], Any] | None = None) -> None:
        self._content, self._of, self._take = content, of, take
        if not written_to:
            written_to.append(True)  # results are looked through for buffers from now on

    def traced_value(self) -> Any:
        """What it holds now: an array, or a traced value."""
        if self._of is not None and self._take is not None:
            whole = self._of.traced_value()
            if isinstance(whole, Traced):  # since this view was taken
                self._content, self._of = self._take(whole), None
        return self._content

    def _is_traced(self) -> bool:
        return isinstance(self.traced_value(), Traced)

    def _lift(self, trace: Trace) -> None:
        """Hold the same numbers as traced ones."""
        if self._of is not None:
            self._of._lift(trace)
        else:
            self._content = note_array(trace.lifted(self._content))

    def _view(self, take: Callable[[Any], Any]) -> Any:
        """Part of it, or the whole in another shape."""
        return _with_views(take(self.traced_value()), [self], lambda _, content: take(content))

    def _rooted(self, take: Callable[[Any], Any]) -> tuple[Buffer, Callable[[Any], Any]]:
        """What a view of it is a view of, and how that is taken: of an array that keeps its shape whatever is done to this one."""
        if self._of is None or self._take is None:
            self._of, self._take = Buffer(self._content), _same
        own = self._take
        return self._of, lambda whole: take(own(whole))

    # --- as an array

    def __getitem__(self, key: Any) -> Any:
        key = as_key(key)
        return self._view(lambda content: content[key])

    def __setitem__(self, key: Any, value: Any) -> None:
        value = as_operand(value) if isinstance(value, Traced | Buffer | list | tuple) else value
        if isinstance(value, Traced) and not self._is_traced():
            self._lift(value.trace)
        self.traced_value()[as_key(key)] = value

    @property
    def T(self) -> Any:  # noqa: N802
        """The axes reversed."""
        return self._view(lambda content: content.T)

    def reshape(self, *shape: Any, **options: Any) -> Any:
        """The same elements in another shape."""
        return self._view(lambda content: content.reshape(*shape, **options))

    @property
    def shape(self) -> Any:
        """Lengths of the axes; other ones may be given to it."""
        return self.traced_value().shape

    @shape.setter
    def shape(self, shape: Any) -> None:
        content, take = self.traced_value(), self._take
        other = content.reshape(shape)
        if isinstance(content, np.ndarray) and not np.shares_memory(other, content) and content.size:
            raise InPlaceError(
                f"the shape of an array was to be made {shortened(shape)} in place, and its numbers do not "
                "lie one after the other. Write b = b.reshape(…) instead."
            )
        if isinstance(other, Traced):
            other.unsure = False  # NumPy makes no copy here
        self._content = other
        self._take = None if take is None else lambda whole: take(whole).reshape(shape)

    @property
    def real(self) -> Any:
        """The real part, which may be written to; of real numbers all of it."""
        return self._view(lambda content: content.real)

    @real.setter
    def real(self, value: Any) -> None:
        self.real[...] = value

    @property
    def imag(self) -> Any:
        """The imaginary part, which may be written to; of real numbers zeros."""
        return self._view(lambda content: content.imag)

    @imag.setter
    def imag(self, value: Any) -> None:
        if self.dtype.kind != "c":
            raise InPlaceError(
                f"the imaginary part of an array of real numbers (dtype {self.dtype}) was to be written to. Make it with "
                "dtype=complex."
            )
        self.imag[...] = value

    @property
    def flat(self) -> Any:
        """All elements in row-major order, to go through, to pick from and to write to."""
        return Flat(self)

    @flat.setter
    def flat(self, value: Any) -> None:
        self.flat[:] = value

    @property
    def dtype(self) -> Any:
        """Kind of number."""
        return self.traced_value().dtype

    @dtype.setter
    def dtype(self, dtype: Any) -> None:
        raise InPlaceError(
            f"the dtype of an array was to be made {shortened(dtype)} in place, which reads its memory as other numbers. Write "
            "b = b.astype(dtype), or b = b.view(dtype) of plain numbers."
        )

    def resize(self, *shape: Any, **how: Any) -> None:
        """Refused: it changes how many numbers there are."""
        raise InPlaceError(
            "an array was to be resized in place. Write b = np.resize(b, shape), or np.zeros and b[:n] = old."
        )

    def __copy__(self) -> Any:
        return self.copy()

    def __deepcopy__(self, memo: Any) -> Any:
        return self.copy()

    def __reduce_ex__(self, protocol: Any) -> Any:
        return np.asarray(self).__reduce_ex__(protocol)  # an array, or an error where numbers are traced

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # of the array interfaces too: its memory may not be what it holds
            raise AttributeError(name)
        found = getattr(self.traced_value(), name)
        if not callable(found):
            return self._view(lambda content: getattr(content, name))

        @wraps(found)
        def method(*args: Any, **options: Any) -> Any:
            given, named = without_buffers(args), without_buffers(options)
            return self._view(lambda content: getattr(content, name)(*given, **named))

        return method

    def __len__(self) -> int:
        return len(self.traced_value())

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        return repr(self.traced_value())

    def __format__(self, form: str) -> str:
        return format(self.traced_value(), form)

    def __contains__(self, x: Any) -> bool:
        return x in self.traced_value()

    # --- NumPy's protocols

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        content = self.traced_value()
        return content.__array__() if self._is_traced() else np.array(content, dtype, copy=copy)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, out: Any = None, **options: Any) -> Any:
        given = tuple(map(_operand, inputs))
        if method == "at" and isinstance(inputs[0], Buffer) and is_traced(given):
            return add_at(ufunc, method, inputs[0], *given[1:])
        if out is None:
            return _own(getattr(ufunc, method)(*given, **without_buffers(options)))
        (target,) = out
        where = options.pop("where", True)
        result = getattr(ufunc, method)(*given, **without_buffers(options))
        target[...] = result if where is True else np.where(without_buffers(where), result, without_buffers(target))
        return target

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        given, named = without_buffers(args), without_buffers(options)
        if function in WRITING and isinstance(args[0], Buffer) and is_traced((given, named)):
            return WRITING[function](args[0], *given[1:], **named)

        def again(buffer: Buffer, content: Any) -> Any:
            given, named = without_buffers((args, options), {id(buffer): content})
            return function(*given, **named)

        return _with_views(function(*given, **named), _buffers((args, options)), again)


def _same(content: Any) -> Any:
    return content


class Flat:
    """`b.flat`: all elements in row-major order, to go through, to pick from and to write to."""

    __slots__ = ("_of",)

    def __init__(self, of: Buffer) -> None:
        self._of = of

    def _content(self) -> Any:
        return self._of.traced_value().flat

    def __getitem__(self, key: Any) -> Any:
        found = self._content()[key]
        return np.positive(found) if isinstance(found, Traced) else found  # type: ignore[call-overload]  # a copy, as NumPy's

    def __setitem__(self, key: Any, value: Any) -> None:
        places = np.arange(self._of.size)[key]
        write(self._of, places, repeated(value, np.arange(places.size)) if places.shape else value)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._content())

    def __len__(self) -> int:
        return int(self._of.size)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.array(self._content(), dtype)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._content(), name)


def _with_views(result: Any, buffers: list[Buffer], take: Callable[[Buffer, Any], Any]) -> Any:
    """A result, of which arrays that share memory with a buffer are views of it; `take` gives it once more of what one holds."""
    if isinstance(result, list | tuple):
        if type(result) not in (list, tuple):
            return result
        return type(result)(_with_views(x, buffers, partial(_part, take, i)) for i, x in enumerate(result))
    if isinstance(result, np.ndarray):
        for buffer in buffers:
            content = buffer.traced_value()
            if isinstance(content, np.ndarray) and np.may_share_memory(result, content):
                return Buffer(result, *buffer._rooted(partial(take, buffer)))
        if result.dtype.kind in "fc":
            return Buffer(result)  # which may be written into as well
    return result


def _part(take: Callable[[Buffer, Any], Any], place: int, buffer: Buffer, content: Any) -> Any:
    return take(buffer, content)[place]


def _own(result: Any) -> Any:
    """A result that shares no memory."""
    return _with_views(result, [], lambda _, content: content)


def is_traced(x: Any) -> bool:
    """Whether there are traced values in arguments."""
    inner = x.values() if type(x) is dict else x if type(x) in (list, tuple) else ()
    return isinstance(x, Traced) or any(map(is_traced, inner))


def _buffers(x: Any) -> list[Buffer]:
    """The buffers in arguments."""
    if isinstance(x, Buffer):
        return [x]
    inner = x.values() if type(x) is dict else x if type(x) in (list, tuple) else ()
    return [buffer for part in inner for buffer in _buffers(part)]


def without_buffers(x: Any, held: Mapping[int, Any] = MappingProxyType({})) -> Any:
    """Arguments with what buffers hold in place of these, or with what is said of some, by their identities."""
    if isinstance(x, Buffer):
        return held[id(x)] if id(x) in held else x.traced_value()
    if type(x) in (list, tuple):
        return type(x)([without_buffers(item, held) for item in x])
    return {key: without_buffers(value, held) for key, value in x.items()} if type(x) is dict else x


def _operand(x: Any) -> Any:
    """What an operator or a ufunc is given: lists with traced values in them as arrays."""
    x = without_buffers(x)
    return as_operand(x) if holds_traced(x) else x


def _binary(name: str, function: Callable[[Any, Any], Any]) -> None:
    def apply(self: Buffer, other: Any) -> Any:
        return _own(function(self.traced_value(), _operand(other)))

    def reflected(self: Buffer, other: Any) -> Any:
        return _own(function(_operand(other), self.traced_value()))

    def change(self: Buffer, other: Any) -> Any:
        self[...] = function(self.traced_value(), _operand(other))
        return self

    setattr(Buffer, f"__{name}__", apply)
    if name not in ("lt", "le", "gt", "ge", "eq", "ne"):
        setattr(Buffer, f"__r{name}__", reflected)
        setattr(Buffer, f"__i{name}__", change)


for _name, _writing in METHODS.items():
    setattr(Buffer, _name, _writing)


def _unary(name: str, function: Callable[[Any], Any]) -> None:
    setattr(Buffer, f"__{name}__", lambda self: _own(function(self.traced_value())))


for _name in (
    "add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "lt", "le", "gt", "ge", "eq", "ne",
    "and", "or", "xor", "lshift", "rshift",
):  # fmt: skip
    _binary(_name, getattr(operator, f"__{_name}__"))
_binary("divmod", divmod)
_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "neg": operator.neg, "pos": operator.pos, "abs": abs, "bool": bool, "float": float, "int": int, "complex": complex,
    "index": operator.index, "round": round, "invert": operator.invert,
}  # fmt: skip
for _name, _function in _FUNCTIONS.items():
    _unary(_name, _function)
