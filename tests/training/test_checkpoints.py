"""Checkpoints: what is kept of a training on its way, when, what becomes of it where files fail, and going on from it."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chainrule as cr
from chainrule.errors import (
    DivergedError,
    MissingFileError,
    ModelFileError,
    NotBuiltError,
    OtherFormatError,
    SettingError,
)
from chainrule.network.files import checkpoints, storage, writing
from chainrule.network.files.checkpoints import newest
from chainrule.training import OPTIMIZERS, Every
from chainrule.training.between_epochs import watching as watching_module
from chainrule.training.between_epochs.checkpoints import Checkpoints, as_typed
from chainrule.training.keyframes import Keyframes
from killing import Noted
from training.test_continuing import EPOCHS, SCHEDULES, WATCHED, X, Y, alike, network, same, trained
from trying import ENGINES, examples
from waiting import LONG

NAMES = ["run.ckpt", "run.ckpt.1", "run.ckpt.2"]


class StoppedError(Exception):
    """What ends a training from outside."""


def stopping(epoch: int, error: type[BaseException] = StoppedError) -> Any:
    """A callback that ends the first training it is given so, when an epoch has ended."""
    errors = [error]

    def stop(end: Any) -> None:
        if end.epoch == epoch and errors:
            raise errors.pop()

    return stop


def stopped(path: Path, epoch: int = 3, **options: Any) -> Any:
    """A training of six epochs that is kept and ends after one; gives its callback, which lets the next go through."""
    callback = stopping(epoch)
    with pytest.raises(StoppedError):
        trained(network(), **{"checkpoint": path, "every": 1, "callbacks": [callback], **options})
    return callback


def names(folder: Path) -> list[str]:
    """The files of a folder, but for the lock that is there while a training is."""
    return sorted(file.name for file in folder.iterdir() if file.suffix != ".lock")


# --- going on


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer(name: str, engine: str, tmp_path: Path) -> None:
    given = {"optimizer": name, "engine": engine}
    callback = stopped(tmp_path / "run.ckpt", **given)
    assert alike(cr.resume(tmp_path / "run.ckpt", X, Y, callbacks=[callback]), trained(network(), **given))


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule(name: str, tmp_path: Path) -> None:
    given = {"optimizer": cr.Adam(SCHEDULES[name])}
    callback = stopped(tmp_path / "run.ckpt", **given)
    custom = {"<lambda>": SCHEDULES[name]} if name == "function" else {}
    again = cr.resume(tmp_path / "run.ckpt", X, Y, callbacks=[callback], custom=custom)
    assert alike(again, trained(network(), **given))


@pytest.mark.parametrize("name", WATCHED)
def test_whatever_is_watched(name: str, tmp_path: Path) -> None:
    given = WATCHED[name]
    callback = stopped(tmp_path / "run.ckpt", 1, **given)
    data = {key: given[key] for key in ("validation_data", "sample_weight") if key in given}
    again = cr.resume(tmp_path / "run.ckpt", X, Y, callbacks=[callback], **data)
    assert alike(again, trained(network(), **given))


def test_it_may_be_stopped_again_and_again(tmp_path: Path) -> None:
    whole, path = trained(network()), tmp_path / "run.ckpt"
    stopped(path, 0)
    for epoch in range(1, EPOCHS):
        with pytest.raises(StoppedError):
            cr.resume(path, X, Y, callbacks=[stopping(epoch)])
    for _ in range(2):  # the second one finds all done
        assert alike(cr.resume(path, X, Y, callbacks=[stopping(99)]), whole)
    assert names(tmp_path) == NAMES


def test_more_epochs_on_another_engine_with_other_threads(tmp_path: Path) -> None:
    callback = stopped(tmp_path / "run.ckpt")
    again = cr.resume(tmp_path / "run.ckpt", X, Y, callbacks=[callback], epochs=9, engine="llvm", threads=2)
    assert again.history is not None
    assert again.history.epochs == 9
    whole = trained(network(), epochs=9)
    np.testing.assert_allclose(again.history["loss"], whole.history["loss"], rtol=1e-4)
    assert again.history["loss"][:3] == whole.history["loss"][:3]


def test_what_a_callback_has_seen_goes_with_it(tmp_path: Path) -> None:
    path, whole = tmp_path / "run.ckpt", Noted()
    trained(network(), callbacks=[whole])
    for error in (StoppedError, KeyboardInterrupt):
        path, first, last = tmp_path / f"{error.__name__}.ckpt", Noted(), Noted()
        stop = stopping(3, error)
        with suppress(StoppedError):
            trained(network(), callbacks=[first, stop], checkpoint=path, every=100)
        assert len(first.seen) == 4  # and the second one was not told of the fourth epoch
        cr.resume(path, X, Y, callbacks=[last, stop])
        assert last.seen == whole.seen


@pytest.mark.parametrize("place", ["Keyframes.note", "Checkpoints.hold", "Checkpoints.note"])
def test_an_interrupt_just_before_or_after_the_callbacks_are_told(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was learned until then is kept, however long ago the last moment was written."""
    whole, path, first, last = Noted(), tmp_path / "run.ckpt", Noted(), Noted()
    trained(network(), callbacks=[whole])
    of, name = {each.__name__: each for each in (Checkpoints, Keyframes)}[place.split(".")[0]], place.split(".")[1]
    own, calls = getattr(of, name), list[int]()

    def interrupted(self: Any, *given: Any) -> None:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        own(self, *given)

    with monkeypatch.context() as patch:
        patch.setattr(of, name, interrupted)
        patch.setattr("chainrule.training.steps.blocks.BLOCK_SECONDS", 10.0)
        trained(network(), callbacks=[first], checkpoint=path, every="1h", record=True)
    kept = cr.load(path).run
    assert kept is not None
    assert kept.steps >= 8  # of two epochs
    cr.resume(path, X, Y, callbacks=[last])
    assert last.seen == whole.seen


