"""Operations: each declared once, as its value, its derivative and its LaTeX.

`REGISTRY` has the primitive operations and `FUNCTIONS` what users call, written in them. Importing this package loads those
that most programs use, and the registries load the rest (`later.py`) when they are asked for more.
"""

import sys

try:
    from chainrule.ops import (
        activations,
        arithmetic,
        assignment,
        comparisons,
        complex_parts,
        exponential,
        functions,
        layouts,
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
from chainrule.forks import load
from chainrule.ops.functions.function import FUNCTIONS, ArrayFunction, function
from chainrule.ops.functions.of_operations import functions_of
from chainrule.ops.kinds import Contraction, Custom, Domain, Elementwise, Layout, Reduction
from chainrule.ops.operation import REGISTRY, ArrayType, Example, Operation, eager, example, operation
from chainrule.ops.registry import Registry

FUNCTIONS.update(functions_of(REGISTRY.values()))


def _load_the_rest() -> None:
    load("chainrule.ops.later")


Registry.load_the_rest = staticmethod(_load_the_rest)

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
    "rounding",
    "trigonometric",
]
