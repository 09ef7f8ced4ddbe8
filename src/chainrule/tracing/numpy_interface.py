"""How traced values take part in NumPy code: operators, methods, and NumPy's two dispatch protocols."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import cache
from operator import attrgetter
from typing import Any, NoReturn

import numpy as np

from chainrule.errors import DerivativeLostError, NoLengthError
from chainrule.ops import FUNCTIONS, REGISTRY, ArrayFunction
from chainrule.ops.functions.joining import index as _index
from chainrule.ops.operation import OF_NUMPY, Operation, copied
from chainrule.tracing import refusals, ufuncs, views, writing
from chainrule.tracing.apply import Traced, apply, as_operand, separate, traced
from chainrule.tracing.assignment import element, in_place, set_item, view_without_axes
from chainrule.tracing.lists import with_lists_as_arrays
from chainrule.tracing.plain import NUMERIC, refuse


def _function_of(numpy: Any) -> ArrayFunction | None:
    """The function that stands for one of NumPy's, among those registered by now."""
    found = OF_NUMPY.loaded(numpy) or OF_NUMPY.get(numpy)
    return found if type(found) is ArrayFunction else None


@cache
def _options(function: ArrayFunction) -> frozenset[str]:
    return frozenset(inspect.signature(function.implementation).parameters)


@cache
def _defaults(function: ArrayFunction) -> dict[str, Any]:
    """What NumPy takes where an option is left out."""
    functions = [f for f in function.numpy if not isinstance(f, np.ufunc)]
    return {name: option.default for f in functions[:1] for name, option in inspect.signature(f).parameters.items()}


