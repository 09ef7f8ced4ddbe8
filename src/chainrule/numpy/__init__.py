"""NumPy's namespace for programs that create arrays and write into them: `import chainrule.numpy as np`.

Outside of derivatives everything in it is NumPy's own. While a trace is open the functions that create arrays give such as traced
values can be written into, `K = np.zeros((n, n)); K[i, j] = …`, `np.array([u, v])`, and all functions find traced values in lists,
`np.sum([u, v])`.

Examples
--------
>>> import chainrule as cr, chainrule.numpy as np
>>> def total(x):
...     y = np.zeros(3)
...     y[0] = x**2
...     y[1:] = np.array([x, 2 * x])
...     return y @ y
>>> cr.grad(total)(2.0)
np.float64(52.0)
"""

from __future__ import annotations

import numpy as _numpy

from chainrule.forks import load as _load
from chainrule.numpy.creation import CREATING
from chainrule.numpy.lists import found as _found

globals().update(CREATING)

OWN_MODULES = {"linalg", "fft", "random", "polynomial"}
"""Modules of NumPy's that can be imported from here by name."""


def __getattr__(name: str) -> object:
    return _load(f"{__name__}.{name}") if name in OWN_MODULES else _found(_numpy, name)


def __dir__() -> list[str]:
    return dir(_numpy)