@pytest.mark.parametrize("watching", ["Watch", "Plateau"])
@pytest.mark.parametrize("times", [1, 2, 3, 4])
@pytest.mark.parametrize("epoch", range(1, EPOCHS + 1))
def test_ctrl_c_again_and_again_while_an_epoch_is_noted(
    watching: str, times: int, epoch: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often: an epoch that is in the history has been seen by what watches it."""
    given = {
        "early_stopping": 4,
        "validation_split": 0.3,
        "optimizer": cr.SGD(cr.OnPlateau(0.5, patience=1, factor=0.5)),
    }
    whole, path, of = trained(network(), **given), tmp_path / "run.ckpt", getattr(watching_module, watching)
    see, calls = of.see, list[int]()

    def interrupted(self: Any, history: Any, *more: Any) -> None:
        if history.epochs == epoch and len(calls) < times:
            calls.append(1)
            raise KeyboardInterrupt
        see(self, history, *more)

    with monkeypatch.context() as patch:
        patch.setattr(of, "see", interrupted)
        with suppress(KeyboardInterrupt):
            trained(network(), **given, checkpoint=path, every="1h")
    assert calls
    assert alike(cr.resume(path, X, Y), whole)


def test_an_interrupt_when_a_callback_has_ended_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given, note = {"callbacks": [lambda end: end.epoch == 3 and "enough"]}, Checkpoints.note

    def interrupted(self: Any, epochs: int, now: Any) -> None:
        note(self, epochs, now)
        if epochs == 4:
            raise KeyboardInterrupt

    whole = trained(network(), **given)
    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "note", interrupted)
        trained(network(), **given, checkpoint=tmp_path / "run.ckpt")
    assert alike(cr.resume(tmp_path / "run.ckpt", X, Y, callbacks=given["callbacks"]), whole)


def test_a_training_that_a_callback_has_ended_is_over(tmp_path: Path) -> None:
    given = {"callbacks": [lambda end: end.epoch == 3 and "enough"], "early_stopping": 9, "optimizer": cr.SGD(0.9)}
    whole = trained(network(), **given, checkpoint=tmp_path / "run.ckpt")
    again = cr.resume(tmp_path / "run.ckpt", X, Y, callbacks=given["callbacks"])
    assert alike(again, whole)
    assert again.history is not None
    assert again.history.stopped == "enough"
    assert same(cr.load(tmp_path / "run.ckpt").parameters, whole.parameters)


def test_of_a_training_that_has_done_all_its_epochs_nothing_is_written(tmp_path: Path) -> None:
    """So it may lie where nobody can write; asked for more epochs it goes on."""
    path = tmp_path / "run.ckpt"
    whole = trained(network(), epochs=3, checkpoint=path)

    def written() -> set[Any]:
        return {(x.name, x.stat().st_ino, x.stat().st_mtime_ns) for x in tmp_path.iterdir()}

    before = written()
    assert alike(cr.resume(path, X, Y), whole)
    assert written() == before
    assert alike(cr.resume(path, X, Y, epochs=5), trained(network(), epochs=5))


def test_a_loss_that_leaves_the_finite_numbers_does_so_again(tmp_path: Path) -> None:
    path, given = tmp_path / "run.ckpt", {"optimizer": cr.SGD(lambda epoch: np.where(epoch < 3.5, 0.1, 1e30))}
    custom = {"<lambda>": given["optimizer"].learning_rate}
    with pytest.raises(DivergedError) as whole:
        trained(network(), **given, checkpoint=path)
    with pytest.raises(DivergedError) as again:
        cr.resume(path, X, Y, custom=custom)
    assert (again.value.epoch, again.value.batch) == (whole.value.epoch, whole.value.batch)
    trained(network(), checkpoint=path)  # another one may take its place


def test_a_table_of_lines_goes_on_as_if_nothing_had_been(tmp_path: Path) -> None:
    whole, log = tmp_path / "whole.csv", tmp_path / "log.csv"
    trained(network(), callbacks=[cr.CSVLogger(whole), stopping(99)])
    callback = stopped(tmp_path / "run.ckpt", callbacks=[cr.CSVLogger(log), stopping(3)], every=100) is None
    assert not callback
    assert len(log.read_text().splitlines()) == 5
    with log.open("a") as file:
        file.write("5,of an epoch,that comes again\n")
    cr.resume(tmp_path / "run.ckpt", X, Y, callbacks=[cr.CSVLogger(log), stopping(99)])
    assert log.read_text() == whole.read_text()


@dataclass(frozen=True)
class Tilted(cr.Loss):
    by: float = 0.3

    def __call__(self, outputs: Any, targets: Any) -> Any:
        return np.sum(np.square(outputs - targets) * (1 + self.by), axis=-1)


@dataclass(frozen=True)
class Slow(cr.Optimizer):
    """Keeps whole numbers, too."""

    def initial_state(self, parameter: Any) -> Any:
        return {"sum": np.zeros_like(parameter)}

    def update(self, gradient: Any, parameter: Any, state: Any, learning_rate: Any, step: Any) -> Any:
        total = state["sum"] + gradient
        return parameter - learning_rate * total, {"sum": total}


def test_code_of_yours_is_given_again(tmp_path: Path) -> None:
    path, given = tmp_path / "run.ckpt", {"loss": Tilted(), "optimizer": Slow(0.001)}
    callback = stopped(path, **given)
    own = {"Tilted": Tilted, "Slow": Slow}
    assert alike(cr.resume(path, X, Y, callbacks=[callback], custom=own), trained(network(), **given))
    for name in own:
        with pytest.raises(
            ModelFileError, match=rf"uses '{name}'.*cr.resume\(.*, X, y, custom=\{{'{name}': {name}\}}\)"
        ):
            cr.resume(path, X, Y, callbacks=[callback], custom={key: own[key] for key in own if key != name})


def test_a_network_of_a_function(tmp_path: Path) -> None:
    a, b = cr.Dense(4, "tanh"), cr.Dense(2)

    def skip(x: Any) -> Any:
        return b(a(x)) + x

    whole, path = trained(cr.Network(skip)), tmp_path / "run.ckpt"
    callback = stopping(2)
    with pytest.raises(StoppedError):
        trained(cr.Network(skip), callbacks=[callback], checkpoint=path, every=1)
    with pytest.raises(ModelFileError, match=r"cr.resume\(.*, function=skip\)"):
        cr.resume(path, X, Y, callbacks=[callback])
    assert alike(cr.resume(path, X, Y, callbacks=[callback], function=skip), whole)


# --- what must be the same


def test_what_differs_is_said(tmp_path: Path) -> None:
    path, weights = tmp_path / "run.ckpt", np.linspace(1, 2, 30)
    held = X[:9], Y[:9]
    callback = stopped(path, sample_weight=weights, validation_data=held)
    given: dict[str, Any] = {"callbacks": [callback], "sample_weight": weights, "validation_data": held}
    other = X.copy()
    other[7, 1] = np.nextafter(np.float32(other[7, 1]), np.float32(9))
    for said, x, y, changes in (
        ("X differs", other, Y, {}),
        ("X, y and weights differ", X[::-1], Y[::-1], {"sample_weight": weights[::-1]}),
        ("y differs", X, 1 - Y, {}),
        ("weights differs", X, Y, {"sample_weight": weights**2}),
        ("validation X differs", X, Y, {"validation_data": (X[1:10], Y[:9])}),
        ("rows was 30 and is 29", X[1:], Y[1:], {"sample_weight": weights[1:]}),
        ("with sample_weight, of which", X, Y, {"sample_weight": None}),
        ("with validation_data, of which", X, Y, {"validation_data": None}),
        (r"callbacks \['stop'\], and resume was given \[\]", X, Y, {"callbacks": []}),
        (r"was given \['Noted'\]", X, Y, {"callbacks": [Noted()]}),
        ("a run of 3 epochs and a part of the next together with epochs=1", X, Y, {"epochs": 1}),
        ("callbacks was given as None", X, Y, {"callbacks": None}),
        ("Give epochs=4 or more", X, Y, {"epochs": 3}),  # the steps of the fourth are kept, though its callbacks failed
    ):
        before = {name: (tmp_path / name).read_bytes() for name in NAMES}
        with pytest.raises(SettingError, match=said):
            cr.resume(path, x, y, **{**given, **changes})
        assert before == {name: (tmp_path / name).read_bytes() for name in NAMES}
    whole = trained(network(), sample_weight=weights, validation_data=held)
    assert alike(cr.resume(path, X, Y, **given), whole)


def test_a_state_without_a_place_is_refused(tmp_path: Path) -> None:
    class Forgetful:
        def __call__(self, end: Any) -> None:
            """Do nothing."""

        def state_dict(self) -> Any:
            return {"a": [1, (2.5, None)], "b": np.arange(3), "c": float("inf"), 4: True}

    trained(network(), callbacks=[Forgetful()], checkpoint=tmp_path / "run.ckpt")
    with pytest.raises(SettingError, match="Forgetful, which has no load_state_dict"):
        cr.resume(tmp_path / "run.ckpt", X, Y, callbacks=[Forgetful()])
    found: list[Any] = []
    Forgetful.load_state_dict = lambda self, state: found.append(state)  # type: ignore[attr-defined]
    cr.resume(tmp_path / "run.ckpt", X, Y, callbacks=[Forgetful()])
    assert repr(found) == repr([Forgetful().state_dict()])


def test_a_state_that_no_file_can_hold_is_refused_before_the_first_step(tmp_path: Path) -> None:
    noted = Noted()
    noted.seen = [object()]  # type: ignore[list-item]
    with pytest.raises(SettingError, match=r"the callback Noted has a state .*object at.*state_dict\(\)"):
        trained(network(), callbacks=[noted], checkpoint=tmp_path / "run.ckpt")
    assert names(tmp_path) == []


# --- when


def test_how_often_is_a_time_or_a_number_of_epochs() -> None:
    assert (Every.of("30s"), Every.of("1.5m")) == (Every(seconds=30.0), Every(seconds=90.0))
    assert Every.of(np.int64(3)) == Every(epochs=3)
    assert Every.of(as_typed(timedelta(minutes=2, microseconds=5))) == Every(seconds=120.000005)
    for wrong in (0, -1, 1.5, True, "soon", "0s", timedelta(0), timedelta(seconds=-3), None):
        with pytest.raises(SettingError, match="every"):
            Every.of(as_typed(wrong))
        if wrong is not None:  # which is not given
            with pytest.raises(SettingError, match="every"):
                trained(network(), checkpoint="run.ckpt", every=wrong)


def test_a_time_between_moments_is_gone_on_with(tmp_path: Path) -> None:
    callback = stopped(tmp_path / "run.ckpt", every=timedelta(seconds=0.001))
    assert alike(cr.resume(tmp_path / "run.ckpt", X, Y, callbacks=[callback]), trained(network()))


@pytest.mark.parametrize("every", [1, "30s", "1h"])
def test_how_often_without_where_is_refused(every: Any) -> None:
    with pytest.raises(SettingError, match=f"every={every!r} .* checkpoint, where, was not given; give both"):
        trained(network(), every=every)


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The steps of all moments that are written."""
    steps, write = list[Any](), checkpoints.CheckpointFiles.write

    def noting(self: Any, run: Any, states: Any) -> None:
        steps.append((run.steps, threading.current_thread() is threading.main_thread()))
        write(self, run, states)

    monkeypatch.setattr(checkpoints.CheckpointFiles, "write", noting)
    return steps


def test_the_first_and_the_last_moment_are_always_kept(written: list[Any], tmp_path: Path) -> None:
    net = trained(network(), checkpoint=tmp_path / "run.ckpt", every="1h")
    assert written == [(0, True), (24, False)]
    found = cr.load(tmp_path / "run.ckpt")
    assert same(found.run, net.run)
    assert same(found.parameters, net.parameters)
    assert names(tmp_path) == NAMES[:2]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="copies of a process are a matter of Unix")
