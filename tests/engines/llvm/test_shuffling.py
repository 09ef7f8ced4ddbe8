"""Rows shuffled in machine code: NumPy's bits, and its generator's state afterwards."""

import numpy as np
import pytest

from chainrule.engines import ENGINES, REFERENCE
from chainrule.engines.llvm import engine as llvm
from chainrule.engines.llvm.runs import shuffling
from chainrule.training.batches import Batches


def _natural(epochs: int, rows: int, beyond: int = 0):
    return np.tile(np.arange(rows + beyond, dtype=np.int32), (epochs, 1))


@pytest.fixture(params=["by NumPy", "in machine code"])
def engine(request, monkeypatch):
    monkeypatch.setattr(llvm, "MANY_SHUFFLED", 0 if request.param == "in machine code" else np.inf)
    return ENGINES["llvm"]


@pytest.mark.parametrize("rows", [1, 2, 3, 31, 32, 33, 500, 4097])
def test_orders_are_those_that_numpy_draws(engine, rows):
    ours, theirs = np.random.default_rng([rows, 0]), np.random.default_rng([rows, 0])
    for epochs in (1, 3, 2):
        orders = _natural(epochs, rows, beyond=5)
        engine.shuffle(ours, orders[:, :rows])
        expected = theirs.permuted(np.broadcast_to(np.arange(rows), (epochs, rows)), axis=1)
        assert np.array_equal(orders[:, :rows], expected)
        assert np.array_equal(orders[:, rows:], _natural(epochs, rows, beyond=5)[:, rows:])
        assert ours.bit_generator.state == theirs.bit_generator.state
        assert ours.random(dtype=np.float32) == theirs.random(dtype=np.float32)  # which leaves half of an output


def test_machine_code_takes_the_place_of_numpy_after_a_while(monkeypatch):
    taken = []
    monkeypatch.setattr(shuffling, "shuffle", lambda random, orders: taken.append(orders.size))
    monkeypatch.setattr(llvm, "MANY_SHUFFLED", 100)
    own = llvm.LlvmEngine()
    for _ in range(3):
        own.shuffle(np.random.default_rng(0), _natural(2, 20))
    assert taken == [40]


def test_another_generator_is_left_to_numpy(monkeypatch):
    monkeypatch.setattr(llvm, "MANY_SHUFFLED", 0)
    monkeypatch.setattr(shuffling, "MULTIPLIER", shuffling.MULTIPLIER + 2)
    for remembered in (shuffling._is_known, shuffling._function):
        monkeypatch.setattr(shuffling, remembered.__name__, remembered.__wrapped__)
    random, orders = np.random.default_rng(5), _natural(2, 50)
    assert not shuffling.shuffle(random, orders)
    assert np.array_equal(orders, _natural(2, 50))
    ENGINES["llvm"].shuffle(random, orders)
    expected = _natural(2, 50)
    REFERENCE.shuffle(np.random.default_rng(5), expected)
    assert np.array_equal(orders, expected)


@pytest.mark.parametrize("keyed", [False, True])
def test_orders_that_are_left_to_others_are_those_that_are_drawn_at_once(keyed, monkeypatch):
    monkeypatch.setattr(llvm, "MANY_SHUFFLED", 0)
    at_once, left = (Batches(37, 40, 5, seed=7, shuffle=True, keyed=keyed, engine=ENGINES["llvm"]) for _ in range(2))
    for epochs in (1, 3, 2):
        expected, drawn = at_once.draw(epochs), left.draw(epochs, by_others=True)
        assert np.array_equal(drawn.order, _natural(epochs, 40))
        assert drawn.after["order"] == expected.before["order"]
        drawn.left.carry_out()
        assert np.array_equal(drawn.order, expected.order)
        assert np.array_equal(drawn.keys, expected.keys)
        assert (drawn.before, drawn.after) == (expected.before, expected.after)
    assert left.streams == at_once.streams
    assert (left.streams["keys"] is None) is not keyed


def test_this_numpy_is_known():
    assert shuffling._is_known()
