"""One training at a time writes a checkpoint: a second one is refused, whoever has died is no obstacle, nothing is left over."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import textwrap
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import chainrule as cr
from chainrule.errors import SettingError
from chainrule.network.files import holding
from chainrule.network.files.holding import held
from training.test_checkpoints import NAMES, StoppedError, stopped, stopping
from training.test_continuing import X, Y, alike, network, trained

pytestmark = pytest.mark.skipif(holding.fcntl is None, reason="such locks are a matter of Unix")

REFUSED = r"run\.ckpt is being written by another training, of process {} on .* since 20.*Wait until"


def everything(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


class Other:
    """Another process that has a file, until it is killed."""

    def __init__(self, path: Path, more: str = "") -> None:
        script = f"""
            import os, time
            from pathlib import Path
            from chainrule.network.files.holding import held
            with held(Path({str(path)!r})):
                {more or "pass"}
                print(os.getpid(), flush=True)
                time.sleep(60)
        """
        self.process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        assert int(self.process.stdout.readline()) == self.process.pid

    def __enter__(self) -> Other:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


def test_another_process_is_refused_until_the_first_has_died(tmp_path: Path) -> None:
    path, log = tmp_path / "run.ckpt", tmp_path / "log.csv"
    callbacks = [cr.CSVLogger(log), stopping(3)]
    stopped(path, callbacks=callbacks)
    with log.open("a") as file:
        file.write("a line of the training that goes on\n")
    before = {name: (tmp_path / name).read_bytes() for name in [*NAMES, "log.csv"]}
    with Other(path) as other:
        for again in (
            lambda: cr.resume(path, X, Y, callbacks=[cr.CSVLogger(log), stopping(9)], progress=False),
            lambda: trained(network(), checkpoint=path),
        ):
            with pytest.raises(SettingError, match=REFUSED.format(other.process.pid)):
                again()
        assert {name: (tmp_path / name).read_bytes() for name in [*NAMES, "log.csv"]} == before
    assert ".chainrule-run.ckpt.lock" in everything(tmp_path)  # of one that was killed
    assert alike(cr.resume(path, X, Y, callbacks=[cr.CSVLogger(log), stopping(9)]), trained(network()))
    assert everything(tmp_path) == {*NAMES, "log.csv"}


def test_a_copy_of_the_owner_keeps_nothing_when_that_has_died(tmp_path: Path) -> None:
    path, copies = tmp_path / "run.ckpt", tmp_path / "copies"
    more = f"""reader, writer = os.pipe()
                if not (copy := os.fork()):
                    os.write(writer, b"there")
                    time.sleep(60)
                os.read(reader, 5)  # a copy lets go when it first runs
                Path({str(copies)!r}).write_text(str(copy))"""
    with Other(path, more):
        copy = int(copies.read_text())
    try:
        with held(path):
            os.kill(copy, 0)  # it is still there
    finally:
        os.kill(copy, signal.SIGKILL)


def test_two_threads_are_two_trainings_and_one_may_ask_again(tmp_path: Path) -> None:
    path, told = tmp_path / "run.ckpt", list[str]()

    def beside() -> None:
        try:
            trained(network(), checkpoint=path)
        except SettingError as error:
            told.append(str(error))

    with held(path), held(path):
        thread = threading.Thread(target=beside)
        thread.start()
        thread.join()
    assert len(told) == 1
    assert f"of process {os.getpid()} on" in told[0]
    trained(network(), checkpoint=path)
    assert everything(tmp_path) == {"run.ckpt", "run.ckpt.1"}


def test_of_many_at_once_exactly_one_has_it(tmp_path: Path) -> None:
    """They take it and give it back as fast as they can: no two have it, and it is never lost."""
    path, inside, most, taken = tmp_path / "run.ckpt", list[int](), [0], [0] * 4
    until = threading.Event()

    def take(number: int) -> None:
        while not until.is_set() or not taken[number]:
            try:
                with held(path):
                    inside.append(number)
                    most[0] = max(most[0], len(inside))
                    taken[number] += 1
                    inside.remove(number)
            except SettingError:
                continue

    threads = [threading.Thread(target=take, args=(number,)) for number in range(len(taken))]
    for thread in threads:
        thread.start()
    until.wait(0.3)
    until.set()
    for thread in threads:
        thread.join()
    assert most == [1]
    assert min(taken) > 0
    assert everything(tmp_path) == set()


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS])
def test_a_file_system_without_locks_is_told(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*given: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(holding.fcntl, "flock", none)
    with pytest.warns(RuntimeWarning, match=r"run\.ckpt knows no locks .*see to it yourself that no second"):
        net = trained(network(), checkpoint=tmp_path / "run.ckpt")
    assert alike(net, trained(network()))
    assert everything(tmp_path) == {"run.ckpt", "run.ckpt.1"}


def test_whatever_ends_a_training_gives_it_back(tmp_path: Path) -> None:
    path = tmp_path / "run.ckpt"
    for error in (StoppedError, KeyboardInterrupt, SystemExit):
        callback = stopping(2, error)
        with suppress(StoppedError, SystemExit):
            trained(network(), callbacks=[callback], checkpoint=path)
        assert ".chainrule-run.ckpt.lock" not in everything(tmp_path)
        assert alike(cr.resume(path, X, Y, callbacks=[callback]), trained(network()))
    with pytest.raises(SettingError, match="rows was 30 and is 29"):
        cr.resume(path, X[1:], Y[1:], callbacks=[callback])
    assert everything(tmp_path) <= set(NAMES)


@pytest.mark.parametrize("ends", ["by its epochs", "by a callback"])
def test_what_was_left_by_one_that_died_when_it_had_ended_goes(ends: str, tmp_path: Path) -> None:
    """Its lock, and what it was writing once more: of a training that has ended nothing is written, which would replace them."""
    path = tmp_path / "run.ckpt"
    callbacks = [lambda end: ends == "by a callback" and end.epoch == 3 and "enough"]
    whole = trained(network(), callbacks=callbacks, checkpoint=path)
    left = {".chainrule-run.ckpt.lock", ".chainrule-run.ckpt.unfinished"}
    with Other(path):
        (tmp_path / ".chainrule-run.ckpt.unfinished").write_bytes(b"half of it")
        assert alike(cr.resume(path, X, Y, callbacks=callbacks), whole)
        assert left <= everything(tmp_path)  # while another has it
    assert alike(cr.resume(path, X, Y, callbacks=callbacks), whole)
    assert everything(tmp_path) <= set(NAMES)


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.write_text("a letter")
    (tmp_path / ".chainrule-run.ckpt.lock").symlink_to(mine)
    with pytest.raises(SettingError, match="cannot be written"):
        trained(network(), checkpoint=tmp_path / "run.ckpt")
    assert mine.read_text() == "a letter"


def test_what_has_ended_is_read_where_nothing_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run.ckpt"
    enough = [lambda end: end.epoch == 3 and "enough"]
    whole = trained(network(), callbacks=enough, checkpoint=path)
    own = os.open

    def read_only(name: Any, flags: int, *more: Any, **others: Any) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(name))
        return own(name, flags, *more, **others)

    monkeypatch.setattr(os, "open", read_only)
    assert alike(cr.resume(path, X, Y, callbacks=enough), whole)
    with pytest.raises(SettingError, match=r"cannot be written: .*Read-only file system"):
        trained(network(), checkpoint=tmp_path / "other.ckpt")
    assert everything(tmp_path) == {"run.ckpt", "run.ckpt.1"}
