"""A training's files are for one process at a time: a lock beside them keeps others away, and says who has it."""

from __future__ import annotations

import os
import socket
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import Any

from chainrule.errors import SettingError
from chainrule.network.files.description import plain
from chainrule.network.files.writing import not_written, place_for, unfinished

fcntl: Any
try:
    import fcntl
except ImportError:  # a system without such locks
    fcntl = None

_held: dict[Path, tuple[int, FileIO]] = {}
"""The locks of this process, with the threads that took them."""


@contextmanager
def held(path: Path | None) -> Iterator[None]:
    """While it lasts no other training writes the files at `path`; `None` are no files.

    The system gives a lock back when its process dies, however that is, so one that a dead process has left is no obstacle.
    Who has it already may take it again. Where the file system knows no locks a warning says so; systems without `fcntl` have
    none.

    Raises
    ------
    SettingError
        When another training has them, and which, or nothing can be written there.
    """
    if path is None or fcntl is None:
        yield
        return
    name = _lock_of(path)
    if _held.get(name, (0,))[0] == threading.get_ident():
        yield
        return
    try:
        file = _taken(path, name)
    except OSError as error:
        raise not_written(path, error) from error
    try:
        _held[name] = threading.get_ident(), file
        yield
    finally:
        if _held.pop(name, None) is not None:  # and not in a copy of the process
            with suppress(OSError):
                os.unlink(name)
        file.close()


def tidy(path: Path) -> None:
    """Remove what a process that died has left beside files that nothing will be written to: its lock, and what it was writing.

    Where another has them, or the folder cannot be written to, all stays as it is.
    """
    if fcntl is None or not _lock_of(path).exists():
        return
    with suppress(SettingError, OSError), held(path):
        unfinished(Path(os.path.realpath(path))).unlink(missing_ok=True)


def _lock_of(path: Path) -> Path:
    target = Path(os.path.realpath(path))
    return target.with_name(f".chainrule-{target.name}.lock")


def _taken(path: Path, name: Path) -> FileIO:
    """The file that is the lock, when this process has it."""
    place_for(path)
    while True:
        file = FileIO(os.open(name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666), "r+")
        try:
            _lock(file, path)
            if _is_named(file, name):
                with suppress(OSError):  # on a full disk, which is told when there is something to be kept
                    file.truncate(0)
                    file.write(_me().encode())
                return file
        except BaseException:
            file.close()
            raise
        file.close()  # the one who had it took it away meanwhile


def _lock(file: FileIO, path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise SettingError(
            f"{path} is being written by another training, of {plain(_owner(file), 200)}. Wait until that has ended, or end it; a "
            "training beside it needs another file."
        ) from None
    except OSError as error:
        warnings.warn(
            f"the file system of {path} knows no locks ({error.strerror}): see to it yourself that no second training writes there.",
            RuntimeWarning,
            stacklevel=6,
        )


def _is_named(file: FileIO, name: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(name))
    except FileNotFoundError:
        return False


def _me() -> str:
    return f"process {os.getpid()} on {socket.gethostname()} since {time.strftime('%Y-%m-%d %H:%M:%S')}"


def _owner(file: FileIO) -> str:
    with suppress(OSError):
        return (
            os.pread(file.fileno(), 1000, 0).decode("utf-8", "replace").strip() or "a process that does not say which"
        )
    return "a process that cannot be found out"


def _let_go() -> None:
    """A copy of the process has no lock, and does not keep those of the first one when that has died."""
    for _, file in _held.values():
        file.close()
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)
