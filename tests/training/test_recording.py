"""A recording has every moment of a training: forwards, backwards and on other ways, to the bit."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
from test_continuing import SCHEDULES, VALUES, WATCHED, X, Y, alike, network, same, trained

import chainrule as cr
from chainrule.engines.loop import StepRunner
from chainrule.engines.states import ArrayState
from chainrule.errors import DivergedError, SettingError, UnknownNameError
from chainrule.training import OPTIMIZERS, Recording, Settings, keyframes
from chainrule.training.evaluation import means_of
from chainrule.training.recorded.replay import _stops
from trying import ENGINES

MIXTURES: dict[str, dict[str, Any]] = {
    "alone": {},
    "one row": {"batch_size": 1, "epochs": 2},
    "many epochs": {"epochs": 20},
    **WATCHED,
    **{f"{name} rate": {"optimizer": cr.Adam(SCHEDULES[name])} for name in ("Cosine", "OnPlateau", "WarmUp")},
}


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keyframes far apart, so that there are steps between them."""
    monkeypatch.setattr(keyframes, "MOST", 3)


def recorded(dtype: str = "float32", **options: Any) -> tuple[cr.Network, Recording, list[cr.Run]]:
    """A network after a recorded `fit`, its recording, and the runs of its epochs' ends as they were then."""
    runs: list[cr.Run] = []
    net = trained(network(dtype), **options, record=True, callbacks=[lambda end: runs.append(end.run)])
    assert net.recording is not None
    return net, net.recording, runs


def stripped(run: cr.Run) -> Any:
    """A run without how its history ended: an epoch's end does not know that it was the last."""
    history = run.history.until(run.epochs)
    return [
        run.parameters,
        run.optimizer_state,
        run.streams,
        run.under_way,
        run.steps,
        run.best,
        run.plateau,
        run.begun_with,
        history,
    ]


def equal(a: cr.Run, b: cr.Run) -> bool:
    return same(dict(enumerate(stripped(a))), dict(enumerate(stripped(b))))


def check_there_and_back(recording: Recording) -> None:
    """Forwards through all moments, back through all of them, and forwards again."""
    steps = range(recording.first, recording.steps + 1)
    forwards = [recording.at(k) for k in steps]
    assert all(same(recording.at(k), forwards[k - recording.first]) for k in reversed(steps))
    assert all(same(recording.at(k), forwards[k - recording.first]) for k in steps)
    other = pickle.loads(pickle.dumps(recording))
    assert all(same(other.at(k), forwards[k - recording.first]) for k in reversed(steps))


