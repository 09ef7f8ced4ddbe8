"""`x[key]` for every key NumPy takes: values and derivatives equal NumPy's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chainrule as cr
from chainrule.autodiff import grad, jvp, vjp
from chainrule.engines import evaluate
from chainrule.errors import PositionError, ShapeError, TracingError
from chainrule.tracing import simplify, trace
from trying import ENGINES, examples


@st.composite
def slices(draw, n):
    bound = st.one_of(st.none(), st.integers(-n - 2, n + 2))
    return slice(draw(bound), draw(bound), draw(st.sampled_from([None, 1, 2, 3, -1, -2])))


@st.composite
def keys(draw):
    """A shape, and a key for it of integers, slices, `...`, None, integer arrays and masks."""
    shape = tuple(draw(st.lists(st.integers(1, 4), min_size=draw(st.sampled_from([0, 2, 3])), max_size=4)))
    batch = draw(st.sampled_from([(), (1,), (2,), (2, 1), (2, 2), (0,)]))
    items, axis, masked = [], 0, False
    while axis < len(shape) and draw(st.sampled_from([True, True, True, True, True, False])):
        n = shape[axis]
        what = draw(
            st.sampled_from(["array", "integer", "slice", "slice", "array", "list", "mask", "none", "ellipsis"])
        )
        if what == "none":
            items.append(None)
            continue
        if what == "ellipsis":
            if Ellipsis in [i for i in items if not isinstance(i, np.ndarray | list)]:
                continue
            items.append(Ellipsis)
            axis += draw(st.integers(0, len(shape) - axis))
            continue
        if what == "integer":
            kind = draw(st.sampled_from([int, np.int8, np.uint8]))
            items.append(kind(draw(st.integers(0 if kind is np.uint8 else -n, n - 1))))
        elif what == "slice":
            items.append(draw(slices(n)))
        elif what == "array":
            own = batch if draw(st.booleans()) else batch[-1:]
            numbers = draw(st.lists(st.integers(-n, n - 1), min_size=int(np.prod(own)), max_size=int(np.prod(own))))
            items.append(np.array(numbers, draw(st.sampled_from([np.int64, np.int8]))).reshape(own))
        elif what == "list" and batch == (2,):
            items.append([0, n - 1])
        elif what == "mask" and not masked and batch == (1,):
            masked = True  # a mask with one True gives index arrays of length 1, which broadcast with the others
            mask = np.zeros(shape[axis : axis + draw(st.integers(1, len(shape) - axis))], bool)
            mask.reshape(-1)[draw(st.integers(0, mask.size - 1))] = True
            items.append(mask)
            axis += mask.ndim - 1
        axis += 1
    return shape, tuple(items)


@given(keys())
@examples(150)
def test_index_equals_numpy(case):
    shape, key = case
    x = np.random.default_rng(0).normal(size=shape)
    try:
        expected = x[key]
    except IndexError:  # an ellipsis that stands for fewer axes than drawn
        with pytest.raises((ShapeError, IndexError)):
            trace(lambda t: t[key], x)
        return
    program = trace(lambda t: t[key], x)
    np.testing.assert_array_equal(evaluate(program, x), expected)
    assert np.shape(evaluate(simplify(program), x)) == np.shape(expected)
    value, tangent = jvp(lambda t: t[key], (x,), (2 * x,))
    np.testing.assert_array_equal(value, expected)
    np.testing.assert_array_equal(tangent, 2 * np.asarray(expected))
    g = np.random.default_rng(1).normal(size=np.shape(expected))
    scattered = np.zeros(shape)
    np.add.at(scattered, key, g)
    np.testing.assert_allclose(vjp(lambda t: t[key], x)[1](g)[0], scattered, atol=1e-14)


def test_masks_of_several_axes():
    x = np.arange(12.0).reshape(3, 4)
    mask = x % 3 == 0
    np.testing.assert_array_equal(evaluate(trace(lambda t: t[mask], x), x), x[mask])
    np.testing.assert_array_equal(evaluate(trace(lambda t: t[..., mask[0]], x), x), x[..., mask[0]])
    np.testing.assert_array_equal(grad(lambda t: np.sum(t[mask] ** 2))(x), np.where(mask, 2 * x, 0.0))
    np.testing.assert_array_equal(evaluate(trace(lambda t: t[[True, False, True]], x), x), x[[True, False, True]])


def test_indices_that_are_traced_themselves():
    x, i = np.arange(12.0).reshape(3, 4), np.array([2, 0, -1])
    np.testing.assert_array_equal(evaluate(trace(lambda t, i: t[i], x, i), x, i), x[i])
    np.testing.assert_array_equal(evaluate(trace(lambda t, i: t[np.arange(3), i], x, i), x, i), x[np.arange(3), i])
    np.testing.assert_array_equal(
        evaluate(trace(lambda t, i: np.take(t, i, axis=1), x, i), x, i), np.take(x, i, axis=1)
    )
    program = trace(lambda t, i: grad(lambda t: np.sum(t[i] ** 2))(t), x, i)
    repeated = np.array([2, 2, 0])
    np.testing.assert_array_equal(evaluate(program, x, repeated), 2 * x * np.array([[1], [0], [2]]))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("place", [3, 4, -4, -10])
def test_traced_indices_of_several_axes_are_each_checked(engine, place):
    """The row of another one is not taken for an index that is outside its own axis."""
    x, good = np.arange(12.0).reshape(3, 4)[:, :3], np.array([0, -1, 1])
    bad = np.array([0, place, 1])
    pick = {
        "both": lambda t, i, j: t[i, j],
        "one known": lambda t, i, j: t[np.arange(3), j],
        "by line": lambda t, i, j: np.take_along_axis(t, j[:, None], axis=1),
    }
    for function in pick.values():
        compiled, slope = (
            cr.jit(f, engine=engine) for f in (function, grad(lambda t, *ij, f=function: np.sum(f(t, *ij))))
        )
        np.testing.assert_array_equal(compiled(x, good, good), function(x, good, good))
        for call in (compiled, slope):
            call(x, good, good)
            with pytest.raises(PositionError, match="out of bounds"):
                call(x, good, bad)


def test_position_of_the_largest_element_as_an_index():
    x = np.array([1.0, 5.0, 2.0])
    assert grad(lambda t: t[np.argmax(t)] * 3.0)(x).tolist() == [0.0, 3.0, 0.0]
    assert evaluate(trace(lambda t: t[np.argmax(t)], x), x) == 5.0


def test_small_integer_types_reach_every_element():
    x = np.arange(300.0)
    index = np.array([3, -1], np.int8)
    np.testing.assert_array_equal(evaluate(trace(lambda t: t[index], x), x), x[index])
    np.testing.assert_array_equal(evaluate(trace(lambda t, i: t[i], x, index), x, index), x[index])


def test_iteration_and_unpacking():
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert grad(lambda t: sum(row[0] * row[1] for row in t))(x).tolist() == [[2.0, 1.0], [4.0, 3.0]]

    def unpacked(t):
        first, second = t
        return np.sum(first * second)

    assert grad(unpacked)(x).tolist() == [[3.0, 4.0], [1.0, 2.0]]
    with pytest.raises(TypeError, match="no length"):
        trace(lambda t: list(t), 1.0)


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ((0, 0, 0), "3 indices were given for an array with 2 axes"),
        ((..., ...), "only once"),
        (True, "single True or False"),
        (np.array(True), "single True or False"),
        (np.ones(2, bool), r"mask of shape \(2,\) does not fit"),
        ((..., np.ones(3, bool)), r"mask of shape \(3,\) does not fit"),
        ("name", "is no index"),
        (1.0, "is no index"),
        (np.array([0.5]), "positions must be integers"),
    ],
)
def test_keys_that_are_none(key, hint):
    with pytest.raises(ShapeError, match=hint):
        trace(lambda t: t[key], np.ones((3, 4)))


@pytest.mark.parametrize("key", [3, -4, (0, 4), np.array([0, 3]), [[-4]]])
def test_positions_outside_the_array(key):
    with pytest.raises(IndexError, match="out of bounds"):
        grad(lambda t: np.sum(t[key]))(np.ones((3, 4)))


def test_masks_that_depend_on_traced_values():
    with pytest.raises(ShapeError, match=r"np\.where\(mask, x, 0\.0\)"):
        trace(lambda t: t[t > 0], np.ones(3))
    with pytest.raises(TracingError, match=r"np\.take\(x, i, axis=0\)"):
        trace(lambda i: [10, 20, 30][i], np.array(1))
    assert grad(lambda t: np.sum(t[t > 1.5]))(np.array([1.0, 2.0, 3.0])).tolist() == [0.0, 1.0, 1.0]
