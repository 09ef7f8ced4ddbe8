"""Least squares: the sum that is least, of residuals and their losses, and curves fitted to data."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from chainrule.autodiff import grad, jacobian
from chainrule.errors import UnsupportedError
from chainrule.numpy.buffer import without_buffers
from chainrule.scipy.closures import Stripped, plain, with_value
from chainrule.scipy.solutions import solution
from chainrule.scipy.standing import as_array, is_traced, numbers
from chainrule.tracing.apply import lasting, opened
from chainrule.tracing.scope import of_library
from scipy import optimize

LOSSES: dict[str, Callable[[Any], Any]] = {
    "linear": lambda z: z,
    "soft_l1": lambda z: 2.0 * (np.sqrt(1.0 + z) - 1.0),
    "huber": lambda z: np.where(z <= 1.0, z, 2.0 * np.sqrt(np.where(z <= 1.0, 1.0, z)) - 1.0),
    "cauchy": lambda z: np.log1p(z),
    "arctan": lambda z: np.arctan(z),
}
"""SciPy's, of the squared residual."""


def stationary_squares(
    function: Callable[..., Any], options: dict[str, Any], summed: bool = False
) -> Callable[..., Any]:
    """The gradient of half the sum of losses of squared residuals, or the sum itself."""
    loss, scale = options.get("loss", "linear"), options.get("f_scale", 1.0)
    if loss not in LOSSES:
        raise UnsupportedError(
            f"scipy.optimize.least_squares of traced values was given loss={loss!r}; known are {', '.join(LOSSES)}."
        )
    bounds = options.get("bounds")
    if is_traced(bounds) or (bounds is not None and np.any(np.isfinite(np.hstack([*bounds])))):
        raise UnsupportedError(
            "scipy.optimize.least_squares with bounds has no derivative by what is traced: the solution may lie on a bound. Leave "
            "out bounds, or write the bound into the function (x = np.exp(z) for positive x)."
        )

    def total(x: Any, *args: Any) -> Any:
        return 0.5 * scale**2 * np.sum(LOSSES[loss]((as_array(function(x, *args)) / scale) ** 2))

    return total if summed else grad(total)


_SIGNATURE = inspect.signature(optimize.curve_fit)


@of_library("optimize.curve_fit")
@wraps(optimize.curve_fit)
def curve_fit(*given: Any, **named: Any) -> Any:
    """The parameters with which f(x, *parameters) is nearest to the data, and their covariance."""
    if not opened and not lasting:
        return optimize.curve_fit(*given, **named)
    what = "scipy.optimize.curve_fit"
    options = dict(_SIGNATURE.bind(*without_buffers(given), **without_buffers(named)).arguments)
    options |= options.pop("kwargs", {})
    f, x, y, sigma = options.pop("f"), options.pop("xdata"), options.pop("ydata"), options.pop("sigma", None)
    inner = Stripped(f, what)
    settings = {key: Stripped(v, what) if callable(v) else plain(v, what) for key, v in options.items()}
    if "p0" not in settings:
        settings["p0"] = np.ones(len(inspect.signature(f).parameters) - 1)
    found, covariance, *rest = optimize.curve_fit(
        inner, plain(x, what), plain(y, what), sigma=plain(sigma, what), **settings
    )
    if not inner.met_traced and not any(map(is_traced, (x, y, sigma))):
        return (found, covariance, *rest)
    bounds = options.get("bounds")
    refused = [key for key in ("full_output", "nan_policy") if options.get(key)]
    refused += ["bounds"] if bounds is not None and np.any(np.isfinite(np.hstack([*plain(bounds, what)]))) else []
    refused += ["sigma of two axes"] if len(np.shape(sigma)) > 1 else []
    if refused:
        raise UnsupportedError(f"{what} of traced values takes no {refused[0]}; leave it out.")
    y = numbers(y)

    def residuals(parameters: Any) -> Any:
        missed = as_array(f(x, *parameters)) - y
        return missed if sigma is None else missed / numbers(sigma)

    best = solution(grad(lambda p: 0.5 * np.sum(residuals(p) ** 2)), found, what)
    slopes = jacobian(residuals)(best)
    spread = np.linalg.inv(slopes.T @ slopes)
    if not options.get("absolute_sigma"):
        spread = spread * (np.sum(residuals(best) ** 2) / (y.shape[0] - len(found)))
    return best, with_value(covariance, spread, what)