@pytest.mark.parametrize("ends", ["early stopping", "enough", "finished"])
def test_a_process_that_dies_before_the_last_moment_is_kept(ends: str, tmp_path: Path) -> None:
    """The one before is not taken for the end, at which early stopping restores the best parameters."""

    def slow(end: Any) -> str | None:
        time.sleep(0.03)  # so that every moment is written
        return "enough" if ends == "enough" and end.epoch == last else None

    last = 7  # whose loss is worse than two before it
    options: dict[str, Any] = {"optimizer": cr.SGD(1.0), "callbacks": [slow], "epochs": last + 1 + (ends != "finished")}
    options["early_stopping"] = 2 if ends == "early stopping" else 9
    whole = trained(network(), **options)
    assert whole.history is not None
    assert whole.history.stopped == ends
    assert whole.history.best_epoch != whole.history.epochs - 1
    copy = os.fork()
    if not copy:

        def die(self: Any, run: Any) -> None:
            if self._writing is not None:
                self._writing.wait()
            os._exit(7)

        Checkpoints.end = die  # type: ignore[method-assign]
        trained(network(), **options, checkpoint=tmp_path / "run.ckpt", every=1)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(copy, 0)[1]) == 7
    assert alike(cr.resume(tmp_path / "run.ckpt", X, Y, callbacks=[slow]), whole)


