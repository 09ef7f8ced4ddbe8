"""The public operations as functions that users call, with the signature that their declarations say."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from inspect import Parameter, Signature
from typing import Any

import numpy as np

from chainrule.errors import TracingError, shortened
from chainrule.ops.functions.function import ArrayFunction, all_axes, ndim, one_axis
from chainrule.ops.kinds.elementwise import Domain, Elementwise
from chainrule.ops.kinds.reduction import Reduction
from chainrule.ops.operation import Example, Operation


def functions_of(operations: Iterable[Operation]) -> dict[str, ArrayFunction]:
    """A function for every public operation, by name."""
    return {
        op.name: ArrayFunction(
            op.name,
            _implementation(op),
            (),
            _examples(op),
            op.differentiable,
            getattr(op, "activation", None),
            public=True,
        )
        for op in operations
        if op.public
    }


def parameters_of(op: Operation) -> tuple[list[Parameter], list[Parameter]]:
    """The inputs of an operation and its static arguments, with the defaults declared.

    Inputs come first: as many as the domain has entries, or as the examples give by position. What follows is static: it
    decides what is computed, and reaches the operation's rules by name.
    """
    if isinstance(op, Elementwise):
        given = list(inspect.signature(op.value).parameters.values())[1:]
        count = len(op.domain)
    else:
        given = list(inspect.signature(op.evaluate).parameters.values())
        count = max((len(example.inputs) for example in op.examples), default=1)
    if given and given[0].kind is Parameter.VAR_POSITIONAL:
        count = 1
    defaults = dict(getattr(op, "defaults", {}))
    if isinstance(op, Reduction):
        defaults["axis"] = None
    given = [p.replace(default=defaults.get(p.name, p.default), annotation=Parameter.empty) for p in given]
    return given[:count], given[count:]


def _implementation(op: Operation) -> Callable[..., Any]:
    """`implementation(m, *inputs, **static)`: any argument by position or by name, as in every function of Python's."""
    name = op.name
    inputs, static = parameters_of(op)
    signature = Signature([*inputs, *static])
    several = bool(inputs) and inputs[0].kind is Parameter.VAR_POSITIONAL
    defaults = tuple(p.default for p in inputs if p.default is not Parameter.empty)
    least = len(inputs) - len(defaults)
    simple = range(least, len(inputs) + 1) if not (static or several) else ()

    def implementation(m: Any, /, *given: Any, **named: Any) -> Any:
        if not named and len(given) in simple:  # as nearly every call is
            given += defaults[len(given) - least :]
        else:
            given, named = bound(given, named)
        return getattr(m, name)(*given, **named)

    def bound(given: tuple[Any, ...], named: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The inputs by position, and the static arguments by name."""
        try:
            call = signature.bind(*given, **named)
        except TypeError as error:
            raise TypeError(f"{name}() {error}; it is called as {name}{signature}.") from None
        call.apply_defaults()
        own = {p.name: fixed(call.arguments[p.name], p.name, name) for p in static}
        arrays = [call.arguments[p.name] for p in inputs]
        if several:
            arrays = list(arrays[0])
        if "axis" in own:
            own["axis"] = _counted(own["axis"], ndim(arrays[0]), isinstance(op, Reduction))
        return tuple(arrays), own

    implementation.__name__ = implementation.__qualname__ = name
    implementation.__doc__ = op.doc
    m = Parameter("m", Parameter.POSITIONAL_ONLY)
    implementation.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[m, *inputs, *static]
    )
    return implementation


def _counted(axis: Any, n: int, several: bool) -> Any:
    """NumPy's `axis` counted from the front: one, or a tuple where there are several; all are meant by `None` then."""
    if several:
        return all_axes(axis, n)
    return (
        axis if axis is None else tuple(one_axis(i, n) for i in axis) if isinstance(axis, tuple) else one_axis(axis, n)
    )


def fixed(value: Any, argument: str, called: str) -> Any:
    """A static argument as a Python value, which can be compared with others; NumPy's single numbers become Python's.

    Raises
    ------
    TracingError
        For arrays and traced values.
    """
    if isinstance(value, list | tuple):
        return tuple(fixed(item, argument, called) for item in value)
    if isinstance(value, np.generic) or (type(value) is np.ndarray and not value.shape):
        return value.item()
    if hasattr(value, "shape") and not isinstance(value, type | np.dtype):
        raise TracingError(
            f"{called} was given {argument}={shortened(value)}. This argument is static: it decides what is computed, and must be a "
            f"plain Python value that is known beforehand. Give it from outside what is traced: lambda x: {called}(x, {argument}=…)."
        )
    return value


def _examples(op: Operation) -> tuple[Example, ...]:
    """As declared, or four numbers from the domain of every input without a default; then with the defaults halved."""
    if op.examples or not isinstance(op, Elementwise):
        return op.examples
    arrays = tuple(_points(domain) for domain in op.domain[: len(op.domain) - len(op.defaults)])
    plain = Example(arrays)
    return (plain, Example(arrays, {key: value / 2 for key, value in op.defaults.items()})) if op.defaults else (plain,)


def _points(domain: Domain) -> Any:
    low, high = domain.bounds
    low = max(low, -2.0)
    width = min(high, low + 4.0) - low
    points = [low + width * part for part in (0.15, 0.4, 0.6, 0.85)]
    return np.array([x + 0.15 if any(abs(x - point) < 0.1 for point in domain.points) else x for x in points])
