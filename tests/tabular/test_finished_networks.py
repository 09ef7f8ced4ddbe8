"""Trainings on tables that are killed and gone on with: networks that are done are not learned again, and the model is the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import chainrule as cr
from chainrule.cli.app import app
from chainrule.engines import cores
from chainrule.errors import MissingFileError, ModelFileError, SettingError
from chainrule.network.files.holding import held
from chainrule.network.files.runs import values_of
from chainrule.network.files.storage import content_of, description_of
from chainrule.nn.parameters import flat_names
from chainrule.tabular.learning import members, under_way

RANDOM = np.random.default_rng(0)
A = RANDOM.normal(size=60).round(3)
TABLE = {"a": A, "b": RANDOM.choice(["up", "down"], 60), "y": (np.sin(2 * A) + RANDOM.normal(0, 0.1, 60)).round(3)}
GIVEN: dict[str, Any] = {
    "seconds": None,
    "folds": 3,
    "epochs": 6,
    "recipe": cr.Recipe(hidden=(6,), width=3),
    "progress": False,
    "threads": 2,
}


class KilledError(Exception):
    """What ends a training from outside."""


def model(**changes: Any) -> cr.TableModel:
    return cr.TableModel(**{**GIVEN, **changes})


@pytest.fixture(scope="module")
def whole() -> cr.TableModel:
    return model().fit(TABLE, "y")


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many networks have been trained; when there are as many as the first says, the next one is killed."""
    counts, train = [0, 10**6], members.trained

    def counted(*given: Any) -> Any:
        if counts[0] == counts[1]:
            raise KilledError
        counts[0] += 1
        return train(*given)

    monkeypatch.setattr(members, "trained", counted)
    return counts


def alike(a: cr.TableModel, b: cr.TableModel) -> bool:
    """Whether two models are the same to the bit, and know the same of rows they had not seen."""
    assert a.learned is not None
    assert b.learned is not None
    for layer, own in a.network.parameters.items():
        for name, x in own.items():
            np.testing.assert_array_equal(x, b.network.parameters[layer][name])
    for x, y in zip(a.learned.histories, b.learned.histories, strict=True):
        assert {n: x[n] for n in x if n != "seconds"} == {n: y[n] for n in y if n != "seconds"}
        assert x.best_epoch == y.best_epoch
    np.testing.assert_array_equal(a.scores.outputs, b.scores.outputs)
    return (a.learned.tried, a.learned.epochs) == (b.learned.tried, b.learned.epochs)


def killed(path: Path, trained: list[int], after: int) -> None:
    trained[:] = 0, after
    with pytest.raises(KilledError):
        model(threads=1).fit(TABLE, "y", checkpoint=path)
    trained[:] = 0, 10**6


