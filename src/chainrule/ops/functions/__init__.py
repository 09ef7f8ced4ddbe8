"""Functions with NumPy's names and signatures; importing this package fills `FUNCTIONS`."""

from chainrule.ops.functions import (
    decompositions,
    elementwise,
    fourier,
    joining,
    linear_algebra,
    norms,
    products,
    shaping,
    statistics,
)

__all__ = [
    "decompositions",
    "elementwise",
    "fourier",
    "joining",
    "linear_algebra",
    "norms",
    "products",
    "shaping",
    "statistics",
]
