"""A run is data: going on from one is bit-identical to not having stopped, wherever it stopped and whatever is watched."""

from __future__ import annotations

import pickle
import sys
from contextlib import suppress
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule.errors import DivergedError, SettingError
from chainrule.training import OPTIMIZERS, Run
from chainrule.training.history import History
from chainrule.training.run import as_text
from making import exported, made, moons
from trying import ENGINES

X, Y = moons(30)
VALUES = np.c_[np.sin(X[:, 0]), X[:, 1] ** 2]
EPOCHS = 6

SCHEDULES: dict[str, Any] = {
    **{kind.__name__: made(kind) for kind in exported(cr.Schedule)},
    "Cosine": cr.Cosine(0.1, epochs=4),
    "WarmUp": cr.WarmUp(cr.OnPlateau(0.1, patience=1), epochs=2),
    "OnPlateau": cr.OnPlateau(0.3, factor=0.5, patience=1),
    "function": lambda epoch: 0.1 / (1 + epoch),
}

WATCHED: dict[str, dict[str, Any]] = {
    "validated": {"validation_split": 0.3, "early_stopping": 2, "optimizer": cr.Adam(0.2)},
    "not validated": {"early_stopping": cr.EarlyStopping(2, min_delta=0.01), "optimizer": cr.SGD(0.9)},
    "full batch": {"early_stopping": 1, "batch_size": None, "optimizer": cr.SGD(2.5)},
    "kept": {"early_stopping": cr.EarlyStopping(3, restore_best=False), "validation_data": (X[:9], Y[:9])},
    "upwards": {"early_stopping": cr.EarlyStopping(2, monitor="accuracy"), "optimizer": cr.SGD(1.0)},
    "weighted": {"sample_weight": np.linspace(0.1, 2, 30), "l2": 0.1, "clip_norm": 0.5},
    "in order": {"shuffle": False, "class_weight": "balanced"},
    "frozen": {"frozen": ["dense_0.weight"], "optimizer": cr.SGD(0.1, momentum=0.9)},
    "nudged": {"gradients": "numerical", "batch_size": 13},
    "in threads": {"threads": 2, "validation_split": 0.2},
}


def network(dtype: str = "float32") -> cr.Network:
    return cr.Network([cr.Dense(5, "relu"), cr.Dropout(0.3), cr.Dense(2)], seed=2, dtype=dtype)


def trained(net: cr.Network, **options: Any) -> cr.Network:
    """The network after a `fit`, with rows that the batches do not divide."""
    net.fit(X, Y, **{"epochs": EPOCHS, "batch_size": 8, "seed": 5, "progress": False, "engine": "numpy", **options})
    return net


def leaves(x: Any, path: str = "") -> dict[str, Any]:
    """Every number, text and array within something, by its path; times taken are left out."""
    if isinstance(x, History):
        inside = {name: x.column(name) for name in x if name != "seconds"}
        return leaves({"columns": inside, "stopped": x.stopped, "best": x.best_epoch, "passes": x.passes}, path)
    if is_dataclass(x):
        return leaves({field.name: getattr(x, field.name) for field in fields(x)}, path)
    if isinstance(x, dict):
        return {name: leaf for key, value in x.items() for name, leaf in leaves(value, f"{path}.{key}").items()}
    return {path: x}


def same(a: Any, b: Any) -> bool:
    """Whether two nested values are the same to the bit."""
    one, other = leaves(a), leaves(b)
    different = [
        n for n in {**one, **other} if not np.array_equal(one.get(n), other.get(n), equal_nan=_is_float(one[n]))
    ]
    assert not different
    return True


def _is_float(x: Any) -> bool:
    return isinstance(x, np.ndarray) and x.dtype.kind == "f"


def alike(a: cr.Network, b: cr.Network) -> bool:
    """Whether two networks, their histories and runs are the same to the bit."""
    return same(a.parameters, b.parameters) and same(a.history, b.history) and same(a.run, b.run)


def check_going_on(stops: Any = range(EPOCHS), dtype: str = "float32", **options: Any) -> None:
    """Train once without a stop; and for every epoch once with a stop there, going on in another network."""
    whole = trained(network(dtype), **options)
    assert whole.history is not None
    for stop in stops:
        if stop >= whole.history.epochs:
            continue
        first = trained(network(dtype), **options, callbacks=[lambda end: end.epoch == stop])  # noqa: B023
        kept = pickle.loads(pickle.dumps(first.run))
        again = trained(cr.Network(first.function, seed=7, dtype=dtype), **options, continue_from=kept)
        assert alike(again, whole), f"stopped after epoch {stop}"


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer(name: str, engine: str) -> None:
    check_going_on([2], engine=engine, optimizer=name)


