"""Long sums are as exact as NumPy's, zeros have NumPy's sign, and nothing is fused that NumPy rounds."""

import math

import numpy as np
import pytest

import chainrule as cr
from trying import ENGINES
from versions import before

signs_of_zeros = pytest.mark.parametrize("engine", [name for name in ENGINES if name != "jax"])
"""XLA takes x + 0.0 for x, whatever the sign of x; the engine's page says so."""

rng = np.random.default_rng(0)


def numbers(kind, shape):
    n = math.prod(shape)
    flat = {"equal": np.full(n, 0.1), "random": rng.random(n), "signed": rng.normal(1.0, 1.0, n)}[kind]
    return flat.astype(np.float32).reshape(shape)


SUMS = {
    "sum": (np.sum, np.sum),
    "mean": (np.mean, np.mean),
    "squares": (lambda x: np.sum(x * x), lambda x: np.sum(x * x)),
    "norm": (lambda x: np.linalg.norm(np.ravel(x)), lambda x: np.sqrt(np.sum(x * x))),
    "product": (lambda x: np.ravel(x) @ np.ravel(x), lambda x: np.sum(x * x)),
    "einsum": (lambda x: np.einsum("i,i->", np.ravel(x), np.ravel(x)), lambda x: np.sum(x * x)),
    "rows": (lambda x: np.sum(x, -1), lambda x: np.sum(x, -1)),
}


@pytest.mark.parametrize("kind", ["equal", "random", "signed"])
@pytest.mark.parametrize("shape", [(4_096,), (100_003,), (20_000, 3), (300, 700), (3, 50_001)], ids=str)
@pytest.mark.parametrize("name", SUMS)
def test_long_sums_are_within_a_few_units_in_the_last_place(name, shape, kind):
    function, exact = SUMS[name]
    x = numbers(kind, shape)
    found, expected = cr.jit(function)(x), exact(x.astype(np.longdouble))
    assert np.asarray(found).dtype == np.float32
    scale = exact(np.abs(x).astype(np.longdouble))
    np.testing.assert_array_less(np.abs(found - expected), 6.0 * np.spacing(np.float32(scale)))


SEVERAL = {
    "all": lambda x: np.sum(x),
    "mean": lambda x: np.mean(x),
    "the last two": lambda x: np.sum(x, (-1, -2)),
    "means of the last two": lambda x: np.mean(x, (-1, -2)),
    "all but the first": lambda x: np.sum(x, tuple(range(1, x.ndim))),
    "in loops of others": lambda x: (
        np.sum(x, (-1, -2)) + 0.0 * np.sum(x) + 0.0 * np.sum(x, -1)[..., 0] + np.max(x) * 0.0
    ),
}


@pytest.mark.parametrize(
    "shape", [(3, 20_000, 4), (2, 3_001, 17), (3, 1_000, 64), (20_000, 3, 5), (20, 31, 29, 11)], ids=str
)
@pytest.mark.parametrize("name", SEVERAL)
def test_long_sums_over_several_axes(name, shape):
    """NumPy adds in pairs what lies side by side, over all the axes that do."""
    function = SEVERAL[name]
    for kind in ("equal", "signed"):
        x = numbers(kind, shape)
        found, expected = cr.jit(function)(x), function(x.astype(np.longdouble))
        scale = np.spacing(np.float32(function(np.abs(x).astype(np.longdouble))))
        np.testing.assert_array_less(np.abs(found - expected), 16.0 * scale)


@pytest.mark.parametrize("shape", [(5_000, 2), (60_000, 5)], ids=str)
def test_long_contractions_and_sums_of_columns(shape):
    x = numbers("equal", shape)
    exact = x.astype(np.longdouble)
    for function in (lambda x: x.T @ x, lambda x: np.einsum("ij,ij->j", x, x), lambda x: np.sum(x, 0)):
        np.testing.assert_allclose(cr.jit(function)(x), function(exact).astype(float), rtol=1e-5)


