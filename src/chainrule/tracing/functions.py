"""The functions NumPy lacks, callable on plain and traced values alike: every function and operation that is public."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextvars import ContextVar
from functools import cache, partial
from typing import Any

from chainrule.ops import FUNCTIONS, ArrayFunction
from chainrule.tracing.apply import as_operand, traced

listener: ContextVar[Callable[[str, Any, Any], None] | None] = ContextVar("chainrule_listener", default=None)
"""Told the name, the argument and the result of every call without options; a network learns so how it ends."""


def public(of: ArrayFunction) -> Callable[..., Any]:
    """What users call: arguments in any form that operations take, plain or traced."""
    name, implementation = of.name, of.implementation

    def function(*args: Any, **kwargs: Any) -> Any:
        if not args and kwargs:
            first = list(inspect.signature(implementation).parameters)[1]
            args = (kwargs.pop(first),) if first in kwargs else ()
        if len(args) != 1 or kwargs:
            return implementation(traced, *map(as_operand, args[:1]), *args[1:], **kwargs)
        result = implementation(traced, as_operand(args[0]))
        tell = listener.get()
        if tell is not None:
            tell(name, args[0], result)
        return result

    function.__name__ = function.__qualname__ = name
    function.__doc__ = implementation.__doc__
    function.__wrapped__ = partial(implementation, traced)  # type: ignore[attr-defined]  # the arguments `help` shows
    return function


LOADED = {name: public(function) for name, function in FUNCTIONS.loaded_items() if function.public}
"""The public functions by name, of those loaded by now; each is also this module's, and `cr.<name>`."""

globals().update(LOADED)


@cache
def all_public() -> dict[str, Callable[..., Any]]:
    """All public functions by name."""
    return LOADED | {name: public(f) for name, f in FUNCTIONS.items() if f.public and name not in LOADED}


def __getattr__(name: str) -> Callable[..., Any]:
    """Those that are loaded later."""
    if not name.startswith("_") and name in all_public():
        return all_public()[name]
    raise AttributeError(f"there is no public function named {name!r}; there are {', '.join(sorted(LOADED))}")