def test_moments_are_written_by_another_thread_and_those_due_meanwhile_let_go(
    written: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that takes as long as it likes holds up the first moment and the last alone."""
    go_on, seen = threading.Event(), list[int]()
    replace_file = checkpoints.replace_file

    def slow(path: Path, content: bytes, **more: Any) -> None:
        assert len(written) in (1, 3) or go_on.wait(LONG)
        replace_file(path, content, **more)

    def see(end: Any) -> None:
        seen.append(end.epoch)
        if end.epoch == 3:
            go_on.set()
            time.sleep(0.3)

    monkeypatch.setattr(checkpoints, "replace_file", slow)
    trained(network(), checkpoint=tmp_path / "run.ckpt", every=1, callbacks=[see])
    steps = [step for step, _ in written]
    assert steps[:2] == [0, 4]
    assert not set(steps) & {8, 12}
    assert steps[-1] == 24
    assert seen == list(range(EPOCHS))


def test_moments_within_an_epoch(written: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chainrule.training.steps.blocks.BLOCK_SECONDS", 0.0)  # every step a call
    trained(network(), checkpoint=tmp_path / "run.ckpt", every="0.000001s", batch_size=1, epochs=2)
    assert any(step % 30 for step, _ in written)


# --- where files fail


def damage(path: Path, how: str) -> None:
    content = bytearray(path.read_bytes())
    if how == "a bit":
        content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content if how == "a bit" else content[: len(content) // 2] if how == "cut" else b""))


@pytest.mark.parametrize("how", ["a bit", "cut", "empty"])
def test_a_damaged_file_is_named_and_the_one_before_taken(how: str, tmp_path: Path) -> None:
    path, whole = tmp_path / "run.ckpt", trained(network())
    callback = stopped(path)
    damage(path, how)
    with pytest.warns(RuntimeWarning, match=r"run\.ckpt .*damaged.* run\.ckpt\.1, which was kept before it, is taken"):
        again = cr.resume(path, X, Y, callbacks=[callback])
    assert alike(again, whole)
    assert same(cr.load(path).run, whole.run)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training that was stopped, of which nobody writes the files."""
    path: Path = tmp_path_factory.mktemp("kept") / "run.ckpt"
    stopped(path, early_stopping=5, validation_split=0.3)
    return path


DAMAGES: dict[str, Any] = {
    "a byte is another": lambda x, at, n, other: x[:at] + bytes([x[at] ^ other]) + x[at + 1 :],
    "the end is missing": lambda x, at, n, other: x[:at],
    "a piece is missing": lambda x, at, n, other: x[:at] + x[at + n :],
    "a piece is zeros": lambda x, at, n, other: x[:at] + bytes(len(x[at : at + n])) + x[at + n :],
    "a piece is there twice": lambda x, at, n, other: x[: at + n] + x[at:],
    "there is more": lambda x, at, n, other: x + bytes([other]) * n,
}


@given(
    how=st.sampled_from(sorted(DAMAGES)), at=st.floats(0, 1, exclude_max=True), n=st.integers(1, 4096), other=st.integers(1, 255)
)  # fmt: skip
@examples(40)
def test_whatever_is_damaged_is_named_and_the_one_before_taken(
    how: str, at: float, n: int, other: int, kept: Path
) -> None:
    """Or nothing of what is said has changed, as where spaces that fill a place are others."""
    content = kept.read_bytes()
    damaged = DAMAGES[how](content, int(at * len(content)), n, other)
    whole, kept_before = newest(kept), newest(kept.with_name("run.ckpt.1"))
    try:
        kept.write_bytes(damaged)
        found = newest(kept)
    finally:
        kept.write_bytes(content)
    if found.path == kept:
        assert found.described == whole.described
        assert {n: x.tobytes() for n, x in found.arrays.items()} == {n: x.tobytes() for n, x in whole.arrays.items()}
    else:
        assert found.path == kept.with_name("run.ckpt.1")
        assert found.described == kept_before.described
        assert [str(kept) in said for said in found.damaged] == [True]


def test_a_file_of_another_version_is_not_taken_for_a_damaged_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That version went on with it: what was kept before is older, and would take its place."""
    path = tmp_path / "run.ckpt"
    callback = stopped(path)
    monkeypatch.setattr(storage, "FORMAT", 99)
    cr.resume(tmp_path / "run.ckpt.1", X, Y, callbacks=[callback])
    monkeypatch.undo()
    shutil.copy(tmp_path / "run.ckpt.1", path)
    before = {name: (tmp_path / name).read_bytes() for name in names(tmp_path)}
    with pytest.raises(OtherFormatError, match=r"format 99.*the version that wrote it"):
        cr.resume(path, X, Y, callbacks=[callback])
    assert {name: (tmp_path / name).read_bytes() for name in names(tmp_path)} == before


def test_nothing_that_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "run.ckpt"
    with pytest.raises(MissingFileError, match="there is no file"):
        cr.resume(path, X, Y)
    callback = stopped(path)
    path.unlink()  # as if it had been killed between two names
    shutil.copy(tmp_path / "run.ckpt.1", tmp_path / "kept")
    for name in NAMES[1:]:
        damage(tmp_path / name, "a bit")
    with pytest.raises(ModelFileError, match=r"none of the checkpoints .*run\.ckpt\.1 .*run\.ckpt\.2"):
        cr.resume(path, X, Y, callbacks=[callback])
    shutil.copy(tmp_path / "kept", tmp_path / "run.ckpt.1")
    assert alike(cr.resume(path, X, Y, callbacks=[callback]), trained(network()))
    network().build(2).save(tmp_path / "model")
    with pytest.raises(ModelFileError, match="is no checkpoint"):
        cr.resume(tmp_path / "model", X, Y)


def test_files_of_others_and_of_trainings_that_have_not_ended_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "run.ckpt"
    callback = stopped(path)
    with pytest.raises(SettingError, match=r"has not ended\. cr\.resume\('.*run\.ckpt', X, y\) goes on with it"):
        trained(network(), checkpoint=path)
    with pytest.raises(SettingError, match="has not ended"):  # nor by the run of another one
        trained(network(), checkpoint=path, seed=8, continue_from=trained(network(), seed=8, epochs=2).run)
    assert alike(cr.resume(path, X, Y, callbacks=[callback]), trained(network()))
    trained(network(), checkpoint=path, seed=9, batch_size=3)  # that one has ended; no moment of it is left
    assert [cr.load(tmp_path / name).run.settings["seed"] for name in names(tmp_path)] == [9] * len(names(tmp_path))
    (tmp_path / "letter").write_text("mine")
    with pytest.raises(ModelFileError, match="letter"):
        trained(network(), checkpoint=tmp_path / "letter")
    assert (tmp_path / "letter").read_text() == "mine"


@pytest.mark.parametrize("place", ["/proc/run.ckpt", "no/such/folder/run.ckpt", "."])
def test_a_place_that_cannot_be_written_is_told_before_the_first_step(place: str, tmp_path: Path) -> None:
    if place.startswith("/") and not Path(place).parent.is_dir():
        pytest.skip("a matter of Linux")
    with pytest.raises(
        SettingError, match=r"was to be kept in '.*', which cannot be written: .* Give a file in a folder"
    ):
        trained(network(), checkpoint=tmp_path / place, callbacks=[stopping(0)])
    assert names(tmp_path) == []


@pytest.mark.parametrize("fails", ["open", "fsync", "replace"])
def test_a_disk_that_is_full_for_a_while(fails: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The training goes on, the files are as they were, it is told once, and they are written again as soon as that can be."""
    path, whole, real, seen = tmp_path / "run.ckpt", trained(network(), epochs=12), getattr(os, fails), dict[int, Any]()

    def full(*given: Any, **more: Any) -> Any:
        if threading.current_thread() is threading.main_thread():
            return real(*given, **more)
        raise OSError(errno.ENOSPC, "No space left on device", given[0] if fails == "open" else None)

    def disk(end: Any) -> None:
        time.sleep(0.05)  # so that what was handed over is begun
        while set(names(tmp_path)) - set(NAMES):
            time.sleep(0.001)
        seen[end.epoch] = {name: (tmp_path / name).read_bytes() for name in names(tmp_path)}
        if end.epoch == 2:
            monkeypatch.setattr(writing.os, fails, full)
        if end.epoch == 8:
            monkeypatch.setattr(writing.os, fails, real)

    with pytest.warns(
        RuntimeWarning, match=r"could not be written: .*No space left on device.*run\.ckpt.*tried again"
    ) as told:
        net = trained(network(), epochs=12, checkpoint=path, every=1, callbacks=[disk])
    assert len([w for w in told if "could not be written" in str(w.message)]) == 1
    assert alike(net, whole)
    assert seen[4] == seen[5] == seen[8]
    assert same(cr.load(path).run, whole.run)


def test_a_disk_that_stays_full(tmp_path: Path) -> None:
    """In a process of its own, whose files may not grow: what was kept is still there, and is gone on from."""
    script = f"""
        import resource, sys, warnings
        sys.path[:0] = {[str(Path(__file__).parents[1])]!r}
        from training.test_checkpoints import *
        def full(end):
            if end.epoch == 2:
                time.sleep(0.1)
                resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            net = trained(network(), checkpoint={str(tmp_path / "run.ckpt")!r}, every=1, callbacks=[full])
        assert alike(net, trained(network()))
        print([str(w.message) for w in told])
    """
    if sys.platform == "win32":
        pytest.skip("a matter of Unix")
    run = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-3000:]
    assert 1 <= run.stdout.count("File too large") <= 2
    assert run.stdout.count("The earlier ones are kept, and the network has all that was learned") == 1
    assert run.stdout.count("Training goes on") <= 1
    assert set(names(tmp_path)) <= set(NAMES)

    def full(end: Any) -> None:
        """Do nothing now."""

    assert 1 <= cr.load(tmp_path / "run.ckpt").run.epochs <= 3
    assert alike(cr.resume(tmp_path / "run.ckpt", X, Y, callbacks=[full]), trained(network()))