def test_a_mean_of_a_million_is_right():
    found = cr.jit(np.mean)(np.full(10**6, 0.1, np.float32))
    assert abs(found - np.float32(0.1)) <= np.spacing(np.float32(0.1))
    gradient = cr.jit(cr.grad(lambda b, x: np.sum((x + b) * 0.1)))(np.float32(0.0), np.ones(10**6, np.float32))
    assert gradient == pytest.approx(1e5, rel=1e-6)


def test_infinities_in_long_sums():
    x = np.ones(50_000, np.float32)
    x[7] = np.inf
    assert cr.jit(np.sum)(x) == cr.jit(lambda x: x @ np.ones(50_000, np.float32))(x) == np.inf
    x[8] = -np.inf
    assert np.isnan(cr.jit(np.sum)(x))
    assert cr.jit(np.sum)(np.full(50_000, 3e38, np.float32)) == np.inf


@signs_of_zeros
@pytest.mark.parametrize("shape", [(), (1,), (2,), (40,), (1, 3), (3, 1), (30, 40)], ids=str)
@pytest.mark.parametrize("reduce", [np.sum, np.mean, np.prod, np.max, np.min, np.cumsum], ids=lambda f: f.__name__)
def test_folds_of_negative_zeros(reduce, shape, engine):
    x = -np.zeros(shape)
    for axis in [None, *range(len(shape))]:
        function = lambda x: reduce(x, axis=axis)  # noqa: B023, E731
        found, expected = cr.jit(function, engine=engine)(x), function(x)
        np.testing.assert_array_equal(np.signbit(found), np.signbit(expected))


@signs_of_zeros
@pytest.mark.parametrize("length", [1, 3, 8, 40])
@pytest.mark.parametrize("reduce", [np.max, np.min, np.any, np.all, np.sum, np.prod, np.mean, np.argmax, np.argmin])
def test_folds_of_truth_values(reduce, length, engine):
    x = np.zeros((4, length), bool)
    x[1], x[2, -1], x[3, 1:] = True, True, True
    for axis in (0, 1):
        function = lambda x: reduce(x, axis=axis)  # noqa: B023, E731
        found, expected = cr.jit(function, engine=engine)(x), function(x)
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == expected.dtype


ZEROS = {
    "x + 0.0": lambda x: x + 0.0,
    "0.0 + x": lambda x: 0.0 + x,
    "x + 0": lambda x: x + 0,
    "x + -0.0": lambda x: x + -0.0,
    "x - 0.0": lambda x: x - 0.0,
    "x - -0.0": lambda x: x - -0.0,
    "x * 1": lambda x: x * 1,
    "x / 1": lambda x: x / 1.0,
    "clip": lambda x: np.clip(x, 0, 1),
    "clip from below": lambda x: np.clip(x, -1.0, -0.0),
    "negative": lambda x: -x,
}


@signs_of_zeros
@pytest.mark.parametrize("name", ZEROS)
def test_signs_of_zeros_are_numpys(name, engine):
    if "clip" in name and before(np, 2, 1):
        pytest.skip("np.clip gave either zero")
    x = np.array([-0.0, 0.0, 0.5] * 7)
    expected = ZEROS[name](x)
    for found in (cr.jit(ZEROS[name], engine=engine)(x), cr.jvp(ZEROS[name], (x,), (x,))[0]):
        np.testing.assert_array_equal(np.signbit(found), np.signbit(expected))


def test_the_discriminant_of_a_double_root():
    """b·b − 4·a·c of (x − r)²·a in a fused multiplication and addition is a little less than 0, and its root NaN."""
    a, r = rng.random(1000) + 0.5, rng.normal(size=1000)
    b = -2.0 * a * r
    c = b * b / (4.0 * a)
    root = lambda a, b, c: np.sqrt(np.maximum(b * b - 4.0 * a * c, -1e-300))  # noqa: E731
    exact = b * b - 4.0 * a * c
    np.testing.assert_array_equal(cr.jit(lambda a, b, c: b * b - 4.0 * a * c)(a, b, c), exact)
    chosen = exact >= 0
    assert chosen.sum() > 500
    assert not np.isnan(cr.jit(root)(a[chosen], b[chosen], c[chosen])).any()
