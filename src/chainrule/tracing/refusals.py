"""What cannot be done with a traced value, and what to write instead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np

from chainrule.errors import (
    ChainruleError,
    DerivativeLostError,
    InPlaceError,
    PositionError,
    ShapeError,
    UnsupportedError,
    UnsupportedMethodError,
    nearest,
    shortened,
)
from chainrule.ops import FUNCTIONS, REGISTRY, Elementwise

ON_PURPOSE = "chainrule.stop_gradient loses the derivative on purpose."
WRITABLE = "With `import chainrule.numpy as np` instead of `import numpy as np`, arrays are made of traced values and written into."
COLLECT = "collect the pieces in a list and put them together with np.stack or np.concatenate"

ELSEWHERE = {"expit": "sigmoid", "logit": "log"}
"""Functions of other libraries that have another name here."""

WHILE_IN_PLACE = {
    "resize": "x = np.resize(x, shape)",
    "setfield": "np.where(mask, new, x)",
}
"""Methods of arrays that change them, and what gives a new array instead."""

INSTEAD = {
    "compress": "np.compress(condition, x), or np.where(condition, x, 0.0), which keeps the shape",
    "copyto": "np.where(mask, new, x)",
    "put": "np.where(mask, new, x)",
    "place": "np.where(mask, new, x)",
    "putmask": "np.where(mask, new, x)",
    "fill_diagonal": "np.where(np.eye(n, dtype=bool), new, x)",
    "put_along_axis": "np.where(mask, new, x)",
    "at": "np.where(mask, x + y, x)",
    "nextafter": "x, from which it differs by less than rounding",
    "spacing": "np.abs(x) * np.finfo(x.dtype).eps",
    "sort_complex": "np.sort(x)",
    "union1d": "np.unique(np.concatenate([a, b]))",
    "histogram2d": "np.histogram of one of them, or np.bincount with weights=",
    "histogramdd": "np.histogram of one of them, or np.bincount with weights=",
    "histogram_bin_edges": "the edges as a plain array",
    "ix_": "np.ix_ of plain integers",
    "save": "chainrule.stop_gradient(x), for the numbers without derivative",
}
"""Functions that choose elements or that are missing, and what to write."""


AS_POSITION = "a traced value cannot be an index"
NUMPY_ASKS_EXPONENTS = np.lib.NumpyVersion(np.__version__) < "2.4.0"
"""Whether `array ** x` may ask x for an index before it calls the ufunc; later versions do not."""


def _refuse(value: Any, why: str) -> NoReturn:
    """Raise the error, and remember it where the value's trace ends: whoever asked may catch it, and go on without the value."""
    error = DerivativeLostError(why)
    if value.trace.level:  # of one that never ends nobody would look
        value.trace.refused = [*(value.trace.refused or ()), error]
    raise error


def lose(what: str, value: Any, advice: str | None = None) -> NoReturn:
    """Say that something would make a plain number of a traced value."""
    _refuse(
        value,
        f"{what} of a traced value of shape {tuple(value.shape)} would lose its derivative. "
        + (advice or f"Use NumPy functions (np.sin, not math.sin), and keep values as arrays; {ON_PURPOSE}"),
    )


def lose_as_array(value: Any) -> NoReturn:
    """Say that a traced value was about to be copied into a plain array, or to be read as one."""
    _refuse(
        value,
        f"a traced value of shape {tuple(value.shape)} was about to become a plain array, which would lose its derivative. "
        f"{WRITABLE} With NumPy itself, instead of np.array([a, b]) write np.stack([a, b]); instead of y[1:] = x on a plain array y, "
        f"{COLLECT}; instead of table[i] or np.take(table, i) write chainrule.take(table, i, axis=0); instead of y.dot(x), y @ x; "
        "instead of a function of SciPy, that of chainrule.scipy (if it has a derivative there), or its NumPy equivalent; of a "
        "sparse matrix, s.toarray() @ x. "
        f"{ON_PURPOSE}",
    )


def lose_as_position(value: Any) -> NoReturn:
    """Say that a traced value was about to be a plain integer."""
    _refuse(
        value,
        f"{AS_POSITION} of a plain array or a Python list, a bound of a slice or a count of repetitions: these "
        "are plain integers. To pick elements of x by a traced i, write np.take(x, i, axis=0) where x is traced as well, and "
        "chainrule.take(x, i, axis=0) where it is a plain array or a list; "
        "where the number is known beforehand, give it as a Python int that is not traced: lambda x: f(x, 3).",
    )


def answer_as_exponent(exponent: Any) -> None:
    """NumPy 2.0 asks an exponent whether it is a whole number, and calls the ufunc all the same: no value is lost."""
    refused = getattr(getattr(exponent, "trace", None), "refused", None) if NUMPY_ASKS_EXPONENTS else None
    if refused and str(refused[-1]).startswith(AS_POSITION):
        refused[-1].answered = True


def lose_as_key(value: Any) -> NoReturn:
    """Say that a traced value was about to be looked up by its number, by which derivatives do not go."""
    _refuse(
        value,
        f"a traced value of shape {tuple(value.shape)} was about to be a key of a dict, an element of a set or an argument of a "
        "function that remembers its results (functools.cache). These find things by their numbers, and values that are equal may "
        "have other derivatives. Keep what belongs to it in a list or under a name; for `x in {a, b}` write `x in [a, b]`; to look "
        "up by the number alone, give chainrule.stop_gradient(x).",
    )


