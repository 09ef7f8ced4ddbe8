"""What leaves a traced function as an error of others' code, which knows plain numbers only: said as what it is about.

A traced value refuses to become a number wherever it is asked. C code may never ask, or put an error of its own in place of the
refusal (`struct.pack("d", x)`), and so may a library that catches it. So errors are looked at when they leave the trace, and
refusals that never came to the user when it ends: pandas clears that of a hash, and takes the value for one that it has not got.
"""

from __future__ import annotations

import dis
import re
import sysconfig
from collections.abc import Iterator, Set
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

import numpy as np

from chainrule.errors import ChainruleError, DerivativeLostError, InPlaceError, UnsupportedMethodError, nearest
from chainrule.tracing.refusals import COLLECT, ON_PURPOSE, WRITABLE

OURS = str(Path(__file__).parents[1])
LIBRARIES = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})
"""Where code of others lies."""

PACKAGES = tuple({sysconfig.get_path(name) for name in ("purelib", "platlib")})
"""Where that of installed packages does."""

ABOUT_VALUES = (ValueError, LookupError, AttributeError, OSError, AssertionError, NameError, SyntaxError)
"""Errors that say something of numbers, names or files, and not that an argument is of a wrong type."""

COUNTED = r"\b(takes|missing|expected|got|given|multiple)\b.*\barguments?\b|not callable"
"""What Python says where a function has another number of arguments, or others."""

TEXT = r"(convert string|literal|malformed|parse|unmatched|format specifier|time data)"
"""What is said of a text that is no number."""


def clearer(error: Exception, kinds: Set[type]) -> ChainruleError | None:
    """The error for what Python and others' code do not say enough about; `kinds` are the classes of traced values."""
    said, names = str(error), {kind.__name__ for kind in kinds}
    named = not names.isdisjoint(re.findall(r"\w+", said))
    if isinstance(error, AttributeError) and named and "setter" in said:
        return UnsupportedMethodError(
            f"an attribute of a traced value was to be set ({said}), which would change what its numbers mean. Use what gives "
            "another value: x = x.reshape(shape), x = x.astype(dtype); or an array of chainrule.numpy."
        )
    if isinstance(error, AttributeError) and named:
        return UnsupportedMethodError(
            f"a traced value was asked for what neither it nor a NumPy array has ({said})"
            f"{nearest(error.name or '', dir(np.ndarray))}. Use NumPy's functions and what its arrays have; {ON_PURPOSE}"
        )
    if isinstance(error, ValueError):
        lost = isinstance(error.__cause__, DerivativeLostError) and said.startswith("setting an array element")
        if lost or said == "Error setting single item of array.":
            return _into_an_element()
    call = _failed_call(error)
    if _is_text(error, said, call is not None and _among(call, kinds)):
        return DerivativeLostError(
            f"the text of a traced value was about to become a number ({said}), which would lose its derivative. Compute with "
            f"the value itself, to fewer digits by np.round(x, 3); its text is to be read. {ON_PURPOSE}"
        )
    asked = type(error) is TypeError or (type(error) is IndexError and call)
    written = asked and re.search(r"(traced|batched)\(", said)
    if written or (named and (call or isinstance(error, TypeError))) or _by_others(error, said, call, kinds):
        return DerivativeLostError(
            f"Python was given a traced value that it can do nothing with ({said}): code that knows plain numbers only would lose "
            f"its derivative. Use NumPy functions, and keep values as arrays; {ON_PURPOSE}"
        )
    return None


def make_heard(refused: list[DerivativeLostError]) -> None:
    """Raise a refusal that others' code has caught, which then went on without the value: what it gave is not what it should be.

    A refusal that the user's own code has caught, there on purpose, has come to a frame of it.

    Raises
    ------
    DerivativeLostError
        The first such refusal, with what became of it.
    """
    for error in refused:
        if error.answered:
            continue
        seen = error.__traceback__  # of one that C code has cleared there is none, or that of ours alone
        file = "" if seen is None else seen.tb_frame.f_code.co_filename
        if not file or file.startswith((str(Path(__file__).parent), *PACKAGES)):
            who = "code that Python does not see" if not file.startswith(PACKAGES) else file
            raise DerivativeLostError(f"{error} (That was refused to {who}, which went on without.)") from error


