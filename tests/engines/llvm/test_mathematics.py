"""Vector mathematics: every elementwise operation in machine code against NumPy, the named functions against mpmath."""

import itertools
import operator
import re

import mpmath
import numpy as np
import pytest
from compiling import Compiled, Loops, constant, widest, write_loop

from chainrule.engines.llvm import ir
from chainrule.engines.llvm.mathematics import Mathematics, Vector, functions, vector_type
from chainrule.ops import REGISTRY, Elementwise, eager
from versions import before

OPERATIONS = {name: op for name, op in REGISTRY.items() if isinstance(op, Elementwise) and op.loops}
DTYPES = {"float32": np.float32, "float64": np.float64}
DOMAIN_DTYPES = {"bool": np.bool_, "uint32": np.uint32}

FUNCTIONS = [name for name, op in OPERATIONS.items() if op.accuracy.ulps > 0.5 and not op.accuracy.composed]
"""The operations whose error is told in units in the last place of their value."""

MPMATH = {
    "exp2": lambda x: mpmath.power(2, x),
    "log2": lambda x: mpmath.log(x, 2),
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
    "cbrt": lambda x: mpmath.sign(x) * mpmath.cbrt(abs(x)),
    "arctan2": mpmath.atan2,
    **{f"arc{name}": getattr(mpmath, f"a{name}") for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
}


def attributes_of(op):
    return dict(op.examples[0].attributes) if op.examples else {}


def as_declared(op):
    return lambda m, *x: op.value(m, *x, **attributes_of(op))


def by_name(op):
    return lambda m, *x: getattr(m, op.name)(*x, **attributes_of(op))


def dtypes_of(op, dtype):
    return [DOMAIN_DTYPES.get(domain.dtype, dtype) for domain in op.domain]


def is_real(op):
    return all(domain.dtype == "float" for domain in op.domain)


@pytest.fixture(scope="module", params=DTYPES)
def dtype(request):
    return DTYPES[request.param]


@pytest.fixture(scope="module")
def asked(request):
    """The operations that this run's tests name, or all: to compile each in every way is most of the work."""
    own = [item for item in request.session.items if item.path == request.path and "asked" in item.fixturenames]
    names = {item.callspec.params.get("name") for item in own}
    return OPERATIONS if None in names else {name: op for name, op in OPERATIONS.items() if name in names}


@pytest.fixture(scope="module")
def all_loops(asked, dtype):
    """The operations for one lane, four, and as many as a register holds."""
    cases = {name: (by_name(op), dtypes_of(op, dtype)) for name, op in asked.items()}
    return {width: Loops(cases, width) for width in (1, 4, widest(dtype))}


@pytest.fixture(scope="module")
def declared(asked, dtype):
    return Loops({name: (as_declared(op), dtypes_of(op, dtype)) for name, op in asked.items()}, 4)


@pytest.fixture(scope="module")
def loops(all_loops, dtype):
    return all_loops[widest(dtype)]


# ---- inputs


def patterns(dtype, count, random):
    """Finite numbers whose bits are random: every exponent is as likely as any other."""
    integer = np.dtype(f"u{np.dtype(dtype).itemsize}")
    x = random.integers(0, np.iinfo(integer).max, count, integer, endpoint=True).view(dtype)
    return x[np.isfinite(x)]


def numbers(dtype, count, random):
    """Random patterns, and numbers of the sizes that occur: around 0, around 1, and where exponentials end."""
    edge = 160.0 if dtype is np.float32 else 1100.0
    limits = np.finfo(dtype)
    ends = [f(float(x)) for f in (np.log, np.log2) for x in (limits.max, limits.tiny, limits.smallest_subnormal)]
    usual = (
        random.choice(ends, count) * random.choice([-1, 1], count) + random.uniform(-1.5, 1.5, count),
        random.normal(size=count),
        random.uniform(-1.0, 1.0, count),
        random.uniform(-edge, edge, count),
        1.0 + random.normal(size=count) * 2.0 ** -random.uniform(0, 25, count),
        random.integers(-20, 20, count) * 0.5,
    )
    return random.permutation(np.concatenate([patterns(dtype, count, random), *usual]).astype(dtype))


def inputs_of(op, dtype, count, random):
    columns = []
    for domain in op.domain:
        if domain.dtype == "bool":
            columns.append(random.random(count * 5) < 0.5)
        elif domain.dtype != "float":
            columns.append(random.integers(0, 40, count * 5).astype(domain.dtype))
        else:
            columns.append(numbers(dtype, count, random)[: count * 5])
    if len(columns) == 2 and is_real(op):  # exponents that bring powers within range, negative bases with whole ones
        base = np.abs(columns[0].astype(np.float64)) + np.finfo(dtype).tiny
        scale = random.uniform(-1.0, 1.0, len(base)) * (150 if dtype is np.float32 else 1070)
        with np.errstate(divide="ignore"):
            columns[1][::2] = np.clip(scale / np.log2(base), -1e30, 1e30).astype(dtype)[::2]
    return columns


def special(dtype):
    limits = np.finfo(dtype)
    sizes = [0, 1, 0.5, 2, 3, 2.5, 0.7, 1.3, 10, 100, 1000, 1e10, 1e30, 2**24, 2**24 + 1, 2**53, np.inf]
    sizes += [limits.max, limits.tiny, limits.smallest_subnormal, limits.tiny * 0.3, limits.eps]
    x = np.array(sizes, dtype)
    return np.concatenate([x, -x, np.array([np.nan], dtype)])


# ---- references


def precise(op, columns, dtype):
    """The operation's value with more precision than the dtype has."""
    wider = np.float64 if dtype is np.float32 else np.longdouble
    columns = [x.astype(wider) if x.dtype == dtype else x for x in columns]
    with np.errstate(all="ignore"):
        return op.evaluate(*columns, **attributes_of(op))


def distance(got, want, dtype):
    """|got − want| in units in the last place of `want`; 0 for equal specials, and ∞ where only one is special."""
    limits = np.finfo(dtype)
    with np.errstate(all="ignore"):
        rounded = want.astype(dtype)
        same = (np.isnan(got) & np.isnan(want)) | (got == rounded)
        unit = np.ldexp(
            np.ones_like(want), np.maximum(np.frexp(np.where(np.isfinite(want), want, 1))[1] - 1, limits.minexp)
        )
        size = np.abs(got.astype(want.dtype) - want) / (unit * limits.eps)
    largest = np.isinf(rounded) & (np.abs(got) == limits.max)
    return np.where(same | largest, 0.0, np.where(np.isfinite(size), size, np.inf)).astype(float)


def worst(op, columns, got, error):
    i = int(np.argmax(error))
    return f"{op.name}({', '.join(repr(x[i]) for x in columns)}) = {got[i]!r}, {error[i]:.3f} ulp off"


# ---- completeness


@pytest.mark.parametrize("op", OPERATIONS.values(), ids=OPERATIONS)
@pytest.mark.parametrize("name", DTYPES)
def test_every_operation_can_be_written_and_has_numpys_dtype(op, name):
    dtypes = dtypes_of(op, DTYPES[name])
    want = op.infer(*(np.empty(0, dtype) for dtype in dtypes), **attributes_of(op)).dtype
    for value in (as_declared(op), by_name(op)):
        assert write_loop(ir.Module(), "loop", value, [np.dtype(dtype) for dtype in dtypes], 4) == want


def test_a_name_that_is_no_operation_is_refused():
    m = Mathematics(ir.IRBuilder(), 4)
    with pytest.raises(AttributeError, match="'besselj'"):
        m.besselj  # noqa: B018
    with pytest.raises(AttributeError, match="'matmul'"):
        m.matmul  # noqa: B018


def test_an_operation_without_a_primitive_is_named(monkeypatch):
    lonely = Elementwise("lonely", value=lambda m, x: m.lonely(x), partials=(None,), domain=(), numpy=np.sin)
    try:
        with pytest.raises(AttributeError, match="'lonely'"):
            write_loop(ir.Module(), "loop", as_declared(lonely), [np.dtype(np.float32)], 4)
    finally:
        del REGISTRY["lonely"]


# ---- values


@pytest.mark.parametrize("name", OPERATIONS)
def test_values_equal_numpys(name, loops, dtype):
    op = OPERATIONS[name]
    random = np.random.default_rng(len(name))
    columns = inputs_of(op, dtype, 3000, random)
    got = loops(name, *columns)
    if op.accuracy.composed:
        return compare_composed(op, columns, got)
    if name in FUNCTIONS and np.finfo(np.longdouble).nmant > 52:
        error = distance(got, precise(op, columns, dtype), dtype)
        assert error.max() <= op.accuracy.ulps, worst(op, columns, got, error)
    elif name not in FUNCTIONS:
        with np.errstate(all="ignore"):
            np.testing.assert_array_equal(got, op.evaluate(*columns, **attributes_of(op)))


def unit(op, columns, want):
    """What an operation's accuracy is told in, see `Accuracy`: a unit in the last place of the value, or of the largest of it
    and the inputs that are numbers."""
    sizes = [want, *columns] if op.accuracy.composed else [want]
    return np.spacing(np.max([np.where(np.isfinite(x), np.abs(x), 0) for x in sizes], axis=0).astype(want.dtype))


def compare_composed(op, columns, got):
    """Operations that lose digits by their formula lose as many as NumPy does, relative to their inputs."""
    with np.errstate(all="ignore"):
        want = op.evaluate(*columns, **attributes_of(op))
        close = np.abs(got - want) <= op.accuracy.ulps * unit(op, columns, want)
    close |= (got == want) | (np.isnan(got) & np.isnan(want))
    assert close.all(), [x[~close][:3] for x in (*columns, got, want)]


@pytest.mark.parametrize("name", [name for name, op in OPERATIONS.items() if is_real(op)])
def test_special_values_equal_numpys(name, loops, dtype):
    op = OPERATIONS[name]
    some = special(dtype)
    grids = [some] * len(op.domain) if len(op.domain) < 3 else [some, np.array([-1, 0.5]), np.array([1, 2])]
    columns = [grid.ravel().astype(dtype) for grid in np.meshgrid(*grids)]
    got = loops(name, *columns)
    with np.errstate(all="ignore"):
        want = np.asarray(op.evaluate(*columns, **attributes_of(op)))
    assert got.dtype == want.dtype
    if got.dtype == np.bool_:
        np.testing.assert_array_equal(got, want)
        return
    unequal = (np.isnan(got) != np.isnan(want)) | (np.isinf(got) != np.isinf(want))
    if not op.accuracy.either_zero:
        unequal |= ~np.isnan(want) & (np.signbit(got) != np.signbit(want))
    finite = np.isfinite(got) & np.isfinite(want)
    with np.errstate(all="ignore"):
        tolerance = 0 if op.accuracy.ulps <= 0.5 else max(6, op.accuracy.ulps)
        unequal |= finite & (np.abs(got - want) > tolerance * unit(op, columns, want))
    assert not unequal.any(), [x[unequal][:5] for x in (*columns, got, want)]


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if len(OPERATIONS[name].domain) == 1])
def test_float32_functions_over_the_whole_range(name):
    """Every 16,381st of all float32, which meets every exponent many times, against NumPy's float64."""
    op = OPERATIONS[name]
    x = np.arange(0, 2**32, 16381, dtype=np.uint32).view(np.float32)
    x = x[np.isfinite(x)]
    got = Loops({name: (by_name(op), [np.float32])}, widest(np.float32))(name, x)
    error = distance(got, precise(op, [x], np.float32), np.float32)
    assert error.max() <= op.accuracy.ulps, worst(op, [x], got, error)