def test_what_a_killed_writer_has_left_is_written_over(tmp_path: Path) -> None:
    left = tmp_path / ".chainrule-run.ckpt.unfinished"
    left.write_text("half a file")
    trained(network(), checkpoint=tmp_path / "run.ckpt")
    assert names(tmp_path) == NAMES[:2]


# --- signals

ASKING = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]


@pytest.fixture
def handlers() -> Any:
    """Those of all signals as they were, when the test has ended."""
    before = {number: signal.getsignal(number) for number in ASKING}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("handlers")
@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="terminals are closed in this way on Unix")
def test_a_terminal_that_is_closed_says_so_several_times(tmp_path: Path) -> None:
    """The first one ends the training; those that come behind end nothing, nor what is done with the network then."""
    net = network()
    trained(net, callbacks=[lambda end: os.kill(os.getpid(), signal.SIGHUP) if end.epoch == 2 else None])
    assert net.history is not None
    assert (net.history.interrupted, net.history.epochs) == (True, 3)
    os.kill(os.getpid(), signal.SIGHUP)
    net.save(tmp_path / "kept.safetensors")
    assert same(cr.load(tmp_path / "kept.safetensors").parameters, net.parameters)


@pytest.mark.usefixtures("handlers")
@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="terminals are closed in this way on Unix")
def test_what_is_to_go_on_without_its_terminal_goes_on() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as `nohup` has it
    net = network()
    trained(net, callbacks=[lambda end: os.kill(os.getpid(), signal.SIGHUP)])
    assert net.history is not None
    assert net.history.epochs == EPOCHS


