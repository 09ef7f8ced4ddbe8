"""Functions with NumPy's names and signatures; importing this package fills `FUNCTIONS`."""

from chainrule.ops.functions import (
    applying,
    arranging,
    asking,
    choosing,
    elementwise,
    joining,
    lines,
    making,
    polynomials,
    products,
    ranks,
    scalars,
    shaping,
    statistics,
    vectors,
    without_nan,
)

__all__ = [
    "applying",
    "arranging",
    "asking",
    "choosing",
    "elementwise",
    "joining",
    "lines",
    "making",
    "polynomials",
    "products",
    "ranks",
    "scalars",
    "shaping",
    "statistics",
    "vectors",
    "without_nan",
]
