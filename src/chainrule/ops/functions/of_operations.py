"""The public operations as functions that users call, read off their declarations."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import FunctionType
from typing import Any

import numpy as np

from chainrule.ops.functions.function import ArrayFunction
from chainrule.ops.kinds.elementwise import Domain, Elementwise
from chainrule.ops.operation import Example, Operation


def functions_of(operations: Iterable[Operation]) -> dict[str, ArrayFunction]:
    """A function for every public operation, by name."""
    return {
        op.name: ArrayFunction(
            op.name, _implementation(op), (), _examples(op), op.differentiable, getattr(op, "activation", None)
        )
        for op in operations
        if op.public
    }


def _implementation(op: Operation) -> Callable[..., Any]:
    """`implementation(m, *inputs)` with the docstring and the arguments that are declared."""
    if isinstance(op, Elementwise):
        implementation, value = _with_defaults(op), op.value
        # what `inspect` and `help` show: the value's arguments with the defaults declared
        shown = FunctionType(value.__code__, {}, op.name, tuple(op.defaults.values()), value.__closure__)
        implementation.__wrapped__ = shown  # type: ignore[attr-defined]
    else:
        implementation = _as_it_is(op)
    implementation.__name__ = implementation.__qualname__ = op.name
    implementation.__doc__ = op.doc
    return implementation


def _as_it_is(op: Operation) -> Callable[..., Any]:
    return lambda m, *inputs, **attributes: getattr(m, op.name)(*inputs, **attributes)


def _with_defaults(op: Elementwise) -> Callable[..., Any]:
    """The last inputs may be left out or given by name, where they have defaults."""
    name, defaults = op.name, op.defaults
    first = len(op.domain) - len(defaults)  # the first input with a default

    def implementation(m: Any, *inputs: Any, **named: Any) -> Any:
        if defaults:
            missing = tuple(defaults)[max(len(inputs) - first, 0) :]
            unknown = set(named) - set(missing)
            if unknown:
                raise TypeError(f"{name}() got an unexpected or repeated argument {unknown.pop()!r}")
            inputs += tuple(named.get(key, defaults[key]) for key in missing)
        elif named:
            raise TypeError(f"{name}() got an unexpected argument {next(iter(named))!r}")
        return getattr(m, name)(*inputs)

    return implementation


def _examples(op: Operation) -> tuple[Example, ...]:
    """As declared, or four numbers from the domain of every input without a default; then with the defaults halved."""
    if op.examples or not isinstance(op, Elementwise):
        return op.examples
    arrays = tuple(_points(domain) for domain in op.domain[: len(op.domain) - len(op.defaults)])
    plain = Example(arrays)
    return (plain, Example(arrays, {key: value / 2 for key, value in op.defaults.items()})) if op.defaults else (plain,)


def _points(domain: Domain) -> Any:
    low = max(domain.low, -2.0)
    width = min(domain.high, low + 4.0) - low
    points = [low + width * part for part in (0.15, 0.4, 0.6, 0.85)]
    return np.array([x + 0.15 if any(abs(x - kink) < 0.1 for kink in domain.kinks) else x for x in points])
