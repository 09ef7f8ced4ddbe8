"""What a trace reads of plain arrays stays as it was: copied, or watched to the bit."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import InPlaceError
from chainrule.tracing.keeping import COPIED, Keeper
from trying import ENGINES

LARGE = 1100  # an identity of so many rows has more than COPIED bytes


CHANGES = {
    "one element": lambda a: a.__setitem__((3, 5), 2.0),
    "rows rolled": lambda a: a.__setitem__(..., np.roll(a, 1, axis=0)),
    "columns rolled": lambda a: a.__setitem__(..., np.roll(a, 1, axis=1)),
    "transposed": lambda a: a.__setitem__(..., np.roll(a, 7, axis=0).T.copy()),
    "two rows exchanged": lambda a: a.__setitem__([0, 1], a[[1, 0]]),
    "shuffled": lambda a: np.random.default_rng(0).shuffle(a),
    "0 to −0": lambda a: a.__setitem__((0, 1), -0.0),
    "sums kept": lambda a: a.__setitem__((slice(0, 2), slice(0, 2)), np.array([[0.0, 1.0], [1.0, 0.0]])),
    "the last byte": lambda a: a.reshape(-1).view(np.uint8).__setitem__(-1, 64),
}


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_large_array_that_was_changed_is_refused(change: str, order: Any) -> None:
    buffer = np.array(np.eye(LARGE), order=order)
    assert buffer.nbytes > COPIED

    def function(x: Any) -> Any:
        y = buffer @ x
        if change == "the last byte" and order == "F":
            buffer[-1, -1] += 1
        else:
            CHANGES[change](buffer)
        return np.sum(y**2)

    with pytest.raises(InPlaceError, match=rf"shape \({LARGE}, {LARGE}\) and dtype float64 was changed after einsum"):
        cr.grad(function)(np.arange(float(LARGE)))


@pytest.mark.parametrize("size", [5, 40, 300])
def test_a_smaller_one_is_as_it_was(size: int) -> None:
    buffer, x = np.eye(size), np.arange(1.0, size + 1)

    def function(x: Any, buffer: Any = buffer) -> Any:
        total = 0.0
        for _ in range(3):
            total = total + np.sum((buffer @ x) ** 2)
            buffer *= 2.0
        return total

    expected = 2 * x * (1 + 4 + 16)
    np.testing.assert_allclose(cr.grad(function)(x), expected)
    buffer[...] = np.eye(size)
    np.testing.assert_allclose(cr.grad(cr.jit(function))(x), expected)


def test_zero_and_minus_zero_are_two_constants() -> None:
    def function(x: Any) -> Any:
        divisor = np.zeros(1000)
        first = x / divisor
        divisor *= -1.0
        return first, x / divisor

    with np.errstate(divide="ignore"):
        first, second = cr.jit(function)(np.ones(1000))
    assert (first == np.inf).all()
    assert (second == -np.inf).all()


def test_what_is_read_in_every_step_of_a_loop_is_copied_once() -> None:
    matrix, x = np.eye(400), np.ones(400)  # 1.3 MB

    def function(x: Any) -> Any:
        for _ in range(60):
            x = matrix @ x
        return np.sum(x)

    cr.grad(function)(x)
    tracemalloc.start()
    cr.grad(function)(x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * matrix.nbytes


def test_copies_have_their_axes_where_the_array_has_them() -> None:
    """Products of a transposed matrix are rounded as those of the matrix itself."""
    for array in (np.ones((3, 4)), np.ones((30, 40)).T, np.ones((300, 40, 5)).transpose(1, 2, 0), np.ones(7)[::2]):
        kept = Keeper().keep(array, "test")
        order = np.argsort(array.strides)
        assert (order == np.argsort(kept.strides)).all()
        assert not np.shares_memory(kept, array)


@pytest.mark.parametrize("engine", sorted(ENGINES))
@pytest.mark.parametrize("kind", ["f8", "f4", "i8", "i4", "i2", "u4", "u2"])
def test_constants_in_the_other_order_of_bytes(kind: str, engine: str) -> None:
    for shape in ((3,), (40, 3)):
        swapped = np.arange(1.0, 4.0).astype(np.dtype(kind).newbyteorder()) * np.ones(
            shape, np.dtype(kind).newbyteorder()
        )
        swapped = swapped.astype(np.dtype(kind).newbyteorder())
        assert not swapped.dtype.isnative
        product, itself, total = cr.jit(lambda x, s=swapped: (x * s, s, np.sum(s * 2)), engine=engine)(np.ones(3))
        np.testing.assert_array_equal(product, np.ones(3) * swapped)
        np.testing.assert_array_equal(itself, swapped)
        assert total == np.sum(swapped * 2)
        np.testing.assert_array_equal(cr.grad(lambda x, s=swapped: np.sum(x * s))(np.ones(shape)), swapped)
