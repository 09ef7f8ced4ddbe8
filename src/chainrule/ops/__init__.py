"""Operations: each declared once, as its value, its derivative and its LaTeX.

Importing this package fills `REGISTRY` (primitive operations) and `FUNCTIONS` (what users call, written in them).
"""

import sys

try:
    from chainrule.ops import (
        activations,
        arithmetic,
        assignment,
        comparisons,
        complex_parts,
        decompositions,
        eigenvalues,
        exponential,
        fourier,
        functions,
        layouts,
        least_squares,
        linear_algebra,
        ordering,
        products,
        reductions,
        rounding,
        trigonometric,
    )
except BaseException:  # a module that fails is run again when it is next imported: nothing it declared may be left
    for _name in [name for name in sys.modules if name.startswith(f"{__name__}.")]:
        del sys.modules[_name]
    raise
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
    "assignment",
    "comparisons",
    "complex_parts",
    "decompositions",
    "eager",
    "eigenvalues",
    "example",
    "exponential",
    "fourier",
    "function",
    "functions",
    "layouts",
    "least_squares",
    "linear_algebra",
    "operation",
    "ordering",
    "products",
    "reductions",
    "rounding",
    "trigonometric",
]
