"""Learning by backpropagation on the machine in front of you, with every gradient open to view.

>>> import numpy as np, chainrule as cr
>>> cr.grad(lambda x: np.sum(np.tanh(x)))(np.array([0.0, 1.0])).round(4)
array([1.  , 0.42])
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chainrule import autodiff as _autodiff
from chainrule import declarations as _declarations
from chainrule import errors as errors
from chainrule.autodiff import grad as grad
from chainrule.autodiff import hessian as hessian
from chainrule.autodiff import hvp as hvp
from chainrule.autodiff import jacobian as jacobian
from chainrule.autodiff import jvp as jvp
from chainrule.autodiff import value_and_grad as value_and_grad
from chainrule.autodiff import vjp as vjp
from chainrule.autodiff import vmap as vmap
from chainrule.errors import ChainruleError as ChainruleError
from chainrule.forks import load as _load
from chainrule.notebooks import viewers as _viewers
from chainrule.tracing import Program as Program
from chainrule.tracing import check as check
from chainrule.tracing import register_container as register_container
from chainrule.tracing import simplify as simplify
from chainrule.tracing import trace as trace
from chainrule.tracing.functions import LOADED as _LOADED
from chainrule.tracing.functions import all_public as _all_public

if TYPE_CHECKING:
    from chainrule.autodiff import *
    from chainrule.engines import evaluate as evaluate
    from chainrule.engines.jax.engine import JaxEngine as JaxEngine
    from chainrule.engines.jit import jit as jit
    from chainrule.learning import *

__version__ = "0.1.0"

globals().update(_LOADED)

_LATER = dict.fromkeys(_autodiff.LATER, "autodiff") | {
    "evaluate": "engines",
    "jit": "engines.jit",
    "JaxEngine": "engines.jax.engine",
}
_EARLY = ["__version__", *_declarations.public(globals()), *_LATER]


def _later(module: str, name: str) -> Any:
    """A function of the package `explanation`, which is loaded when it is first called."""
    return lambda *given, **options: getattr(_load(f"chainrule.explanation.{module}"), name)(*given, **options)


_viewers |= {
    "Program.draw": _later("drawing", "draw_program"),
    "Program._repr_html_": _later("rendering.overviews", "program_as_html"),
    "History.draw": _later("drawing", "draw_history"),
    "History._repr_html_": _later("rendering.overviews", "history_as_html"),
    "History.view": lambda network: _load("chainrule.viewer").view(network),
}


def __getattr__(name: str) -> Any:
    """Names that few programs use, and those about networks, are loaded with the first of them: derivatives alone start fast."""
    if name == "__all__":
        return sorted({*_EARLY, *_load("chainrule.learning").__all__, *_all_public()})
    if name.startswith("_"):
        raise AttributeError(f"module 'chainrule' has no attribute {name!r}")
    if name in _LATER:
        found = getattr(_load(f"chainrule.{_LATER[name]}"), name)
    elif hasattr(learning := _load("chainrule.learning"), name):
        found = getattr(learning, name)
    elif name in _all_public():
        found = _all_public()[name]
    else:
        near = errors.nearest(name, __getattr__("__all__"))
        raise AttributeError(f"module 'chainrule' has no attribute {name!r}{near}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return __getattr__("__all__")  # type: ignore[no-any-return]
