"""The functions NumPy lacks, callable on plain and traced values alike."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from chainrule.ops import FUNCTIONS
from chainrule.tracing.apply import as_operand, traced

listener: ContextVar[Callable[[str, Any, Any], None] | None] = ContextVar("chainrule_listener", default=None)
"""Told the name, the argument and the result of every call without options; a network learns so how it ends."""


def _public(name: str) -> Callable[..., Any]:
    implementation = FUNCTIONS[name].implementation

    def function(x: Any, *args: Any, **kwargs: Any) -> Any:
        result = implementation(traced, as_operand(x), *args, **kwargs)
        tell = listener.get()
        if tell is not None and not args and not kwargs:
            tell(name, x, result)
        return result

    function.__name__ = function.__qualname__ = name
    function.__doc__ = implementation.__doc__
    return function


sigmoid = _public("sigmoid")
relu = _public("relu")
leaky_relu = _public("leaky_relu")
elu = _public("elu")
selu = _public("selu")
gelu = _public("gelu")
silu = _public("silu")
softplus = _public("softplus")
softsign = _public("softsign")
hard_tanh = _public("hard_tanh")
step = _public("step")
erf = _public("erf")
softmax = _public("softmax")
log_softmax = _public("log_softmax")
logsumexp = _public("logsumexp")
stop_gradient = _public("stop_gradient")
