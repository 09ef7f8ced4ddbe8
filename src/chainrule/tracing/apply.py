"""Traced values, and `apply`: the one door through which every operation goes.

With plain arrays `apply` computes. With a traced value among its inputs it hands the operation to that value's
trace; with values of several traces, to the innermost one. A trace strips its own values and applies the
operation to what is inside, so traces nest to any depth and are never confused with each other.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from functools import partial
from itertools import count
from typing import Any, NoReturn

import numpy as np
from numpy import ndarray

from chainrule.errors import ChainruleError, DerivativeLostError, LeakedValueError, TracingError
from chainrule.forks import load
from chainrule.ops.functions.joining import stack
from chainrule.ops.operation import REGISTRY, Operation
from chainrule.tracing import trees
from chainrule.tracing.corners.alike import of_plain
from chainrule.tracing.corners.kinks import Kinks
from chainrule.tracing.corners.roots import Roots
from chainrule.tracing.plain import COMPLEX_KIND, REAL, plain_array, refuse
from chainrule.tracing.promotion import adapted
from chainrule.tracing.refusals import RAW, for_real_numbers, ours, unsure_of, untraceable
from chainrule.tracing.scope import Step
from chainrule.tracing.views import NO_PAST, Past, note_view, remembered, written_to


class Trace:
    """One interpretation of operations; of two traces the one with the higher level is the inner one.

    Levels are counted in the whole process and never used again: a trace that begins while another is open is inside
    it, in whichever thread it begins, and no two traces have the same level.
    """

    __slots__ = ("level", "open", "real", "refused", "roots")

    def __init__(self) -> None:
        self.level = 0
        self.open = False
        self.real = False
        """Whether it is open and has met no complex numbers; of others, `apply` asks whether operations take them."""
        self.refused: list[DerivativeLostError] | None = None
        """What those were told who asked values of it for plain numbers."""
        self.roots: Roots | None = None
        """What is known of values without a derivative at 0, once there are such."""

    writable = True
    """Whether its values can be written to."""

    follows_roots = True
    """Whether squares of values without a derivative at 0 are computed from what is under these."""

    stepwise = False
    """Whether loops are carried out step by step, each of its operations by itself, to be seen."""

    def __enter__(self) -> Any:
        self.level = next(_levels)
        self.open = self.real = True
        opened.add(self.level)
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        self.open = self.real = False
        self.roots = None  # they hold values, which hold their trace
        opened.discard(self.level)
        if isinstance(error, Exception) and not isinstance(error, ChainruleError):
            said = load("chainrule.tracing.foreign").clearer(error, _subclasses(Traced))
            if said is not None:
                raise said from error
        if self.refused is not None:
            refused, self.refused = self.refused, None
            if error is None or (isinstance(error, Exception) and not isinstance(error, ChainruleError)):
                load("chainrule.tracing.foreign").make_heard(refused)

    def __call__(self, *_: Any, **__: Any) -> NoReturn:
        """Not possible: arrays have a method `trace`, traced values the trace they belong to."""
        raise TracingError(
            "x.trace of a traced value x is the trace it belongs to; write np.trace(x) for the sum of a diagonal."
        )

    def lifted(self, array: Any) -> Any:
        """A plain array as a value of this trace that depends on nothing."""
        raise TracingError(f"{type(self).__name__} has no values that can be written to; define lifted")

    def outside(self, derivative: Any) -> Any:
        """A derivative that this trace finds, which is no value of its own."""
        if isinstance(derivative, Traced) and derivative.trace is self:
            raise DerivativeLostError(
                "the rule of a custom_derivative, or the condition of an implicit function, uses traced values besides its "
                "arguments, whose derivatives it would lose. Give them as arguments."
            )
        return derivative

    def alike(self, value: Any) -> Hashable:
        """What is the same of values of this trace that are computed alike, if under another handle."""
        return tuple([alike(getattr(value, name)) for name in TRACED[type(value)]])

    def note_step(self, value: Any, step: Step) -> None:
        """Remember which value of a loop this is, where steps are to be seen."""

    def process(self, op: Operation, inputs: tuple[Any, ...], attributes: dict[str, Any]) -> Any:
        """Carry out an operation that has a value of this trace among its inputs."""
        raise TracingError(f"{type(self).__name__} does not process operations; define process")


_levels = count(1)
opened: set[int] = set()
"""The levels of all traces that are open, in whichever thread."""
lasting: list[Trace] = []
"""Traces that are always open, once there are values of theirs."""


class Traced:
    """A value that belongs to a trace; the traces' own subclasses behave as NumPy arrays."""

    __slots__ = ("past", "trace")
    past: Past
    trace: Trace
    is_number = False
    """Whether it is a number of Python's, which adapts to the arrays it meets."""
    source, unsure, version, is_array, is_flat = map(remembered, ("source", "unsure", "version", "is_array", "is_flat"))
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def __init_subclass__(cls) -> None:
        slots = [name for base in cls.__mro__ for name in vars(base).get("__slots__", ())]
        TRACED[cls] = [name for name in slots if name not in Traced.__slots__]


