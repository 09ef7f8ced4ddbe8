"""The cache of machine code: how much it keeps, what it does not wait for, and that others can use it at the same time."""

from __future__ import annotations

import os
import stat
import threading
import time
import warnings
from pathlib import Path

import pytest

from chainrule.engines.llvm.machine import cache


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setattr(cache, "LOOKED_THROUGH", "")  # with every file
    cache._say_once.cache_clear()
    return tmp_path / "cache"


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_what_is_written_is_read(folder: Path) -> None:
    name = cache.key("a")
    assert cache.read(name) is None
    cache.write(name, b"code")
    assert cache.read(name) == b"code"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_folder_that_others_can_use_is_named_once(folder: Path) -> None:
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    with pytest.warns(UserWarning, match=r"cache, which others may read or write: chmod 700 .*CHAINRULE_CACHE"):
        cache.write(cache.key("a"), b"code")
    with warnings.catch_warnings(record=True) as more:
        cache.write(cache.key("a"), b"code")
        assert cache.read(cache.key("a")) is None
    assert not more
    assert not names(folder)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a matter of Unix")
def test_nothing_in_place_of_a_file_is_waited_for(folder: Path, tmp_path: Path) -> None:
    name = cache.key("a")
    cache.write(name, b"code")
    for put in (os.mkfifo, os.mkdir, lambda p: os.symlink("/dev/zero", p), lambda p: os.symlink(p, p)):
        (folder / name).unlink()
        put(folder / name)
        assert cache.read(name) is None
        if (folder / name).is_dir():
            (folder / name).rmdir()
        cache.write(name, b"code")
        assert cache.read(name) == b"code"


def test_folders_that_cannot_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    for place in (str(tmp_path / "file"), str(tmp_path / "file" / "x"), "/proc/x", "a" * 5000):
        monkeypatch.setenv(cache.VARIABLE, place)
        cache.write(cache.key("a"), b"code")
        assert cache.read(cache.key("a")) is None
    assert (tmp_path / "file").read_text() == ""


def test_what_was_not_used_for_longest_goes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "BYTES", 10_000)
    keys = [cache.key(str(i)) for i in range(30)]
    for i, name in enumerate(keys):
        cache.write(name, bytes(968))  # with its fingerprint 1,000
        os.utime(folder / name, (time.time() - 40 * 86400 + i,) * 2)
        assert cache.read(keys[0]) is not None  # used all the time
        assert sum(path.stat().st_size for path in folder.iterdir()) <= 10_000
    assert {keys[0], *keys[-6:]} <= names(folder)
    assert not {*keys[1:20]} & names(folder)


def test_what_is_old_goes_and_what_is_not_ours_stays(folder: Path) -> None:
    old, new = cache.key("old"), cache.key("new")
    cache.write(old, b"code")
    (folder / "notes.txt").write_text("mine")
    (folder / "unfinished-killed").write_text("half")
    (folder / "unfinished-now").write_text("half")
    for name in (old, "notes.txt", "unfinished-killed"):
        os.utime(folder / name, (time.time() - cache.AGE - 10,) * 2)
    cache.write(new, b"code")
    assert names(folder) == {new, "notes.txt", "unfinished-now"}


def test_many_at_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that write, read and prune: what is read is whole or is not there."""
    monkeypatch.setattr(cache, "BYTES", 5_000)
    errors: list[BaseException] = []

    def work(seed: int) -> None:
        try:
            for i in range(100):
                name = cache.key(str((seed * 7 + i) % 12))
                code = name.encode() * 10
                cache.write(name, code)
                assert cache.read(name) in (code, None)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert not [name for name in names(folder) if name.startswith(cache.UNFINISHED)]
