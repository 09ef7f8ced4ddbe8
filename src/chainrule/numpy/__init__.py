"""NumPy's namespace for programs that create arrays and write into them: `import chainrule.numpy as np`.

Everything in it is NumPy's own, but for the functions that create arrays. Outside of derivatives these are NumPy's too; while a trace
is open they give arrays into which traced values can be written: `K = np.zeros((n, n)); K[i, j] = …`, `np.array([u, v])`.

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

from chainrule.numpy.creation import CREATING

globals().update(CREATING)


def __getattr__(name: str) -> object:
    return getattr(_numpy, name)


def __dir__() -> list[str]:
    return dir(_numpy)
