"""Functions with NumPy's names and signatures; importing this package puts those in `FUNCTIONS` that most programs use."""

from chainrule.ops.functions import (
    choosing,
    elementwise,
    joining,
    lines,
    products,
    ranks,
    shaping,
    statistics,
)

__all__ = [
    "choosing",
    "elementwise",
    "joining",
    "lines",
    "products",
    "ranks",
    "shaping",
    "statistics",
]
