"""SciPy's namespace, differentiable: `import chainrule.scipy`, `from chainrule.scipy import special, stats`.

Everything in it is SciPy's own, but for the functions that have a derivative here. These call SciPy's where nothing is traced, and
where something is, SciPy computes the value; only the derivatives are chainrule's. What has none refuses traced values.

Examples
--------
>>> import chainrule as cr
>>> from chainrule.scipy import special
>>> float(round(cr.grad(special.gammaln)(3.0), 12))  # ψ(3) = 3/2 − γ
0.922784335098
"""

from __future__ import annotations

from chainrule.errors import MissingExtraError
from chainrule.forks import load

try:
    import scipy as _scipy
except ImportError:
    raise MissingExtraError.of("SciPy", "scipy", "chainrule.scipy") from None
if tuple(map(int, _scipy.__version__.split(".")[:2])) < (1, 16):  # whose tails and square roots of matrices are others
    raise MissingExtraError.of("SciPy 1.16 or newer", "scipy", "chainrule.scipy")

OWN = ("special", "stats", "linalg", "signal", "integrate", "optimize", "interpolate", "fft")
"""The modules that have functions with derivatives; all others are SciPy's."""


def __getattr__(name: str) -> object:
    return load(f"{__name__}.{name}") if name in OWN else getattr(_scipy, name)


def __dir__() -> list[str]:
    return dir(_scipy)