def test_sigmoids_where_one_of_the_numbers_added_is_lost_beside_the_other():
    """Every float32 from −19 to −13.5, where e^x is next to 2^−24 and 1 + e^x rounds in all ways; every 7th around."""
    ends, steps = np.float32([-105.0, -19.0, -13.5, -0.25]).view(np.int32)[::-1], (7, 1, 7)
    x = np.concatenate([np.arange(*ends[i : i + 2], step, np.int32) for i, step in enumerate(steps)]).view(np.float32)
    op = OPERATIONS["sigmoid"]
    got = Loops({"sigmoid": (by_name(op), [np.float32])}, widest(np.float32))("sigmoid", x)
    error = distance(got, precise(op, [x], np.float32), np.float32)
    assert error.max() <= op.accuracy.ulps, worst(op, [x], got, error)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_against_more_digits(name, loops, dtype):
    op = OPERATIONS[name]
    columns = inputs_of(op, dtype, 120, np.random.default_rng(3))
    got = loops(name, *columns)
    exact = MPMATH.get(name) or getattr(mpmath, name)
    with mpmath.workdps(60):
        error = np.array([error_of(y, exact, row, dtype) for y, *row in zip(got, *columns, strict=True)])
    assert error.max() <= op.accuracy.ulps, worst(op, columns, got, error)


