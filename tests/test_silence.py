"""Nothing wrong in silence: programs with habits give the right numbers by every way to a derivative, or are refused.

What is right comes from the same source run on numbers of 80 bits, and from differences of its values there. Where these
have no limit (kinks, ties) all ways must at least agree. `CHAINRULE_EXAMPLES` is how many programs; `make nightly` takes
20,000.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, note
from hypothesis import strategies as st

import chainrule as cr
from chainrule.errors import UnsupportedError
from expectations import EXAMPLES, names, thoroughness
from habits import HABITS, Habit, Program, arguments, programs

EXACT = pytest.mark.skipif(np.finfo(np.longdouble).eps > 1e-18, reason="no numbers of more than 64 bits here")

TOLERANCE = {"float64": 1e-6, "float32": 3e-3, "float16": 0.1}

# --- what is right


def limit(estimates: list[Any], power: int) -> tuple[Any, Any]:
    """What estimates with steps h, h/2, h/4 … tend to, and how far that is uncertain (Richardson)."""
    rows = [list(estimates)]
    for level in range(1, len(estimates)):
        factor = np.longdouble(2) ** (power * level)
        before = rows[-1]
        rows.append([(factor * b - a) / (factor - 1) for a, b in pairwise(before)])
    return rows[-1][0], max(abs(rows[-1][0] - x) for x in rows[-2])


STEPS = [np.longdouble(2) ** -k for k in (7, 8, 9, 10)]


class Truth:
    """Value, first derivative along v and second derivative along v and w of a program; `None` where there is none."""

    def __init__(self, program: Program, args: list[Any], v: list[Any], w: list[Any]) -> None:
        f = program.function(exact=True)

        def at(s: Any, t: Any) -> Any:
            moved = [np.asarray(x, np.longdouble) + s * a + t * b for x, a, b in zip(args, v, w, strict=True)]
            return np.longdouble(f(*moved))

        zero = np.longdouble(0)
        self.value = at(zero, zero)
        self.first = self._agreed(
            [[(at(h, zero) - at(-h, zero)) / (2 * h) for h in STEPS]],
            [[sign * (at(sign * h, zero) - self.value) / h for h in STEPS] for sign in (1, -1)],
        )
        self.second = self._agreed(
            [[(at(h, h) - at(h, -h) - at(-h, h) + at(-h, -h)) / (4 * h * h) for h in STEPS]],
            [
                [a * b * (at(a * h, b * h) - at(a * h, zero) - at(zero, b * h) + self.value) / (h * h) for h in STEPS]
                for a in (1, -1)
                for b in (1, -1)
            ],
        )

    @staticmethod
    def _agreed(central: list[Any], sided: list[Any]) -> Any:
        found = [limit(x, 2) for x in central] + [limit(x, 1) for x in sided]
        best, uncertain = found[0]
        if not np.isfinite(best) or uncertain > 1e-8 * (1 + abs(best)):
            return None
        return best if all(abs(x - best) < 1e-4 * (1 + abs(best)) for x, _ in found[1:]) else None


# --- the ways to a derivative


def dot(gradients: Any, direction: list[Any]) -> Any:
    return sum(np.sum(np.asarray(g, np.longdouble) * d) for g, d in zip(gradients, direction, strict=True))


def by_value(f: Any, args: list[Any]) -> Any:
    values = [cr.Value(x) for x in args]
    result = f(*values)
    result.backward()
    return result.data, [np.zeros(np.shape(x)) if x.grad is None else x.grad for x in values]


def after_the_caller_changed_his_arrays(f: Any, args: list[Any]) -> Any:
    own = [np.array(x) for x in args]
    value, pullback = cr.vjp(f, *own)
    for x in own:
        x[...] = 7.0
    return value, pullback(np.ones((), np.asarray(value).dtype)[()])


def inner(f: Any, v: list[Any]) -> Any:
    """The derivative of f along v, by reverse mode, as a function."""
    return lambda *x: sum(np.sum(g * d) for g, d in zip(cr.grad(f, (0, 1))(*x), v, strict=True))


def along(f: Any, v: list[Any]) -> Any:
    """The same by forward mode."""
    return lambda *x: cr.jvp(f, x, tuple(v))[1]


Way = Callable[[Any, list[Any], list[Any], list[Any]], tuple[Any, Any, Any]]

WAYS: dict[str, Way] = {
    "reverse": lambda f, x, v, w: (*_both(cr.value_and_grad(f, (0, 1))(*x), v), None),
    "forward": lambda f, x, v, w: (*cr.jvp(f, tuple(x), tuple(v)), None),
    "Value": lambda f, x, v, w: (*_both(by_value(f, x), v), None),
    "reverse of reverse": lambda f, x, v, w: (None, None, dot(cr.grad(inner(f, v), (0, 1))(*x), w)),
    "forward of reverse": lambda f, x, v, w: (None, None, cr.jvp(inner(f, v), tuple(x), tuple(w))[1]),
    "reverse of forward": lambda f, x, v, w: (None, None, dot(cr.grad(along(f, v), (0, 1))(*x), w)),
    "forward of forward": lambda f, x, v, w: (None, None, cr.jvp(along(f, v), tuple(x), tuple(w))[1]),
}
LATE: dict[str, Way] = {"vjp": lambda f, x, v, w: (*_both(after_the_caller_changed_his_arrays(f, x), v), None)}
COMPILED: dict[str, Way] = {
    "jit": lambda f, x, v, w: (cr.jit(f)(*x), None, None),
    "jit of reverse": lambda f, x, v, w: (*_both(cr.jit(cr.value_and_grad(f, (0, 1)))(*x), v), None),
    "jit of forward": lambda f, x, v, w: (None, cr.jit(along(f, v))(*x), None),
    "reverse of jit": lambda f, x, v, w: (*_both(cr.value_and_grad(cr.jit(f), (0, 1))(*x), v), None),
    "jit of reverse of reverse": lambda f, x, v, w: (None, None, dot(cr.jit(cr.grad(inner(f, v), (0, 1)))(*x), w)),
}


def _both(found: Any, v: list[Any]) -> tuple[Any, Any]:
    return found[0], dot(found[1], v)


def plain(x: Any) -> Any:
    """A number; anything else that comes out is wrong."""
    assert isinstance(x, float | np.generic | np.ndarray), f"{type(x)} came out where a number was expected"
    return np.longdouble(np.asarray(x)[()])


def check(habit: Habit, program: Program, args: list[Any], seed: int, compiled: bool) -> None:
    """Every way gives what is right, or refuses where that is allowed."""
    note(program.source)
    note(f"x, y = {args!r}; derivatives nested by {program.nesting}")
    random = np.random.default_rng(seed)
    dtype = np.dtype(program.dtype)
    v, w = ([np.asarray(random.uniform(0.5, 1.0, np.shape(x)), dtype)[()] for x in args] for _ in range(2))
    if habit.numbers:
        v[1], w[1] = float(v[1]), float(w[1])
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        truth = Truth(program, args, v, w)
        expected = program.function(exact=True)(*args)
    assume(np.isfinite(truth.value) and abs(truth.value) < 1e3)
    kind = np.asarray(expected).dtype
    tolerance = TOLERANCE[program.dtype]
    kinds = ("value", "first derivative", "second derivative")
    right: list[Any] = [truth.value, truth.first, truth.second]
    seen: list[dict[str, Any]] = [{}, {}, {}]
    assert abs(plain(expected) - truth.value) <= tolerance * (1 + abs(truth.value))
    ways = LATE if habit.late else WAYS | COMPILED if compiled else WAYS
    for name, way in ways.items():
        if name in habit.apart:
            continue
        if dtype.itemsize < 4 and (name in COMPILED or " of " in name):
            continue
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                found = way(program.function(), args, v, w)
        except cr.ChainruleError as error:
            if habit.refused or (name in COMPILED and isinstance(error, UnsupportedError)):
                continue
            raise AssertionError(f"{name} refuses what is right") from error
        except Exception as error:
            raise AssertionError(f"{name} fails with {type(error).__name__}, which says nothing") from error
        for what, x, into in zip(kinds, found, seen, strict=True):
            if x is not None:
                into[name] = plain(x)
                note(f"{name}: {what} {into[name]}")
        if found[0] is not None and name != "Value":
            assert np.asarray(found[0]).dtype == kind, f"{name} gives {np.asarray(found[0]).dtype}, and NumPy {kind}"
    for what, answer, given_by in zip(kinds, right, seen, strict=True):
        note(f"right: {what} {answer}")
        for name, x in given_by.items():
            reference = next(iter(given_by.values())) if answer is None else answer
            if answer is None and not np.isfinite(reference):
                continue
            error = abs(x - reference)
            assert error <= tolerance * (1 + abs(reference)), f"{what} by {name}: {x}, and right is {reference}"


@EXACT
@pytest.mark.parametrize("name", names(HABITS))
def test_programs_with_habits(name: str) -> None:
    habit = HABITS[name]

    @thoroughness(name, 10 + EXAMPLES // len(HABITS))
    @given(st.data())
    def holds(data: Any) -> None:
        program = data.draw(programs(habit))
        args = data.draw(arguments(habit, program))
        check(habit, program, args, data.draw(st.integers(0, 99)), data.draw(st.sampled_from([False, False, True])))

    holds()


# --- values kept from one call to the next

KEPT_USES: dict[str, Callable[[Any, Any], Any]] = {
    "itself": lambda kept, x: kept,
    "in a product": lambda kept, x: kept * np.sum(x),
    "in a container": lambda kept, x: [kept, np.sum(x)][0],
    "chosen": lambda kept, x: np.sum(np.where(x > 0, kept, x)),
}
CALLS: dict[str, Callable[[Any, Any], Any]] = {
    "plain": lambda f, x: f(x) + 0.0,
    "reverse": lambda f, x: cr.grad(f)(x),
    "forward": lambda f, x: cr.jvp(f, (x,), (np.ones(3),))[1],
    "jit": lambda f, x: cr.jit(f)(x),
    "value": lambda f, x: cr.value_and_grad(f)(x)[0],
}


@pytest.mark.parametrize("name", names(["values kept"]))
def test_values_kept_from_an_earlier_call(name: str) -> None:
    """They are a number that was once computed, or an error; never a derivative of 0, or a traced value as the answer."""
    x, later = np.array([0.3, -0.5, 0.7]), np.array([0.1, 0.2, -0.4])
    for first, second, (use, form) in product(("reverse", "forward", "jit"), CALLS, KEPT_USES.items()):
        kept: list[Any] = []

        def f(x: Any, kept: list[Any] = kept, form: Any = form) -> Any:
            if not kept:
                kept.append(np.sum(np.sin(x)))
            return form(kept[0], x)

        CALLS[first](f, x)
        try:
            found = CALLS[second](f, later)
        except cr.ChainruleError:
            continue
        expected = CALLS[second](lambda later, form=form: form(np.sum(np.sin(x)), later), later)
        assert isinstance(found, float | np.generic) or type(found) is np.ndarray, (first, second, use)
        np.testing.assert_allclose(found, expected, rtol=1e-12, err_msg=f"{first}, {second}, {use}")
