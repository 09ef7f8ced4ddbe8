"""Operations: each declared once, as its value, its derivative and its LaTeX.

Importing this package fills `REGISTRY` (primitive operations) and `FUNCTIONS` (what users call, written in them).
"""

from chainrule.ops import (
    activations,
    arithmetic,
    comparisons,
    exponential,
    functions,
    layouts,
    ordering,
    products,
    reductions,
    trigonometric,
)
from chainrule.ops.functions.function import FUNCTIONS, ArrayFunction, function
from chainrule.ops.functions.of_operations import functions_of
from chainrule.ops.kinds import Contraction, Custom, Domain, Elementwise, Layout, Reduction
from chainrule.ops.operation import REGISTRY, ArrayType, Example, Operation, eager, example, operation

FUNCTIONS.update(functions_of(REGISTRY.values()))

__all__ = [
    "FUNCTIONS",
    "REGISTRY",
    "ArrayType",
    "Contraction",
    "Custom",
    "Domain",
    "Elementwise",
    "Example",
    "ArrayFunction",
    "Layout",
    "Operation",
    "Reduction",
    "activations",
    "arithmetic",
    "comparisons",
    "eager",
    "example",
    "exponential",
    "function",
    "functions",
    "layouts",
    "operation",
    "ordering",
    "products",
    "reductions",
    "trigonometric",
]
