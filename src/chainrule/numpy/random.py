"""`numpy.random`, for programs that import it by name: `import chainrule.numpy.random as npr`. All of it is NumPy's own."""

from __future__ import annotations

from numpy import random as _numpy


def __getattr__(name: str) -> object:
    return getattr(_numpy, name)


def __dir__() -> list[str]:
    return dir(_numpy)
