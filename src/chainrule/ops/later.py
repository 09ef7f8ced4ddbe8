"""Declarations that few programs use, loaded when a registry is asked for what is not there yet, or for all there is."""

import sys
from typing import Any

from chainrule.ops.functions.function import FUNCTIONS
from chainrule.ops.functions.of_operations import functions_of
from chainrule.ops.operation import OF_NUMPY, REGISTRY
from chainrule.ops.registry import Registry

_registries: tuple[Registry[Any, Any], ...] = (REGISTRY, FUNCTIONS, OF_NUMPY)
_modules, _names = set(sys.modules), [set(registry) for registry in _registries]
try:
    from chainrule.ops import (
        completions,
        convolutions,
        decompositions,
        eigenvalues,
        fourier,
        kinks,
        least_squares,
        linear_algebra,
        roots,
        triangles,
    )
    from chainrule.ops.functions import (
        applying,
        arranging,
        asking,
        choosing,
        making,
        norms,
        polynomials,
        ranks,
        scalars,
        vectors,
        without_nan,
    )
    from chainrule.ops.functions import decompositions as functions_of_decompositions
    from chainrule.ops.functions import fourier as functions_of_fourier
    from chainrule.ops.functions import linear_algebra as functions_of_linear_algebra

    FUNCTIONS.update(functions_of(op for op in REGISTRY.values() if op.name not in FUNCTIONS))
except BaseException:  # all of it is run again when it is next asked for: nothing it declared may be left
    for _registry, _before in zip(_registries, _names, strict=True):
        for _name in set(_registry) - _before:
            del _registry[_name]
    for _module in {name for name in sys.modules if name.startswith("chainrule.ops.")} - _modules:
        del sys.modules[_module]
    raise

__all__ = [
    "applying",
    "arranging",
    "asking",
    "choosing",
    "completions",
    "convolutions",
    "decompositions",
    "eigenvalues",
    "fourier",
    "functions_of_decompositions",
    "functions_of_fourier",
    "functions_of_linear_algebra",
    "kinks",
    "least_squares",
    "linear_algebra",
    "making",
    "norms",
    "polynomials",
    "ranks",
    "roots",
    "scalars",
    "triangles",
    "vectors",
    "without_nan",
]