def call(function: ArrayFunction, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A function applied to traced values; options it does not have are dropped where they are NumPy's defaults."""
    given = kwargs
    if kwargs:
        options = _options(function)
        given = {
            name: value
            for name, value in kwargs.items()
            if name in options
            or not (value is np._NoValue or value is _defaults(function).get(name, inspect.Parameter.empty))
        }
        for name in given:
            if name not in options:
                raise refusals.unsupported_option(f"np.{function.name}", name)
    try:
        try:
            result = function.implementation(traced, *args, **given)
        except DerivativeLostError as lost:
            result = with_lists_as_arrays(lost, function.implementation, args, given, traced)
    except refusals.RAW as error:
        if refusals.ours(error):
            raise
        raise refusals.untraceable(f"np.{function.name}", args, given, error) from error
    if function.name in views.VIEWS and isinstance(result, Traced) and not result.shape:
        return view_without_axes(result, args[0])
    if args and result is args[0] and isinstance(result, Traced) and not views.gives_a_view(function, args, kwargs):
        return copied(traced, result)  # a value of its own, also where nothing was to be done: it may be written to
    if function.numpys_is_a_view:
        views.note_numpys_view(function, args, kwargs, result)
    return result


class ArrayInterface:
    """Operators, methods and protocols of an array, each an operation applied to the value."""

    __slots__ = ()

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if ufunc is np.power:
            refusals.answer_as_exponent(inputs[-1])
        if method == "__call__" and not kwargs:
            found = OF_NUMPY.loaded(ufunc) or OF_NUMPY.get(ufunc)
            if type(found) is ArrayFunction:
                return call(found, inputs, kwargs)
            if found is not None:
                return apply(found, *inputs)
        out = kwargs.pop("out", None)
        if out is not None:
            if len(out) > 1 or isinstance(out[0], np.ndarray):
                raise refusals.into_existing(refusals.full_name(ufunc))
            where = kwargs.pop("where", True)
            result = getattr(ufunc, method)(*inputs, **kwargs)
            out[0][...] = result if where is True else traced.where(where, result, as_operand(out[0]))
            return out[0]
        options = ufuncs.without_idle(kwargs)
        if method == "__call__" and kwargs:
            if "dtype" in options:
                inputs = ufuncs.in_dtype(traced, inputs, options.pop("dtype"))
            if not options:
                return ufunc(*inputs)
        if method == "reduce" and ufunc.__name__ in ufuncs.REDUCTIONS:
            options.setdefault("axis", 0)
            return call(FUNCTIONS[ufuncs.REDUCTIONS[ufunc.__name__]], inputs, options)
        if ufuncs.of_objects(ufunc):
            return call(ufuncs.ONE_BY_ONE, (ufunc, *inputs), options)
        if method in ufuncs.METHODS:
            return call(ufuncs.METHODS[method], (ufunc, *inputs), options)
        if method != "__call__":
            return writing.add_at(ufunc, method, *inputs)
        function = _function_of(ufunc) or _function_of(
            getattr(np, ufunc.__name__, ufunc)
        )  # methods call ufuncs of their own
        if function is not None:
            return call(function, inputs, options)
        if options:
            raise refusals.unsupported_option(refusals.full_name(ufunc), next(iter(options)))
        raise refusals.unsupported(ufunc)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        function = _function_of(func)
        if function is None:
            return writing.carried_out(func, args, kwargs)
        if kwargs.get("out") is not None:
            raise refusals.into_existing(refusals.full_name(func))
        result = call(function, args, kwargs)
        array = function.name in views.ARRAYS and isinstance(result, Traced) and not result.shape
        return views.note_array(separate(result)) if array else result

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        refusals.lose_as_array(self)

    def _lose(self, what: str) -> NoReturn:
        refusals.lose(what, self)

    def __index__(self) -> NoReturn:
        refusals.lose_as_position(self)

    def item(self, *place: Any) -> Any:
        """One element, counted through or by its place; it keeps its derivative, so it is no number of Python's."""
        whole = len(place) == 1 and not isinstance(place[0], tuple)
        return copied(traced, self.reshape(-1)[place[0]] if whole else self[place] if place else self.reshape(()))

    def __hash__(self) -> int:
        refusals.lose_as_key(self)

    def __format__(self, form: str) -> str:
        return str(self)  # there are no numbers to be written in that form

    def __setitem__(self, key: Any, value: Any) -> None:
        set_item(self, key, value)

    # --- copies

    def __copy__(self) -> Any:
        return copied(traced, self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        """Another name for the same numbers: a copy of what they were computed from would have derivatives of its own."""
        return copied(traced, self)

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise DerivativeLostError(
            "a traced value was about to be pickled (written to a file, or sent to another process), which would lose its "
            "derivative. Compute in this process, in threads if need be, or pass on chainrule.stop_gradient of it."
        )

    # --- size and iteration

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return int(np.prod(self.shape, dtype=np.int64))

    def __len__(self) -> int:
        if not self.shape:
            raise NoLengthError(
                "a value without axes has no length: it is one number. Give an array with axes, or use x.size. If another library "
                "asked, for its index or as a list of numbers, compute with NumPy's functions instead."
            )
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        length = len(self)
        return (self[i] for i in range(length))  # each as it is when it is reached

    def __getitem__(self, key: Any) -> Any:
        result = _index(traced, as_operand(self), key)
        if not result.shape:
            return element(self, result, key)
        return separate(result) if getattr(self, "is_flat", False) else result

    def __invert__(self) -> Any:
        return call(FUNCTIONS["invert"], (self,), {})

    @property
    def T(self) -> Any:  # noqa: N802
        """The axes reversed."""
        return call(FUNCTIONS["transpose"], (self,), {})

    @property
    def mT(self) -> Any:  # noqa: N802
        """The last two axes exchanged."""
        return call(FUNCTIONS["swapaxes"], (self, -1, -2), {})

    @property
    def real(self) -> Any:
        """The real part; of real numbers the value itself."""
        return call(FUNCTIONS["real"], (self,), {})

    @property
    def imag(self) -> Any:
        """The imaginary part; of real numbers zeros."""
        return call(FUNCTIONS["imag"], (self,), {})

    def conj(self) -> Any:
        """The complex conjugate; of real numbers the value itself."""
        return traced.conjugate(self) if self.dtype.kind == "c" else self

    conjugate = conj

    @property
    def flat(self) -> Any:
        """All elements in row-major order, to go through or to pick from."""
        return views.note_flat(call(FUNCTIONS["ravel"], (self,), {}), self)

    @property
    def itemsize(self) -> int:
        """Bytes of one element."""
        return int(self.dtype.itemsize)

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self.size * self.itemsize

    def __round__(self, digits: int | None = None) -> Any:
        return call(FUNCTIONS["round"], (self, digits or 0), {})

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> Any:
        return other // self, other % self

    def reshape(self, *shape: Any, order: str = "C", copy: bool | None = None) -> Any:
        """The same elements in another shape."""
        return call(FUNCTIONS["reshape"], (self, shape[0] if len(shape) == 1 else shape), {"order": order})

    def transpose(self, *axes: Any) -> Any:
        """Axes in another order."""
        order = axes[0] if len(axes) == 1 and not hasattr(axes[0], "__index__") else axes or None
        return call(FUNCTIONS["transpose"], (self, order), {})

    def flatten(self, order: str = "C") -> Any:
        """All elements along one axis."""
        return copied(traced, call(FUNCTIONS["ravel"], (self,), {"order": order}))

    def astype(
        self, dtype: Any, order: str = "K", casting: str = "unsafe", subok: bool = True, copy: bool = True
    ) -> Any:
        """The same numbers in another dtype; integers have no derivative."""
        kind = np.dtype(dtype)
        if kind == self.dtype:
            return copied(traced, self) if copy else self
        if kind.kind not in NUMERIC:
            refuse(np.empty(self.shape, kind), "a traced value as an array")
        return traced.astype(self if kind.kind in "fc" else traced.stop_gradient(self), dtype=kind)


class Wrapped(Traced, ArrayInterface):
    """A traced value around a value one level below, `inner`, whose numbers are known."""

    __slots__ = ()
    inner: Any

    shape = property(attrgetter("inner.shape"), doc="Lengths of the axes.")
    dtype = property(attrgetter("inner.dtype"), doc="Kind of number.")

    def __bool__(self) -> bool:
        return bool(self.inner)

    def __format__(self, form: str) -> str:
        # Text to be read: were it the number alone, float(f"{x:.3f}") would give it without its derivative.
        return f"traced({format(self.inner, form)})" if form else str(self)


def _method(name: str) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return call(FUNCTIONS[name], (self, *args), kwargs)

    method.__name__, method.__doc__ = name, getattr(np.ndarray, name).__doc__
    return method


_METHODS = (
    "sum", "mean", "prod", "max", "min", "any", "all", "var", "std", "cumsum", "argmax", "argmin",
    "argsort", "ravel", "squeeze", "swapaxes", "take", "repeat", "diagonal", "dot", "clip", "round", "copy",
    "cumprod", "argpartition", "searchsorted", "nonzero", "choose",
)  # fmt: skip
for _name in _METHODS:
    setattr(ArrayInterface, _name, _method(_name))
for _name, _writing in writing.METHODS.items():
    setattr(ArrayInterface, _name, _writing)


def _losing(called: str) -> Callable[[Any], NoReturn]:
    """A method by which others ask for plain numbers, which would lose the derivative."""
    return lambda self, *_, **__: self._lose(called)


for _name, _called in (
    ("__float__", "float()"), ("__int__", "int()"), ("__complex__", "complex()"), ("__trunc__", "math.trunc()"),
    ("tolist", ".tolist()"), ("as_integer_ratio", ".as_integer_ratio()"),
    ("__dlpack__", ".__dlpack__()"), ("__dlpack_device__", ".__dlpack_device__()"), ("_sympy_", "a SymPy number"),
):  # fmt: skip
    setattr(ArrayInterface, _name, _losing(_called))


class _Refused:
    """What NumPy's arrays have and traced values have not. A method `__getattr__` would say so too, and slow every attribute down."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, value: Any, kind: type) -> Any:
        if value is None:
            return self
        raise refusals.without_method(self.name)


for _name in {*dir(np.ndarray), *dir(float)}:
    if not (_name.startswith("__") or hasattr(ArrayInterface, _name) or _name in ArrayInterface.__annotations__):
        setattr(ArrayInterface, _name, _Refused(_name))


SIGNS = {
    "add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%", "and": "&", "or": "|", "xor": "^",
    "lshift": "<<", "rshift": ">>", "pow": "**", "matmul": "@",
}  # fmt: skip
"""Python's binary operators, by the names of their methods."""


def _operators() -> None:
    """Python's operators, as methods that apply the operation of the same meaning."""
    binary = {
        "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "floordiv": "floor_divide",
        "mod": "remainder", "and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor",
        "lshift": "left_shift", "rshift": "right_shift",
    }  # fmt: skip
    compare = {
        "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal", "eq": "equal", "ne": "not_equal",
    }  # fmt: skip
    for symbol, name in {**binary, **compare}.items():
        setattr(ArrayInterface, f"__{symbol}__", _operator(REGISTRY[name], reflected=False))
        if symbol in binary:
            setattr(ArrayInterface, f"__r{symbol}__", _operator(REGISTRY[name], reflected=True))
    for symbol, name in {**binary, "pow": "power", "matmul": "matmul"}.items():
        operator = getattr(ArrayInterface, f"__{symbol}__", None) or _function_operator(
            FUNCTIONS[name], reflected=False
        )
        setattr(ArrayInterface, f"__i{symbol}__", in_place(operator, SIGNS[symbol]))
    for symbol, name in {"neg": "negative", "pos": "positive", "abs": "absolute"}.items():
        setattr(ArrayInterface, f"__{symbol}__", _operator(REGISTRY[name], reflected=None))
    for symbol, name in {"pow": "power", "matmul": "matmul"}.items():
        setattr(ArrayInterface, f"__{symbol}__", _function_operator(FUNCTIONS[name], reflected=False))
        setattr(ArrayInterface, f"__r{symbol}__", _function_operator(FUNCTIONS[name], reflected=True))


def _operator(op: Operation, reflected: bool | None) -> Callable[..., Any]:
    if reflected is None:
        return lambda self: apply(op, self)
    return (lambda self, other: apply(op, other, self)) if reflected else (lambda self, other: apply(op, self, other))


def _function_operator(function: ArrayFunction, reflected: bool) -> Callable[..., Any]:
    implementation = function.implementation

    def operator(self: Any, other: Any) -> Any:
        self, other = as_operand(self), as_operand(other)
        return implementation(traced, other, self) if reflected else implementation(traced, self, other)

    return operator


_operators()
