"""How the operations are declared whose values SciPy computes."""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, Signature, signature
from typing import Any

import numpy as np

from chainrule.ops.kinds.elementwise import NUMBERS, Domain, Elementwise, Partial
from chainrule.ops.operation import example


def of_scipy(
    name: str,
    value: Callable[..., Any],
    partials: tuple[Partial, ...],
    domain: tuple[Domain, ...],
    latex: str = "",
    orders: tuple[Any, ...] = (),
    **more: Any,
) -> Elementwise:
    """An elementwise operation that has no algorithm in machine code; `orders` are values of its static argument `order`."""
    names = next(
        (list(signature(rule).parameters)[2 : 2 + len(domain)] for rule in partials if callable(rule)),
        list("xyz"[: len(domain)]),
    )
    places = ", ".join(f"{{{i}}}" for i in range(len(domain)))
    sign = name.replace("_", r"\ ")

    def declared(m: Any, *inputs: Any, **static: Any) -> Any:
        return getattr(m, name)(*inputs, **static)

    declared.__signature__ = Signature(  # type: ignore[attr-defined]
        [
            *(Parameter(x, Parameter.POSITIONAL_ONLY) for x in ("m", *names)),
            *([Parameter("order", Parameter.KEYWORD_ONLY)] if orders else []),
        ]
    )
    return Elementwise(
        name,
        value=declared,
        numpy=_of_one_value(value) if len(domain) > 1 else value,
        partials=tuple(map(_of_one_kind, partials)) if len(domain) > 1 else partials,
        domain=domain,
        latex=latex or rf"\operatorname{{{{{sign}}}}}\left({places}\right)",
        examples=tuple(example(order=order) for order in orders),
        loops=False,
        **more,
    )


def _of_one_value(value: Callable[..., Any]) -> Callable[..., Any]:
    """The same, where Python numbers take part in the dtype of the arrays beside them."""

    def adapted(*inputs: Any, **static: Any) -> Any:
        if not NUMBERS.isdisjoint(map(type, inputs)):
            kind = np.result_type(*inputs).type
            inputs = tuple([kind(x) if type(x) in NUMBERS else x for x in inputs])
        return value(*inputs, **static)

    return adapted


def _of_one_kind(partial: Partial) -> Partial:
    """The same, of inputs in the dtype of the output: of a Python number alone SciPy makes float64."""
    if not callable(partial):
        return partial

    def adapted(m: Any, y: Any, *inputs: Any, **static: Any) -> Any:
        if not NUMBERS.isdisjoint(map(type, inputs)):
            inputs = tuple([y.dtype.type(x) if type(x) in NUMBERS else x for x in inputs])
        return partial(m, y, *inputs, **static)

    return adapted


def of_order(function: Callable[..., Any]) -> Callable[..., Any]:
    """The value of SciPy's f(n, x) with a static n: a number, or numbers in tuples that broadcast with x."""

    def value(x: Any, order: Any) -> Any:
        return in_dtype_of(x, function(np.asarray(order) if isinstance(order, tuple) else order, x))

    return value


def in_dtype_of(x: Any, result: Any) -> Any:
    """What SciPy makes float64 or complex128 of, in the precision of the argument."""
    result = np.asarray(result)
    if getattr(x, "dtype", result.dtype).kind == "f":
        with np.errstate(over="ignore"):
            result = result.astype(np.result_type(x.dtype, np.complex64) if result.dtype.kind == "c" else x.dtype)
    return result[()]


def next_order(order: Any, by: float) -> Any:
    """Every order higher by a number."""
    return each_order(order, lambda n: n + by)


def each_order(order: Any, change: Callable[[Any], Any]) -> Any:
    """A function of every order, whether it is one or many in tuples."""
    return tuple(each_order(n, change) for n in order) if isinstance(order, tuple) else change(order)
