"""`numpy.polynomial`: NumPy's own code, with this namespace in the place of NumPy's, so that coefficients and places may be traced.

Functions and classes there are written in Python and make arrays of what they are given, by which derivatives would be lost. Here
each is made once more of the same code, in modules whose names `np` and `pu` stand for arrays that hold traced values.

Examples
--------
>>> import chainrule as cr
>>> from chainrule.numpy.polynomial import Polynomial, chebyshev
>>> cr.grad(lambda c: Polynomial(c).deriv()(2.0))([1.0, 2.0, 3.0])
[np.float64(0.0), np.float64(1.0), np.float64(4.0)]
>>> cr.grad(lambda x: chebyshev.chebval(x, [0.0, 0.0, 1.0]))(0.5)  # T₂(x) = 2·x² − 1
np.float64(2.0)
"""

from __future__ import annotations

import sys
from types import FunctionType, ModuleType
from typing import Any

from numpy import polynomial as _numpy
from numpy.polynomial import chebyshev, hermite, hermite_e, laguerre, legendre, polynomial, polyutils

import chainrule.numpy as _arrays

__path__: list[str] = []  # its modules are made below, and are imported by name

_BASE = sys.modules[_numpy.Polynomial.__mro__[1].__module__]
_FAMILIES = (polynomial, chebyshev, legendre, laguerre, hermite, hermite_e)
_spaces: dict[str, dict[str, Any]] = {}
"""By NumPy's modules, the names that their code has here."""


def _member(own: Any) -> Any:
    """What belongs to a module or class of NumPy's, with the names here."""
    if isinstance(own, staticmethod | classmethod):
        return type(own)(_member(own.__func__))
    if isinstance(own, property):
        return property(_member(own.fget), _member(own.fset), _member(own.fdel), own.__doc__)
    own = getattr(own, "__wrapped__", own)  # of what NumPy hands on to other libraries
    if isinstance(own, FunctionType) and own.__module__ in _spaces:
        again = FunctionType(own.__code__, _spaces[own.__module__], own.__name__, own.__defaults__, own.__closure__)
        again.__kwdefaults__, again.__doc__ = own.__kwdefaults__, own.__doc__
        return again
    return own


def _class(own: type) -> type:
    """A class of NumPy's and all that it inherits there; what is made of it is of NumPy's class too."""
    members: dict[str, Any] = {}
    for base in reversed(own.__mro__[:-1]):
        if base.__module__ in _spaces:
            members |= {name: _member(x) for name, x in vars(base).items() if name not in _PYTHONS}
    return type(own)(own.__name__, (own,), {"__module__": __name__, **members})


_PYTHONS = {"__dict__", "__weakref__", "__module__", "__abstractmethods__", "_abc_impl"}
"""What Python puts into every class itself."""


_KEPT = {"__all__", "__builtins__"}


def _make(own: ModuleType) -> ModuleType:
    """One of NumPy's modules with the names here."""
    made = ModuleType(f"{__name__}.{own.__name__.rpartition('.')[2]}", own.__doc__)
    made.__package__ = __name__  # by which functions import each other
    space = vars(made)
    _spaces[own.__name__] = space
    space.update({name: x for name, x in vars(own).items() if not name.startswith("__") or name in _KEPT})
    space.update(np=_arrays, pu=sys.modules.get(f"{__name__}.polyutils", made))
    space.update({name: _member(x) for name, x in vars(own).items() if callable(x)})
    sys.modules[made.__name__] = made
    return made


_made = {own.__name__.rpartition(".")[2]: _make(own) for own in (polyutils, _BASE, *_FAMILIES)}
for _own in _FAMILIES:
    for _name, _x in vars(_own).items():
        if isinstance(_x, type) and _x.__module__ == _own.__name__:
            globals()[_name] = _spaces[_own.__name__][_name] = _class(_x)
globals().update({_name: _made[_name] for _name in _made if not _name.startswith("_")})


def __getattr__(name: str) -> object:
    return getattr(_numpy, name)


def __dir__() -> list[str]:
    return dir(_numpy)