def test_a_training_goes_on_where_there_are_other_cores(
    trained: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who says no number of threads goes on with the one it was planned for, whatever machine that is on."""
    path = tmp_path / "t.ckpt"
    once = model(threads=None).fit(TABLE, "y")
    trained[:] = 0, 1
    with pytest.raises(KilledError):
        model(threads=None).fit(TABLE, "y", checkpoint=path)
    trained[:] = 0, 10**6
    with pytest.raises(ModelFileError, match="a checkpoint of a training on a table, and no model"):
        cr.load(path)
    monkeypatch.setattr(cores, "most", lambda: 64)
    assert alike(model(threads=None).fit(TABLE, "y", resume=path), once)


@pytest.mark.parametrize("after", [0, 1, 4])
def test_networks_that_are_done_are_not_learned_again(after: int, trained: list[int], tmp_path: Path) -> None:
    path = tmp_path / "t.ckpt"
    once = model(threads=1).fit(TABLE, "y")
    all_of_them = trained[0]
    killed(path, trained, after)
    again = model(threads=1).fit(TABLE, "y", resume=path)
    assert trained[0] == all_of_them - after
    assert alike(again, once)
    trained[0] = 0
    assert alike(model(threads=1).fit(TABLE, "y", resume=path), once)  # all is done
    assert trained[0] == 0
    assert {file.name for file in tmp_path.iterdir()} <= {"t.ckpt", "t.ckpt.1", "t.ckpt.2"}


@pytest.fixture
def epochs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many epochs have been seen; when there are as many as the second says, the training is killed. Every moment is kept."""
    counts, note = [0, 10**6], under_way.UnderWay.note

    def counted(*given: Any, **more: Any) -> None:
        note(*given, **more)
        counts[0] += 1
        if counts[0] == counts[1]:
            raise KilledError

    monkeypatch.setattr(under_way.UnderWay, "note", counted)
    monkeypatch.setattr(under_way, "SECONDS", 0.0)
    return counts


OTHER = {"metric": "mae", "recipe": cr.Recipe(schedule="plateau", dropout=0.2)}


@pytest.mark.parametrize(("changes", "after"), [({}, 1), (OTHER, 12)], ids=["usual", "other"])
def test_a_network_that_is_killed_is_gone_on_with(
    changes: dict[str, Any], after: int, epochs: list[int], tmp_path: Path
) -> None:
    path, given = tmp_path / "t.ckpt", {"threads": 1, "search": False, "epochs": 7, **changes}
    once = model(**given).fit(TABLE, "y", checkpoint=tmp_path / "once")
    epochs[:] = 0, after
    with pytest.raises(KilledError):
        model(**given).fit(TABLE, "y", checkpoint=path)
    epochs[:] = 0, 10**6
    assert alike(model(**given).fit(TABLE, "y", resume=path), once)
    assert epochs[0] == -after % 7  # those of this network that were left; others were not killed
    assert {file.name for file in tmp_path.iterdir() if file.name[0] == "t"} <= {"t.ckpt", "t.ckpt.1", "t.ckpt.2"}


def test_what_is_damaged_of_a_network_under_way_is_told(epochs: list[int], tmp_path: Path) -> None:
    """The moment before is taken, and when none is left, that network is learned from its beginning."""
    path, given = tmp_path / "t.ckpt", {"threads": 1, "search": False, "epochs": 7}
    once = model(**given).fit(TABLE, "y")
    for damaged, told in ((1, "which was kept before it, is taken"), (3, "learned from its beginning")):
        epochs[:] = 0, 11
        with pytest.raises(KilledError):
            model(**given).fit(TABLE, "y", checkpoint=path)
        own = sorted(tmp_path.glob("t.ckpt.network-*"))
        assert len(own) == 3
        for file in own[:damaged]:
            file.write_bytes(file.read_bytes()[:-1])
        epochs[:] = 0, 10**6
        with pytest.warns(RuntimeWarning, match=f"damaged.*{told}"):
            assert alike(model(**given).fit(TABLE, "y", resume=path), once)


@pytest.mark.parametrize("seen", [{}, {"best": {}, "unseen": {}}, {"best": [], "unseen": 1}], ids=str)
def test_a_network_under_way_that_was_written_by_hand_is_refused(seen: Any, tmp_path: Path) -> None:
    net = cr.Network([cr.Dense(1)])
    net.fit(A[:, None], A, epochs=1, progress=False)
    training = {"run": values_of(net.run), "seen": seen}
    content = content_of(description_of(net, {}), flat_names(net.parameters), training)
    (tmp_path / "it").write_bytes(b"".join(content))
    with pytest.warns(RuntimeWarning, match=r"describes no training: .*learned from its beginning"):
        assert under_way.UnderWay(tmp_path / "it").begun() is None
    assert list(tmp_path.iterdir()) == []


def test_a_table_is_learned_by_one_process_at_a_time(tmp_path: Path) -> None:
    with held(tmp_path / "t.ckpt"), ThreadPoolExecutor(1) as other:
        fitted = other.submit(lambda: model().fit(TABLE, "y", checkpoint=tmp_path / "t.ckpt"))
        assert isinstance(fitted.exception(), SettingError)
        assert "is being written by another training" in str(fitted.exception())
    assert list(tmp_path.iterdir()) == []


def test_a_training_that_is_kept_is_that_which_is_not(whole: cr.TableModel, tmp_path: Path) -> None:
    assert alike(model().fit(TABLE, "y", checkpoint=tmp_path / "t.ckpt"), whole)


@pytest.mark.parametrize("y", [A > 0, np.where(A > 0.5, "high", np.where(A < -0.5, "low", "mean"))])
def test_classes_weights_and_a_metric(y: Any, trained: list[int], tmp_path: Path) -> None:
    given = {"weights": np.linspace(1, 2, 60), "balanced": True}
    table, settings = {**TABLE, "y": y}, {"metric": "accuracy", "threads": 1}
    once = model(**settings).fit(table, "y", **given)
    trained[:] = 0, 3
    with pytest.raises(KilledError):
        model(**settings).fit(table, "y", **given, checkpoint=tmp_path / "t.ckpt")
    trained[1] = 10**6
    again = model(**settings).fit(table, "y", **given, resume=tmp_path / "t.ckpt")
    assert alike(again, once)
    assert (again.predict(table) == once.predict(table)).all()


def test_what_differs_is_said(trained: list[int], tmp_path: Path) -> None:
    path = tmp_path / "t.ckpt"
    killed(path, trained, 2)
    other = {**TABLE, "a": np.r_[A[:-1], 9.0]}
    for said, table, settings in (
        ("seed was 0 and is 1", TABLE, {"seed": 1}),
        ("threads was 1 and is 2", TABLE, {"threads": 2}),
        ("folds was 3 and is 2; epochs was 6 and is 5", TABLE, {"folds": 2, "epochs": 5}),
        ("the table was .* and is", other, {}),
    ):
        with pytest.raises(SettingError, match=f"other data or settings: {said}"):
            model(**{"threads": 1, **settings}).fit(table, "y", resume=path)
    with pytest.raises(SettingError, match="the weights was None and is"):
        model(threads=1).fit(TABLE, "y", weights=np.linspace(1, 2, 60), resume=path)
    with pytest.raises(SettingError, match="has not ended"):
        model().fit(TABLE, "y", checkpoint=path)
    with pytest.raises(SettingError, match="both checkpoint and resume"):
        model().fit(TABLE, "y", checkpoint=path, resume=path)
    with pytest.raises(MissingFileError, match=r"none\.ckpt .did you mean 't\.ckpt'"):  # and not the lock beside it
        model().fit(TABLE, "y", resume=tmp_path / "none.ckpt")
    with pytest.raises(SettingError, match="which cannot be written"):
        model().fit(TABLE, "y", checkpoint=tmp_path / "no" / "t.ckpt")
    cr.Network([cr.Dense(1)]).build(1).save(tmp_path / "model")
    for how in ("checkpoint", "resume"):
        with pytest.raises(ModelFileError, match="is no checkpoint"):
            model().fit(TABLE, "y", **{how: tmp_path / "model"})


def test_a_damaged_file_is_named_and_the_one_before_taken(trained: list[int], tmp_path: Path) -> None:
    path = tmp_path / "t.ckpt"
    once = model(threads=1).fit(TABLE, "y")
    all_of_them = trained[0]
    killed(path, trained, 3)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.warns(RuntimeWarning, match=r"t\.ckpt .*damaged.*t\.ckpt\.1, which was kept before it, is taken"):
        assert alike(model(threads=1).fit(TABLE, "y", resume=path), once)
    assert trained[0] == all_of_them - 2


def test_a_full_disk_ends_nothing(whole: cr.TableModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, fsync, calls = tmp_path / "t.ckpt", os.fsync, list[int]()

    def full(handle: int) -> None:
        calls.append(1)
        if len(calls) > 6:
            raise OSError(28, "No space left on device")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.warns(RuntimeWarning, match="could not be written: .*No space left") as told:
        assert alike(model().fit(TABLE, "y", checkpoint=path), whole)
    assert len(told) == 1
    monkeypatch.undo()
    assert alike(model().fit(TABLE, "y", resume=path), whole)


def test_a_network_that_somebody_ended_is_not_done(tmp_path: Path, whole: cr.TableModel) -> None:
    path, fit, numbers = tmp_path / "t.ckpt", cr.Network.fit, [signal.SIGINT]

    def interrupted(self: Any, *arguments: Any, callbacks: Any = (), **settings: Any) -> Any:
        def interrupt(end: Any) -> None:
            if end.epoch == 2 and numbers:
                os.kill(os.getpid(), numbers.pop())

        return fit(self, *arguments, callbacks=[*callbacks, interrupt], **settings)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(cr.Network, "fit", interrupted)
            ended = model().fit(TABLE, "y", checkpoint=path)
    finally:
        signal.signal(signal.SIGINT, before)
    assert ended.interrupted
    assert alike(model().fit(TABLE, "y", resume=path), whole)


def test_the_command_line_is_killed_and_goes_on(tmp_path: Path) -> None:
    data, path = tmp_path / "t.csv", tmp_path / "t.ckpt"
    rows = zip(*TABLE.values(), strict=True)
    data.write_text("a,b,y\n" + "".join(f"{a},{b},{y}\n" for a, b, y in rows))
    options = ["--target", "y", "--time", "1h", "--epochs", "60", "--hidden", "6", "--folds", "3"]

    def command(*more: str) -> list[str]:
        return ["train", str(data), *options, *more]

    once = CliRunner().invoke(app, command("--save", str(tmp_path / "once")))
    assert once.exit_code == 0, once.output
    process = subprocess.Popen([sys.executable, "-m", "chainrule", *command("--checkpoint", str(path))])
    try:
        while process.poll() is None and not path.with_name("t.ckpt.1").exists():
            time.sleep(0.001)
    finally:
        process.kill()
        process.wait()
    resumed = command("--resume", str(path), "--save", str(tmp_path / "again"))
    other = CliRunner().invoke(app, [*resumed, "--time", "30s"])
    assert other.exit_code == 1
    assert "seconds was 3600.0 and is 30.0" in other.output
    del resumed[4:6]  # the time, which is then that of the training
    again = CliRunner().invoke(app, resumed)
    assert again.exit_code == 0, again.output
    saved = [cr.load(tmp_path / name).network.parameters for name in ("once", "again")]
    for layer, own in saved[0].items():
        for name, x in own.items():
            np.testing.assert_array_equal(x, saved[1][layer][name])
    both = CliRunner().invoke(app, command("--resume", str(path), "--checkpoint", str(path)))
    assert both.exit_code == 1
    over = CliRunner().invoke(app, command("--checkpoint", str(data)))
    assert "is the file of the data and would overwrite it" in over.output
