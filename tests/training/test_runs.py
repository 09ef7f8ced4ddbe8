"""Runs put together from their parts: rules that stop them, orders of one's own, going on, batches filled up."""

import tracemalloc
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import ShapeError
from chainrule.network.fitting import assemble, carry_out
from chainrule.network.meaning import learn_meanings
from chainrule.training import Batch, Objective, Penalty, Settings, fit
from chainrule.training.data import ChosenRows, filled_up
from chainrule.training.steps.full_batch import FullBatchObjective
from trying import ENGINES

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(50, 3))
Y = np.stack([X[:, 0] * X[:, 1], np.sin(X[:, 2])], axis=1)


def network(**given: Any) -> cr.Network:
    return cr.Network([cr.Dense(4, "tanh"), cr.Dense(2)], dtype="float64", **given).build(3)


def run(net: cr.Network, *, begin: Any = None, **settings: Any) -> Any:
    """One run over the data; gives it with its history."""
    meanings, data = learn_meanings(net.model, [], "squared_error", [X], Y, np.dtype("float64"))
    given = Settings(**({"epochs": 30, "batch_size": 8, "progress": False, "engine": "numpy"} | settings))
    training = assemble(net, meanings, data, given, "adam", Penalty(), begin=begin)
    carry_out(net, training)
    return training


class After:
    """Ends training at one epoch, and knows so many epochs ahead that it will not be the next."""

    def __init__(self, last: int, ahead: int) -> None:
        self.last, self._ahead, self.seen = last, ahead, list[tuple[int, float]]()

    @property
    def ahead(self) -> float:
        return max(1, min(self._ahead, self.last + 1 - len(self.seen)))

    def __call__(self, epoch: int, metrics: Any) -> str | None:
        self.seen.append((epoch, metrics["loss"]))
        return "enough" if epoch == self.last else None


@pytest.mark.parametrize("ahead", [1, 3, 100])
@pytest.mark.parametrize("engine", ENGINES)
def test_a_rule_stops_where_it_says_however_far_it_sees(ahead: int, engine: str) -> None:
    net, rule = network(), After(12, ahead)
    history = run(net, stop=rule, engine=engine).history
    assert (history.stopped, history.epochs) == ("enough", 13)
    assert rule.seen == list(enumerate(history["loss"]))
    plain = network()
    run(plain, epochs=13, engine=engine)
    for name in ("dense_0", "dense_1"):
        np.testing.assert_array_equal(net.parameters[name]["weight"], plain.parameters[name]["weight"])


def test_orders_of_ones_own() -> None:
    asked: list[int] = []

    def backwards(epochs: int) -> Any:
        asked.append(epochs)
        return np.tile(np.arange(50)[::-1], (epochs, 1))

    one, other = network(), network()
    run(one, shuffle=backwards)
    assert sum(asked) == 30
    run_backwards = Batch((X[::-1].copy(),), (Y[::-1].copy(),), (None,))
    meanings, _ = learn_meanings(other.model, [], "squared_error", [X], Y, np.dtype("float64"))
    settings = Settings(epochs=30, batch_size=8, progress=False, engine="numpy", shuffle=False)
    carry_out(other, assemble(other, meanings, run_backwards, settings, "adam", Penalty()))
    np.testing.assert_allclose(one.parameters["dense_0"]["weight"], other.parameters["dense_0"]["weight"], rtol=1e-12)
    with pytest.raises(ShapeError, match="it must give shape"):
        run(network(), shuffle=lambda epochs: np.zeros((epochs, 3), int))


def test_an_optimizer_goes_on_where_it_was() -> None:
    whole, parts = network(), network()
    run(whole, epochs=9, shuffle=False)
    progress = None
    for epochs in (4, 1, 4):
        progress = run(parts, epochs=epochs, shuffle=False, begin=progress).now().progress
    assert progress.steps == 9 * 7
    np.testing.assert_array_equal(whole.parameters["dense_0"]["weight"], parts.parameters["dense_0"]["weight"])
    forgetful = network()
    for epochs in (4, 1, 4):
        run(forgetful, epochs=epochs, shuffle=False)
    assert (forgetful.parameters["dense_0"]["weight"] != whole.parameters["dense_0"]["weight"]).any()


@pytest.mark.parametrize(("rows", "filled"), [(47, 48), (50, 50), (48, 48), (9, 9), (15, 16)])
def test_the_last_batch_is_filled_up_where_that_is_little(rows: int, filled: int) -> None:
    data = Batch((X[:rows],), (Y[:rows],), (None,))
    found = filled_up(data, 8)
    assert len(found.inputs[0]) == filled
    if filled > rows:
        assert found.counts is not None
        np.testing.assert_array_equal(found.counts, np.arange(filled) < rows)


@pytest.mark.parametrize("first", [cr.Dense(3), cr.Standardise()])
@pytest.mark.parametrize("given", [{"batch_size": 8}, {"batch_size": 7}, {"batch_size": None, "validation_split": 0.2}])
def test_chosen_rows_are_learned_from_as_an_array_of_them(first: Any, given: dict[str, Any]) -> None:
    """Also where the array that they are chosen from is written to meanwhile."""
    rows, changing = RANDOM.permutation(50)[:31], X.copy()
    nets = [cr.Network([first, cr.Dense(2)], dtype="float64") for _ in range(2)]
    parts: list[tuple[Any, Any]] = [(X[rows], None), (ChosenRows(changing, rows), lambda end: changing.fill(0.0))]
    for net, (part, callback) in zip(nets, parts, strict=True):
        net.fit(part, Y[rows], epochs=4, progress=False, callbacks=[callback] if callback else [], **given)
    for name, own in nets[0].parameters.items():
        for key, value in own.items():
            np.testing.assert_array_equal(value, nets[1].parameters[name][key])


