"""Learning by backpropagation on the machine in front of you, with every gradient open to view.

>>> import numpy as np, chainrule as cr
>>> cr.grad(lambda x: np.sum(np.tanh(x)))(np.array([0.0, 1.0])).round(4)
array([1.  , 0.42])
"""

from __future__ import annotations

from importlib import import_module as _import_module
from typing import TYPE_CHECKING, Any

from chainrule import declarations as _declarations
from chainrule import errors as errors
from chainrule.autodiff import *
from chainrule.engines import evaluate as evaluate
from chainrule.engines.jit import jit as jit
from chainrule.errors import ChainruleError as ChainruleError
from chainrule.tracing import Program as Program
from chainrule.tracing import check as check
from chainrule.tracing import register_container as register_container
from chainrule.tracing import simplify as simplify
from chainrule.tracing import trace as trace
from chainrule.tracing.functions import LOADED as _LOADED
from chainrule.tracing.functions import all_public as _all_public
from chainrule.tracing.program import viewers as _viewers

if TYPE_CHECKING:
    from chainrule.learning import *

__version__ = "0.1.0"

globals().update(_LOADED)

_EARLY = ["__version__", *_declarations.public(globals())]


def _draw(program: Program, *inputs: Any, **options: Any) -> Any:
    from chainrule.explanation.drawing import draw_program

    return draw_program(program, *inputs, **options)


_viewers["draw"] = _draw


def __getattr__(name: str) -> Any:
    """Names about networks are loaded with the first of them, so that derivatives alone start fast."""
    if name == "__all__" or not name.startswith("_"):
        learning = _import_module("chainrule.learning")
        if name == "__all__":
            return sorted({*_EARLY, *learning.__all__, *_all_public()})
        if hasattr(learning, name):
            return getattr(learning, name)
        if name in _all_public():
            return _all_public()[name]
        near = errors.nearest(name, {*_EARLY, *learning.__all__, *_all_public()})
        raise AttributeError(f"module 'chainrule' has no attribute {name!r}{near}")
    raise AttributeError(f"module 'chainrule' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __getattr__("__all__")  # type: ignore[no-any-return]