@pytest.mark.usefixtures("handlers")
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("number", ASKING)
def test_a_signal_ends_a_training_that_is_not_kept(number: signal.Signals, engine: str) -> None:
    """The network has what it has learned, and goes on from there."""
    whole, net = trained(network(), engine=engine), network()
    trained(net, engine=engine, callbacks=[lambda end: signal.raise_signal(number) if end.epoch == 2 else None])
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert net.history is not None
    assert net.run is not None
    assert (net.history.stopped, net.history.epochs) == ("interrupted", 3)
    assert same(net.parameters, net.run.parameters)
    assert alike(trained(net, engine=engine, continue_from=net.run), whole)


def test_a_pool_that_is_shut_down_does_not_wait_for_a_training(tmp_path: Path) -> None:
    """It asks its workers to end by SIGTERM, and waits until they have; what a training has come to is kept before."""
    script = """
        import multiprocessing, os, sys, time
        import numpy as np
        import chainrule as cr
        def note(end):
            if end.epoch == 9:
                open(sys.argv[1] + ".learning", "w").close()
        def work(path):
            given = dict(epochs=10**7, checkpoint=path, every="1h", progress=False, callbacks=[note])
            cr.Network([cr.Dense(1)]).fit(np.ones((4, 1)), np.ones(4), **given)
            return "it has ended, and another one is to come"
        with multiprocessing.get_context("fork").Pool(1) as pool:
            pool.map_async(work, [sys.argv[1]] * 2)
            while not os.path.exists(sys.argv[1] + ".learning"):
                time.sleep(0.01)
    """
    if not hasattr(os, "fork"):
        pytest.skip("copies of a process are a matter of Unix")
    command = [sys.executable, "-c", textwrap.dedent(script), tmp_path / "run.ckpt"]
    subprocess.run(command, check=True, timeout=LONG, capture_output=True)
    assert cr.load(tmp_path / "run.ckpt").run.epochs > 0


