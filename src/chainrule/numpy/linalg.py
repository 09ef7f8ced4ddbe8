"""`numpy.linalg`, for programs that import it by name: `import chainrule.numpy.linalg as la`."""

from __future__ import annotations

from numpy import linalg as _numpy

from chainrule.numpy.lists import found


def __getattr__(name: str) -> object:
    return found(_numpy, name)


def __dir__() -> list[str]:
    return dir(_numpy)
