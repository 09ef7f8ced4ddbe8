"""Everything chainrule raises on purpose, in one family.

    ChainruleError
    ├── ShapeError             shapes that do not fit together              (ValueError)
    ├── DataError              data that cannot be learned from             (ValueError)
    ├── SettingError           a setting outside what is allowed            (ValueError)
    ├── UnknownNameError       a name nobody knows, with the nearest one    (LookupError)
    ├── TracingError           code that cannot be traced                   (TypeError)
    │   ├── DerivativeLostError    the derivative would silently be zero
    │   ├── InPlaceError           assignment into a traced value
    │   ├── UnsupportedError       a NumPy function chainrule does not know
    │   └── LeakedValueError       a traced value used after its trace ended
    ├── DifferentiationError   arguments or results without a derivative    (TypeError)
    ├── GradientMismatchError  check_grads found a difference               (AssertionError)
    ├── ProgramError           a Program that breaks its own rules          (ValueError)
    ├── DivergedError          the loss left the finite numbers             (ArithmeticError)
    ├── ModelFileError         a model file that cannot be read             (ValueError)
    ├── NotBuiltError          a network used before its shapes are known   (RuntimeError)
    └── MissingExtraError      an optional library is not installed         (ImportError)

Every message says what was given, what was expected, and what to do.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable


class ChainruleError(Exception):
    """Base of every error chainrule raises on purpose."""


class ShapeError(ChainruleError, ValueError):
    """Shapes that do not fit together.

    Fails: `network(np.zeros((5, 3)))` when the network was built for 2 features.
    Works: `network(np.zeros((5, 2)))`.
    """


class DataError(ChainruleError, ValueError):
    """Data that cannot be learned from: empty, NaN or infinite, lengths that differ, labels out of range.

    Fails: `network.fit(X, y)` with a NaN in `X`.
    Works: `network.fit(X[complete], y[complete])` with `complete = np.isfinite(X).all(axis=1)`.
    """


class SettingError(ChainruleError, ValueError):
    """A setting outside what is allowed.

    Fails: `cr.Dropout(1.5)`.
    Works: `cr.Dropout(0.5)`.
    """

    @classmethod
    def unless_number(
        cls,
        owner: str,
        name: str,
        value: object,
        *,
        at_least: float = -math.inf,
        above: float = -math.inf,
        at_most: float = math.inf,
        below: float = math.inf,
    ) -> None:
        """Refuse a setting that is no finite number within these bounds."""
        if is_finite(value) and at_least <= value <= at_most and above < value < below:  # type: ignore[operator]
            return
        bounds = {"at least": at_least, "more than": above, "at most": at_most, "less than": below}
        words = " and ".join(f"{word} {bound:g}" for word, bound in bounds.items() if math.isfinite(bound))
        raise cls(f"{owner} was given {name}={shown(value)}; it must be {words or 'a finite number'}.")

    @classmethod
    def unless_count(cls, owner: str, name: str, value: object, at_least: int = 1, at_most: int | None = None) -> None:
        """Refuse a setting that is no whole number from `at_least` on, and no more than `at_most`."""
        if at_most is not None and isinstance(value, numbers.Integral) and int(value) > at_most:
            raise cls(f"{owner} was given {name}={shown(value)}; it must be at most {at_most}.")
        if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < at_least:
            kind = "a positive integer" if at_least == 1 else f"an integer from {at_least} on"
            raise cls(f"{owner} was given {name}={shown(value)}; it must be {kind}.")

    @classmethod
    def unless_one_of(cls, owner: str, name: str, value: object, choices: Iterable[str | bool]) -> None:
        """Refuse a setting that is none of these texts or truth values."""
        known = list(choices)
        if not isinstance(value, str | bool) or value not in known:
            raise cls(f"{owner} was given {name}={shown(value)}; use {' or '.join(map(repr, known))}.")


class UnknownNameError(ChainruleError, LookupError):
    """A name nobody knows; the message offers the nearest one that exists.

    Fails: `cr.Dense(3, "rleu")`.
    Works: `cr.Dense(3, "relu")`.
    """

    @classmethod
    def among(cls, kind: str, given: object, known: Iterable[str]) -> UnknownNameError:
        """The error for `given`, which is none of the `known` names of a `kind`."""
        names = sorted(known)
        name = given if isinstance(given, str) else shown(given)
        return cls(f"there is no {kind} named {shown(given)}{nearest(name[:100], names)}. Known: {', '.join(names)}.")


class TracingError(ChainruleError, TypeError):
    """Code that cannot be traced.

    Fails: `if x > 0: ...` inside a traced function, where `x` has no value yet.
    Works: `np.where(x > 0, ..., ...)`.
    """


class DerivativeLostError(TracingError):
    """The derivative would silently become zero.

    Fails: `cr.grad(lambda x: math.sin(x))(1.0)`, because `math.sin` turns `x` into a plain float.
    Works: `cr.grad(lambda x: np.sin(x))(1.0)`.

    It is a TypeError, as Python's own are where a value is no number. Code that catches TypeErrors to go on with
    another value (`try: n = float(x)`, `except TypeError: n = 0.0`) catches it as well, and the derivative is lost
    after all: put `except chainrule.errors.ChainruleError: raise` before.
    """


class InPlaceError(TracingError):
    """Assignment into a traced value.

    Fails: `x[0] = 1.0`.
    Works: `np.where(np.arange(len(x)) == 0, 1.0, x)` or `np.concatenate([[1.0], x[1:]])`.
    """


class UnsupportedError(TracingError):
    """A NumPy function, or an option of one, that chainrule cannot trace.

    Fails: `np.sum(x, where=mask)`.
    Works: `np.sum(np.where(mask, x, 0.0))`.
    """


class LeakedValueError(TracingError):
    """A traced value used after the function it belongs to has returned.

    Fails: storing `x` in a global inside a differentiated function and computing with it later.
    Works: returning what is needed (`has_aux=True` returns extra results).
    """


class DifferentiationError(ChainruleError, TypeError):
    """Arguments or results that have no derivative.

    Fails: `cr.grad(f)(3)`, because 3 is an integer.
    Works: `cr.grad(f)(3.0)`.
    """


class GradientMismatchError(ChainruleError, AssertionError):
    """`check_grads` found a derivative that differs from the finite difference."""


class ProgramError(ChainruleError, ValueError):
    """A Program that breaks its own rules: a variable used before it exists, a shape that is not so."""


class DivergedError(ChainruleError, ArithmeticError):
    """The loss left the finite numbers during training; the last finite weights are kept.

    Attributes
    ----------
    epoch, batch : int
        Where it happened, counted from 0.
    place : str
        The layer or step whose values first were not finite.
    history : object
        The epochs completed before.

    Fails: `network.fit(X, y, optimizer=cr.SGD(1e6))`.
    Works: the same with a smaller learning rate, standardised inputs, or `clip_norm=1.0`.
    """

    def __init__(
        self, message: str, *, epoch: int = 0, batch: int = 0, place: str = "", history: object = None
    ) -> None:
        super().__init__(message)
        self.epoch, self.batch, self.place, self.history = epoch, batch, place, history


class ModelFileError(ChainruleError, ValueError):
    """A model file that is damaged, truncated, or not one of chainrule's."""