@pytest.mark.parametrize("count", [4096, 4001])
def test_of_chosen_rows_a_training_has_the_one_copy(count: int) -> None:
    data = Batch((ChosenRows(np.ones((5000, 64)), np.arange(count)),), (np.ones((count, 2)),), (None,))
    net = cr.Network([cr.Dense(2)], dtype="float64").build(64)
    meanings, _ = learn_meanings(net.model, [], "squared_error", [X], Y, np.dtype("float64"))
    tracemalloc.start()
    assemble(net, meanings, data, Settings(epochs=1, batch_size=8, progress=False, engine="numpy"), "adam", Penalty())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1.5 * data.inputs[0].nbytes


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("engine", ENGINES)
def test_filling_up_changes_nothing(weighted: bool, engine: str) -> None:
    """A layer of the user's own keeps a run from being filled up: the same network in another guise."""

    class Plain(cr.Dense):
        pass

    weights = RANDOM.uniform(0.1, 2.0, 50) if weighted else None
    given: dict[str, Any] = {
        "epochs": 20,
        "batch_size": 8,
        "l2": 0.1,
        "progress": False,
        "sample_weight": weights,
        "engine": engine,
    }
    one = network()
    other = cr.Network([Plain(4, "tanh", name="dense_0"), Plain(2, name="dense_1")], dtype="float64").build(3)
    losses = [net.fit(X, Y, **given)["loss"] for net in (one, other)]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-12)


def test_a_shared_penalty_is_divided_among_rows() -> None:
    net = network()
    squares = sum(float(np.sum(own["weight"] ** 2)) for own in net.parameters.values())
    meanings, data = learn_meanings(net.model, [], "squared_error", [X], Y, np.dtype("float64"))
    heads = (meanings[0].head,)

    def penalty(batch: Batch) -> float:
        penalties = (Penalty(l2=3.0, shared=True), Penalty())
        with_it, without = (Objective(net.model, heads, p)(net.parameters, batch)[0] for p in penalties)
        return float(with_it - without)

    assert penalty(data) == pytest.approx(3.0 / 2 * squares / 50)
    weights = RANDOM.uniform(size=50)
    assert penalty(Batch(data.inputs, data.targets, data.class_indices, counts=weights)) == pytest.approx(
        1.5 * squares / weights.sum()
    )
    assert penalty(Batch(data.inputs, data.targets, data.class_indices, counts=np.zeros(50))) == 0.0


def test_strengths_and_rates_are_no_part_of_what_is_compiled() -> None:
    from chainrule.training.steps.loops import _loops

    _loops.clear()
    for strength, rate in ((0.1, 1e-3), (0.2, 1e-3), (0.3, 0.1)):
        network().fit(X, Y, l2=strength, optimizer=cr.Adam(rate), epochs=1, progress=False, engine="numpy")
    assert len(_loops._things) == 1


@pytest.mark.parametrize("engine", ENGINES)
def test_the_whole_objective_and_its_gradient(engine: str) -> None:
    net = network()
    meanings, data = learn_meanings(
        net.model, [], "squared_error", [X], Y, np.dtype("float64"), RANDOM.uniform(size=50)
    )
    objective = Objective(net.model, (meanings[0].head,), Penalty(l1=0.01, l2=0.1, shared=True))
    whole = FullBatchObjective(objective, net.parameters, data, engine)
    value, gradient = whole(whole.start)
    assert value == pytest.approx(float(objective(net.parameters, data)[0]))
    direction = RANDOM.normal(size=whole.start.shape)
    up, down = (whole(whole.start + h * direction)[0] for h in (1e-6, -1e-6))
    assert (up - down) / 2e-6 == pytest.approx(float(gradient @ direction), rel=1e-6)
    for name, own in whole.parameters(whole.start).items():
        np.testing.assert_array_equal(own["weight"], net.parameters[name]["weight"])


@pytest.mark.parametrize("place", ["extend", "means"])
@pytest.mark.parametrize("batch_size", [None, 8])
def test_an_interrupt_while_epochs_are_noted_loses_none(
    place: str, batch_size: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The history has every epoch that the weights have, and the rest of the training gives the bits of a whole one."""
    whole, net = network(), network()
    options = {"loss": "squared_error", "epochs": 400, "batch_size": batch_size, "progress": False, "engine": "llvm"}
    whole.fit(X, Y, **options)
    owner = cr.History if place == "extend" else fit
    noted, calls = getattr(owner, place), 0

    def interrupted(*given: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise KeyboardInterrupt
        return noted(*given, **named)

    monkeypatch.setattr(owner, place, interrupted)
    if batch_size is None:  # or a fast machine has all of them in two blocks
        monkeypatch.setattr("chainrule.training.steps.blocks.BLOCK_SECONDS", 1e-5)
    history = net.fit(X, Y, **options)
    monkeypatch.undo()
    assert history.interrupted
    assert 0 < history.epochs <= 400
    assert net.run.steps == history.epochs * (1 if batch_size is None else 7) + len(net.run.under_way)
    assert history["loss"] == whole.history["loss"][: history.epochs]
    assert net.fit(X, Y, **options, continue_from=net.run)["loss"] == whole.history["loss"]
    for name, own in whole.parameters.items():
        np.testing.assert_array_equal(net.parameters[name]["weight"], own["weight"])
