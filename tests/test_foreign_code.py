"""Code of others that is given traced values: its results are right, or an error of the family says what to write instead."""

from __future__ import annotations

import bisect
import collections
import contextlib
import copy
import ctypes
import datetime
import decimal
import fractions
import functools
import hashlib
import heapq
import itertools
import json
import marshal
import math
import operator
import pickle
import random
import re
import sqlite3
import statistics
import struct
import time
from array import array
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import ChainruleError, DerivativeLostError, TracingError
from test_messages import ADVICE

Function = Callable[[Any], Any]

REFUSED: dict[str, Function] = {
    "Fraction": lambda x: fractions.Fraction(x),
    "Fraction of two": lambda x: fractions.Fraction(x, 2),
    "Fraction.from_float": lambda x: fractions.Fraction.from_float(x),
    "Fraction plus": lambda x: fractions.Fraction(1, 2) + decimal.Decimal(1) * x,
    "Decimal": lambda x: decimal.Decimal(x),
    "Decimal.from_float": lambda x: decimal.Decimal.from_float(x),
    "Decimals": lambda x: list(map(decimal.Decimal.from_float, [x, x])),
    "Decimal of text": lambda x: decimal.Decimal(str(x)),
    "struct.pack": lambda x: struct.pack("d", x),
    "struct.pack of integers": lambda x: struct.pack("i", x),
    "struct.pack of many": lambda x: struct.pack("dd", *[x, x]),
    "Struct": lambda x: struct.Struct("f").pack(x),
    "struct.pack_into": lambda x: struct.pack_into("d", bytearray(8), 0, x),
    "random.seed": lambda x: random.seed(x),
    "Random": lambda x: random.Random(x),
    "statistics.mean": lambda x: statistics.mean([x, x]),
    "statistics.stdev": lambda x: statistics.stdev([x, 2 * x]),
    "json.dumps": lambda x: json.dumps([x]),
    "json.dumps with default": lambda x: json.dumps([x], default=float),
    "json.loads": lambda x: json.loads(str(x)),
    "pickle": lambda x: pickle.dumps({"x": x}),
    "marshal": lambda x: marshal.dumps([x]),
    "array": lambda x: array("d", [x]),
    "array.append": lambda x: array("d").append(x),
    "%f": lambda x: "%f".__mod__(x),
    "%d": lambda x: "%d".__mod__(x),
    "bytes %": lambda x: b"%f" % x,
    "a width": lambda x: f"{1.0:{x}}",
    "eval": lambda x: eval(f"{x} * 2"),
    "complex of text": lambda x: complex(str(x)),
    "list[x]": lambda x: [1.0, 2.0][x],
    "list[:x]": lambda x: [1.0, 2.0][:x],
    "range": lambda x: range(x),
    "slice.indices": lambda x: slice(x).indices(3),
    "times a text": lambda x: "a" * x,
    "bytes": lambda x: bytes(x),
    "bytearray": lambda x: bytearray(x),
    "memoryview": lambda x: memoryview(x),
    "hashlib": lambda x: hashlib.sha256(x),
    "math.sin": lambda x: math.sin(x),
    "math.hypot": lambda x: math.hypot(x, 1.0),
    "math.fsum": lambda x: math.fsum([x, x]),
    "math.floor": lambda x: math.floor(x),
    "complex": lambda x: complex(0.0, x),
    "time.sleep": lambda x: time.sleep(x),
    "timedelta": lambda x: datetime.timedelta(seconds=x),
    "times a timedelta": lambda x: datetime.timedelta(seconds=1) * x,
    "fromtimestamp": lambda x: datetime.datetime.fromtimestamp(x),
    "lru_cache": lambda x: functools.lru_cache(lambda v: v * v)(x),
    "Counter": lambda x: collections.Counter([x]),
    "set": lambda x: {x},
    "ctypes": lambda x: ctypes.c_double(x),
    "an array of ctypes": lambda x: (ctypes.c_double * 1)(x),
    "sqlite": lambda x: in_a_database(x),
    "default_rng": lambda x: np.random.default_rng(x),
    "np.random.seed": lambda x: np.random.seed(x),
    "a standard deviation": lambda x: np.random.default_rng(0).normal(0.0, x),
    "np.float64": lambda x: np.float64(x),
    "np.array": lambda x: np.array([x, x]),
    "np.fromiter": lambda x: np.fromiter([x], float),
    "np.from_dlpack": lambda x: np.from_dlpack(x),
    "__dlpack__": lambda x: x.__dlpack__(stream=None),
    "del": lambda x: operator.delitem(x, 0),
    "an attribute": lambda x: x.tranpose(),
}  # fmt: skip
"""What plain numbers can be given to, or what looks like it; nothing of it has a derivative."""

