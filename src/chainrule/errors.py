"""Everything chainrule raises on purpose, in one family.

    ChainruleError
    ├── ShapeError             shapes that do not fit together              (ValueError)
    │   ├── PositionError          a position that an array does not have   (IndexError)
    │   └── NoLengthError          the length of a single number            (TypeError)
    ├── MatrixError            a matrix without inverse, factors, vectors   (numpy.linalg.LinAlgError)
    ├── DataError              data that cannot be learned from             (ValueError)
    ├── SettingError           a setting outside what is allowed            (ValueError)
    │   └── NoFormulaError         letters as places where only numbers can stand
    ├── ArgumentError          arguments that a function does not take      (TypeError)
    ├── UnknownNameError       a name nobody knows, with the nearest one    (LookupError)
    ├── TracingError           code that cannot be traced                   (RuntimeError)
    │   ├── DerivativeLostError    the derivative would silently be zero
    │   ├── InPlaceError           writing where a traced value cannot go
    │   ├── UnsupportedError       a NumPy function chainrule does not know
    │   │   └── UnsupportedMethodError     a method of arrays it does not know  (AttributeError)
    │   └── LeakedValueError       a traced value used after its trace ended
    ├── DifferentiationError   arguments or results without a derivative    (TypeError)
    ├── GradientMismatchError  check_grads found a difference               (AssertionError)
    ├── ProgramError           a Program that breaks its own rules          (ValueError)
    ├── DivergedError          the loss left the finite numbers             (ArithmeticError)
    ├── ModelFileError         a model file that cannot be read             (ValueError)
    │   └── OtherFormatError       one that another version of chainrule wrote
    ├── MissingFileError       a file that is not where it was said to be   (FileNotFoundError)
    ├── NotBuiltError          a network used before its shapes are known   (RuntimeError)
    ├── LostProcessError       a process of a training is gone              (RuntimeError)
    └── MissingExtraError      an optional library is not installed         (ImportError)

Every message says what was given, what was expected, and what to do.
"""

from __future__ import annotations

import math
import numbers
import reprlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from numpy.linalg import LinAlgError


class ChainruleError(Exception):
    """Base of every error chainrule raises on purpose. A message is never longer than 2,000 characters."""

    def __init__(self, *args: object) -> None:
        super().__init__(*(bounded(x, 2000) if isinstance(x, str) else x for x in args))


class ShapeError(ChainruleError, ValueError):
    """Shapes that do not fit together.

    Fails: `network(np.zeros((5, 3)))`, for a network that was built for 2 features.
    Works: `network(np.zeros((5, 2)))`.
    """


class PositionError(ShapeError, IndexError):
    """A position that an array does not have.

    Fails: `cr.grad(lambda x: x[3])(np.ones(3))`.
    Works: `cr.grad(lambda x: x[2])(np.ones(3))`.
    """

    @classmethod
    def of(cls, place: int, length: int, axis: int, first: int | None = None) -> PositionError:
        """The error for a place along an axis of this length; NumPy's places begin at `-length`."""
        allowed = (
            f"give one from {-length if first is None else first} to {length - 1}"
            if length
            else "an empty axis has none"
        )
        return cls(f"index {place} is out of bounds for axis {axis} with size {length}; {allowed}.")


class ArgumentError(ChainruleError, TypeError):
    """Arguments that a function does not take, such as those of another library's.

    Fails: `network.fit(X, y, learning_rate=0.1)`.
    Works: `network.fit(X, y, optimizer=cr.Adam(0.1))`.
    """


class NoLengthError(ShapeError, TypeError):
    """The length of a value without axes. A TypeError, as NumPy's is, for programs that ask so whether it is one number.

    Fails: `cr.grad(lambda x: len(x) * x)(1.0)`.
    Works: `cr.grad(lambda x: x.size * x)(1.0)`.
    """


class MatrixError(ChainruleError, LinAlgError):
    """A matrix without the inverse, the factors or the derivatives asked for. A LinAlgError, for programs that catch NumPy's.

    Fails: `cr.grad(lambda a: np.sum(np.linalg.inv(a)))(np.ones((2, 2)))`.
    Works: `cr.grad(lambda a: np.sum(np.linalg.inv(a)))(np.eye(2))`.
    """