TRACED: dict[type, list[str]] = {}
"""The classes of traced values, and where each has what it holds."""


def _subclasses(kind: type) -> set[type]:
    below: list[type] = kind.__subclasses__()
    return {kind}.union(*map(_subclasses, below))


REALS = (_subclasses(np.bool_) | _subclasses(np.integer) | _subclasses(np.floating)) - {np.timedelta64}
REALS |= {np.ndarray, int, float, bool}
"""Types that hold real numbers and nothing else; of arrays the dtype decides."""

COMPLEX = _subclasses(np.complexfloating) | {complex}
"""Types of complex numbers."""

PLAIN = REALS | COMPLEX
"""Types that hold numbers and nothing else; of arrays the dtype decides."""


def apply(op: Operation, *inputs: Any, **attributes: Any) -> Any:
    """Carry out an operation on plain or traced inputs."""
    trace = unreal = None
    number = stale = False
    for x in inputs:
        kind = type(x)
        if kind in TRACED:
            if x.is_number:
                number = True
            if x.past is not NO_PAST:
                stale = True
            own = x.trace
            if own is not trace and (trace is None or own.level > trace.level):
                trace = own
        elif kind in REALS:
            if kind is ndarray and x.dtype.kind not in REAL:
                unreal = x
        elif kind in COMPLEX:
            unreal = x
        else:
            return apply(op, *map(as_operand, inputs), **attributes)
    if trace is None:
        return op.evaluate(*inputs, **attributes)
    if unreal is not None:
        if getattr(unreal, "dtype", COMPLEX_KIND).kind != "c":
            refuse(unreal)
        trace.real = False
    if stale and written_to:
        inputs = tuple([refresh(x) if isinstance(x, Traced) else x for x in inputs])
    if not trace.real:
        _check(trace, op, inputs)
    roots, bent = trace.roots, inputs
    try:
        if number:
            inputs = bent = adapted(traced, op, inputs)
        if roots is not None:
            smooth = roots.smooth(traced, op, inputs, attributes)
            if smooth is not None:
                return smooth
            if roots.kinks is not None:
                bent = roots.kinks.told(op, inputs, attributes)
        result = trace.process(op, bent, attributes)
    except RAW as error:
        if ours(error):
            raise
        raise untraceable(f"np.{op.name}", inputs, attributes, error) from error
    if op.noted:
        if op.views:
            if isinstance(result, Traced):
                note_view(result, inputs[0], op, attributes)
        elif op.to_complex:
            trace.real = trace.real and result.dtype.kind != "c"
        elif trace.follows_roots:
            _note_root(trace, result, op, inputs)
    if roots is not None:
        if op.carries or op.shares:
            roots.carry(result, op, inputs, attributes, partial(_as_now, roots))
        if roots.kinks is not None and op.differentiable:
            roots.kinks.spread(result, op, bent, attributes, partial(_as_now, roots))
    return result


def _note_root(trace: Trace, result: Any, op: Operation, inputs: tuple[Any, ...]) -> None:
    if trace.roots is None:
        trace.roots = Roots()
    roots = trace.roots
    own = tuple([_as_now(roots, x) for x in inputs])
    if type(getattr(result, "inner", None)) not in TRACED:
        roots.note(result, op, own, (op, *map(identity, own)))
    elif roots.note(result, op, own, (op, *map(alike, own))):  # it may be differentiated twice
        roots.kinks = roots.kinks or Kinks()
        roots.kinks.note(result, as_it_is(result))


def _as_now(roots: Roots, x: Any) -> Any:
    """An input, to be read later as it is now."""
    return as_it_is(x) if isinstance(x, Traced) else roots.copies.of(x) if type(x) is ndarray else x


def identity(x: Any) -> Hashable:
    """What tells a value from others: several handles may hold one."""
    if isinstance(x, Traced):
        return tuple([id(getattr(x, name)) for name in ("trace", *TRACED[type(x)])])
    return id(x) if type(x) is ndarray else x


def alike(x: Any) -> Hashable:
    """What is the same of values that are computed alike."""
    return (x.trace.level, x.trace.alike(x)) if isinstance(x, Traced) else of_plain(x)


def leaving(x: Any) -> Any:
    """A value whose further way its trace does not see: nobody will know there that it has kinks."""
    if not isinstance(x, Traced) or x.trace.roots is None:
        return x
    return x.trace.roots.kinks.without(x) if x.trace.roots.kinks else x