RIGHT: dict[str, Function] = {
    "bisect": lambda x: x * bisect.bisect([0.0, 1.0, 2.0], x),
    "heapq": lambda x: heapq.nlargest(1, [x, 2.0 * x])[0],
    "sorted": lambda x: sorted([2.0 * x, x * x])[0],
    "sorted by a key": lambda x: sorted([1.0, 2.0], key=lambda k: k * x)[1] * x,
    "min": lambda x: min(2.0 * x, x * x),
    "sum": lambda x: sum([x, x * x]),
    "median": lambda x: statistics.median([x, x * x, 3.0 * x, 5.0]),
    "math.prod": lambda x: math.prod([x, x, x]),
    "round": lambda x: x * round(x, 1),
    "divmod": lambda x: divmod(x, 0.7)[1] * divmod(2.0, x)[1],
    "pow": lambda x: pow(x, 2) * pow(2.0, x),
    "accumulate": lambda x: list(itertools.accumulate([x, x, x], operator.mul))[-1],
    "count": lambda x: next(itertools.islice(itertools.count(1.0, x), 3, None)),
    "reduce": lambda x: functools.reduce(operator.mul, [x, x, x]),
    "total": lambda x: collections.Counter({"a": x, "b": x * x}).total(),
    "copy": lambda x: x * copy.copy(x) * copy.deepcopy([x])[0],
    "linspace": lambda x: np.linspace(0.0, x, 3)[1] * x,
    "a draw": lambda x: x * random.Random(3).uniform(0.0, x),
}
"""What goes through Python's operators: the derivative goes through too."""

MODES: dict[str, Callable[[Function, Any], Any]] = {
    "reverse": lambda f, x: cr.vjp(f, x),
    "forward": lambda f, x: cr.jvp(f, (x,), (np.ones_like(x),)),
    "nested": lambda f, x: cr.jvp(lambda v: cr.vjp(f, v)[0], (x,), (np.ones_like(x),)),
    "recorded": lambda f, x: cr.trace(f, x),
    "batched": lambda f, x: cr.vmap(f)(np.stack([x, x])),
}


def in_a_database(x: Any) -> Any:
    """What it gives back; Python 3.13 warns of one that is left open."""
    with contextlib.closing(sqlite3.connect(":memory:")) as database:
        return database.execute("select ?", (x,)).fetchone()


def refused(function: Function, mode: str, x: Any) -> str:
    with pytest.raises(TracingError) as caught:
        MODES[mode](function, x)
    return str(caught.value)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused(name: str, mode: str) -> None:
    for x in (1.5, np.array(1.5), np.array([0.5, 1.5])):
        assert re.search(ADVICE, refused(REFUSED[name], mode, x))


@pytest.mark.parametrize("name", RIGHT)
def test_it_is_right(name: str) -> None:
    function = RIGHT[name]
    assert cr.value_and_grad(function)(1.3)[0] == pytest.approx(function(1.3), rel=1e-15)
    for found in (cr.grad(function)(1.3), cr.jvp(function, (1.3,), (1.0,))[1]):
        assert found == pytest.approx(cr.derivative(function, 1.3), rel=1e-7)