class DataError(ChainruleError, ValueError):
    """Data that cannot be learned from: empty, NaN or infinite, lengths that differ, labels out of range.

    Fails: `network.fit(X * np.nan, y)`.
    Works: `network.fit(X[complete], y[complete])`, with `complete = np.isfinite(X).all(axis=1)`.
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
        if words and not isinstance(value, numbers.Real):
            words = f"a number, {words}"
        raise cls(f"{owner} was given {name}={shortened(value)}; it must be {words or 'a finite number'}.")

    @classmethod
    def unless_count(cls, owner: str, name: str, value: object, at_least: int = 1, at_most: int | None = None) -> None:
        """Refuse a setting that is no whole number from `at_least` on, and no more than `at_most`."""
        if at_most is not None and isinstance(value, numbers.Integral) and int(value) > at_most:
            raise cls(f"{owner} was given {name}={shortened(value)}; it must be at most {at_most}.")
        if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < at_least:
            kind = "a positive integer" if at_least == 1 else f"an integer from {at_least} on"
            raise cls(f"{owner} was given {name}={shortened(value)}; it must be {kind}.")

    @classmethod
    def unless_callable(cls, owner: str, value: object, call: str = "") -> None:
        """Refuse what is no function, such as the result of one; `call` is how it is called where its arguments come with it."""
        if not callable(value):
            how = f"then its arguments: {call}" if call else f"and its arguments to what comes back: cr.{owner}(f)(x)"
            raise cls(f"{owner} was given {shortened(value)}, which is no function. Give the function itself, {how}.")

    @classmethod
    def unless_texts(cls, owner: str, name: str, value: object, example: str) -> None:
        """Refuse a setting that is no mapping from texts to texts; `None` is none of it."""
        texts = isinstance(value, Mapping) and all(isinstance(x, str) for pair in value.items() for x in pair)
        if value is not None and not texts:
            raise cls(f"{owner} was given {name}={shortened(value)}; give a dict of texts, such as {example}.")

    @classmethod
    def unless_one_of(cls, owner: str, name: str, value: object, choices: Iterable[str | bool]) -> None:
        """Refuse a setting that is none of these texts or truth values."""
        known = list(choices)
        if not isinstance(value, str | bool) or value not in known:
            raise cls(f"{owner} was given {name}={shortened(value)}; use {' or '.join(map(repr, known))}.")


class NoFormulaError(SettingError):
    """Letters as places of an array, where no one formula holds for all of them.

    Fails: `cr.explain(lambda a: np.sort(a)[0], index=["i"])(np.array([3.0, 1.0]))`.
    Works: `cr.explain(lambda a: np.sort(a)[0], index=[1])(np.array([3.0, 1.0]))`.
    """


class UnknownNameError(ChainruleError, LookupError):
    """A name nobody knows; the message offers the nearest one that exists.

    Fails: `cr.Dense(3, "rleu")`.
    Works: `cr.Dense(3, "relu")`.
    """

    @classmethod
    def among(cls, kind: str, given: object, known: Iterable[str]) -> UnknownNameError:
        """The error for `given`, which is none of the `known` names of a `kind`."""
        names = sorted(known)
        hint = nearest((given if isinstance(given, str) else shortened(given))[:LONGEST], names)
        return cls(f"there is no {kind} named {shortened(given)}{hint}. Known: {', '.join(names)}.")


class TracingError(ChainruleError, RuntimeError):
    """Code that cannot be traced.

    Fails: `cr.trace(lambda x: x if x > 0 else -x, 1.0)`, because `x` has no value yet.
    Works: `cr.trace(lambda x: np.where(x > 0, x, -x), 1.0)`.
    """


class DerivativeLostError(TracingError):
    """The derivative would silently become zero.

    Fails: `cr.grad(lambda x: math.sin(x))(1.0)`, because `math.sin` turns `x` into a plain float.
    Works: `cr.grad(lambda x: np.sin(x))(1.0)`.

    It is no TypeError, which programs catch to go on with another value: `try: n = float(x)`, `except TypeError: n = 0.0`.
    Those that catch every `Exception` catch it all the same, and the derivative is lost after all: put
    `except chainrule.errors.ChainruleError: raise` before.
    """

    answered = False
    """Whether what was refused is done in another way, which keeps the derivative."""


class InPlaceError(TracingError):
    """Writing a traced value into what cannot hold one, such as a plain array.

    Fails: `cr.grad(lambda x: operator.setitem(np.zeros(3), 0, x[0]))(np.ones(3))`, which is `y[0] = x[0]` with a plain y.
    Works: `cr.grad(lambda x: np.sum(np.stack([x[0], x[1] ** 2])))(np.ones(3))`.
    """


class UnsupportedError(TracingError):
    """A NumPy function, or an option of one, that chainrule cannot trace.

    Fails: `cr.grad(lambda x: np.sum(np.sin(x, where=[True, False])))(np.ones(2))`.
    Works: `cr.grad(lambda x: np.sum(np.where([True, False], np.sin(x), 0.0)))(np.ones(2))`.
    """


class UnsupportedMethodError(UnsupportedError, AttributeError):
    """A method or attribute of NumPy's arrays that traced values do not have.

    Fails: `cr.grad(lambda x: np.sum(x.compress([True, False, True])))(np.ones(3))`.
    Works: `cr.grad(lambda x: np.sum(np.compress([True, False, True], x)))(np.ones(3))`.
    """


class LeakedValueError(TracingError):
    """A traced value used after the function it belongs to has returned.

    Fails: `kept = []; cr.grad(lambda x: [kept.append(x), x * x][1])(3.0); kept[0] + 1.0`.
    Works: `cr.value_and_grad(lambda x: (x * x, x), has_aux=True)(3.0)`, which gives `x` back as a number.
    """


class DifferentiationError(ChainruleError, TypeError):
    """Arguments or results that have no derivative.

    Fails: `cr.grad(lambda x: x * x)(3)`, because 3 is an integer.
    Works: `cr.grad(lambda x: x * x)(3.0)`.
    """


class GradientMismatchError(ChainruleError, AssertionError):
    """`check_grads` found a derivative that differs from the finite difference.

    Fails: `cr.check_grads(lambda x: x * cr.stop_gradient(x), (3.0,))`.
    Works: `cr.check_grads(lambda x: x * x, (3.0,))`.
    """


class ProgramError(ChainruleError, ValueError):
    """A Program that breaks its own rules: a variable used before it exists, a shape that is not so.

    Fails: `cr.check(dataclasses.replace(program, equations=()))`, where nothing computes the output.
    Works: `cr.check(program)`.
    """


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

    Fails: `network.fit(X, y, loss="squared_error", optimizer=cr.SGD(1e6), epochs=50)`.
    Works: `network.fit(X, y, loss="squared_error", optimizer=cr.SGD(0.01))`; also standardised inputs, or `clip_norm=1.0`.
    """

    def __init__(
        self, message: str, *, epoch: int = 0, batch: int = 0, place: str = "", history: object = None
    ) -> None:
        super().__init__(message)
        self.epoch, self.batch, self.place, self.history = epoch, batch, place, history