def _into_an_element() -> InPlaceError:
    return InPlaceError(
        "a traced value was about to be written into an element of a plain array (y[i] = x, y[i] += x, y.fill(x)), which holds "
        f"numbers without derivatives. {WRITABLE} With NumPy itself, {COLLECT}: y = np.stack([a, b, c]); to change one element, "
        "write y = np.where(np.arange(len(y)) == i, x, y)."
    )


def _is_text(error: Exception, said: str, given: bool) -> bool:
    """Whether something was to be read out of the text of a traced value."""
    seen = re.search(r"\b(traced|batched)\(", f"{said} {getattr(error, 'text', '')} {getattr(error, 'doc', '')}")
    if isinstance(error, NameError):
        return error.name in ("traced", "batched")
    if isinstance(error, SyntaxError):
        return seen is not None
    if isinstance(error, ValueError):
        return bool(
            (seen and (hasattr(error, "doc") or re.search(f"(?i){TEXT}", said))) or (given and "malformed" in said)
        )
    return False


def _by_others(error: Exception, said: str, call: tuple[FrameType, int] | None, kinds: Set[type]) -> bool:
    """Whether others' code failed for a traced value: a refusal is behind its error, or it is about an argument's type."""
    if call is None:
        return _refused_before(error) and isinstance(error, SystemError)
    if _refused_before(error):
        return True
    own = isinstance(error, TypeError) or (type(error).__module__ != "builtins" and not isinstance(error, ABOUT_VALUES))
    return (own or "unmarshallable" in said) and not re.search(COUNTED, said) and _among(call, kinds)


def _refused_before(error: BaseException) -> bool:
    """Whether an error was made of a refusal of ours."""
    cause = error.__cause__
    return cause is not None and (isinstance(cause, DerivativeLostError) or _refused_before(cause))


def _failed_call(error: Exception) -> tuple[FrameType, int] | None:
    """Where the user's code called others' code that failed, as frame and instruction; none where it failed by itself."""
    found: TracebackType | None = None
    innermost = here = error.__traceback__
    while here is not None:
        innermost = here
        file = here.tb_frame.f_code.co_filename
        if not file.startswith((OURS, *LIBRARIES)) and not file.endswith((".pyx", ".pxi", ".pxd")):
            found = here
        here = here.tb_next
    if found is None or innermost is None or innermost.tb_frame.f_code.co_filename.startswith(OURS):
        return None
    if dis.opname[found.tb_frame.f_code.co_code[found.tb_lasti]].startswith(("RAISE", "RERAISE")):
        return None
    return found.tb_frame, found.tb_lasti


def _among(call: tuple[FrameType, int], kinds: Set[type]) -> bool:
    """Whether a traced value is among the names that stand in a call."""
    frame, instruction = call
    known = {**frame.f_globals, **frame.f_locals}
    return any(_holds(known.get(name), tuple(kinds)) for name in _names_within(frame, instruction))


def _names_within(frame: FrameType, instruction: int) -> Iterator[str]:
    """The names that are read in the expression of an instruction."""
    places = list(frame.f_code.co_positions())
    first, last, start, end = (x or 0 for x in places[instruction // 2])
    for step in dis.get_instructions(frame.f_code):
        a, b, c, d = (x or 0 for x in places[step.offset // 2])
        inside = (first, start) <= (a, c) and (b, d) <= (last, end)
        if inside and step.opname.startswith("LOAD_"):
            yield from step.argval if isinstance(step.argval, tuple) else [step.argval]


def _holds(value: Any, kinds: tuple[type, ...]) -> bool:
    """Whether this is a traced value, or a container or an array of objects with one in it."""
    if isinstance(value, dict):
        value = list(value.values())
    elif str(getattr(value, "dtype", "")) == "object" and hasattr(value, "__array__"):
        value = list(np.asarray(value).flat)
    return isinstance(value, kinds) or (isinstance(value, list | tuple) and any(isinstance(x, kinds) for x in value))
