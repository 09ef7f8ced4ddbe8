"""Numbers of Python's as arguments of compiled functions: what NumPy makes of them beside arrays, or an error where NumPy has one."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import ChainruleError
from chainrule.ops import REGISTRY, Elementwise
from trying import ENGINES

OPERATORS = {
    name: getattr(operator, name)
    for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "lt", "le", "gt", "ge", "eq", "ne")
}
FUNCTIONS = {
    op.name: op.ufunc
    for op in REGISTRY.values()
    if isinstance(op, Elementwise) and op.ufunc is not None and op.ufunc.nin == 2 and op.ufunc.nout == 1
}
DTYPES = ("u1", "i1", "i4", "i8", "f4", "f8")
NUMBERS = (2, -3, 7, 127, 128, 1000, 10**6, 2**24 + 1, 2.5, True)


def found(call: Any) -> Any:
    """What a call gives; the error's class where it has one."""
    with np.errstate(all="ignore"):
        try:
            return call()
        except (ChainruleError, TypeError, ValueError, ArithmeticError) as error:
            return error


@pytest.mark.parametrize("engine", sorted(ENGINES))
@pytest.mark.parametrize("dtype", DTYPES)
def test_arrays_and_numbers_as_numpy_has_them(engine: str, dtype: str) -> None:
    array = np.array([1, 2, 100], dtype)
    for name, function in (OPERATORS | FUNCTIONS).items():
        fast = cr.jit(function, engine=engine)
        for number in NUMBERS:
            for arguments in ((array, number), (number, array)):
                expected, result = (
                    found(lambda a=arguments, f=function: f(*a)),
                    found(lambda a=arguments, f=fast: f(*a)),
                )
                if isinstance(expected, Exception):
                    right = isinstance(result, ChainruleError)
                else:
                    right = isinstance(result, ChainruleError) or (  # what machine code has no meaning for
                        result.dtype == expected.dtype
                        and result.shape == expected.shape
                        and np.allclose(result, expected, rtol=1e-6, atol=0.0, equal_nan=True)
                    )
                assert right, f"{name}{arguments} on {engine}: {result!r}, NumPy {expected!r}"


@pytest.mark.parametrize(
    "function", [lambda R, c: R * (2 * c - 1), lambda R, c: R + c * c, lambda R, c: np.maximum(R, -c)]
)
def test_what_is_computed_of_numbers_must_fit_too(function: Any) -> None:
    small = np.array([1, 2], "i1")
    for number in (3, 11, 64, 100, 1000):
        expected = found(lambda n=number: function(small, n))
        result = found(lambda n=number: cr.jit(function)(small, n))
        assert isinstance(expected, Exception) == isinstance(result, ChainruleError), (number, expected, result)
        if not isinstance(expected, Exception):
            assert result.dtype == expected.dtype
            assert (result == expected).all()


def test_a_number_beyond_all_integers_is_refused() -> None:
    with pytest.raises(ChainruleError, match=r"10000.*int64.*Give a number in between"):
        cr.jit(lambda x, n: x * n)(np.ones(3), 10**400)


@pytest.mark.parametrize(
    "rounded",
    [lambda c: round(c), lambda c: round(c, 1), lambda c: round(c, -1), lambda c: round(10 * c, -1), lambda c: c // 1],
)
def test_round_gives_what_pythons_gives(rounded: Any) -> None:
    for number in (3, 2.5, 15, 25.0, True):
        expected = np.ones(3, int) * rounded(number)
        result = cr.jit(lambda R, c: R * rounded(c))(np.ones(3, int), number)
        assert result.dtype == expected.dtype, number
        np.testing.assert_allclose(result, expected)


@pytest.mark.parametrize("engine", sorted(ENGINES))
def test_integers_to_negative_powers_are_never_numbers(engine: str) -> None:
    whole = np.array([1, 2, 3])
    for call in (
        lambda: cr.jit(lambda x, n: x**n, engine=engine)(whole, -1),
        lambda: cr.jit(lambda x, n: x**n, engine=engine)(whole, np.array([1, -1, 2])),
        lambda: cr.jit(lambda x: x ** (x - 2), engine=engine)(whole),
    ):
        with pytest.raises(
            ChainruleError, match=r"integer powers|machine code: power|as NumPy does: power|has no result"
        ):
            call()
    assert (cr.jit(lambda x: x**3, engine=engine)(whole) == whole**3).all()


def test_constants_that_machine_code_cannot_hold_are_named() -> None:
    for constant in (np.float16(2), np.ones(3, "f2"), np.ones(3, ">f2")):
        with pytest.raises(ChainruleError, match="constants of float16"):
            cr.jit(lambda x, c=constant: x.astype("f4") * c)(np.ones(3))


@pytest.mark.parametrize("engine", sorted(ENGINES))
def test_a_whole_number_in_the_code_that_does_not_fit_is_refused(engine: str) -> None:
    """As NumPy refuses it, by an error of the family."""
    for kind, function in (
        ("i1", lambda x: x + 300),
        ("u1", lambda x: np.maximum(x, -1)),
        ("i1", lambda x: x[0] * 300),
    ):
        with pytest.raises(OverflowError):
            function(np.array([1, 2], kind))
        with pytest.raises(ChainruleError, match=r"(300|-1) out of bounds for u?int8"):
            cr.jit(function, engine=engine)(np.array([1, 2], kind))
    assert cr.jit(lambda x: x < 300, engine=engine)(np.array([1], "i1")).all()
