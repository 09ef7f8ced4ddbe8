"""Learning by backpropagation, with every gradient open to view."""

from __future__ import annotations

from chainrule.autodiff import check_grads, derivative, grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from chainrule.tracing import check, simplify, trace