def error_of(got, exact, row, dtype):
    """The error in units in the last place of the exact value."""
    limits = np.finfo(dtype)
    try:
        want = exact(*(mpmath.mpf(float(x)) for x in row))
    except (ValueError, ZeroDivisionError):  # a pole, or outside the domain
        return 0.0 if not np.isfinite(got) else np.inf
    if isinstance(want, mpmath.mpc) or not mpmath.isfinite(want):
        return 0.0 if not np.isfinite(got) else np.inf
    if abs(want) >= mpmath.mpf(float(limits.max)) * (1 + mpmath.mpf(float(limits.eps)) / 4):
        return 0.0 if np.isinf(got) or abs(got) == limits.max else np.inf
    if not np.isfinite(got):
        return np.inf
    exponent = max(mpmath.frexp(want)[1] - 1, limits.minexp) if want else limits.minexp
    return float(abs(mpmath.mpf(float(got)) - want) / mpmath.ldexp(float(limits.eps), int(exponent)))


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_width_gives_the_same_bits(name, all_loops, dtype):
    op = OPERATIONS[name]
    columns = inputs_of(op, dtype, 200, np.random.default_rng(5))
    results = [loops(name, *columns) for loops in all_loops.values()]
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])


def called(op, columns):
    """The names of the operations that a declared value is written in."""
    names = set()

    class Recording:
        def __getattr__(self, name):
            names.add(name)
            return getattr(eager, name)

    with np.errstate(all="ignore"):
        op.value(Recording(), *columns, **attributes_of(op))
    return names


