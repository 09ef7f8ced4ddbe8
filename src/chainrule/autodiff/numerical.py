"""The numerical derivative: what changes when a number is moved a little."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from chainrule.autodiff.arguments import Argnums, as_argnums, numbers_of, positions_of
from chainrule.errors import DifferentiationError, SettingError, TracingError, shortened
from chainrule.tracing import trees
from chainrule.tracing.plain import array_of, plain_array

Method = Literal["forward", "backward", "central"]


def derivative(
    function: Callable[..., Any],
    *args: Any,
    method: Method = "central",
    h: float | None = None,
    argnums: Argnums = 0,
) -> Any:
    """The numerical derivative of `function` at its arguments, by finite differences.

    forward: (f(x+h) − f(x))/h · backward: (f(x) − f(x−h))/h · central: (f(x+h) − f(x−h))/2h.

    Parameters
    ----------
    function : callable
        A function that gives a number or an array; it is only called, so any Python will do.
    *args : float, array, or nested container of arrays
        Where. Every number in the chosen ones is moved in turn; whole numbers among them become real ones.
    method : {"central", "forward", "backward"}
        Central differences err by about h², the others by about h.
    h : float, optional
        The step; it must be large enough to change every number of x. By default about ε^(1/2)·max(1, |x|), for
        central differences ε^(1/3)·max(1, |x|), where ε is the precision of x's dtype: the best balance of truncation
        against rounding.
    argnums : int or sequence of ints
        By which arguments, as for `grad`; a sequence gives a tuple.

    Returns
    -------
    float or array
        Of shape `f(x).shape + x.shape`; nested where `x` is. By a complex x it is ∂f/∂(Re x) − i·∂f/∂(Im x), as `grad` has it.

    Raises
    ------
    SettingError
        For a nudge that is lost in rounding, so that x + h = x or x − h = x.

    Examples
    --------
    >>> import chainrule as cr
    >>> f = lambda x: 3 * x**2 - 4 * x + 5
    >>> round(cr.derivative(f, 3.0, method="forward", h=0.001), 6)
    14.003
    >>> round(cr.derivative(f, 3), 6)
    14.0
    >>> round(cr.derivative(lambda x, y: x * y**2, 2, 3, argnums=1), 6)
    12.0

    References
    ----------
    Press et al., "Numerical Recipes", 3rd edition, section 5.7.
    """
    SettingError.unless_callable("derivative", function, "cr.derivative(f, x)")
    args, method, h = _settings(args, method, h)
    if method not in ("forward", "backward", "central"):
        raise SettingError(f"derivative was given method={method!r}; use 'forward', 'backward' or 'central'.")
    if h is not None:
        SettingError.unless_number("derivative", "h", h, above=0)
    wanted = as_argnums(argnums)
    results = []
    for place in positions_of(len(args), wanted):
        leaves, structure = trees.flatten(args[place])
        arrays = [_real(leaf) for leaf in leaves]
        by_leaf = []
        for i, array in enumerate(arrays):

            def along(
                value: Any, i: int = i, place: int = place, arrays: Any = arrays, structure: Any = structure
            ) -> Any:
                moved = trees.unflatten(structure, [value if k == i else a for k, a in enumerate(arrays)])
                return _one_array(function(*args[:place], moved, *args[place + 1 :]))

            by_leaf.append(_by_every_number(along, array, method, h))
        results.append(trees.unflatten(structure, by_leaf))
    return tuple(results) if type(wanted) is tuple else results[0]


def _one_array(value: Any) -> Any:
    """A function's value as an array."""
    try:
        return plain_array(value, "the function's value")
    except (ValueError, TracingError) as error:
        if not trees.is_container(value):
            raise
        raise DifferentiationError(
            f"derivative was given a function that gives a {type(value).__name__}, {shortened(value)}; it must give a number or an "
            "array. Ask for one of them, or for all in one vector: lambda x: cr.flatten(f(x))[0]."
        ) from error


def _settings(args: tuple[Any, ...], method: Any, h: Any) -> tuple[tuple[Any, ...], Any, Any]:
    """The arguments apart from `method` and `h`, which may also stand behind a single one: `derivative(f, x, "forward", 0.1)`."""
    if 2 <= len(args) <= 3 and isinstance(args[1], str):
        return args[:1], args[1], args[2] if len(args) == 3 else h
    return args, method, h


def _real(leaf: Any) -> Any:
    """An array of numbers with a derivative; whole ones become real."""
    array = array_of(leaf)
    return array.astype(np.float64) if array.dtype.kind in "iu" else numbers_of(array, "x")


def step_size(x: Any, method: Method) -> Any:
    """The step that balances truncation against rounding at `x`, in numbers exactly representable there."""
    power = 1 / 3 if method == "central" else 1 / 2
    h = np.finfo(x.dtype).eps ** power * np.maximum(1.0, np.abs(x))
    return (x + h.astype(x.dtype)) - x


def _by_every_number(function: Callable[[Any], Any], x: Any, method: Method, h: float | None) -> Any:
    """∂f/∂x; of a real f by complex numbers ∂f/∂(Re x) − i·∂f/∂(Im x), as `grad` has it."""
    if x.dtype.kind != "c":
        return _along_every_number(function, x, method, h, 1)
    by_real, by_imaginary = (_along_every_number(function, x, method, h, unit) for unit in (1, 1j))
    if np.asarray(by_real).dtype.kind == "c":
        raise DifferentiationError(
            "derivative was given a complex function of complex numbers, which has no one derivative by them unless it is "
            "holomorphic. Take np.real or np.imag of its value."
        )
    result = np.asarray(by_real - 1j * by_imaginary, x.dtype)
    return result if result.shape else complex(result)


def _along_every_number(function: Callable[[Any], Any], x: Any, method: Method, h: float | None, unit: complex) -> Any:
    """Differences between values where every number in turn is moved along `unit`."""
    columns = []
    middle = None if method == "central" else function(x[()])
    for place in np.ndindex(x.shape):
        step = x.real.dtype.type(h) if h is not None else np.real(step_size(x[place], method))
        up, down = x.copy(), x.copy()
        up[place] += step * unit
        down[place] -= step * unit
        if np.isfinite(x[place]) and (up[place] == x[place] or down[place] == x[place]):
            spacing = float(np.spacing(np.abs(x[place])))
            raise SettingError(
                f"derivative was given h={h!r}, which is lost in rounding at x = {x[place]} ({x.dtype}): x + h or x − h is x "
                f"again. Numbers there are {spacing:.2g} apart; use a larger h (about {np.real(step_size(x[place], method)):.2g}), "
                "or leave it out."
            )
        if method == "central":
            columns.append((function(up[()]) - function(down[()])) / (2 * step))
        elif method == "forward":
            columns.append((function(up[()]) - middle) / step)
        else:
            columns.append((middle - function(down[()])) / step)
    if not columns:
        return np.zeros(np.shape(function(x)) + x.shape, x.real.dtype)
    stacked = np.stack(columns, axis=-1)
    result = stacked.reshape(stacked.shape[:-1] + x.shape)
    return result if result.shape else result.item()
