"""Derivatives of functions, as functions: gradients and products with the Jacobian."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numpy as np

from chainrule.autodiff.arguments import (
    Argnums,
    as_argnums,
    as_given,
    as_leaf,
    call_with,
    leaves_of,
    numbers_of,
    owned,
    positions_of,
    zeros,
)
from chainrule.errors import DifferentiationError, LeakedValueError, SettingError, ShapeError, TracingError, shortened
from chainrule.tracing import trees
from chainrule.tracing.apply import Trace, Traced, refreshed, separate, traced
from chainrule.tracing.plain import plain_array
from chainrule.tracing.traces.tangents import Tangents
from chainrule.tracing.traces.tape import Tape, TapeValue


def value_and_grad(function: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that gives both the value and the gradient of `function`.

    Parameters
    ----------
    function : callable
        Plain NumPy code that gives one real number, or an array of one.
    argnums : int or sequence of ints
        The positional arguments to differentiate by: arrays, or nested dicts, lists and tuples of them.
    has_aux : bool
        Whether the function gives `(value, extra)`; the extra results are handed on.

    Returns
    -------
    callable
        Called like `function`; gives `(value, gradient)`, or `((value, extra), gradient)`. The gradient has
        the shape of the argument, a tuple of them where `argnums` is a sequence.

    Raises
    ------
    DifferentiationError
        When the value is not one real number, or an argument has integers.

    Examples
    --------
    >>> import chainrule as cr
    >>> cr.value_and_grad(lambda x: 3 * x**2 - 4 * x + 5)(3.0)
    (np.float64(20.0), np.float64(14.0))

    References
    ----------
    Griewank and Walther, "Evaluating Derivatives", 2nd edition, 2008, chapter 3.
    """

    SettingError.unless_callable("value_and_grad", function)
    wanted = as_argnums(argnums)

    @wraps(function)
    def with_gradient(*args: Any, **kwargs: Any) -> Any:
        tape, leaves, value, aux, gradient = _differentiated(function, args, kwargs, wanted, has_aux)
        plain = without(tape, value)
        if type(plain) is np.ndarray:
            plain = owned([plain], leaves)[0]
        return ((plain, handed_over(tape, aux, leaves)) if has_aux else plain), gradient

    return with_gradient


def _differentiated(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    argnums: int | tuple[int, ...],
    has_aux: bool,
) -> tuple[Tape, list[Any], Any, Any, Any]:
    """A tape, the arrays differentiated by, what the function gave and its extra results on the tape, and the gradient."""
    positions = positions_of(len(args), argnums)
    leaves, structure = leaves_of(args, positions)
    with Tape() as tape:
        variables = [tape.variable(leaf) for leaf in leaves]
        places = [x.index for x in variables]  # before the function writes to them
        result = call_with(function, args, kwargs, positions, trees.unflatten(structure, variables))
        value, aux = _with_aux(result, has_aux)
        gradients = _filled(_cotangents(tape, value, places), variables)
    return tape, leaves, value, aux, as_given(structure, owned(gradients), argnums)