@pytest.mark.parametrize("engine", ["numpy", "llvm"])
@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule(name: str, engine: str) -> None:
    check_going_on([1, 4], engine=engine, optimizer=cr.Adam(SCHEDULES[name]))


@pytest.mark.parametrize("engine", ["numpy", "llvm"])
@pytest.mark.parametrize("name", WATCHED)
def test_whatever_is_watched(name: str, engine: str) -> None:
    check_going_on([0, 1, 3, 4, 7] if name != "nudged" else [1], engine=engine, **{"epochs": 9, **WATCHED[name]})


@settings(max_examples=12)
@given(
    st.sampled_from(list(OPTIMIZERS)),
    st.sampled_from(list(SCHEDULES)),
    st.sampled_from(list(WATCHED)),
    st.integers(0, 5),
    st.sampled_from([1, 7, 30, None]),
    st.sampled_from(["float32", "float64"]),
)
def test_all_together(optimizer: str, schedule: str, watched: str, stop: int, batch: int | None, dtype: str) -> None:
    chosen = type(OPTIMIZERS[optimizer])(SCHEDULES[schedule])
    check_going_on([stop], dtype, **{**WATCHED[watched], "optimizer": chosen, "batch_size": batch})


@pytest.mark.parametrize("engine", ["numpy", "llvm"])
@pytest.mark.parametrize("seconds", [0.0, 1e-4, 10.0])
def test_many_epochs_in_one_call(engine: str, seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks are drawn ahead, and a run does not see it; `epochs` counts those of the run."""
    monkeypatch.setattr("chainrule.training.steps.blocks.BLOCK_SECONDS", seconds)
    net = network()
    for epochs in (1, 9, 9, 40):
        trained(net, epochs=epochs, engine=engine, continue_from=net.run)
    assert net.run is not None
    assert (net.run.epochs, net.run.steps) == (40, 160)
    assert alike(net, trained(network(), epochs=40, engine=engine))


def rises_within_epoch_1(epoch: Any) -> Any:
    """A rate whose last step of the second of two-step epochs spoils the weights."""
    return np.where(epoch < 1.4, 0.1, np.where(epoch < 2, 30.0, 1e-9))


INTERRUPTED: list[dict[str, Any]] = [
    {},
    {"early_stopping": 1, "optimizer": cr.SGD(0.9)},
    {"early_stopping": 2, "optimizer": cr.SGD(rises_within_epoch_1), "batch_size": 15},
    {"validation_split": 0.3},
]


@pytest.mark.parametrize("watched", INTERRUPTED, ids=["alone", "watched", "rising", "validated"])
@pytest.mark.parametrize("calls", range(1, 12, 3))
def test_after_an_interrupt_in_the_midst_of_an_epoch(
    calls: int, watched: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from chainrule.engines.loop import StepRunner

    whole = trained(network(), **watched)
    run, made_calls = StepRunner.run, []

    def interrupted(self: Any, *args: Any) -> Any:
        made_calls.append(1)
        if len(made_calls) == calls:
            raise KeyboardInterrupt
        return run(self, *args)

    monkeypatch.setattr("chainrule.training.steps.blocks.BLOCK_SECONDS", 0.0)
    with monkeypatch.context() as patch:
        patch.setattr(StepRunner, "run", interrupted)
        net = trained(network(), **watched)
    assert net.history is not None
    if len(made_calls) >= calls:
        assert net.history.interrupted
        assert net.run is not None
        assert net.run.steps == calls - 1
    assert alike(trained(net, **watched, continue_from=net.run), whole)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("place", ["Plateau.see", "Watch.see", "History.extend"])
def test_after_an_interrupt_while_an_epoch_is_noted(place: str, when: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What watches has seen every epoch of the history, and none of them twice."""
    from chainrule.training.between_epochs import watching

    watched: dict[str, Any] = {
        "early_stopping": cr.EarlyStopping(2, min_delta=0.01),
        "optimizer": cr.SGD(cr.OnPlateau(0.9, factor=0.5, patience=1)),
    }
    whole = trained(network(), **watched)
    kind, name = place.split(".")
    owner = History if kind == "History" else getattr(watching, kind)
    see, calls = getattr(owner, name), list[int]()

    def interrupted(*given: Any) -> None:
        calls.append(1)
        if len(calls) == 3 and when == "before":
            raise KeyboardInterrupt
        see(*given)
        if len(calls) == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, interrupted)
        net = trained(network(), **watched)
    assert net.history is not None
    assert net.history.interrupted
    assert alike(trained(net, **watched, continue_from=net.run), whole)


