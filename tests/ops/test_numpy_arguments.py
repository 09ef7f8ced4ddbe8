"""Every argument of every NumPy function that is registered: what comes out is NumPy's, or an error of the family."""

from __future__ import annotations

import inspect
import os
import random
import traceback
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines import evaluate
from chainrule.errors import ChainruleError
from chainrule.ops import FUNCTIONS, ArrayFunction
from chainrule.ops.functions.joining import Together

CALLS = int(os.environ.get("CHAINRULE_CALLS", "80"))
"""Calls tried of every function; `make nightly` takes 1,000."""

SHAPES = [(), (3,), (4,), (2, 3), (3, 3), (1, 3), (2, 3, 4), (0,), (2, 0)]
INTEGERS = [0, 1, -1, 2, -2, 3, np.int64(1), np.int8(0), np.array(2), np.array([1, 0]), [0, 1], (1, 0), (2,), 5, -7]
AXES = [None, 0, -1, 1, 2, -3, (0, 1), (0,), (), [0], np.int64(0), np.array(1), (np.int64(0), -1), 1.0, "a"]
ODD = [None, 1.5, "C", [], np.nan, np.array([True, False, True]), object()]
POOLS: dict[str, list[Any]] = {
    "axis": AXES,
    "axes": [*AXES, (1, 0), [1, 0], (0, 2, 1), ([0], [0])],
    "axis1": AXES,
    "axis2": AXES,
    "source": AXES,
    "destination": AXES,
    "keepdims": [True, False, np.True_, 0, 1],
    "dtype": [None, np.float32, float, "float64", int, bool, complex],
    "where": [True, np.array([True, False, True]), None],
    "initial": [0.0, 2.0, None],
    "ddof": [0, 1, 0.5, np.int64(1), 2],
    "correction": [0, 1],
    "mean": [None, 0.0],
    "order": ["C", "F", "A", "K", None, "X"],
    "mode": ["raise", "wrap", "clip", "constant", "edge", "reflect", "symmetric", "mean", "linear_ramp", "empty", None, 3],
    "constant_values": [0, 1, 2.5, (1, 2), [(1, 2)], ((1, 2), (3, 4)), np.array([1.0, 2.0]), None],
    "pad_width": [0, 1, (1, 2), [(0, 1)], ((1, 0), (0, 2)), np.array([1, 2]), np.int64(1), -1, 1.5],
    "shape": [*INTEGERS, (3, 1), (1, -1), (2, 3), (-1,), np.array([3, -1]), (2, 2, 3), (0,), ()],
    "newshape": [(3, 1), -1, None],
    "copy": [None, True, False],
    "ord": [None, 1, 2, 3, 0, -1, np.inf, -np.inf, "fro", "nuc", 2.5, np.int64(2), np.float64(1.0)],
    "kind": [None, "stable", "quicksort", "heapsort", "x"],
    "stable": [None, True, False],
    "subok": [True, False],
    "casting": ["same_kind", "safe", "unsafe"],
    "optimize": [False, True, "greedy"],
    "decimals": [0, 1, -1, np.int64(2), 1.5],
    "a_min": [None, -0.5, 0.2, np.array([0.1, -0.2, 0.3])],
    "a_max": [None, 0.5, np.array([0.1, 0.2, 0.3])],
    "min": [None, -0.5],
    "max": [None, 0.5],
    "overwrite_input": [False],
}  # fmt: skip


def signature(numpy: Callable[..., Any]) -> list[inspect.Parameter]:
    """The arguments a NumPy function has; a ufunc says them in no form that can be read."""
    try:
        return list(inspect.signature(numpy).parameters.values())
    except ValueError:
        return [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY)
            for name in ("where", "casting", "order", "dtype", "subok")
        ]


