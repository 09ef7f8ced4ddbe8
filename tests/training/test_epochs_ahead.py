"""Early stopping and plateaus let epochs run together that it is sure of, and comes to what it comes to with one at a time."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines.loop import Alone
from chainrule.tracing import trees
from chainrule.training.position import Moment
from chainrule.training.steps.blocks import BlockRunner

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(40, 3)).astype(np.float32)
VALUES = np.sin(2 * X[:, 0]) * X[:, 1]
LABELS = np.where(X[:, 0] + X[:, 1] > 0, "yes", "no")

TRAININGS = {
    "validated": {"validation_split": 0.3, "early_stopping": 3, "optimizer": cr.Adam(0.01)},
    "validated, hardly better": {"validation_split": 0.3, "early_stopping": cr.EarlyStopping(4, min_delta=0.02)},
    "on its own loss": {"early_stopping": cr.EarlyStopping(5, min_delta=0.01), "optimizer": cr.SGD(0.5)},
    "on its own loss, one step an epoch": {"early_stopping": 3, "batch_size": None, "optimizer": cr.Adam(0.3)},
    "not restored": {"validation_split": 0.3, "early_stopping": cr.EarlyStopping(3, restore_best=False)},
    "with dropout": {"validation_split": 0.3, "early_stopping": 4, "dropout": True, "optimizer": cr.Adam(0.01)},
    "upwards": {"early_stopping": cr.EarlyStopping(6, monitor="accuracy"), "labels": True, "optimizer": cr.Adam(0.05)},
    "in Python": {"validation_split": 0.3, "early_stopping": 3, "optimizer": cr.Adam(0.02), "engine": "numpy"},
    "on plateaus": {"validation_split": 0.3, "optimizer": cr.SGD(cr.OnPlateau(0.5, 0.5, 3)), "epochs": 60},
    "on plateaus, and stopped": {
        "early_stopping": cr.EarlyStopping(7, min_delta=0.001),
        "optimizer": cr.Adam(cr.WarmUp(cr.OnPlateau(0.1, 0.3, 2, minimum=0.001), epochs=2)),
        "epochs": 60,
    },
    "until the last epoch": {"validation_split": 0.3, "early_stopping": 50, "optimizer": cr.Adam(0.1), "epochs": 25},
}


@pytest.fixture(autouse=True)
def _as_many_as_may_be(monkeypatch):
    """Blocks of as many epochs as they may have, whatever the clock says, in calls of three steps."""
    monkeypatch.setattr(BlockRunner, "epochs_at_once", lambda self, most: int(most))
    monkeypatch.setattr(Alone, "agreed", lambda self, number: min(number, 3))


def _trained(dropout=False, labels=False, interrupted=None, continue_from=None, **given):
    layers = [cr.Dense(6, "tanh"), *([cr.Dropout(0.3)] if dropout else []), cr.Dense(2 if labels else 1)]
    network = cr.Network(layers, seed=1)
    given = {"epochs": 200, "batch_size": 8, "progress": False, **given}
    if interrupted is not None:
        given["progress"] = _Interrupts(interrupted)
    network.fit(X, LABELS if labels else VALUES, continue_from=continue_from, **given)
    return network


class _Interrupts:
    def __init__(self, left):
        self.left = left

    def update(self, epochs, metrics):
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


def _numbers(network):
    """All that a training leaves, but for times."""
    run, history = network.run, network.history
    assert not any(
        isinstance(x, Moment) for x in (run.begun_with, *((run.best.parameters, run.best.before) if run.best else ()))
    )
    best = None if run.best is None else (run.best.epoch, run.best.parameters, run.best.before)
    columns = {name: history.column(name) for name in history if name != "seconds"}
    arrays = [network.parameters, run.parameters, run.optimizer_state, best, run.under_way, columns]
    facts = [history.stopped, history.best_epoch, history.epochs, run.steps, run.streams, run.plateau]
    return trees.flatten(arrays)[0], facts


def _assert_same(one, other):
    (arrays, facts), (others, other_facts) = _numbers(one), _numbers(other)
    assert facts == other_facts
    assert len(arrays) == len(others)
    assert all(np.array_equal(a, b) for a, b in zip(arrays, others, strict=True))


@pytest.fixture(scope="module", params=TRAININGS)
def kind(request):
    return request.param


def test_the_same_as_one_epoch_at_a_time(kind, monkeypatch):
    blocks, draw = [], BlockRunner.calls

    def calls(self, block, first):
        blocks.append(block.count)
        return draw(self, block, first)

    monkeypatch.setattr(BlockRunner, "calls", calls)
    together = _trained(**TRAININGS[kind])
    assert max(blocks) > 1
    assert sum(blocks) == together.history.epochs
    blocks.clear()
    apart = _trained(**TRAININGS[kind], callbacks=[lambda end: None])
    assert set(blocks) == {1}
    _assert_same(together, apart)


def test_some_best_epoch_is_within_a_block(monkeypatch):
    """Or the tests here would say nothing of parameters that are found by carrying steps out again."""
    seen, see = [], cr.training.between_epochs.watching.Watch.find

    def find(self, found):
        seen.append(self.best is not None and isinstance(self.best.parameters, Moment))
        see(self, found)

    monkeypatch.setattr(cr.training.between_epochs.watching.Watch, "find", find)
    _trained(**TRAININGS["validated"])
    _trained(**TRAININGS["on its own loss"])
    assert any(seen)


@pytest.mark.parametrize("updates", [1, 3, 4])
def test_one_that_was_interrupted_goes_on(kind, updates):
    given = TRAININGS[kind]
    begun = _trained(**given, interrupted=updates)
    assert begun.history.interrupted
    _numbers(begun)
    _assert_same(_trained(**given, continue_from=begun.run), _trained(**given))