@pytest.mark.parametrize("name", OPERATIONS)
def test_both_ways_to_write_it_give_the_same(name, declared, loops, dtype):
    """`op.value(m, …)` and `m.name(…)` agree, though the latter may have an algorithm of its own."""
    op = OPERATIONS[name]
    columns = inputs_of(op, dtype, 100, np.random.default_rng(6))
    got, want = declared(name, *columns), loops(name, *columns)
    if name in functions.FUNCTIONS and name not in called(op, columns):
        limits = np.finfo(dtype)
        size = np.maximum(np.max(np.abs(columns), axis=0), 1.0)
        with np.errstate(all="ignore"):
            close = np.abs(got - want) <= 8 * np.maximum(limits.eps * np.abs(want), limits.smallest_subnormal)
            close |= (np.abs(got - want) <= 4 * limits.eps * size) & op.accuracy.composed
        assert (close | (got == want) | (np.isnan(got) & np.isnan(want))).all()
    else:
        np.testing.assert_array_equal(got, want)


# ---- the slow paths


@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_large_angles_beside_small_ones(name, loops, dtype):
    """Angles beyond the short reduction, and the floats nearest to multiples of π/2."""
    largest = 2.0**127 if dtype is np.float32 else 2.0**1023
    sizes = [6381956970095103.0 * 2.0**797, 5.3e9, 2.0**33 + 1.0, largest, 16367173.0 * 2.0**72, 1e22]
    x = np.array([[size, 0.5, -size, 2.0**16 + 1] for size in sizes if size <= largest], dtype).ravel()
    got = loops(name, x)
    with mpmath.workdps(400):
        exact = getattr(mpmath, name)
        errors = [error_of(y, exact, [value], dtype) for y, value in zip(got, x, strict=True)]
    assert max(errors) <= OPERATIONS[name].accuracy.ulps