def refresh(value: Any) -> Any:
    """The value; a view of what was written to since is taken anew."""
    if value.past is not NO_PAST and value.source is not None:
        base, op, attributes, seen = value.source
        refresh(base)
        if base.version != seen:
            if value.unsure:
                raise unsure_of(value)
            become(value, apply(op, base, **attributes))
            value.source = base, op, attributes, base.version
    return value


def refreshed(results: Any) -> Any:
    """What a function gave, views as they are by now."""
    return trees.map_leaves(_current, results) if written_to else results


def _current(x: Any) -> Any:
    held = held_by(x)
    return refresh(held) if isinstance(held, Traced) else held


def held_by(x: Any) -> Any:
    """What an object that stands for a value holds by now (a parameter, an array of `chainrule.numpy`); others are themselves."""
    return x if type(x) in PLAIN or isinstance(x, Traced) or not hasattr(x, "traced_value") else x.traced_value()


def numbers_inside(x: Any) -> Any:
    """The plain numbers that a value has inside of all traces; `None` where they are not known."""
    while isinstance(x, Traced):
        x = getattr(x, "inner", None)
    return None if x is None else np.asarray(x)


def separate(x: Any) -> Any:
    """The same numbers, which stay as they are when `x` is written to, and the other way round: a handle or an array of its own."""
    x = held_by(x)
    if isinstance(x, Traced):
        return as_it_is(refresh(x))
    return x.copy("K") if type(x) is ndarray else x


def as_it_is(x: Any) -> Any:
    """A value for a trace that reads it later: one of another trace with a handle of its own, that nobody writes to."""
    if not isinstance(x, Traced) or not x.trace.writable:
        return x
    new = object.__new__(type(x))
    new.trace = x.trace
    new.past = NO_PAST
    _take_over(new, x)
    if x.is_array:
        new.is_array = True
    if x.trace.roots is not None:
        x.trace.roots.moved(x, new)
    return new


_versions = count(1)


def become(value: Any, new: Any) -> None:
    """Give a handle the numbers that another one holds."""
    if value.trace.roots is not None:
        value.trace.roots.became(value, new)
    _take_over(value, new)
    value.version = next(_versions)
    if not written_to:
        written_to.append(True)


def _take_over(value: Any, new: Any) -> None:
    for name in TRACED[type(value)]:
        setattr(value, name, getattr(new, name))


def traces_of(value: Any) -> Iterator[Trace]:
    """The traces that a value belongs to, the innermost first."""
    while isinstance(value, Traced):
        yield value.trace
        value = getattr(value, "inner", None)


def _check(trace: Trace, op: Operation, inputs: tuple[Any, ...]) -> None:
    """Make sure that a trace is open, and that an operation that takes real numbers only is given no others."""
    if not trace.open:
        raise LeakedValueError(
            f"{op.name} was given a traced value whose function has already returned. "
            "Return the value from the differentiated function (has_aux=True), or from a loop's in its state or as y, instead of "
            "storing it elsewhere."
        )
    if not op.complex:
        for x in inputs:
            if getattr(x, "dtype", np.dtype(type(x))).kind == "c":
                raise for_real_numbers(
                    f"np.{op.name}" if hasattr(np, op.name) else f"cr.{op.name}" if op.public else op.name, x
                )


def as_operand(x: Any) -> Any:
    """An input in a form operations take: a traced value, an array, or a number."""
    if type(x) in PLAIN or isinstance(x, Traced):
        return x
    if hasattr(x, "traced_value"):
        return x.traced_value()
    if holds_traced(x):
        return traced.stack_of(x)
    return plain_array(x)


def plain_numbers(x: Any) -> Any:
    """What is known as numbers already, as an array; of a traced value there are none."""
    given = as_operand(x)
    return np.empty(0, bool) if isinstance(given, Traced) else np.asarray(given)


def holds_traced(x: Any) -> bool:
    """Whether this is a list or tuple with traced values in it, at any depth."""
    return isinstance(x, list | tuple) and any(isinstance(item, Traced) or holds_traced(item) for item in x)


class TracedNamespace:
    """The namespace of operations on any values: `traced.tanh(x)` goes through `apply`."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what tools ask of any object; no operation is named so
            raise AttributeError(name)
        if name not in REGISTRY:
            raise AttributeError(f"there is no operation named {name!r}")
        call = partial(apply, REGISTRY[name])
        setattr(self, name, call)
        return call

    def stack_of(self, values: Any) -> Any:
        """A list of numbers, some of them traced, as one traced vector."""
        return stack(self, [as_operand(value) for value in values])


traced = TracedNamespace()
