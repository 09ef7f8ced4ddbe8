"""Derivatives of plain NumPy code: exact in both modes and any order, numerical, and one checked by the other."""

from chainrule.autodiff.batching import vmap
from chainrule.autodiff.checking import check_grads
from chainrule.autodiff.custom import checkpoint, custom_derivative
from chainrule.autodiff.implicit import implicit
from chainrule.autodiff.linear import flatten, linearize
from chainrule.autodiff.loops import loop, scan
from chainrule.autodiff.matrices import hessian, hvp, jacobian
from chainrule.autodiff.numerical import derivative
from chainrule.autodiff.transforms import grad, jvp, value_and_grad, vjp

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
