"""`numpy.fft`, for programs that import it by name: `import chainrule.numpy.fft as fft`."""

from __future__ import annotations

from numpy import fft as _numpy

from chainrule.numpy.lists import found


def __getattr__(name: str) -> object:
    return found(_numpy, name)


def __dir__() -> list[str]:
    return dir(_numpy)