def unsure_of(value: Any) -> InPlaceError:
    """The error for writing where NumPy may have given a view."""
    return InPlaceError(
        f"a traced value of shape {tuple(value.shape)} is what in NumPy is a view or a copy (a reshape, depending on where its "
        "numbers will lie in memory), or a view by special rules (a diagonal, x[..., 0]): it cannot be written to, nor used "
        "once what it was taken of is. Write y = x.copy() before, or take it afterwards."
    )


def into_existing(called: str) -> InPlaceError:
    """The error for `out=`, and for `y += x` with a plain y."""
    return InPlaceError(
        f"{called} was to write its result into an existing plain array (out=, or a += b), which holds numbers without derivatives. "
        f"{WRITABLE} With NumPy itself, use the return value, and write `a = a + b`."
    )


def unsupported(numpy: Any, called: str = "") -> UnsupportedError:
    """The error for a function, of NumPy's or another library's, that has no derivative here."""
    name = numpy.__name__
    known = {op.name for op in REGISTRY.values() if isinstance(op, Elementwise) and op.ufunc}
    known |= {function.name for function in FUNCTIONS.values() if function.numpy}
    ours = ELSEWHERE.get(name, name)
    full = full_name(numpy)
    if ours in FUNCTIONS and FUNCTIONS[ours].public and not called:
        return UnsupportedError(
            f"{full} cannot be traced. Write cr.{ours}, which has a derivative (import chainrule as cr)."
        )
    wanted = called.rpartition(".")[2] if called else name
    advice = (
        f"Write {INSTEAD[wanted]}."
        if wanted in INSTEAD
        else "Write it in functions that have one; chainrule.ops.FUNCTIONS holds them all."
    )
    if isinstance(numpy, np.ufunc) and not hasattr(np, name):
        advice = f"{_of_scipy(name)} {advice}"
    guess = "" if called or name in INSTEAD else nearest(name, known - {name}, alike=0.8)
    return UnsupportedError(f"{called or full} has no derivative in chainrule{guess}. {advice}")


DERIVED_ELSEWHERE: set[str] = set()
"""Names of SciPy's ufuncs that `chainrule.scipy` has derivatives of, once it is imported."""


def _of_scipy(name: str) -> str:
    if DERIVED_ELSEWHERE and name not in DERIVED_ELSEWHERE:
        return "If it is scipy.special's, chainrule.scipy has none either; chainrule.custom_derivative declares one."
    return "If it is scipy.special's, `from chainrule.scipy import special` has those with a derivative."


def full_name(numpy: Any) -> str:
    """How a function is called: `np.linalg.inv`; one of another library by its own name."""
    name = numpy.__name__
    if getattr(np, name, None) is numpy:
        return f"np.{name}"
    module = (getattr(numpy, "__module__", None) or "").removeprefix("numpy").removeprefix(".")
    if isinstance(numpy, np.ufunc) or module.startswith("_"):
        return f"np.{name}" if hasattr(np, name) else name
    return f"np.{module}.{name}" if module else f"np.{name}"


def for_real_numbers(called: str, value: Any) -> UnsupportedError:
    """The error for complex numbers where there is only a meaning, or a derivative, for real ones."""
    kind = getattr(value, "dtype", type(value).__name__)
    return UnsupportedError(
        f"{called} takes real numbers here, and was given complex ones (dtype {kind}, shape {tuple(getattr(value, 'shape', ()))}). "
        "Say which real number of each is meant: np.real(z), np.imag(z), np.abs(z) or np.angle(z)."
    )


def unsupported_option(called: str, option: str) -> UnsupportedError:
    """The error for a keyword of NumPy's that a function does not have here."""
    advice = (
        f"write np.where(mask, {called}(x), other)" if option == "where" else "leave it out, or apply it to the result"
    )
    return UnsupportedError(f"{called} with {option}= cannot be traced; {advice}.")


def untraceable(
    name: str, args: tuple[Any, ...], options: Mapping[str, Any], error: Exception, library: str = "NumPy"
) -> ChainruleError:
    """The error for a call that failed for what it was given, of the kind that NumPy's is."""
    given = ", ".join([*(shortened(x, 60) for x in args), *(f"{key}={shortened(x, 60)}" for key, x in options.items())])
    kinds: dict[type[Exception], type[ChainruleError]] = {IndexError: PositionError, ValueError: ShapeError}
    kind = next((own for numpy, own in kinds.items() if isinstance(error, numpy)), UnsupportedError)
    return kind(
        f"{name}({given}) failed: {str(error).rstrip('.')}. Give arrays whose shapes fit, and lists, counts and options as plain "
        f"Python values, as {library}'s documentation says."
    )


def without_method(name: str) -> UnsupportedMethodError:
    """The error for what NumPy's arrays, or Python's numbers, have and traced values have not."""
    if not hasattr(np.ndarray, name):
        return UnsupportedMethodError(
            f"x.{name} of a traced value x makes something of Python's of one number; use NumPy's functions. {ON_PURPOSE}"
        )
    if name in WHILE_IN_PLACE:
        advice = f"it would change what the memory of the array means; write {WHILE_IN_PLACE[name]}"
    elif name in INSTEAD:
        advice = f"write {INSTEAD[name]}"
    else:
        advice = f"it is about the memory of a plain array; leave it out, or use it on the result. {ON_PURPOSE[:-1]}"
    return UnsupportedMethodError(f"x.{name} of a traced value x cannot be traced: {advice}.")


RAW = (TypeError, ValueError, LookupError, AttributeError, ArithmeticError)
"""What Python and NumPy raise for arguments that make no sense to them."""


def ours(error: BaseException) -> bool:
    """Whether an error says by itself what to do, or was asked for with `np.errstate`."""
    return isinstance(error, ChainruleError | FloatingPointError)