def test_remainders_of_long_quotients_are_exact(loops, dtype):
    random = np.random.default_rng(7)
    a, b = (patterns(dtype, 5000, random)[:4000] for _ in range(2))
    b[b == 0] = 1
    with np.errstate(all="ignore"):
        want = np.remainder(a, b)
    np.testing.assert_array_equal(loops("remainder", a, b), want)


# ---- integers, truth values, conversions

INTEGERS = [np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64]
PAIRS = [(np.int32, np.int32), (np.int64, np.int64), (np.uint32, np.uint32), (np.uint8, np.uint8), (np.int8, np.int8)]
MIXED = [*PAIRS, (np.int32, np.uint32), (np.int64, np.uint64), (np.bool_, np.int32), (np.uint8, np.float32)]
OPERATORS = {
    "add": operator.add, "subtract": operator.sub, "multiply": operator.mul, "divide": operator.truediv,
    "floor_divide": operator.floordiv, "remainder": operator.mod, "less": operator.lt, "less_equal": operator.le,
    "greater": operator.gt, "greater_equal": operator.ge, "equal": operator.eq, "not_equal": operator.ne,
}  # fmt: skip
BITS = {
    "bitwise_and": operator.and_, "bitwise_or": operator.or_, "bitwise_xor": operator.xor,
    "left_shift": operator.lshift, "right_shift": operator.rshift,
}  # fmt: skip


def whole(dtype, count, random):
    """Integers of all sizes, the least and the greatest among them."""
    if dtype == np.bool_:
        return random.random(count) < 0.5
    if np.dtype(dtype).kind == "f":
        return random.integers(-40, 40, count).astype(dtype)
    limits = np.iinfo(dtype)
    some = random.integers(limits.min, limits.max, count, dtype, endpoint=True)
    some >>= random.integers(0, limits.bits - 1, count).astype(dtype)
    return np.concatenate([np.array([limits.min, limits.max, 0, 1, 2], dtype), some])[:count]


@pytest.mark.parametrize(("first", "second"), MIXED, ids=lambda dtype: dtype.__name__)
def test_integer_arithmetic(first, second):
    random = np.random.default_rng(11)
    a, b = whole(first, 4000, random), whole(second, 4000, random)
    b = random.permutation(b)
    functions = OPERATORS if (first, second) == (np.uint8, np.float32) else {**OPERATORS, **BITS}
    if first == np.int64 and second == np.uint64:  # their common dtype is float64
        functions = {name: f for name, f in OPERATORS.items() if name not in ("floor_divide", "remainder")}
    loops = Loops({name: (lambda m, x, y, f=f: f(x, y), [first, second]) for name, f in functions.items()}, 4)
    for name in functions:
        with np.errstate(all="ignore"):
            want = getattr(np, name)(a, b)
        got = loops(name, a, b)
        assert got.dtype == want.dtype, name
        np.testing.assert_array_equal(got, want, err_msg=name)


UNARY = ("negative", "positive", "absolute", "sign", "invert", "floor", "ceil", "trunc", "rint", "logical_not")


@pytest.mark.parametrize("dtype_", [np.int32, np.int64, np.uint32, np.uint8, np.bool_])
def test_unary_arithmetic_on_integers(dtype_):
    halves = {"rint", "floor", "ceil", "trunc"} if before(np, 2, 1) else {"rint"}  # gives float16 of so small numbers
    names = [name for name in UNARY if dtype_ not in (np.uint8, np.bool_) or name not in halves]
    if dtype_ is np.bool_:
        names = [name for name in ("absolute", "invert", "floor", "logical_not") if name not in halves]
    loops = Loops({name: (lambda m, x, name=name: getattr(m, name)(x), [dtype_]) for name in names}, 4)
    x = whole(dtype_, 500, np.random.default_rng(13))
    for name in names:
        want = getattr(np, name)(x)
        assert loops.dtypes[name] == want.dtype
        np.testing.assert_array_equal(loops(name, x), want)


