"""Functions that stand for SciPy's: SciPy's own where nothing is traced, one with derivatives where something is."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import wraps
from types import ModuleType
from typing import Any

import numpy as np

from chainrule.errors import SettingError, UnsupportedError
from chainrule.numpy.buffer import without_buffers
from chainrule.tracing import refusals
from chainrule.tracing.apply import PLAIN, Traced, as_operand, holds_traced, opened
from chainrule.tracing.scope import of_library


def is_traced(x: Any) -> bool:
    """Whether this is a traced value, or a list, tuple or dictionary that holds one."""
    return isinstance(x, Traced) or holds_traced(x) or (type(x) is dict and any(map(is_traced, x.values())))


def numbers(x: Any) -> Any:
    """An argument that is numbers, in a form that has a shape and a dtype: traced, or a plain array."""
    x = as_operand(x)
    return x if hasattr(x, "shape") else np.asarray(x)


def in_double(x: Any) -> Any:
    """Numbers in double precision at least, as much of SciPy takes them."""
    x = numbers(x)
    kind = np.result_type(x.dtype, np.float64)
    return x if x.dtype == kind or x.dtype.kind not in "fc" else x.astype(kind)


def as_array(x: Any) -> Any:
    """Lists of numbers, some of them traced, as one array; anything else as it is."""
    if not isinstance(x, list | tuple):
        return x
    return np.stack([as_array(item) if is_traced(item) else _floats(item) for item in x])


def _floats(x: Any) -> Any:
    return np.asarray(x, complex if np.iscomplexobj(x) else float)[()]


def answered(called: str, derived: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """What the function with derivatives gives, explained as `called`; arguments without sense are an error of the family."""
    try:
        return of_library(called.removeprefix("scipy."))(derived)(*args, **options)
    except refusals.RAW as error:
        if refusals.ours(error):
            raise
        raise refusals.untraceable(called, args, options, error, "SciPy") from error


def standing_for(
    own: Callable[..., Any], module: str, derived: Callable[..., Any], name: str = ""
) -> Callable[..., Any]:
    """A function with the name, the arguments and the values of `own`; `derived` is called where an argument is traced.

    Some of SciPy's functions do not know their `name` in every release.
    """
    name = name or own.__name__
    signature = inspect.signature(derived)

    @wraps(own)
    def function(*args: Any, **options: Any) -> Any:
        if opened:
            args, options = without_buffers(args), without_buffers(options)
        for x in args:
            if type(x) not in PLAIN and is_traced(x):
                break
        else:
            if not options or not any(map(is_traced, options.values())):
                return own(*args, **options)
        try:
            signature.bind(*args, **options)
        except TypeError as error:
            raise UnsupportedError(
                f"scipy.{module}.{name} was called with traced values and arguments it does not take then ({error}). "
                f"Its derivative is there for {name}{_in_short(signature)}; leave out what is not among these."
            ) from None
        return answered(f"scipy.{module}.{name}", derived, args, options)

    function.__name__ = name
    function.__doc__ = f"SciPy's `{module}.{name}`, differentiable.\n\n{inspect.getdoc(own) or ''}"
    return function


def _in_short(signature: inspect.Signature) -> str:
    """The names and defaults of arguments."""
    names = [x.replace(annotation=inspect.Parameter.empty) for x in signature.parameters.values()]
    return str(signature.replace(parameters=names, return_annotation=inspect.Signature.empty))


def one_of(value: Any, known: Iterable[Any], argument: str, function: str) -> Any:
    """A setting that is among those SciPy knows.

    Raises
    ------
    SettingError
        For any other.
    """
    known = tuple(known)
    if not any(value is x or (type(value) is type(x) and value == x) for x in known):
        raise SettingError(f"{function} was given {argument}={value!r}; known are {', '.join(map(repr, known))}.")
    return value


class Standing:
    """The functions of one of SciPy's modules that have derivatives here, by name; filled by decorating."""

    def __init__(self, module: ModuleType) -> None:
        self.module = module
        self.functions, self.derived = dict[str, Callable[..., Any]](), dict[str, Callable[..., Any]]()
        self.refused = set[str]()
        self.name = module.__name__.rpartition(".")[2]

    def add(self, name: str, derived: Callable[..., Any]) -> None:
        """Stand for SciPy's function of this name, where this release of SciPy has it."""
        own = getattr(self.module, name, None)
        if own is not None:
            self.functions[name], self.derived[name] = standing_for(own, self.name, derived, name), derived

    def refuse(self, name: str, instead: str) -> None:
        """Say of SciPy's function, where something is traced, what to take instead."""

        def refused(*args: Any, **options: Any) -> Any:
            raise UnsupportedError(f"scipy.{self.name}.{name} of traced values has no derivative here. Take {instead}")

        self.refused.add(name)
        self.add(name, refused)

    def __call__(self, derived: Callable[..., Any]) -> Callable[..., Any]:
        """Stand for the function of the same name."""
        self.add(derived.__name__, derived)
        return derived


def not_by(x: Any, argument: str, function: str, by: str) -> Any:
    """An argument that nothing is differentiated by, as plain numbers."""
    if isinstance(x, Traced):
        raise UnsupportedError(
            f"{function} was given a traced {argument} (of shape {tuple(x.shape)}); it is differentiated by {by} only. "
            f"Give {argument} as plain numbers, from outside of what is differentiated."
        )
    return np.asarray(x)


def plain_static(x: Any, argument: str, function: str, by: str) -> Any:
    """The same as a static argument of an operation: a number, or numbers in tuples."""

    def fixed(item: Any) -> Any:
        return tuple(map(fixed, item)) if isinstance(item, list) else item

    return fixed(not_by(x, argument, function, by).tolist())


def names_of(module: ModuleType, own: Iterable[str]) -> list[str]:
    """What `dir` of one of these modules lists."""
    return sorted({*dir(module), *own})