def observed_gradient(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A function that gives `value_and_grad`'s results and what `function` saw on the way, with the derivatives by it.

    `function` gives `(value, seen)`, where `seen` is any container of intermediate values. Called with its argument,
    the result gives `value, gradient, seen, cotangents`: the last nested as `seen`, with `None` for what has no part
    in the value.
    """

    def observed(argument: Any) -> tuple[Any, Any, Any, Any]:
        leaves, structure = leaves_of((argument,), (0,))
        with Tape() as tape:
            variables = [tape.variable(leaf) for leaf in leaves]
            places = [x.index for x in variables]
            value, seen = refreshed(function(*trees.unflatten(structure, variables)))
            values, seen_structure = trees.flatten(seen)
            on_tape = {i: x for i, x in enumerate(values) if belongs(x, tape)}
            found = _cotangents(tape, value, [*places, *(x.index for x in on_tape.values())])
        gradients, by_place = found[: len(leaves)], dict(zip(on_tape, found[len(leaves) :], strict=True))
        return (
            without(tape, value),
            as_given(structure, owned(_filled(gradients, variables)), 0),
            trees.unflatten(seen_structure, [without(tape, x) for x in values]),
            trees.unflatten(seen_structure, [by_place.get(i) for i in range(len(values))]),
        )

    return observed


def _with_aux(result: Any, has_aux: bool) -> tuple[Any, Any]:
    result = refreshed(result)
    if not has_aux:
        return result, None
    if not isinstance(result, tuple) or len(result) != 2:
        raise DifferentiationError(
            f"with has_aux=True the function must give (value, extra), and this one gives {shortened(result)}. Return a tuple of "
            "two, or leave has_aux out."
        )
    return result


def _cotangents(tape: Tape, value: Any, wanted: list[int]) -> list[Any]:
    """The cotangents of some places, for a value of one number; `None` where there is no dependence."""
    if belongs(value, tape) and (tape.real or value.dtype.kind != "c"):
        shape, one = value.shape, value.dtype.type(1)
        if not shape or math.prod(shape) == 1:
            return tape.pull([value], [np.full(shape, one) if shape else one], wanted)
    require_one_number("grad", value, "jacobian or vjp")
    if as_leaf(value).dtype.kind == "c":
        raise DifferentiationError(
            f"the function gives {shortened(value)}, a complex number, and a gradient is that of a real one. Take the one that is "
            "meant: np.real(y), np.imag(y), np.abs(y) or np.abs(y)**2. For dy/dz of a holomorphic function: "
            "cr.jvp(f, (z,), (np.ones_like(z),))[1], or cr.vjp(f, z) with the cotangent 1."
        )
    if as_leaf(value).dtype.kind != "f":
        raise DifferentiationError(
            f"the function gives {shortened(value)}, which is no real number and has no derivative. "
            "Return a floating-point number."
        )
    return [None] * len(wanted)


def require_one_number(owner: str, value: Any, instead: str) -> None:
    """Refuse a function's value that is an array of several numbers, or of none, or a container."""
    if trees.is_container(value) or math.prod(as_leaf(value).shape) != 1:
        what = type(value).__name__ if trees.is_container(value) else f"an array of shape {value.shape}"
        raise DifferentiationError(
            f"{owner} needs a function that gives one number, and this one gives {what}. Sum or average the result (np.sum, "
            f"np.mean), or use {instead}."
        )


def _filled(cotangents: list[Any], variables: list[TapeValue]) -> list[Any]:
    """Zeros where there is no dependence."""
    for i, cotangent in enumerate(cotangents):
        if cotangent is None:
            cotangents[i] = zeros(variables[i])
    return cotangents


def without(trace: Any, x: Any) -> Any:
    """A result without the trace that is ending."""
    return x.inner if belongs(x, trace) else x


def handed_over(trace: Trace, results: Any, lent: Sequence[Any]) -> Any:
    """What a function gave besides its value, without the trace that is ending: the caller's own, whatever it was taken of."""
    leaves, structure = trees.flatten(results)
    return trees.unflatten(structure, owned([x.inner if belongs(x, trace) else separate(x) for x in leaves], lent))


def belongs(x: Any, trace: Trace) -> bool:
    """Whether a result is a value of this trace, and not one of a trace around it or a plain one."""
    if isinstance(x, Traced):
        if x.trace is trace:
            return True
        if not x.trace.open or x.trace.level > trace.level:
            raise LeakedValueError(
                "a function gave back a traced value of another function, kept from a call that is no part of this one; "
                "its derivative is lost. Compute the value anew in every call, or keep plain numbers (has_aux=True "
                "returns them)."
            )
    return False


def grad(function: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that gives the gradient of `function`: ∂f/∂x for every number of its argument.

    Parameters
    ----------
    function : callable
        Plain NumPy code that gives one real number, or an array of one.
    argnums : int or sequence of ints
        The positional arguments to differentiate by: arrays, or nested dicts, lists and tuples of them.
    has_aux : bool
        Whether the function gives `(value, extra)`; then the result is `(gradient, extra)`.

    Returns
    -------
    callable
        Called like `function`; gives the gradient in the shape of the argument. By a complex number z = a + i·b it is
        ∂f/∂a − i·∂f/∂b, so that df = Re(gradient·dz), as autograd and JAX have it; the direction in which f grows fastest is
        its conjugate.

    Raises
    ------
    DifferentiationError
        When the value is not one real number, or an argument has integers.
    FloatingPointError
        Inside `with np.errstate(all="raise")`, at the line of the function where a number stops being finite; derivatives are
        found line by line, and so told, by `jvp`.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> cr.grad(lambda x: np.sum(np.sin(x) * x))(np.array([0.0, 1.0]))
    array([0.        , 1.38177329])
    >>> cr.grad(cr.grad(lambda x: x**3))(2.0)
    np.float64(12.0)

    |z|² = a² + b² grows by 2a along a, and by 2b along b:

    >>> cr.grad(lambda z: np.abs(z) ** 2)(3.0 + 1.0j)
    np.complex128(6-2j)

    Power in all frequencies of a signal is n times that in it (Parseval), so its gradient is 2·n·x:

    >>> cr.grad(lambda x: np.sum(np.abs(np.fft.fft(x)) ** 2))(np.array([1.0, -2.0, 0.5, 0.0]))
    array([  8., -16.,   4.,   0.])
    """
    SettingError.unless_callable("grad", function)
    wanted = as_argnums(argnums)

    @wraps(function)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        tape, leaves, _, aux, result = _differentiated(function, args, kwargs, wanted, has_aux)
        return (result, handed_over(tape, aux, leaves)) if has_aux else result

    return gradient


def vjp(function: Callable[..., Any], *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """The value of `function`, and the function that pulls a cotangent back: g ↦ gᵀJ.

    Parameters
    ----------
    function : callable
        Plain NumPy code; its result may be an array or a nested container of arrays.
    *primals
        Its arguments, arrays of real or complex numbers or nested containers of them.
    has_aux : bool
        Whether the function gives `(value, extra)`.

    Returns
    -------
    value, pullback
        `pullback(cotangent)` takes something of the value's shape and gives a tuple with one entry for
        every argument. It may be called many times. With `has_aux`, the extra results come third. A cotangent g of a
        complex number y stands for dy ↦ Re(g·dy), without a conjugate.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> value, pullback = cr.vjp(lambda x: x**2, np.array([1.0, 2.0]))
    >>> pullback(np.array([1.0, 10.0]))
    (array([ 2., 40.]),)
    """
    SettingError.unless_callable("vjp", function, "cr.vjp(f, x)")
    leaves, structure = leaves_of(primals, tuple(range(len(primals))))
    with Tape() as tape:
        kept = [tape.keep(x, "vjp") if type(x) is np.ndarray else x for x in leaves]  # pulled back later
        variables = [tape.variable(leaf) for leaf in kept]
        places = [x.index for x in variables]
        value, aux = _with_aux(function(*trees.unflatten(structure, variables)), has_aux)
        outputs, outputs_structure = trees.flatten(value)
    plain = [as_leaf(without(tape, x)) for x in outputs]

    def pullback(cotangent: Any) -> tuple[Any, ...]:
        given = trees.flatten_like(outputs_structure, cotangent, "the cotangent")
        cotangents = [of_shape(c, x, "the cotangent") for c, x in zip(given, plain, strict=True)]
        traced = [(x, c) for x, c in zip(outputs, cotangents, strict=True) if belongs(x, tape)]
        found = tape.pull([x for x, _ in traced], [c for _, c in traced], places)
        return trees.unflatten(structure, owned(_filled(found, variables)))  # type: ignore[no-any-return]

    nested = trees.unflatten(outputs_structure, list(map(separate, plain)))  # what the tape holds is still needed
    if not has_aux:
        return nested, pullback
    return nested, pullback, trees.map_leaves(lambda x: separate(without(tape, x)), aux)


def jvp(
    function: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any], has_aux: bool = False
) -> tuple[Any, ...]:
    """The value of `function`, and its derivative along a direction: t ↦ J·t, in forward mode.

    Parameters
    ----------
    function : callable
        Plain NumPy code; its result may be an array or a nested container of arrays.
    primals : sequence
        Its arguments.
    tangents : sequence
        The direction: one entry for every argument, of the same shape.
    has_aux : bool
        Whether the function gives `(value, extra)`.

    Returns
    -------
    value, tangent
        Both of the shape of the function's result; with `has_aux`, the extra results come third.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> cr.jvp(np.sin, (0.0,), (2.0,))
    (np.float64(0.0), np.float64(2.0))
    """
    SettingError.unless_callable("jvp", function, "cr.jvp(f, (x,), (t,))")
    require_pairs("jvp", primals, tangents)
    leaves, structure = leaves_of(tuple(primals), tuple(range(len(primals))))
    directions = [
        of_shape(t, leaves[i], "a tangent")
        for i, t in enumerate(trees.flatten_like(structure, tuple(tangents), "tangents"))
    ]
    with Tangents() as tangents_trace:
        inputs = [tangents_trace.variable(x, directions[i]) for i, x in enumerate(leaves)]
        value, aux = _with_aux(function(*trees.unflatten(structure, inputs)), has_aux)
        outputs, outputs_structure = trees.flatten(value)
    values = [as_leaf(x.inner if belongs(x, tangents_trace) else separate(x)) for x in outputs]
    results = [x.tangent if belongs(x, tangents_trace) else zeros(values[i]) for i, x in enumerate(outputs)]
    both = owned([*values, *results], leaves)
    nested = (
        trees.unflatten(outputs_structure, both[: len(values)]),
        trees.unflatten(outputs_structure, both[len(values) :]),
    )
    return (*nested, handed_over(tangents_trace, aux, leaves)) if has_aux else nested


def require_pairs(owner: str, primals: Any, tangents: Any) -> None:
    """Refuse what are no two tuples of the same length."""
    if not isinstance(primals, tuple | list) or not isinstance(tangents, tuple | list) or len(primals) != len(tangents):
        raise ShapeError(
            f"{owner} was given {shortened(primals, 80)} and {shortened(tangents, 80)}; it needs primals and tangents as two tuples "
            f"of the same length, one entry for each argument: cr.{owner}(f, (x,), (t,))."
        )


def of_shape(given: Any, like: Any, what: str) -> Any:
    """A tangent or cotangent, checked against the value it belongs to and in its dtype."""
    array = given if isinstance(given, Traced) else plain_array(given, what)
    if tuple(array.shape) != tuple(like.shape):
        raise ShapeError(f"{what} has shape {tuple(array.shape)} and must have the value's shape {tuple(like.shape)}.")
    if array.dtype.kind == "c" and like.dtype.kind != "c":
        raise TracingError(
            f"{what} has complex numbers (dtype {array.dtype}), and belongs to real ones (dtype {like.dtype}). Give np.real of it; "
            "real numbers move along real directions only."
        )
    if isinstance(array, Traced):
        array = numbers_of(array, what)
        return array if array.dtype.kind == like.dtype.kind else traced.astype(array, dtype=like.dtype)
    return array.astype(like.dtype if like.dtype.kind in "fc" else float)[()]
