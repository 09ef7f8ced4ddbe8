"""NumPy's whole public namespace, callable by callable: it has its derivative, says plainly what is plain, or is refused."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import ChainruleError
from chainrule.ops.operation import OF_NUMPY
from chainrule.tracing import Traced
from test_messages import ADVICE

AROUND = {
    *("get_include", "get_printoptions", "getbufsize", "geterr", "geterrcall", "info", "load", "loadtxt", "genfromtxt"),
    *(
        "fromregex",
        "fromfile",
        "fromstring",
        "from_dlpack",
        "frombuffer",
        "printoptions",
        "set_printoptions",
        "setbufsize",
    ),
    *("seterr", "seterrcall", "show_config", "show_runtime", "test", "nested_iters"),
}
"""Callables about files, printing and NumPy itself."""

VECTOR, OTHER = np.array([0.3, 1.7, 0.9]), np.array([1.1, 0.4, 2.3])
MATRIX = np.array([[0.3, 1.7, 0.9], [2.2, 0.6, 1.3], [0.8, 1.9, 2.6]])
WITH = [
    *(lambda t: (t,), lambda t: (t, OTHER), lambda t: (OTHER, t), lambda t: (t, t), lambda t: (t, 1), lambda t: (t, 2, 1)),
    *(lambda t: (t, [0, 1]), lambda t: ([0, 1, 2], t), lambda t: (3, t), lambda t: (t, (3, 3)), lambda t: (t, OTHER, 1)),
    *(lambda t: ([t, OTHER],), lambda t: ((t, t),), lambda t: (t, np.float32), lambda t: (np.sort(OTHER), t)),
    *(lambda t: (OTHER, np.array([True, False, True]), t), lambda t: (t, [0], OTHER), lambda t: (1.5, t, OTHER)),
    *(lambda t: (np.array([True, False, True]), t), lambda t: (np.sum, 0, t), lambda t: (np.sum, t, 0), lambda t: (t, np.sum)),
]  # fmt: skip
"""Arguments of every sort, with a vector or a matrix at one place."""


def callables() -> Iterator[Any]:
    """Everything in `np` that is called with arrays, and is no type."""
    for name in sorted(dir(np)):
        thing = getattr(np, name)
        if not name.startswith("_") and callable(thing) and not isinstance(thing, type) and name not in AROUND:
            yield pytest.param(thing, id=name)


def is_known(thing: Any) -> bool:
    """Whether a function or an operation stands for it."""
    return bool(thing.__hash__) and OF_NUMPY.get(thing) is not None


def quietly(call: Callable[..., Any], *args: Any) -> Any:
    """What a call gives, or the error it raises."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return call(*args)
        except Exception as error:
            return error


def numbers_in(result: Any) -> list[Any]:
    """All arrays and numbers of a result that are not whole."""
    if isinstance(result, tuple | list):
        return [part for item in result for part in numbers_in(item)]
    if result is None:
        raise TypeError("there is no result")
    is_array = hasattr(result, "dtype") and not isinstance(result, type | np.dtype)
    if is_array and result.dtype == object:
        raise TypeError("a traced value in an array of objects, which is itself")
    return [result] if (is_array and result.dtype.kind == "f") or isinstance(result, float) else []


def derivative(call: Callable[[Any], Any], x: Any, along: Any) -> Any:
    """The tangents of all floating-point numbers of a result; of plain ones it is 0."""

    def use(t: Any) -> Any:
        return [1.0 * part for part in numbers_in(call(t))]

    return cr.jvp(use, (x,), (along,))[1]


def differences(call: Callable[[Any], Any], x: Any, along: Any) -> Any:
    """The same by differences, of two steps: equal where there is a derivative."""
    steps = []
    for h in (1e-5, 3e-6):
        pairs = zip(numbers_in(call(x + h * along)), numbers_in(call(x - h * along)), strict=True)
        steps.append([(np.asarray(a) - np.asarray(b)) / (2 * h) for a, b in pairs])
    return steps