class NotBuiltError(ChainruleError, RuntimeError):
    """A network used before the shapes of its inputs are known.

    Fails: `cr.Network([cr.Dense(3)]).predict(X)`.
    Works: `network.fit(X, y)` first, or `network.build(2)` for 2 features.
    """


class MissingExtraError(ChainruleError, ImportError):
    """An optional library is not installed.

    Fails: `history.plot()` without matplotlib.
    Works: `pip install "chainrule[plot]"` and again.
    """

    @classmethod
    def of(cls, library: str, extra: str, purpose: str) -> MissingExtraError:
        """The error for `library`, which `purpose` needs and the extra named `extra` brings."""
        return cls(f'{purpose} needs {library}, which is not installed. Install it: pip install "chainrule[{extra}]"')


def is_finite(value: object) -> bool:
    """Whether this is a real number that a float can hold; `True` and `False` are none."""
    try:
        return isinstance(value, numbers.Real) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # a whole number beyond all floats
        return False


def shown(value: object) -> str:
    """A value as a message shows it, whatever its length."""
    try:
        text = repr(value)
    except Exception:  # such as a whole number of more digits than Python writes
        return f"a value of type {type(value).__name__}"
    return text if len(text) <= 200 else f"{text[:200]}…"


def nearest(name: str, known: Iterable[str]) -> str:
    """A suggestion such as ` (did you mean 'relu'?)`, or nothing when no known name is close."""
    import difflib  # only needed when something has gone wrong

    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" (did you mean {close[0]!r}?)" if close else ""