def check(dtype: str = "float32", **options: Any) -> None:
    """Recording changes nothing; its moments are those of the training; and each can be gone on from."""
    net, recording, runs = recorded(dtype, **options)
    whole = trained(network(dtype), **options)
    assert alike(net, whole)
    assert net.run is not None
    assert same(recording.at(recording.steps), net.run)
    for run in runs:
        assert equal(recording.at(recording.step_of_epoch(run.epochs)), run)
    check_there_and_back(recording)
    for step in {1, recording.steps // 2, recording.steps - 1}:
        assert alike(trained(network(dtype), **options, continue_from=recording.at(step)), whole)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer(name: str, engine: str) -> None:
    check("float64" if len(name) % 2 else "float32", optimizer=name, engine=engine, epochs=4)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", MIXTURES)
def test_whatever_is_watched(name: str, engine: str) -> None:
    check(**{"engine": engine, "epochs": 4, **MIXTURES[name]})


@pytest.mark.parametrize("options", [{}, {"validation_split": 0.3, "early_stopping": 2}], ids=str)
def test_with_many_keyframes(options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyframes, "MOST", 512)
    check(**options)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", ["alone", "validated", "full batch", "OnPlateau rate", "weighted", "nudged"])
def test_a_branch_with_the_same_settings_is_what_the_training_did(name: str, engine: str) -> None:
    _, recording, _ = recorded(**{"engine": engine, "epochs": 4, **MIXTURES[name]})
    before = [recording.at(k) for k in range(recording.steps + 1)]
    for begin in {0, 1, recording.steps // 2 + 1, recording.steps}:
        branch = recording.branch(begin)
        assert (branch.first, branch.steps, branch.epochs) == (begin, recording.steps, recording.epochs)
        for step in range(begin, recording.steps + 1):
            a, b = branch.at(step), recording.at(step)
            for part in ("parameters", "optimizer_state", "streams", "under_way", "steps", "plateau"):
                assert same({part: getattr(a, part)}, {part: getattr(b, part)})
            assert same(a.history.until(a.epochs), b.history.until(b.epochs))
        np.testing.assert_array_equal(branch.losses[begin:], recording.losses[begin:])
    assert all(same(recording.at(k), before[k]) for k in range(recording.steps + 1))


class TestBranch:
    @pytest.mark.parametrize(
        "other", [{"learning_rate": 0.5}, {"optimizer": "rmsprop"}, {"optimizer": "adam"}, {"l2": 0.3, "l1": 0.01}, {}]
    )
    def test_is_a_training_of_its_own_from_these_parameters(self, other: dict[str, Any]) -> None:
        """With all rows in a batch and an optimizer that keeps nothing there is nothing else to go on from."""
        net = cr.Network([cr.Dense(3, "tanh"), cr.Dense(2)], seed=1)
        trained(net, batch_size=None, epochs=6, optimizer=cr.SGD(0.1), record=True)
        assert net.recording is not None
        branch = net.recording.branch(2, **other, epochs=13)
        fresh = cr.Network(net.function)
        fresh.build(2).parameters = net.recording.at(2).parameters
        optimizer = other.get("optimizer", cr.SGD(other.get("learning_rate", 0.1)))
        penalties = {name: x for name, x in other.items() if name in ("l1", "l2")}
        trained(fresh, batch_size=None, epochs=13, optimizer=optimizer, **penalties, record=True)
        assert fresh.run is not None
        assert fresh.recording is not None
        for step in range(13, -1, -1):
            assert same(branch.at(2 + step).parameters, fresh.recording.at(step).parameters)
            assert same(branch.at(2 + step).optimizer_state, fresh.recording.at(step).optimizer_state)
        end = branch.at(15)
        assert same(end.parameters, fresh.parameters)
        assert same(end.optimizer_state, fresh.run.optimizer_state)
        assert end.history["loss"] == [*net.recording.history["loss"][:2], *fresh.run.history["loss"]]

    def test_keeps_the_state_of_an_optimizer_of_the_same_kind(self) -> None:
        _, recording, _ = recorded(optimizer=cr.Adam(0.01))
        own, kept = recording.at(9), recording.branch(9, learning_rate=0.1, steps=0).at(9)
        assert same(kept.optimizer_state, own.optimizer_state)
        assert kept.steps == own.steps
        anew = recording.branch(9, optimizer=cr.RMSprop(0.1), steps=0).at(9)
        assert anew.steps == 0
        assert set(anew.optimizer_state["dense_0"]["bias"]) != set(own.optimizer_state["dense_0"]["bias"])

    def test_keeps_no_state_that_does_not_fit(self) -> None:
        _, recording, _ = recorded(optimizer=cr.SGD(0.1))
        branch = recording.branch(9, optimizer=cr.SGD(0.1, momentum=0.9))
        assert same(branch.at(10).parameters, recording.at(10).parameters)  # the first step has no momentum yet
        assert not np.array_equal(
            branch.at(11).parameters["dense_1"]["bias"], recording.at(11).parameters["dense_1"]["bias"]
        )

    def test_with_another_plateau_begins_it_anew(self) -> None:
        _, recording, _ = recorded(optimizer=cr.SGD(SCHEDULES["OnPlateau"]), epochs=12)
        assert recording.history["learning_rate"][-1] < 0.3
        begin = recording.step_of_epoch(11)
        rates = [
            recording.branch(begin, **other).history["learning_rate"][-1]
            for other in (
                {},
                {"learning_rate": SCHEDULES["OnPlateau"]},
                {"learning_rate": cr.OnPlateau(0.2, patience=1)},
            )
        ]
        assert rates == [recording.history["learning_rate"][-1]] * 2 + [0.2]

    def test_ends_where_it_is_told_to(self) -> None:
        _, recording, _ = recorded()
        for options, end in (({"steps": 7}, 16), ({"epochs": 4}, 25), ({"steps": 0}, 9), ({}, 24)):
            branch = recording.branch(9, **options)
            assert (branch.first, branch.steps, len(branch.losses), branch.epochs) == (9, end, end, end // 4)
            check_there_and_back(branch)

    def test_with_another_seed_draws_other_rows(self) -> None:
        _, recording, _ = recorded()
        same_rows, other_rows = recording.branch(8), recording.branch(8, seed=77)
        assert [same_rows.batch(k).rows.tolist() for k in range(8, 24)] == [
            recording.batch(k).rows.tolist() for k in range(8, 24)
        ]
        assert [same_rows.batch(k).key for k in range(8, 24)] == [recording.batch(k).key for k in range(8, 24)]
        assert same_rows.batch(8).key != other_rows.batch(8).key
        assert any((other_rows.batch(k).rows != recording.batch(k).rows).any() for k in range(8, 11))
        check_there_and_back(other_rows)

    def test_ends_before_it_diverges(self) -> None:
        _, recording, _ = recorded(optimizer=cr.SGD(0.01), loss="squared_error")
        branch = recording.branch(3, learning_rate=1e30)
        assert branch.stopped == "diverged"
        assert 3 <= branch.steps < recording.steps
        assert np.isfinite(branch.losses[3:]).all()
        assert all(np.isfinite(own["bias"]).all() for own in branch.at(branch.steps).parameters.values() if own)

    def test_of_a_branch(self) -> None:
        _, recording, _ = recorded(optimizer=cr.SGD(0.1, momentum=0.9))
        twice = recording.branch(5, learning_rate=0.2, steps=9).branch(11, learning_rate=0.3, steps=6)
        assert (twice.first, twice.steps) == (11, 17)
        assert [twice.batch(k).learning_rate for k in (11, 16)] == [0.3, 0.3]
        check_there_and_back(twice)

    def test_is_refused(self) -> None:
        _, recording, _ = recorded()
        with pytest.raises(SettingError, match="both steps and epochs"):
            recording.branch(3, steps=1, epochs=1)
        with pytest.raises(SettingError, match="asked for step 25; give a whole number from 0 to 24"):
            recording.branch(25)
        with pytest.raises(SettingError, match="branch was given steps=-1"):
            recording.branch(3, steps=-1)


class TestBatch:
    def test_every_epoch_has_each_row_once(self) -> None:
        _, recording, _ = recorded(epochs=70)
        for epoch in (0, 1, 69, 35):
            taken = [
                recording.batch(k) for k in range(recording.step_of_epoch(epoch), recording.step_of_epoch(epoch + 1))
            ]
            assert [len(step.rows) for step in taken] == [8, 8, 8, 6]
            assert sorted(np.concatenate([step.rows for step in taken])) == list(range(30))

    @pytest.mark.parametrize("options", [{}, {"validation_split": 0.3}, {"sample_weight": np.linspace(0.1, 2, 30)}])
    def test_its_loss_is_the_one_measured(self, options: dict[str, Any]) -> None:
        """The loss of a moment's parameters on the rows of its step, by the objective itself."""
        net = cr.Network([cr.Dense(3, "tanh"), cr.Dense(2)], dtype="float64")
        trained(net, **options, l2=0.1, record=True)
        recording = net.recording
        assert recording is not None
        for step in range(recording.steps):
            rows = recording.batch(step).rows
            batch = recording.data.like([x[rows] for x in recording.data.arrays()])
            loss, accuracies = recording.rule.objective(recording.at(step).parameters, batch)
            assert recording.losses[step] == pytest.approx(float(loss), rel=1e-12)
            assert recording.metrics["accuracy"][step] == pytest.approx(float(accuracies[0]))
        means = [np.average(recording.losses[k : k + n], weights=[len(recording.batch(i).rows) for i in range(k, k + n)])
                 for n in [recording.steps_per_epoch] for k in range(0, recording.steps, n)]  # fmt: skip
        np.testing.assert_allclose(means, recording.history["loss"], rtol=1e-12)

    def test_learning_rates_are_those_of_the_schedule(self) -> None:
        _, recording, _ = recorded(optimizer=cr.SGD(cr.Cosine(0.1, epochs=6)))
        expected = cr.Cosine(0.1, epochs=6)(np.arange(24) / 4)
        np.testing.assert_array_equal([recording.batch(k).learning_rate for k in range(24)], expected)
        _, recording, _ = recorded(optimizer=cr.SGD(SCHEDULES["OnPlateau"]), epochs=9)
        ends = [recording.batch(recording.step_of_epoch(e + 1) - 1).learning_rate for e in range(9)]
        assert ends == recording.history["learning_rate"]
        assert len(set(ends)) > 1


class TestEnded:
    """However a training ends, its recording goes as far as it did."""

    @pytest.mark.parametrize("watched", [{}, {"validation_split": 0.3}, {"early_stopping": 2}], ids=str)
    @pytest.mark.parametrize("calls", [1, 2, 7, 10])
    def test_by_an_interrupt(self, calls: int, watched: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
        run, made = StepRunner.run, []

        def interrupted(self: Any, *args: Any) -> Any:
            made.append(1)
            if len(made) == calls:
                raise KeyboardInterrupt
            return run(self, *args)

        monkeypatch.setattr("chainrule.training.steps.blocks.BLOCK_SECONDS", 0.0)
        net = network()
        with monkeypatch.context() as patch:
            patch.setattr(StepRunner, "run", interrupted)
            trained(net, **watched, record=True)
        recording = net.recording
        assert recording is not None
        assert net.run is not None
        assert (recording.steps, recording.stopped) == (calls - 1, "interrupted")
        assert same(recording.at(recording.steps), net.run)
        whole = trained(network(), **watched, record=True).recording
        assert whole is not None
        assert all(equal(recording.at(k), whole.at(k)) for k in range(calls))
        np.testing.assert_array_equal(recording.losses, whole.losses[: calls - 1])

    @pytest.mark.parametrize("place", ["note", "ended", "_thin"])
    def test_by_an_interrupt_while_it_is_recorded(self, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
        own, made = getattr(keyframes.Keyframes, place), []

        def interrupted(self: Any, *args: Any) -> Any:
            made.append(1)
            if len(made) == 1:
                raise KeyboardInterrupt
            return own(self, *args)

        net = network()
        with monkeypatch.context() as patch:
            patch.setattr(keyframes.Keyframes, place, interrupted)
            try:
                trained(net, record=True, epochs=40)
            except KeyboardInterrupt:
                assert place == "ended"
        assert net.recording is not None
        assert net.run is not None
        assert same(net.recording.at(net.recording.steps), net.run)
        assert np.isfinite(net.recording.losses).all()

    def test_by_an_interrupt_while_it_is_validated(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """All steps of the epoch are taken then, and it is not in the history yet."""
        made: list[int] = []

        def interrupted(*given: Any) -> Any:
            made.append(1)
            if len(made) == 3:
                raise KeyboardInterrupt
            return means_of(*given)

        options: dict[str, Any] = {"validation_split": 0.3, "early_stopping": 9}
        net, whole = network(), trained(network(), **options)
        with monkeypatch.context() as patch:
            patch.setattr("chainrule.training.fit.means_of", interrupted)
            trained(net, **options, record=True)
        assert net.recording is not None
        assert net.run is not None
        assert (net.recording.steps, net.recording.epochs) == (9, 2)
        assert same(net.recording.at(9), net.run)
        for step in (9, 8, 6):
            assert alike(trained(network(), **options, continue_from=net.recording.at(step)), whole)

    @pytest.mark.parametrize("engine", ENGINES)
    def test_by_divergence(self, engine: str) -> None:
        net = cr.Network([cr.Dense(1)], dtype="float64")
        rate = lambda epoch: np.where(epoch < 2.3, 0.01, np.float64(1e300))  # noqa: E731
        with pytest.raises(DivergedError) as caught:
            net.fit(X, X[:, :1], optimizer=cr.SGD(rate), batch_size=8, record=True, engine=engine, progress=False)
        recording = net.recording
        assert recording is not None
        assert recording.stopped == "diverged"
        assert recording.steps == recording.step_of_epoch(caught.value.epoch) + caught.value.batch
        assert same(recording.at(recording.steps).parameters, net.parameters)
        assert np.isfinite(recording.losses).all()
        assert len(recording.batch(recording.steps).rows) in (8, 6)

    def test_by_a_callback_that_fails(self) -> None:
        def broken(end: cr.EpochEnd) -> None:
            if end.epoch == 2:
                raise ZeroDivisionError

        net = network()
        with pytest.raises(ZeroDivisionError):
            trained(net, callbacks=[broken], record=True)
        assert net.recording is not None
        assert net.recording.steps == 12

    def test_by_early_stopping(self) -> None:
        options: dict[str, Any] = {
            "validation_data": (X, Y),
            "early_stopping": 1,
            "optimizer": cr.SGD(9.0),
            "epochs": 50,
        }
        net, recording, _ = recorded(**options)
        assert recording.stopped == "early stopping"
        assert recording.history.best_epoch is not None
        assert same(recording.at(recording.step_of_epoch(recording.history.best_epoch + 1)).parameters, net.parameters)
        assert not same_parameters(recording.at(recording.steps), net)


def same_parameters(run: cr.Run, net: cr.Network) -> bool:
    return bool(np.array_equal(run.parameters["dense_1"]["bias"], net.parameters["dense_1"]["bias"]))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", ["alone", "validated", "not validated", "full batch", "OnPlateau rate", "upwards"])
def test_going_on_from_a_run_records_what_comes_then(name: str, engine: str) -> None:
    options = {"engine": engine, "epochs": 4, **MIXTURES[name]}
    _, whole, _ = recorded(**options)
    for step in {1, whole.steps // 2, whole.steps - 1}:
        net = trained(network(), **options, continue_from=whole.at(step), record=True)
        recording = net.recording
        assert recording is not None
        assert (recording.first, recording.steps) == (step, whole.steps)
        assert all(same(recording.at(k), whole.at(k)) for k in range(step, whole.steps + 1))
        np.testing.assert_array_equal(recording.losses[step:], whole.losses[step:])
        known = step - step % whole.steps_per_epoch  # what the run knew of the epoch under way
        assert np.isnan(recording.losses[:known]).all()
        with pytest.raises(SettingError, match=f"asked for step {step - 1}; give a whole number from {step}"):
            recording.at(step - 1)


class TestKept:
    def test_few_states_however_long_the_training(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What is kept is bounded, evenly spaced, and has the first and the last."""
        monkeypatch.setattr(keyframes, "MOST", 20)
        thin, thinned = keyframes.Keyframes._thin, []
        monkeypatch.setattr(keyframes.Keyframes, "_thin", lambda self: thinned.append(1) or thin(self))
        for epochs in (40, 400):
            _, recording, _ = recorded(epochs=epochs)
            frames = recording._keyframes
            assert len(frames) <= keyframes.MOST + 1
            assert (frames[0].step, frames[-1].step) == (0, 4 * epochs)
            gaps = np.diff([frame.step for frame in frames[:-1]])
            assert gaps.size == 0 or gaps.max() <= max(4 * np.median(gaps), 4 * epochs * 4 / keyframes.MOST)
        assert len(thinned) <= 20  # with every time the way is twice as long

    def test_no_more_megabytes_than_given(self) -> None:
        X = np.ones((8, 100), np.float32)
        net = cr.Network([cr.Dense(400, "tanh"), cr.Dense(100)])  # with Adam's means almost a megabyte
        net.fit(X, X, epochs=30, batch_size=4, record=3, progress=False, engine="numpy")
        assert net.recording is not None
        size = net.recording._keyframes[0].bytes
        assert size == 3 * sum(x.nbytes for own in net.parameters.values() for x in own.values())
        assert len(net.recording._keyframes) * size <= 3 * 2**20 + size
        assert same(net.recording.at(17), net.recording.at(17))

    def test_a_keyframe_is_the_state_itself(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A runner is asked for its state once after every call, recorded or not; no array is copied for a keyframe."""
        monkeypatch.setattr("chainrule.training.steps.blocks.BLOCK_SECONDS", 0.0)
        given: list[ArrayState] = []

        class Watched(StepRunner):
            @property
            def state(self) -> ArrayState:
                given.append(super().state)
                return given[-1]

        monkeypatch.setattr("chainrule.engines.numpy_engine.StepRunner", Watched)
        counts = []
        for record in (False, True):
            given.clear()
            net = trained(network(), record=record)
            counts.append(len(given))
        assert counts == [24, 24]
        assert net.recording is not None
        ids = {id(x) for state in given for x in state}
        assert all(
            id(x) in ids
            for frame in net.recording._keyframes[1:]
            for own in frame.learned.values()
            for x in own.values()
        )

    @pytest.mark.parametrize("room", [30, 1024])
    def test_a_step_back_is_little_work(self, room: int, monkeypatch: pytest.MonkeyPatch) -> None:
        """Going back through all of a training carries out each of its steps a few times, and not the way to each."""
        monkeypatch.setattr("chainrule.training.recorded.replay.CACHED", room)
        _, recording, _ = recorded(epochs=50)
        run, taken = StepRunner.run, []

        def counted(self: Any, order: Any, first: int, count: int, scalars: Any) -> Any:
            taken.append(count)
            return run(self, order, first, count, scalars)

        monkeypatch.setattr(StepRunner, "run", counted)
        for step in range(recording.steps, -1, -1):
            recording.at(step)
        assert recording.steps < sum(taken) <= 5 * recording.steps
        assert len(recording.replay._known) <= room
        taken.clear()
        for step in [100, 101, 100, 99, 100] * 10:
            recording.at(step)
        assert sum(taken) <= 100

    def test_arrays_are_the_callers_own(self) -> None:
        net, recording, _ = recorded(early_stopping=9, optimizer=cr.SGD(0.5, momentum=0.5))
        kept = [pickle.loads(pickle.dumps(recording.at(k))) for k in (0, 7, 24)]
        for run in [recording.at(k) for k in (0, 7, 24)]:
            best = run.best.parameters if run.best is not None and run.best.parameters else {}
            for tree in (run.parameters, run.begun_with or {}, best, net.parameters):
                for own in tree.values():
                    for array in own.values():
                        array[...] = 99
            run.under_way[...] = 99
        assert all(same(recording.at(k), old) for k, old in zip((0, 7, 24), kept, strict=True))
        with pytest.raises(ValueError, match="read-only"):
            recording.losses[0] = 1
        with pytest.raises(ValueError, match="read-only"):
            recording.data.inputs[0][0] = 1

    def test_data_are_a_copy(self) -> None:
        data = X.copy()
        net = network()
        net.fit(data, Y, epochs=4, batch_size=8, record=True, progress=False)
        data[...] = 99
        assert net.recording is not None
        assert net.run is not None
        assert same(net.recording.branch(3).at(16).parameters, net.run.parameters)

    def test_with_the_network(self) -> None:
        net, recording, _ = recorded()
        assert recording is net.recording
        for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
            assert same(other.recording.at(13), recording.at(13))
        trained(net, epochs=1)
        assert net.recording is None
        assert network().recording is None

    def test_rows_on_disk(self, tmp_path: Any) -> None:
        path = tmp_path / "rows"
        np.ascontiguousarray(X, np.float32).tofile(path)
        rows = np.memmap(path, np.float32, "r", shape=X.shape)
        net = network()
        net.fit(rows, Y, epochs=3, batch_size=8, record=True, progress=False)
        assert net.recording is not None
        assert net.run is not None
        assert same(net.recording.at(12), net.run)
        assert same(net.recording.branch(5).at(12).parameters, net.run.parameters)


def two_paths(a: Any, b: Any) -> Any:
    """A network that is no row of layers, on two inputs."""
    return SECOND(np.sin(FIRST(a)) * FIRST(b))


FIRST, SECOND = cr.Dense(3, name="first"), cr.Dense(1, "tanh", name="second")


@pytest.mark.parametrize("engine", ENGINES)
def test_networks_and_losses_of_ones_own(engine: str) -> None:
    net = cr.Network(two_paths, dtype="float64")
    net.fit(
        (X, X[:, ::-1]), VALUES[:, :1], loss=lambda output, target: np.mean((output - target) ** 4, axis=-1), epochs=3,
        batch_size=7, record=True, progress=False, engine=engine,
    )  # fmt: skip
    recording = net.recording
    assert recording is not None
    assert net.run is not None
    forwards = [recording.at(k) for k in range(recording.steps + 1)]
    assert all(same(recording.at(k), forwards[k]) for k in reversed(range(recording.steps + 1)))
    assert same(forwards[-1], net.run)
    assert same(recording.branch(4).at(recording.steps).parameters, net.run.parameters)


class TestFind:
    def test_the_loss_rose(self) -> None:
        net = cr.Network([cr.Dense(1, weight=0.0, bias=None)], dtype="float64")
        rate = lambda epoch: np.where((epoch == 4) | (epoch == 7), 3.0, 0.1)  # noqa: E731
        net.fit(X[:, :1], 2 * X[:, :1], optimizer=cr.SGD(rate), epochs=12, batch_size=None, record=True, progress=False)
        recording = net.recording
        assert recording is not None
        rises = np.flatnonzero(np.diff(recording.losses) > 0) + 1
        assert rises.tolist() == [5, 8]  # the moments after these steps
        found = [recording.find("loss rose", after=k) for k in (0, 4, 5, 8)]
        assert [event and event.step for event in found] == [5, 5, 8, None]
        back = [recording.find("loss rose", before=k) for k in (13, 8, 5)]
        assert [event and event.step for event in back] == [8, 5, None]
        assert found[0] is not None
        assert found[0].what.startswith("the loss rose from ")

    @pytest.mark.parametrize("batch_size", [None, 7])
    def test_a_unit_died(self, batch_size: int | None) -> None:
        """A large step with one bias makes one rectifier 0 for all rows, at a step that is known."""
        net = cr.Network(
            [cr.Dense(3, "relu", bias=1.0, name="hidden"), cr.Dense(1, weight=1.0)], dtype="float64", seed=3
        )
        rate = lambda epoch: np.where((epoch >= 2) & (epoch < 2.1), 30.0, 1e-3)  # noqa: E731
        X = np.random.default_rng(0).uniform(-1, 1, (20, 2))
        net.fit(
            X, -np.ones((20, 1)), optimizer=cr.SGD(rate), epochs=5, batch_size=batch_size, record=True, progress=False
        )
        recording = net.recording
        assert recording is not None
        event = recording.find("unit died")
        assert event is not None
        assert event.step == recording.step_of_epoch(2) + 1
        assert event.what in ("unit 0 of hidden died", "unit 0 of hidden and 2 more died")
        for step, dead in ((event.step - 1, False), (event.step, True)):
            other = cr.Network(net.function, dtype="float64", parameters=None).build(2)
            other.parameters = recording.at(step).parameters
            assert bool((other.forward(X)["hidden"].a[:, 0] == 0).all()) is dead
        assert recording.find("unit died", after=event.step) is None
        assert recording.find("unit died", before=event.step) is None
        assert recording.find("unit died", before=recording.steps) == event

    def test_of_many_epochs_some_are_looked_at(self, monkeypatch: pytest.MonkeyPatch) -> None:
        net = cr.Network([cr.Dense(2, "relu", bias=1.0), cr.Dense(1, weight=1.0)], dtype="float64", seed=3)
        rate = lambda epoch: np.where(epoch == 1234, 30.0, 1e-5)  # noqa: E731
        net.fit(X, -np.ones((30, 1)), optimizer=cr.SGD(rate), epochs=3000, batch_size=None, record=True, progress=False)
        assert net.recording is not None
        looked: list[int] = []
        at = Recording.at
        monkeypatch.setattr(Recording, "at", lambda self, step: looked.append(step) or at(self, step))
        event = net.recording.find("unit died")
        assert event is not None
        assert len(looked) < 100

        def is_dead(step: int) -> bool:
            net.parameters = net.recording.at(step).parameters  # type: ignore[union-attr]
            return bool((net.forward(X)["dense_0"].a == 0).all(axis=0).any())

        assert event.step == next(step for step in range(1220, 1250) if is_dead(step))

    def test_units_at_rest_are_not_dead(self) -> None:
        """All tanh's are 0 with weights of 0, and their derivatives 1."""
        net = cr.Network([cr.Dense(3, "tanh", weight=0.0), cr.Dense(1)], dtype="float64")
        net.fit(X, X[:, :1], epochs=2, record=True, progress=False)
        assert net.recording is not None
        assert net.recording.find("unit died") is None

    def test_is_refused(self) -> None:
        _, recording, _ = recorded(epochs=1)
        with pytest.raises(UnknownNameError, match="unit died"):
            recording.find("unit dies")
        with pytest.raises(SettingError, match="give after less than before"):
            recording.find("loss rose", after=3, before=3)
        with pytest.raises(SettingError, match="find was given after=-1"):
            recording.find("loss rose", after=-1)


class TestSaid:
    def test_shortly(self) -> None:
        assert repr(recorded()[1]) == "Recording(6 epochs, 24 steps, finished)"

    @pytest.mark.parametrize("given", [-1, 1.5, "yes"])
    def test_how_much_is_to_be_kept(self, given: Any) -> None:
        with pytest.raises(SettingError, match="fit was given record="):
            trained(network(), record=given)

    def test_orders_of_a_function_are_not_recorded(self) -> None:
        with pytest.raises(SettingError, match="record together with orders of rows from a function"):
            Settings(record=True, shuffle=lambda epochs: np.zeros((epochs, 3)))

    @pytest.mark.parametrize("step", [-1, 25, 2.0, True, "3"])
    def test_no_such_step(self, step: Any) -> None:
        with pytest.raises(SettingError, match="give a whole number from 0 to 24"):
            recorded()[1].at(step)


@pytest.mark.parametrize("room", [8, 9, 100, 1024])
@pytest.mark.parametrize("length", [1, 2, 3, 10, 1000, 100_001])
def test_on_the_way_to_a_moment_few_are_kept(length: int, room: int) -> None:
    stops = _stops(5, 5 + length, room)
    assert stops == sorted(set(stops))
    assert stops[-1] == 5 + length
    assert stops[0] > 5
    assert len(stops) <= min(room + 1, 2 * length**0.5 + 3)