class ModelFileError(ChainruleError, ValueError):
    """A model file that is damaged, truncated, or not one of chainrule's.

    Fails: `Path("a.model").write_text("not a model"); cr.load("a.model")`.
    Works: `network.save("a.model"); cr.load("a.model")`.
    """


class OtherFormatError(ModelFileError):
    """A whole file in a format of another version of chainrule, which is to be read by that.

    Fails: `cr.load("later.model")`, which a later version wrote; `pip install --upgrade chainrule` brings one that reads it.
    Works: `network.save("a.model"); cr.load("a.model")`, by one version.
    """


class MissingFileError(ChainruleError, FileNotFoundError):
    """A file that is not where it was said to be.

    Fails: `network.save("digits.model"); cr.load("digits.mdel")`.
    Works: `network.save("digits.model"); cr.load("digits.model")`.
    """

    @classmethod
    def unless_there(cls, path: Path, known: Iterable[str] = ()) -> None:
        """Raise when nothing is at `path`, with the nearest name of its folder; `known` are further names that may be meant."""
        if path.exists():
            return
        folder = path.parent
        names = [x.name for x in folder.iterdir() if not x.name.startswith(".")] if folder.is_dir() else []
        hint = nearest(path.name, [*names, *known]) if folder.is_dir() else f": there is no folder {folder}"
        raise cls(f"there is no file {path}{hint}; give the path of one that is there.")


class NotBuiltError(ChainruleError, RuntimeError):
    """A network used before the shapes of its inputs are known.

    Fails: `cr.Network([cr.Dense(3)]).predict(X)`.
    Works: `cr.Network([cr.Dense(3)]).build(2).predict(X)`, for 2 features; or `network.fit(X, y)` first.
    """


class LostProcessError(ChainruleError, RuntimeError):
    """One of the processes that carry out a training together is gone; `cr.resume` goes on, with any number of them.

    Fails: `network.fit(X, y, engine=cr.JaxEngine(devices="all"))` where one of several processes was killed.
    Works: `network.fit(X, y, engine=cr.JaxEngine(devices="all"))` in processes of which none is.
    """


class MissingExtraError(ChainruleError, ImportError):
    """An optional library is not installed.

    Fails: `history.plot()` without matplotlib.
    Works: `history.plot()` after `pip install "chainrule[plot]"`.
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


LONGEST = 200
"""Characters of a value that a message shows."""

_SHORT = reprlib.Repr()
_SHORT.maxlist = _SHORT.maxtuple = _SHORT.maxset = _SHORT.maxfrozenset = _SHORT.maxdict = _SHORT.maxdeque = 8
_SHORT.maxstring = _SHORT.maxother = LONGEST


def shortened(value: object, longest: int = LONGEST) -> str:
    """How a value of the user's is shown in a message: its representation in one line, the middle of a long one left out.

    Examples
    --------
    >>> shortened("sigmoid")
    "'sigmoid'"
    >>> shortened([0.5] * 1000)
    '[0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, ...]'
    """
    try:
        text = " ".join(_SHORT.repr(value).split())
    except Exception:  # whatever a __repr__ of the user's does: a message is not the place to fail
        return f"<{type(value).__name__}>"
    return bounded(text, longest)


def bounded(text: str, longest: int) -> str:
    """A text with its middle left out where it would be longer."""
    half = (longest - 5) // 2
    return text if len(text) <= longest else f"{text[:half]} ... {text[-half:]}"


def nearest(name: str, known: Iterable[str], alike: float = 0.6) -> str:
    """A suggestion such as ` (did you mean 'relu'?)`, or nothing when no known name is so much alike."""
    from difflib import get_close_matches  # only needed when something has gone wrong

    small = {one.casefold(): one for one in known}
    return "".join(f" (did you mean {small[x]!r}?)" for x in get_close_matches(name.casefold(), small, 1, alike))