@pytest.mark.parametrize("thing", list(callables()))
def test_nothing_is_lost_in_silence(thing: Any) -> None:
    """Whatever a callable takes: a traced argument gives the derivative that differences give, or an error with advice."""
    for make in WITH:
        for x in (VECTOR, MATRIX):

            def use(t: Any, make: Any = make) -> Any:
                return thing(*make(t))

            x = x.copy()
            expected = quietly(use, x)
            if isinstance(expected, Exception) or np.array_equal(x, VECTOR if x.ndim == 1 else MATRIX) is False:
                continue
            along = np.cos(np.arange(float(x.size))).reshape(x.shape)
            found = quietly(derivative, use, x, along)
            if isinstance(found, Exception):
                assert isinstance(found, ChainruleError | TypeError), f"{thing.__name__}: {found!r}"
                if isinstance(found, ChainruleError):
                    assert re.search(ADVICE, str(found)), str(found)
                continue
            near = quietly(differences, use, x, along)
            if isinstance(near, Exception) or thing in (np.empty_like, np.partition):
                continue
            for a, b, c in zip(found, *near, strict=True):
                if np.allclose(b, c, rtol=1e-4, atol=1e-4):
                    np.testing.assert_allclose(a, c, rtol=1e-4, atol=1e-4, err_msg=f"{thing.__name__} of {make(x)}")


REFUSED = {
    *("bitwise_count", "gcd", "isnat", "lcm", "nextafter", "spacing"),  # of whole numbers, dates, and of rounding
    *("copyto", "fill_diagonal", "place", "put", "put_along_axis", "putmask"),  # writing into an array
    *("in1d",),  # np.isin, in older versions
    *("sort_complex", "histogram2d", "histogramdd", "histogram_bin_edges"),
    *(
        "intersect1d",
        "setdiff1d",
        "setxor1d",
        "union1d",
        "unique_all",
        "unique_counts",
        "unique_inverse",
        "unique_values",
    ),
    *("packbits", "unpackbits", "ravel_multi_index", "unravel_index", "ix_", "may_share_memory", "shares_memory"),
    *("array2string", "array_repr", "array_str", "save", "savetxt", "savez", "savez_compressed", "einsum_path"),
    *("busday_count", "busday_offset", "datetime_as_string", "is_busday", "datetime_data"),
    *("array", "asanyarray", "asarray", "asarray_chkfinite", "ascontiguousarray", "asfortranarray", "asmatrix", "bmat"),
    *("arange", "empty", "full", "ones", "zeros", "eye", "identity", "tri", "indices", "kaiser", "fromiter", "require"),
    *("fromfunction", "frompyfunc", "row_stack"),
}
"""What is not traced: it raises, or has nothing to do with the arrays' numbers."""
NO_ARRAYS = {
    *(
        "base_repr",
        "bartlett",
        "binary_repr",
        "blackman",
        "broadcast_shapes",
        "diag_indices",
        "format_float_positional",
    ),
    *("format_float_scientific", "hamming", "hanning", "isdtype", "isfortran", "isscalar", "issubdtype", "iterable"),
    *("mask_indices", "mintypecode", "promote_types", "tril_indices", "triu_indices", "typename"),
}
"""What takes numbers, types and text."""


@pytest.mark.parametrize("thing", list(callables()))
def test_every_callable_is_known_or_named_here(thing: Any) -> None:
    """A function that NumPy gets, or that is written here one day, is noticed."""
    assert is_known(thing) != (thing.__name__ in REFUSED | NO_ARRAYS), thing


@pytest.mark.parametrize("name", [name for name in dir(np.ndarray) if not name.startswith("_")])
def test_methods_and_attributes(name: str) -> None:
    """Of an array: traced values have them, or say what to write."""
    seen: list[Any] = []

    def use(t: Any) -> Any:
        seen.append(quietly(getattr, t, name))
        return np.sum(t)

    cr.grad(use)(MATRIX)
    (found,) = seen
    if isinstance(found, Exception):
        assert isinstance(found, ChainruleError)
        assert re.search(ADVICE, str(found)), str(found)
    else:
        assert isinstance(found, Traced | np.ndarray | np.dtype | int | tuple) or callable(found)