def test_functions_of_integers_are_computed_in_numpys_float():
    loops = Loops({"exp": (lambda m, x: m.exp(x), [np.int32]), "divide": (lambda m, x: 1 / x, [np.int16])}, 4)
    assert loops("exp", np.arange(4, dtype=np.int32)).dtype == np.float64
    assert loops("divide", np.arange(1, 5, dtype=np.int16)).dtype == np.float64
    np.testing.assert_allclose(loops("exp", np.arange(4, dtype=np.int32)), np.exp(np.arange(4)), rtol=1e-15)


@pytest.mark.parametrize("dtype_", [np.int32, np.int64, np.uint32], ids=lambda dtype: dtype.__name__)
def test_powers_of_integers(dtype_):
    random = np.random.default_rng(17)
    a, b = whole(dtype_, 1000, random), random.integers(0, 70, 1000).astype(dtype_)
    loops = Loops({"power": (lambda m, x, y: x**y, [dtype_, dtype_]), "cube": (lambda m, x: x**3, [dtype_])}, 4)
    np.testing.assert_array_equal(loops("power", a, b), a**b)
    np.testing.assert_array_equal(loops("cube", a), a**3)


@pytest.mark.parametrize("source", [*INTEGERS, np.bool_, np.float32, np.float64], ids=lambda dtype: dtype.__name__)
def test_conversions(source):
    targets = [*INTEGERS, np.bool_, np.float32, np.float64]
    cases = {t.__name__: (lambda m, x, t=t: m.astype(x, dtype=np.dtype(t)), [source]) for t in targets}
    loops = Loops(cases, 4)
    random = np.random.default_rng(19)
    for target in targets:
        x = whole(source, 500, random)
        if np.dtype(source).kind == "f":
            if target in INTEGERS:
                limits = np.iinfo(target)
                x = random.uniform(limits.min * 0.99, limits.max * 0.99, 500).astype(source)
            else:
                x = special(source)
        with np.errstate(all="ignore"):
            want = x.astype(target)
        got = loops(target.__name__, x)
        assert got.dtype == want.dtype
        np.testing.assert_array_equal(got, want)


def test_floats_that_no_integer_holds_become_the_least_one():
    x = np.array([np.nan, np.inf, -np.inf, 1e30, -1e30, 7.9], np.float32)
    loops = Loops({"convert": (lambda m, x: m.astype(x, dtype=np.int32), [np.float32])}, 4)
    assert loops("convert", x).tolist() == [-(2**31)] * 5 + [7]


# ---- constants

CONSTANTS = [2, -3, 2.5, True, np.float32(1.5), np.float64(1.5), np.int64(3), float("inf")]
SCALED = {"add": operator.add, "subtract": operator.sub, "multiply": operator.mul, "divide": operator.truediv}


@pytest.mark.parametrize("dtype_", [np.float32, np.float64, np.int32, np.int64], ids=lambda dtype: dtype.__name__)
def test_python_numbers_take_the_dtype_of_their_partner(dtype_):
    x = np.array([1, 2, 3, -4], dtype_)
    for y, (name, f), turned in itertools.product(CONSTANTS, SCALED.items(), (False, True)):
        value = (lambda m, x, y=y, f=f: f(y, x)) if turned else (lambda m, x, y=y, f=f: f(x, y))
        dtype = write_loop(ir.Module(), "loop", value, [np.dtype(dtype_)], 4)
        with np.errstate(all="ignore"):
            assert dtype == value(None, x).dtype, (name, y, turned)
    loops = Loops({"all": (lambda m, x: (1 - x) * 2 + 7 / (x + 8) + abs(-x) + (+x), [dtype_])}, 1)
    np.testing.assert_allclose(loops("all", x), (1 - x) * 2 + 7 / (x + 8) + abs(-x) + (+x), rtol=1e-6)