@pytest.mark.usefixtures("handlers")
@pytest.mark.parametrize("number", ASKING)
def test_a_signal_ends_it_and_it_is_gone_on_with(number: signal.Signals, tmp_path: Path) -> None:
    path, whole, numbers = tmp_path / "run.ckpt", trained(network()), [number]

    def ask(end: Any) -> None:
        if end.epoch == 2 and numbers:
            signal.raise_signal(numbers.pop())

    net = trained(network(), checkpoint=path, every="1h", callbacks=[ask])
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert net.history is not None
    assert net.history.interrupted
    assert alike(cr.resume(path, X, Y, callbacks=[ask]), whole)


def test_who_hears_sigterm_goes_on_hearing_it(tmp_path: Path) -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
    try:
        ask = [lambda end: signal.raise_signal(signal.SIGTERM) if end.epoch == 2 else None]
        net = trained(network(), checkpoint=tmp_path / "run.ckpt", callbacks=ask)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == [signal.SIGTERM]
    assert net.history is not None
    assert net.history.epochs == EPOCHS


def test_ctrl_c_while_the_last_moment_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second one, or a third: the file is whole all the same."""
    path, replace_file, calls = tmp_path / "run.ckpt", checkpoints.replace_file, list[int]()

    def slow(*given: Any, **more: Any) -> None:
        calls.append(1)
        if len(calls) == 2:
            for _ in range(3):
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(0.05)
        replace_file(*given, **more)

    monkeypatch.setattr(checkpoints, "replace_file", slow)
    net = network()
    with pytest.raises(KeyboardInterrupt):
        trained(net, checkpoint=path, every="1h")
    assert same(cr.load(path).run, net.run)
    assert alike(net, trained(network()))


# --- a model with its run


@pytest.mark.parametrize("name", WATCHED)
def test_ten_epochs_and_ten_are_twenty(name: str, tmp_path: Path) -> None:
    whole = trained(network(), epochs=20, **WATCHED[name])
    first = trained(network(), epochs=10, **WATCHED[name])
    first.save(tmp_path / "m", run=True)
    again = cr.load(tmp_path / "m")
    assert same(again.run, first.run)
    assert same(again.history, first.history)
    assert same(again.parameters, first.parameters)
    assert alike(trained(again, epochs=20, **WATCHED[name], continue_from=again.run), whole)


def test_without_a_run_there_is_none_to_save(tmp_path: Path) -> None:
    net = network().build(2)
    with pytest.raises(NotBuiltError, match="asked to be saved with its run, and has none"):
        net.save(tmp_path / "m", run=True)
    trained(net).save(tmp_path / "m")
    assert cr.load(tmp_path / "m").run is None


def test_what_counts_of_the_data_is_their_numbers(tmp_path: Path) -> None:
    """Lists, other orders in memory; and files, of which the last batch is not filled up."""
    callback = stopped(tmp_path / "run.ckpt")
    np.save(tmp_path / "X.npy", X)
    on_disk = np.load(tmp_path / "X.npy", mmap_mode="r")
    for x, y in ((X.tolist(), Y.tolist()), (np.asfortranarray(X), Y.astype(np.int8))):
        assert alike(cr.resume(tmp_path / "run.ckpt", x, y, callbacks=[callback]), trained(network()))
    net = cr.resume(tmp_path / "run.ckpt", on_disk, Y, callbacks=[callback])
    np.testing.assert_allclose(net.history["loss"], trained(network()).history["loss"], rtol=1e-6)
