"""Derivatives of plain NumPy code: exact in both modes and any order, numerical, and one checked by the other."""

from chainrule.autodiff.batching import vmap
from chainrule.autodiff.checking import check_grads
from chainrule.autodiff.matrices import hessian, hvp, jacobian
from chainrule.autodiff.numerical import derivative
from chainrule.autodiff.transforms import grad, jvp, value_and_grad, vjp

__all__ = ["check_grads", "derivative", "grad", "hessian", "hvp", "jacobian", "jvp", "value_and_grad", "vjp", "vmap"]