# --- what depends on numbers

CASES: dict[str, Callable[[Any], Any]] = {
    "mask of comparisons": lambda x: x[x > 0.5],
    "nonzero": lambda x: x[np.nonzero(x > 0.5)],
    "nonzero of the value": lambda x: x[np.nonzero(x)] * 2.0,
    "argwhere": lambda x: x[np.argwhere(x > 0.5)[:, 0]],
    "searchsorted": lambda x: x * np.searchsorted(np.array([0.5, 1.0]), x),
    "digitize": lambda x: x * np.digitize(x, np.array([0.5, 1.0])),
    "if allclose": lambda x: x if np.allclose(x, x) else -x,
    "if array_equal": lambda x: x if not np.array_equal(x, x[:2]) else -x,
    "histogram of weights": lambda x: np.histogram(np.array([0.1, 0.6, 0.7]), 2, (0.0, 1.0), weights=x)[0],
    "bincount of weights": lambda x: np.bincount([0, 2, 2], weights=x),
    "unique": lambda x: np.unique(np.concatenate([x, x]))[::-1],
    "trim_zeros": lambda x: np.trim_zeros(np.concatenate([np.zeros(2), x, np.zeros(1)])),
    "piecewise by itself": lambda x: np.piecewise(x, [x < 0.5, x >= 0.5], [np.sin, np.exp]),
    "unravel_index": lambda x: x[np.unravel_index(np.argmax(x), x.shape)],
    "result_type": lambda x: x.astype(np.result_type(x, np.float32)),
    "zeros_like": lambda x: x + np.zeros_like(x) + np.ones_like(x) + np.full_like(x, 2.0),
    "compress": lambda x: np.compress([True, False, True], x) * np.extract([False, True, True], x),
    "isclose": lambda x: np.where(np.isclose(x, 0.9), x * x, x),
    "full_like of a traced number": lambda x: np.full_like(x, x[1]),
    "median of slices": lambda x: np.median(np.outer(x, x), axis=1),
    "percentile": lambda x: np.percentile(np.outer(x, x), [10.0, 35.0], axis=0),
    "quantile by q": lambda x: np.quantile(np.arange(7.0) ** 2, x / 3.0),
    "interp": lambda x: np.interp(x, np.cumsum(x), np.sin(x)),
    "spectral norm of a line": lambda x: np.convolve(x, np.gradient(x, 0.1)),
}


@pytest.mark.parametrize("name", CASES)
def test_what_depends_on_numbers_just_works(name: str) -> None:
    use = CASES[name]
    expected = use(VECTOR)
    np.testing.assert_allclose(cr.jvp(use, (VECTOR,), (VECTOR,))[0], expected, rtol=1e-13)
    cr.check_grads(use, (VECTOR,), order=2)
    found = quietly(lambda: cr.jit(use)(VECTOR))
    if isinstance(found, Exception):
        assert isinstance(found, ChainruleError)
        assert re.search(ADVICE, str(found))
    else:
        np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("function", [np.nonzero, np.flatnonzero, np.argwhere, np.unique])
def test_what_needs_numbers_says_so_where_there_are_none(function: Any) -> None:
    for run in (lambda: cr.trace(function, VECTOR), lambda: cr.vmap(function)(MATRIX)):
        with pytest.raises(cr.errors.TracingError, match=r"needs the numbers.*jit.*vmap.*outside of these"):
            run()


def test_second_derivatives_of_sinc_and_i0_at_their_middle() -> None:
    """Where formulas divide by 0: −π²/3 and 1/2, as their series have it."""
    assert cr.grad(cr.grad(np.sinc))(0.0) == pytest.approx(-(np.pi**2) / 3, rel=1e-14)
    assert cr.grad(cr.grad(np.i0))(0.0) == pytest.approx(0.5, rel=1e-14)
    x = np.linspace(-30.0, 30.0, 41)
    np.testing.assert_allclose(cr.jvp(np.i0, (x,), (x,))[0], np.i0(x), rtol=4e-15)