def filled(x: Any, draw: random.Random, numbers: np.random.Generator) -> Any:
    """An argument as an example has it: shapes become random arrays, now and then of another shape."""
    if isinstance(x, Together):
        return [filled(shape, draw, numbers) for shape in x]
    if isinstance(x, tuple) and all(isinstance(n, int) for n in x):
        return numbers.uniform(0.3, 2.0, draw.choice(SHAPES) if draw.random() < 0.4 else x)
    return x.copy() if isinstance(x, np.ndarray) else x


def calls(function: ArrayFunction) -> Iterator[tuple[list[Any], dict[str, Any]]]:
    """Calls of a function: arguments of its examples, some of them replaced, and some more by name."""
    draw, numbers = random.Random(function.name), np.random.default_rng(0)
    parameters = [p for p in signature(function.numpy[0]) if p.name not in ("out", "like", "device", "signature")]
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    for _ in range(CALLS):
        example = draw.choice(function.examples)
        given = [filled(x, draw, numbers) for x in example.inputs]
        named = dict(example.attributes)
        for place in range(1, len(given)):
            if draw.random() < 0.4 and not isinstance(given[place], np.ndarray | list) and place < len(names):
                given[place] = draw.choice(POOLS.get(names[place], INTEGERS + ODD))
        for p in parameters[len(given) :]:
            if draw.random() < 0.3 and p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD):
                named[p.name] = draw.choice(POOLS.get(p.name, INTEGERS + ODD))
        yield given, named


def arrays_of(given: list[Any]) -> list[Any]:
    """The arrays among the arguments, those in lists too."""
    parts = [part for x in given for part in (x if type(x) is list else [x])]
    return [part for part in parts if isinstance(part, np.ndarray) and part.dtype.kind == "f"]


def with_arrays(given: list[Any], new: list[Any]) -> list[Any]:
    """The arguments with other arrays."""
    left = iter(new)

    def change(x: Any) -> Any:
        return next(left) if isinstance(x, np.ndarray) and x.dtype.kind == "f" else x

    return [[change(part) for part in x] if type(x) is list else change(x) for x in given]


def forward(use: Callable[..., Any], arrays: list[Any]) -> Any:
    """The value with numbers at hand."""
    return cr.jvp(use, tuple(arrays), tuple(arrays))[0]


def recorded(use: Callable[..., Any], arrays: list[Any]) -> Any:
    """The value of the Program."""
    return evaluate(cr.trace(use, *arrays), *arrays)