def test_choices_among_constants_have_numpys_dtype():
    cases = {
        "where": (lambda m, x: m.where(x > 0, 1.0, x), [np.float32]),
        "both": (lambda m, x: m.where(x > 0, 1.0, 2.0), [np.float32]),
        "known": (lambda m, x: m.where(True, x, 2.0), [np.float32]),
        "like": (lambda m, x: m.indicator(x > 0, 1.0), [np.float32]),
    }
    assert Loops(cases, 4).dtypes == {
        "where": np.float32, "both": np.float64, "known": np.float32, "like": np.float64,
    }  # fmt: skip


def test_python_integers_beyond_the_dtype():
    loops = Loops(
        {
            "less": (lambda m, x: x < 300, [np.uint8]),
            "above": (lambda m, x: x > -1, [np.uint8]),
            "turned": (lambda m, x: x == 300, [np.uint8]),
        },
        4,
    )
    x = np.arange(250, 254, dtype=np.uint8)
    assert loops("less", x).all()
    assert loops("above", x).all()
    assert not loops("turned", x).any()
    with pytest.raises(OverflowError):
        write_loop(ir.Module(), "loop", lambda m, x: x + 300, [np.dtype(np.uint8)], 4)


def test_what_machine_code_does_not_compute_with():
    with pytest.raises(TypeError, match="float16"):
        vector_type(np.dtype(np.float16), 4)
    with pytest.raises(TypeError, match="float16"):
        write_loop(ir.Module(), "loop", lambda m, x: m.exp(x), [np.dtype(np.bool_)], 4)


def test_a_number_decides_no_if():
    m = Mathematics(ir.IRBuilder(), 4)
    x = Vector(constant(1.0, np.dtype(np.float32), 4), np.dtype(np.float32), m)
    with pytest.raises(TypeError, match="where"):
        bool(x)
    with pytest.raises(TypeError):
        x + "text"
    with pytest.raises(TypeError):
        hash(x)


# ---- the code


def test_functions_are_written_once_and_inlined():
    module = ir.Module()
    value = lambda m, x: m.tanh(x) + m.tanh(2.0 * x)  # noqa: E731
    write_loop(module, "loop", value, [np.dtype(np.float32)], 8)
    text = str(module)
    assert text.count("define internal <8 x float> @tanh.float32x8") == 1
    assert "tanh" not in str(Compiled(module).module)


@pytest.mark.parametrize("dtype", DTYPES.values(), ids=DTYPES)
def test_remainders_of_the_largest_numbers(dtype):
    """The quotient, rounded up, times the divisor would be larger than any number."""
    most = np.finfo(dtype).max
    divisors = [most / dtype(k) for k in range(2, 500)]
    divisors += [np.nextafter(b, end) for b in divisors for end in (dtype(0), most)]
    b = np.array(divisors, dtype)
    for a in (most, np.nextafter(most, dtype(0))):
        loops = Loops({"remainder": (lambda m, x, y: m.remainder(x, y), (dtype, dtype))}, 4)
        np.testing.assert_array_equal(loops("remainder", np.full_like(b, a), b), np.fmod(a, b))


def test_nothing_is_fused_unasked():
    """a·b + c is rounded twice, as NumPy rounds it."""
    module = ir.Module()
    write_loop(module, "loop", lambda m, x: x * x + x, [np.dtype(np.float32)], 8)
    assert "contract" not in str(module)
    assert "fma" not in str(module)


LIBRARY = "exp exp2 expm1 log log2 log10 log1p pow sin cos tan asin acos atan atan2 sinh cosh tanh fmod floor rint fma"


def test_nothing_calls_the_c_library(loops):
    for function in loops.compiled.module.functions:
        assert not function.is_declaration or function.name.startswith("llvm."), function.name
    names = "|".join(f"{name}f?" for name in LIBRARY.split())
    calls = rf"\b(?:callq?|jmp|bl|movabsq)\s+\$?(?:{names})(?:@PLT)?(?![\w.])"
    assert not re.findall(calls, loops.compiled.assembly)