def test_products_are_right_at_zeros() -> None:
    """Without division by the elements."""
    x = np.array([2.0, 0.0, 3.0, 0.0, 5.0])
    cr.check_grads(np.cumprod, (x,), order=2)
    assert cr.grad(lambda t: np.cumprod(t)[2])(x).tolist() == [0.0, 6.0, 0.0, 0.0, 0.0]


# --- methods of ufuncs

METHODS: list[Callable[[Any], Any]] = [
    lambda t: np.multiply.outer(t, t),
    lambda t: np.add.outer(t, MATRIX),
    lambda t: np.subtract.outer(OTHER, t),
    lambda t: np.multiply.accumulate(t),
    lambda t: np.maximum.accumulate(np.outer(t, OTHER), axis=1),
    lambda t: np.subtract.accumulate(t),
    lambda t: np.hypot.accumulate(t),
    lambda t: np.add.reduceat(t, [0, 2, 1]),
    lambda t: np.multiply.reduceat(np.outer(OTHER, t), [0, 2, 1], axis=1),
    lambda t: np.subtract.reduce(t),
    lambda t: np.logaddexp.reduce(np.outer(t, t), axis=None),
    lambda t: np.divide.reduce(np.outer(t, t), axis=1, keepdims=True),
    lambda t: np.add.reduce(t, initial=3.0, where=np.array([True, False, True])),
    lambda t: np.maximum.reduce(t, initial=0.5),
    lambda t: np.frompyfunc(lambda u, v: u * v + np.sin(u), 2, 1)(t, t[0]),
    lambda t: np.multiply(t, t, dtype=np.float64, order="C", casting="unsafe"),
]


@pytest.mark.parametrize("place", range(len(METHODS)))
def test_methods_and_keywords_of_ufuncs(place: int) -> None:
    use = METHODS[place]
    expected = np.asarray(use(VECTOR), float)
    np.testing.assert_allclose(cr.jvp(use, (VECTOR,), (VECTOR,))[0], expected, rtol=1e-14)
    np.testing.assert_allclose(cr.jit(use)(VECTOR), expected, rtol=1e-13)
    cr.check_grads(use, (VECTOR,), order=2)


def test_ufuncs_in_another_dtype() -> None:
    gradient = cr.grad(lambda t: np.sum(np.multiply(t, t, dtype=np.float32)))(VECTOR)
    assert gradient.dtype == np.float64
    np.testing.assert_allclose(gradient, 2 * VECTOR, rtol=1e-6)


@pytest.mark.parametrize(
    ("call", "given"),
    [
        (lambda t: np.sin(t, dtype=int), "dtype="),
        (lambda t: np.subtract.reduce(np.outer(t, t), axis=(0, 1)), "order of elements"),
        (lambda t: np.subtract.reduce(t[:0]), "at least one"),
        (lambda t: np.subtract.reduce(t, where=np.array([True, False, True])), "where="),
        (lambda t: np.add.reduceat(t, [0, 5]), "positions"),
        (lambda t: np.mean(t, dtype=int), "dtype="),
        (lambda t: np.max(t, where=np.array([True, False, True])), "initial="),
        (lambda t: np.sum(t, where=np.array([1.0, 0.0, 1.0])), "where="),
        (lambda t: np.var(t, ddof=1, correction=1), "correction="),
        (lambda t: np.quantile(t, 0.5, weights=t), "weights="),
        (lambda t: np.quantile(t, 1.5), "outside"),
        (lambda t: np.quantile(t, 0.5, method="best"), "inverted_cdf"),
        (lambda t: np.average(t, weights=[1.0, -1.0, 0.0]), "sum to 0"),
        (lambda t: np.histogram(t, 10), "range="),
        (lambda t: np.polyfit(t, t, 1, cov=True), "cov=True"),
        (lambda t: np.nan_to_num(t, copy=False), "copy"),
    ],
)
def test_what_makes_no_sense_is_told(call: Any, given: str) -> None:
    with pytest.raises(ChainruleError, match=given) as error:
        cr.grad(lambda t: np.sum(call(t)))(VECTOR)
    assert re.search(ADVICE, str(error.value)), str(error.value)
