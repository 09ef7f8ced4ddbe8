"""Functions with NumPy's names and signatures; importing this package fills `FUNCTIONS`."""

from chainrule.ops.functions import elementwise, joining, linear_algebra, products, shaping, statistics

__all__ = ["elementwise", "joining", "linear_algebra", "products", "shaping", "statistics"]
