"""The numerical derivative: what changes when a number is moved a little."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from chainrule.autodiff.arguments import real_array
from chainrule.errors import SettingError
from chainrule.tracing import trees

Method = Literal["forward", "backward", "central"]


def derivative(function: Callable[..., Any], x: Any, method: Method = "central", h: float | None = None) -> Any:
    """The numerical derivative of `function` at `x`, by finite differences.

    forward: (f(x+h) − f(x))/h · backward: (f(x) − f(x−h))/h · central: (f(x+h) − f(x−h))/2h.

    Parameters
    ----------
    function : callable
        A function of one argument that gives a number or an array; it is only called, so any Python will do.
    x : float, array, or nested container of arrays
        Where. Every number in it is moved in turn.
    method : {"central", "forward", "backward"}
        Central differences err by about h², the others by about h.
    h : float, optional
        The step; it must be large enough to change every number of x. By default about ε^(1/2)·max(1, |x|), for
        central differences ε^(1/3)·max(1, |x|), where ε is the precision of x's dtype: the best balance of truncation
        against rounding.

    Returns
    -------
    float or array
        Of shape `f(x).shape + x.shape`; nested where `x` is.

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
    >>> round(cr.derivative(f, 3.0), 6)
    14.0

    References
    ----------
    Press et al., "Numerical Recipes", 3rd edition, section 5.7.
    """
    if method not in ("forward", "backward", "central"):
        raise SettingError(f"derivative was given method={method!r}; use 'forward', 'backward' or 'central'.")
    if h is not None and not (np.isfinite(h) and h > 0):
        raise SettingError(f"derivative was given h={h!r}; the step must be a positive number.")
    leaves, structure = trees.flatten(x)
    arrays = [real_array(leaf, "x") for leaf in leaves]
    results = []
    for i, array in enumerate(arrays):

        def along(value: Any, i: int = i) -> Any:
            return np.asarray(
                function(trees.unflatten(structure, [value if k == i else a for k, a in enumerate(arrays)]))
            )

        results.append(_by_every_number(along, array, method, h))
    return trees.unflatten(structure, results)


def step_size(x: Any, method: Method) -> Any:
    """The step that balances truncation against rounding at `x`, in numbers exactly representable there."""
    power = 1 / 3 if method == "central" else 1 / 2
    h = np.finfo(x.dtype).eps ** power * np.maximum(1.0, np.abs(x))
    return (x + h.astype(x.dtype)) - x


def _by_every_number(function: Callable[[Any], Any], x: Any, method: Method, h: float | None) -> Any:
    columns = []
    middle = None if method == "central" else function(x[()])
    for place in np.ndindex(x.shape):
        step = x.dtype.type(h) if h is not None else step_size(x[place], method)
        up, down = x.copy(), x.copy()
        up[place] += step
        down[place] -= step
        if np.isfinite(x[place]) and (up[place] == x[place] or down[place] == x[place]):
            spacing = float(np.spacing(np.abs(x[place])))
            raise SettingError(
                f"derivative was given h={h!r}, which is lost in rounding at x = {x[place]} ({x.dtype}): x + h or x − h is x "
                f"again. Numbers there are {spacing:.2g} apart; use a larger h (about {float(step_size(x[place], method)):.2g}), "
                "or leave it out."
            )
        if method == "central":
            columns.append((function(up[()]) - function(down[()])) / (2 * step))
        elif method == "forward":
            columns.append((function(up[()]) - middle) / step)
        else:
            columns.append((middle - function(down[()])) / step)
    if not columns:
        return np.zeros(np.shape(function(x)) + x.shape, x.dtype)
    stacked = np.stack(columns, axis=-1)
    result = stacked.reshape(stacked.shape[:-1] + x.shape)
    return result if result.shape else float(result)
