"""Functions of the user's that SciPy calls with plain numbers, though they hold traced values: what they give as plain numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.errors import UnsupportedError
from chainrule.scipy.standing import as_array, is_traced
from chainrule.tracing.apply import Traced
from chainrule.tracing.loops.stepwise import is_stepwise
from chainrule.tracing.numpy_interface import Wrapped
from chainrule.tracing.passes.simplify import simplify
from chainrule.tracing.passes.straight_line import compile_program
from chainrule.tracing.traces.recorder import trace_closed


def plain(x: Any, what: str) -> Any:
    """The numbers of a value, traced or not; containers of such too.

    Raises
    ------
    UnsupportedError
        While a program is recorded, or for a batch: there are no numbers that SciPy could decide by.
    """
    if type(x) in (list, tuple):
        return type(x)(plain(item, what) for item in x)
    while isinstance(x, Wrapped):
        x = x.inner
    if isinstance(x, Traced):
        raise UnsupportedError(
            f"{what} decides by numbers how it goes on, and has none inside of jit, trace and vmap. Use grad, jvp "
            "or jacobian outside of these, one member after the other."
        )
    return x


def is_numbers(x: Any) -> bool:
    """Whether a value, traced or not, has numbers: not while a program is recorded, and not in a batch."""
    while isinstance(x, Wrapped):
        x = x.inner
    return not isinstance(x, Traced)


class Stripped:
    """The function for SciPy: plain numbers in, plain numbers out; `met_traced` says whether any of these were traced."""

    def __init__(self, function: Callable[..., Any], what: str) -> None:
        self.function, self.what, self.met_traced = function, what, False

    def __call__(self, *args: Any) -> Any:
        """What the function gives, as plain numbers."""
        result = self.function(*args)
        self.met_traced = self.met_traced or is_traced(result)
        return plain(result, self.what)


class Recorded:
    """The same, of a function that is recorded once: whoever calls it often puts nothing on any tape."""

    def __init__(self, function: Callable[..., Any], what: str, *examples: Any) -> None:
        program, captured = trace_closed(lambda *args: as_array(function(*args)), *examples, name=what)
        self._run, self._held = compile_program(simplify(program)), [plain(x, what) for x in captured]
        self.met_traced = bool(captured)

    def __call__(self, *args: Any) -> Any:
        """What the function gives for plain numbers."""
        return self._run(*args, *self._held)[0]


def plainly(function: Callable[..., Any], what: str, *examples: Any) -> Recorded | Stripped:
    """The function for SciPy: recorded, for arguments like the examples, where its course does not depend on numbers."""
    try:
        return Recorded(function, what, *examples)
    except Exception:  # whatever it is, it will be said when the function is called with numbers
        return Stripped(function, what)


def with_value(value: Any, traced: Any, what: str) -> Any:
    """A traced value with the numbers that SciPy found; where every operation is to be seen, with its own, which are as near."""
    if is_stepwise(traced):
        return traced
    return value + (traced - plain(traced, what))


def close(found: Any, expected: Any, tolerance: Any) -> bool:
    """Whether numbers agree."""
    return bool(np.all(np.abs(np.asarray(found) - np.asarray(expected)) <= tolerance))