LIBRARIES: list[tuple[str, Callable[[Any], Function]]] = [
    ("pandas", lambda pd: lambda x: pd.Series([x, 2 * x]).astype(float)),
    ("pandas", lambda pd: lambda x: pd.Series([x, 2 * x]).mean()),
    ("pandas", lambda pd: lambda x: pd.Series([x, 2 * x]).rolling(2).mean()),
    ("pandas", lambda pd: lambda x: pd.Series([x, np.nan, x]).interpolate()),
    ("pandas", lambda pd: lambda x: pd.Series([1.0, 2.0, 3.0], dtype="Float64") * x),
    ("pandas", lambda pd: lambda x: pd.Timedelta(x)),
    ("pandas", lambda pd: lambda x: x * pd.Series([1.5]).isin([x]).any()),
    ("pandas", lambda pd: lambda x: x * pd.DataFrame({"a": [1.5]}).isin({"a": [x]}).any().any()),
    ("pandas", lambda pd: lambda x: x * pd.Index([1.5]).isin([x]).any()),
    ("pandas", lambda pd: lambda x: x * pd.Series([x, x]).duplicated().any()),
    ("pandas", lambda pd: lambda x: x * len(pd.Series([x, 1.5]).value_counts())),
    ("pandas", lambda pd: lambda x: pd.Index([1.5]).get_loc(x)),
    ("numpy", lambda np: lambda x: x * np.array_equal([x], [1.5])),
    ("polars", lambda pl: lambda x: pl.Series([x, x]).sum()),
    ("polars", lambda pl: lambda x: pl.Series([x, x], dtype=pl.Float64)),
    ("polars", lambda pl: lambda x: pl.Series([x, x]).cast(pl.Float64, strict=False)),
    ("scipy.sparse", lambda sparse: lambda x: sparse.csr_array(x)),
    ("scipy.optimize", lambda optimize: lambda x: optimize.brentq(lambda t: t - x, -10.0, 10.0)),
    ("scipy.integrate", lambda integrate: lambda x: integrate.quad(lambda t: t * x, 0.0, 1.0)),
    ("sympy", lambda sympy: lambda x: sympy.sympify(x)),
    ("sympy", lambda sympy: lambda x: sympy.Symbol("t") + x),
    ("sympy", lambda sympy: lambda x: sympy.Matrix([x])),
    ("mpmath", lambda mpmath: lambda x: mpmath.mpf(x)),
    ("mpmath", lambda mpmath: lambda x: mpmath.sin(x)),
]


@pytest.mark.parametrize(("library", "using"), LIBRARIES)
@pytest.mark.filterwarnings("ignore")
def test_libraries_of_plain_numbers_refuse(library: str, using: Callable[[Any], Function]) -> None:
    function = using(pytest.importorskip(library))
    for mode in ("reverse", "forward", "nested"):
        assert "traced value" in refused(function, mode, 1.5)


def test_a_refusal_that_the_user_catches_is_heard() -> None:
    def f(x: Any) -> Any:
        for ask in (float, hash, np.asarray, lambda x: {x}, lambda x: pd.Index([1.5]).get_loc(x)):
            with contextlib.suppress(DerivativeLostError):
                ask(x)
        try:
            return x * float(x)
        except DerivativeLostError:
            return x * x

    pd = pytest.importorskip("pandas")
    assert cr.grad(f)(1.5) == 3.0
    assert cr.grad(cr.grad(f))(1.5) == 2.0


class OfAnotherLibrary:
    """An array of a library with derivatives of its own, and an index of its kind."""

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError("a tracer has no numbers")


@pytest.mark.parametrize("mode", MODES)
def test_arrays_that_give_no_numbers_are_refused(mode: str) -> None:
    for function in (lambda x: x * OfAnotherLibrary(), lambda x: np.sin(OfAnotherLibrary() + x)):
        message = refused(function, mode, 1.5)
        assert "OfAnotherLibrary" in message
        assert "one library" in message


def raising(error: Exception) -> Function:
    def fail(x: Any) -> Any:
        raise error

    return fail


def of_two(a: Any, b: Any) -> Any:
    return a * b


OWN: dict[str, tuple[Function, type[Exception]]] = {
    "raised": (raising(TypeError("no such thing")), TypeError),
    "raised with the value": (lambda x: raising(ValueError(f"{x} is too large"))(x), ValueError),
    "no argument": (lambda x: of_two(x), TypeError),
    "another argument": (lambda x: of_two(x, 1.0, c=x), TypeError),
    "a text": (lambda x: x * (1 + "a"), TypeError),
    "no length": (lambda x: [x, len(3)], TypeError),
    "struct of a text": (lambda x: [x, struct.pack("d", "a")], struct.error),
    "not in a list": (lambda x: [1.0, 2.0].index(x), ValueError),
    "no key": (lambda x: x * {}["a"], KeyError),
    "no name": (lambda x: x * undefined, NameError),  # noqa: F821
    "divided": (lambda x: x * (1 // 0), ZeroDivisionError),
    "no numbers": (lambda x: statistics.median([x][:0]), statistics.StatisticsError),
}


@pytest.mark.parametrize("name", OWN)
def test_errors_about_something_else_stay(name: str) -> None:
    function, kind = OWN[name]
    with pytest.raises(kind) as caught:
        cr.grad(function)(1.5)
    assert not isinstance(caught.value, ChainruleError)


def test_a_misspelt_method_is_named() -> None:
    with pytest.raises(AttributeError, match="did you mean 'transpose'"):
        cr.grad(lambda x: x.tranpose())(np.ones(2))
    with pytest.raises(DerivativeLostError, match="required argument is not a float"):
        cr.grad(lambda x: struct.pack("d", x))(1.0)
