"""The error function: an odd polynomial up to 1, and 1 − e^P(|x|) beyond."""

from __future__ import annotations

from chainrule.engines.llvm.mathematics import coefficients
from chainrule.engines.llvm.mathematics.exponential import exponential, reduce
from chainrule.engines.llvm.mathematics.instructions import Instructions
from chainrule.engines.llvm.mathematics.numbers import FLOAT32, Vector
from chainrule.engines.llvm.mathematics.steps import polynomial, power_of_two
from chainrule.ops.exponential import erf as declared


def erf(m: Instructions, x: Vector) -> Vector:
    """The error function; in float64 as the operation declares it, whose polynomials are exact enough there."""
    if x.dtype != FLOAT32:
        result: Vector = declared.value(m, x)
        return result
    size = m.minimum(m.absolute(x), 4.0)
    near = m.fma(size, polynomial(m, size * size, coefficients.ERF), size)
    k, r = reduce(m, polynomial(m, size, coefficients.ERFC))
    far = m.fma(exponential(m, r), -power_of_two(m, k), 1.0)
    return m.copysign(m.choose(size < 1.0, near, far), x)
