"""Functions with NumPy's names and signatures; importing this package puts those in `FUNCTIONS` that most programs use."""

from chainrule.ops.functions import (
    elementwise,
    joining,
    lines,
    products,
    shaping,
    statistics,
)

__all__ = [
    "elementwise",
    "joining",
    "lines",
    "products",
    "shaping",
    "statistics",
]