def outcome(call: Callable[..., Any], *args: Any) -> Any:
    """What a call gives: a value, an error of the family, or the error of Python's or NumPy's it raised."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return call(*args)
        except Exception as error:
            return error


def from_us(error: Exception) -> bool:
    """Whether an error came up inside the library, and not in NumPy before it asked us."""
    inside = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
    last = max(i for i, name in enumerate(inside) if name == __file__)
    return last + 1 < len(inside) and "chainrule" in inside[last + 1]


def equal(found: Any, expected: Any, exact: float) -> bool:
    if isinstance(expected, list | tuple):
        return len(found) == len(expected) and all(equal(a, b, exact) for a, b in zip(found, expected, strict=True))
    if np.shape(found) != np.shape(expected):
        return False
    return bool(np.allclose(found, expected, rtol=exact, atol=exact, equal_nan=True))


UNLIKE = {
    *("shape", "ndim", "size", "result_type", "common_type", "min_scalar_type", "can_cast"),  # no arrays
    *("empty_like", "partition", "argpartition"),  # of which NumPy says nothing, or not all
}


@pytest.mark.parametrize(
    "function",
    [f for f in FUNCTIONS.values() if f.numpy and f.name not in UNLIKE],
    ids=lambda f: f.name,
)
def test_it_is_numpy_s_or_an_error_of_the_family(function: ArrayFunction) -> None:
    numpy, tried, answered = function.numpy[0], 0, 0
    for given, named in calls(function):
        arrays = arrays_of(given)
        if not arrays:
            continue
        tried += 1

        def use(*new: Any, given: list[Any] = given, named: dict[str, Any] = named) -> Any:
            return numpy(*with_arrays(given, list(new)), **named)

        expected = outcome(
            use, *[x.copy() for x in arrays]
        )  # lest `copy=False` writes to what the others are asked with
        for way, found in (("forward", outcome(forward, use, arrays)), ("recorded", outcome(recorded, use, arrays))):
            if isinstance(found, Exception):
                assert isinstance(found, ChainruleError) or not from_us(found), (
                    f"{way}: np.{function.name}({given}, {named}) raised {found!r}, not {expected!r}"
                )
                continue
            answered += 1
            if not isinstance(expected, Exception):
                exact = 2e-6 if named.get("dtype") is np.float32 else 1e-12
                assert equal(found, expected, exact), (
                    f"{way}: np.{function.name}({given}, {named}) is {found!r}, NumPy gives {expected!r}"
                )
    assert answered > 0 or not tried


WHOLE = ["bool", *(f"{sign}int{size}" for sign in ("", "u") for size in (8, 16, 32, 64))]


@pytest.mark.parametrize(
    "name", ["sum", "prod", "cumsum", "cumprod", "nansum", "nanprod", "nancumsum", "nancumprod", "trace"]
)
def test_whole_numbers_are_collected_in_the_kind_that_numpy_takes(name: str) -> None:
    """And come out in the kind that was asked for, cut to its bits."""
    function, numbers = getattr(np, name), np.arange(60, 69).reshape(3, 3)
    for kind in WHOLE:
        x = numbers.astype(kind)
        for asked in (None, *WHOLE[1:], "float64"):
            expected = function(x, dtype=asked)
            program = cr.trace(lambda x, asked=asked: function(x, dtype=asked), x)
            found = np.asarray(evaluate(program, x))
            assert (found.dtype, program.outputs[0].dtype) == (expected.dtype, expected.dtype), (kind, asked)
            np.testing.assert_array_equal(found, expected, f"{kind} {asked}")


X = np.array([1.5, 2.0, 4.0, 3.0])
HOLES = np.array([[1.0, np.nan, 3.0, 0.5], [np.nan, -1.5, 2.0, 7.0]])


@pytest.mark.parametrize(
    "use",
    [
        lambda x: np.fft.irfftn(x, s=(2, -1), axes=(0, -1)),  # lengths are those of before, also of an axis that is named twice
        lambda x: np.fft.rfft2(x, axes=(0, -1)),
        lambda x: np.geomspace(x[0], -x[1], 5, dtype=complex),
        lambda x: np.geomspace(x[0] * (1 + 1j), x[1] - 2j, 5),
        lambda x: np.nanvar(HOLES * x, axis=0, ddof=1, mean=0.0),  # nothing is left of some columns: NaN, and no infinity
        lambda x: np.nanstd(HOLES * x, axis=0, correction=1, mean=0.0, keepdims=True),
        lambda x: np.nanvar(HOLES * x, axis=1, ddof=3),
        lambda x: np.linspace(x, 2 * x, 0, endpoint=False, retstep=True),
        lambda x: np.cov(x, ddof=7, aweights=np.ones(4)),
    ],
)  # fmt: skip
def test_it_is_numpy_s_in_rare_cases(use: Callable[..., Any]) -> None:
    for found in (outcome(forward, use, [X]), outcome(recorded, use, [X])):
        assert equal(found, outcome(use, X), 1e-12)


@pytest.mark.parametrize(
    ("use", "says"),
    [
        (lambda x: np.interp(0.5, x, x), "do not ascend"),
        (lambda x: np.cov(x, ddof=7), "more than ddof=7 observations"),
        (lambda x: np.nan_to_num(x[0], nan=(2.0,)), "shape"),
        (lambda x: np.diff(x, append=None), "None"),
    ],
)
def test_what_numpy_has_no_sense_for_is_refused(use: Callable[..., Any], says: str) -> None:
    with pytest.raises(ChainruleError, match=says):
        forward(use, [X])
