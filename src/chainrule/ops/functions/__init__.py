"""Functions with NumPy's names and signatures; importing this package fills `FUNCTIONS`."""

from chainrule.ops.functions import elementwise, fourier, joining, products, shaping, statistics

__all__ = ["elementwise", "fourier", "joining", "products", "shaping", "statistics"]