def test_after_an_interrupt_within_a_block_of_many_epochs(monkeypatch: pytest.MonkeyPatch) -> None:
    from chainrule.engines.loop import StepRunner

    whole, run = trained(network(), epochs=70), StepRunner.run

    def interrupted(self: Any, order: Any, first: int, count: int, scalars: Any) -> Any:
        if first > 17:
            raise KeyboardInterrupt
        return run(self, order, first, min(count, 7), scalars)

    def calls(self: Any, block: Any, first: int) -> Any:
        for begin in range(first, block.count * 4, 6):
            n = min(6, block.count * 4 - begin)
            scalars = [s[begin : begin + n] for s in block.scalars]
            yield Call(self.runner, block.order, begin, n, scalars)

    from chainrule.training.steps.blocks import BlockRunner, Call

    net = network()
    with monkeypatch.context() as patch:
        patch.setattr(StepRunner, "run", interrupted)
        patch.setattr(BlockRunner, "calls", calls)
        patch.setattr(BlockRunner, "knows_its_speed", True)
        patch.setattr(BlockRunner, "epochs_at_once", lambda self, most: 50)
        trained(net, epochs=70)
    assert net.run is not None
    assert (net.run.epochs, net.run.steps, len(net.run.under_way)) == (18 // 4, 18, 2)
    assert alike(trained(net, epochs=70, continue_from=net.run), whole)


def test_after_an_error_of_a_callback_what_was_done_is_kept() -> None:
    def broken(end: cr.EpochEnd) -> None:
        if end.epoch == 2:
            raise ZeroDivisionError

    net = network()
    with pytest.raises(ZeroDivisionError):
        trained(net, callbacks=[broken])
    assert net.history is not None
    assert net.history.epochs == 3
    assert same(net.parameters, trained(network(), epochs=3).parameters)
    assert alike(trained(net, continue_from=net.run), trained(network()))


def test_after_divergence_the_run_stands_before_the_step() -> None:
    net = cr.Network([cr.Dense(1)], dtype="float64")
    rate = lambda epoch: np.where(epoch < 2.3, 0.01, np.float64(1e300))  # noqa: E731
    with pytest.raises(DivergedError) as caught:
        net.fit(X, VALUES[:, :1], optimizer=cr.SGD(rate), batch_size=8, progress=False)
    assert net.run is not None
    assert (net.run.epochs, len(net.run.under_way)) == (caught.value.epoch, caught.value.batch)
    assert same(net.run.parameters, net.parameters)


class TestRun:
    def test_every_epoch_has_its_own_however_late_it_is_asked(self) -> None:
        ends: list[cr.EpochEnd] = []
        options: dict[str, Any] = {"validation_split": 0.3, "optimizer": cr.Adam(cr.OnPlateau(0.1, patience=1))}
        whole = trained(network(), **options, callbacks=[ends.append])
        for end in ends:
            assert end.run.epochs == end.epoch + 1
            assert same(end.run.parameters, end.parameters)
            assert same(end.run.optimizer_state, end.optimizer_state)
            assert alike(trained(network(), **options, continue_from=end.run), whole)

    def test_optimizer_state_in_callbacks(self) -> None:
        seen: list[cr.EpochEnd] = []
        net = cr.Network([cr.Dense(1, weight=0.0, bias=None)], dtype="float64")
        net.fit(
            np.ones((4, 1)), np.ones((4, 1)), loss=lambda a, t: np.sum(a, axis=-1), batch_size=None, epochs=3,
            optimizer=cr.SGD(1.0, momentum=0.5), callbacks=[seen.append], progress=False,
        )  # fmt: skip
        velocities = [float(end.optimizer_state["dense_0"]["weight"]["velocity"][0, 0]) for end in seen]
        assert velocities == [-1.0, -1.5, -1.75]  # v ← v/2 − 1

    def test_arrays_are_its_own(self) -> None:
        net = trained(network(), early_stopping=9, validation_split=0.3)
        kept, run = pickle.loads(pickle.dumps(net.run)), net.run
        for own in net.parameters.values():
            for array in own.values():
                array[...] = 99
        assert same(run, kept)
        trained(net, epochs=8, early_stopping=9, validation_split=0.3, continue_from=run)
        assert same(run, kept)

    def test_with_restored_weights_the_run_has_the_last(self) -> None:
        options: dict[str, Any] = {
            "validation_data": (X, Y),
            "early_stopping": 1,
            "optimizer": cr.SGD(9.0),
            "epochs": 50,
        }
        net = trained(network(), **options)
        assert net.history is not None
        assert net.run is not None
        assert net.run.best is not None
        assert net.history.stopped == "early stopping"
        assert not np.array_equal(net.run.parameters["dense_1"]["bias"], net.parameters["dense_1"]["bias"])
        assert same(net.run.best.parameters, net.parameters)
        epochs = net.history.epochs
        assert alike(trained(net, **options, continue_from=net.run), trained(network(), **options))
        assert net.history.epochs == epochs
        patient = trained(network(), **{**options, "early_stopping": 3})
        assert alike(trained(net, **{**options, "early_stopping": 3}, continue_from=net.run), patient)

    def test_nothing_is_left_to_do(self) -> None:
        net = trained(network())
        before = pickle.loads(pickle.dumps((net.parameters, net.history, net.run)))
        trained(net, continue_from=net.run)
        assert same(dict(enumerate(before)), {0: net.parameters, 1: net.history, 2: net.run})

    def test_is_said_shortly(self) -> None:
        assert repr(trained(network()).run) == "Run(6 epochs, 24 steps)"
        assert network().run is None


class TestRefused:
    OTHERS: tuple[tuple[dict[str, Any], str], ...] = (
        ({"seed": 6}, "seed was 5 and is 6"),
        ({"batch_size": 9}, "batch_size was 8 and is 9"),
        ({"shuffle": False}, "shuffle was True and is False"),
        ({"optimizer": "sgd"}, r"optimizer was Adam\(.*\) and is SGD\("),
        ({"optimizer": cr.Adam(0.5)}, r"optimizer was Adam\(learning_rate=0.001.*0.5"),
        ({"loss": "squared_error"}, "loss was"),
        ({"l2": 0.1}, "penalty was"),
        ({"clip_norm": 1.0}, "clipping was"),
        ({"gradients": "numerical"}, "gradients was chain rule and is numerical"),
        ({"frozen": ["dense_0"]}, "learned parameters was"),
        ({"early_stopping": 3}, "early_stopping was None"),
        ({"validation_split": 0.5}, "rows was 30 and is 15; validation rows was 0 and is 15"),
        ({"sample_weight": np.ones(30)}, "weighted was"),
        ({"epochs": 3}, "a run of 6 epochs together with epochs=3"),
    )

    @pytest.mark.parametrize(("other", "said"), OTHERS, ids=lambda x: str(x)[:30])
    def test_other_settings(self, other: dict[str, Any], said: str) -> None:
        net = trained(network())
        with pytest.raises(SettingError, match=f"continue_from was given a run.*{said}|{said}"):
            trained(net, continue_from=net.run, **other)

    def test_fewer_epochs_than_were_begun(self) -> None:
        """The parameters would be those of more steps than the history tells."""
        net = trained(network(), record=True)
        run = net.recording.at(2 * 4 + 1)
        with pytest.raises(SettingError, match=r"2 epochs and a part of the next .* epochs=2.* Give epochs=3"):
            trained(network(), epochs=2, continue_from=run)
        assert alike(trained(network(), epochs=3, continue_from=run), trained(network(), epochs=3))

    @pytest.mark.parametrize(
        ("layers", "dtype", "said"),
        [
            (
                [cr.Dense(6, "relu"), cr.Dropout(0.3), cr.Dense(2)],
                "float32",
                r"dense_0.weight is float32 of shape \(2, 5\)",
            ),
            ([cr.Dense(5, "relu"), cr.Dropout(0.3), cr.Dense(2)], "float64", "float32 .* there and float64"),
            ([cr.Dense(5, "relu"), cr.Dense(2, name="out")], "float32", "dense_1.weight is .* there and missing here"),
            ([cr.Dense(5, "relu"), cr.Dropout(0.4), cr.Dense(2)], "float32", "layers was .*0.3.* and is .*0.4"),
        ],
    )
    def test_another_network(self, layers: Any, dtype: str, said: str) -> None:
        with pytest.raises(SettingError, match=said):
            trained(cr.Network(layers, dtype=dtype), continue_from=trained(network()).run)

    def test_what_is_no_run(self) -> None:
        net = trained(network())
        for given_instead in (net.history, "last", 3):
            with pytest.raises(SettingError, match="give a run, such as network"):
                trained(net, continue_from=given_instead)


def test_the_network_is_current_in_callbacks(tmp_path: Any) -> None:
    net = network()
    measured: list[dict[str, float]] = []

    def look(end: cr.EpochEnd) -> None:
        net.save(tmp_path / f"{end.epoch}.safetensors")
        measured.append(net.evaluate(X[:9], Y[:9]))
        assert same(net.parameters, end.parameters)
        assert net.history is not None
        assert net.history.epochs == end.epoch + 1

    trained(net, validation_data=(X[:9], Y[:9]), callbacks=[look])
    assert net.history is not None
    assert [m["loss"] for m in measured] == pytest.approx(net.history["val_loss"], rel=1e-6)
    for epoch in range(EPOCHS):
        assert cr.load(tmp_path / f"{epoch}.safetensors").evaluate(X[:9], Y[:9]) == measured[epoch]
    net.parameters["dense_0"]["bias"][:] = 1  # afterwards they may be written to


def test_in_callbacks_parameters_cannot_be_written_to() -> None:
    net = network()

    def change(end: cr.EpochEnd) -> None:
        net.parameters["dense_0"]["bias"][:] = 1

    with pytest.raises(ValueError, match="read-only"):
        trained(net, callbacks=[change])


class TestRestoredWithoutValidation:
    def test_in_full_batches_they_are_those_that_had_the_best_loss(self) -> None:
        rate = lambda epoch: np.where(epoch < 5, 0.5, 200.0)  # noqa: E731
        net = cr.Network([cr.Dense(4, "tanh"), cr.Dense(2)], dtype="float64", seed=1)
        history = net.fit(
            X, VALUES, optimizer=cr.SGD(rate), batch_size=None, epochs=99, early_stopping=4, progress=False
        )
        assert history.stopped == "early stopping"
        assert history.best_epoch == int(np.argmin(history["loss"])) == 5
        assert net.evaluate(X, VALUES)["loss"] == pytest.approx(history["loss"][5], rel=1e-12)

    def losses(self, net: cr.Network, rate: Any, epochs: int, patience: int) -> tuple[Any, list[Any]]:
        ends: list[Any] = []
        history = net.fit(
            X, VALUES, optimizer=cr.SGD(rate), batch_size=15, epochs=epochs, early_stopping=patience, progress=False,
            callbacks=[lambda end: ends.append(end.parameters)],
        )  # fmt: skip
        return history, ends

    def test_of_several_steps_those_from_the_end_while_it_falls(self) -> None:
        net = cr.Network([cr.Dense(2)], dtype="float64")
        history, ends = self.losses(net, 0.05, epochs=7, patience=3)
        assert history.best_epoch == 6
        assert same(net.parameters, ends[6])

    def test_of_several_steps_those_from_the_beginning_where_it_rose_within(self) -> None:
        """The last step of epoch 3 leaves the good weights, which only the next epoch sees."""
        net = cr.Network([cr.Dense(2)], dtype="float64")
        rate = lambda epoch: np.where(epoch < 3.4, 0.1, np.where(epoch < 4, 1e3, 1e-9))  # noqa: E731
        history, ends = self.losses(net, rate, epochs=99, patience=3)
        assert history.best_epoch == 3
        assert same(net.parameters, ends[2])
        assert net.evaluate(X, VALUES)["loss"] < 2 * history["loss"][3]


class TestOldOptimizers:
    """Written when `initial_state` was called `slots`."""

    def test_of_ones_own(self) -> None:
        class Heavy(cr.Optimizer):
            def slots(self, parameter: Any) -> Any:
                return {"velocity": np.zeros_like(parameter)}

            def update(self, gradient: Any, parameter: Any, state: Any, learning_rate: Any, step: Any) -> Any:
                velocity = 0.9 * state["velocity"] - learning_rate * gradient
                return parameter + velocity, {"velocity": velocity}

        old, new = network(), network()
        trained(old, optimizer=Heavy(0.1))
        trained(new, optimizer=cr.SGD(0.1, momentum=0.9))
        assert same(old.parameters, new.parameters)

    def test_on_top_of_another(self) -> None:
        class Counted(cr.Adam):
            def slots(self, parameter: Any) -> Any:
                return {**super().slots(parameter), "norm": np.zeros_like(parameter)}

            def update(self, gradient: Any, parameter: Any, state: Any, learning_rate: Any, step: Any) -> Any:
                new, kept = super().update(gradient, parameter, state, learning_rate, step)
                return new, {**kept, "norm": state["norm"] + np.abs(gradient)}

        net = trained(network(), optimizer=Counted(0.001))
        assert net.run is not None
        assert set(net.run.optimizer_state["dense_0"]["bias"]) == {"mean", "mean_square", "norm"}
        assert same(net.parameters, trained(network(), optimizer=cr.Adam(0.001)).parameters)
        assert set(cr.Adam().slots(np.ones(2))) == {"mean", "mean_square"}


class TestHistory:
    def test_is_made_a_dict(self) -> None:
        history = trained(network()).history
        assert history is not None
        assert dict(history) == history.metrics
        assert all(isinstance(values, list) and len(values) == EPOCHS for values in dict(history).values())

    def test_an_epoch_takes_few_bytes(self) -> None:
        history = History()
        for epoch in range(20_000):
            history.extend({"loss": [epoch], "seconds": [0.0]})
        assert sum(column.nbytes for column in history._columns.values()) < 20_000 * 2 * 8 * 2.1
        assert history["loss"][-1] == 19_999

    def test_what_was_not_measured_is_nan(self) -> None:
        history = History()
        for metrics in ({"loss": [1.0]}, {"loss": [2.0] * 40, "late": [3.0] * 40}, {"loss": [4.0]}):
            history.extend(metrics)
        assert history["loss"] == [1.0, *[2.0] * 40, 4.0]
        np.testing.assert_array_equal(history["late"], [np.nan, *[3.0] * 40, np.nan])

    def test_copies_do_not_share_what_comes_later(self) -> None:
        history = History()
        history.extend({"loss": [1.0, 2.0]})
        kept = history.copy()
        history.extend({"loss": [3.0]})
        kept.extend({"loss": [4.0, 5.0]})
        assert (history["loss"], kept["loss"]) == ([1.0, 2.0, 3.0], [1.0, 2.0, 4.0, 5.0])
        assert history == pickle.loads(pickle.dumps(history)) != kept

    def test_a_plateau_takes_the_same_time_in_every_epoch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The whole history is looked at in no epoch."""
        monkeypatch.setattr(History, "__getitem__", None)
        trained(network(), optimizer=cr.SGD(cr.OnPlateau(0.1, patience=1)), epochs=30)


def test_an_interrupt_while_settings_are_written_leaves_no_mark() -> None:
    """A dataclass that is cut off while it writes itself is "..." in that thread from then on."""
    optimizer = cr.Adam(cr.Cosine(0.1, epochs=3))
    text, place, lines = as_text(optimizer), 0, 1

    def interrupts(frame: Any, event: str, _: Any) -> Any:
        nonlocal lines
        if frame.f_code.co_name == "wrapper" and event == "line":
            lines += 1
            if lines == place:
                raise KeyboardInterrupt
        return interrupts

    while lines >= place:
        place, lines = place + 1, 0
        tracer = sys.gettrace()
        sys.settrace(interrupts)
        with suppress(KeyboardInterrupt):
            repr(optimizer)
        sys.settrace(tracer)
    assert repr(optimizer) == "..."  # which is why as_text looks again
    assert as_text(optimizer) == text
    net = trained(network(), optimizer=optimizer, epochs=4)
    again = trained(net, optimizer=cr.Adam(cr.Cosine(0.1, epochs=3)), continue_from=net.run)
    assert alike(again, trained(network(), optimizer=optimizer))


def test_a_run_is_public() -> None:
    assert cr.Run is Run
