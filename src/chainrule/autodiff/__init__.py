"""Derivatives of plain NumPy code: exact in both modes and any order, numerical, and one checked by the other.

What few programs use is loaded when it is first asked for.
"""

from typing import TYPE_CHECKING, Any

from chainrule.autodiff.batching import vmap
from chainrule.autodiff.matrices import hessian, hvp, jacobian
from chainrule.autodiff.transforms import grad, jvp, value_and_grad, vjp
from chainrule.forks import load

if TYPE_CHECKING:
    from chainrule.autodiff.checking import check_grads
    from chainrule.autodiff.custom import checkpoint, custom_derivative
    from chainrule.autodiff.implicit_functions import implicit
    from chainrule.autodiff.linear import flatten, linearize
    from chainrule.autodiff.loops import loop, scan
    from chainrule.autodiff.numerical import derivative

__all__ = [
    "check_grads",
    "checkpoint",
    "custom_derivative",
    "derivative",
    "flatten",
    "grad",
    "hessian",
    "hvp",
    "implicit",
    "jacobian",
    "jvp",
    "linearize",
    "loop",
    "scan",
    "value_and_grad",
    "vjp",
    "vmap",
]

LATER = {
    "check_grads": "checking",
    "checkpoint": "custom",
    "custom_derivative": "custom",
    "derivative": "numerical",
    "flatten": "linear",
    "implicit": "implicit_functions",
    "linearize": "linear",
    "loop": "loops",
    "scan": "loops",
}
"""The names that are loaded with the first use of one, each with its module."""


def __getattr__(name: str) -> Any:
    if name in LATER:
        return getattr(load(f"{__name__}.{LATER[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
