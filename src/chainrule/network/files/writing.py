"""Files replaced as a whole: whoever reads one finds what it held before or what it holds now, and never a part."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from chainrule.errors import SettingError

PERMISSIONS = 0o777
"""The bits of a file's mode that say who may read, write and run it."""


def replace_file(
    path: Path, content: Sequence[Any], *, unfinished_name: str = "", making_room: Callable[[], None] | None = None
) -> None:
    """Write a file, in place of one that may be there; where that fails nothing has changed.

    The content goes to a file of its own in the same folder, which is on disk before it takes the name. One that was there
    before gives its owner and permissions; behind a link it is the file that is linked to which is replaced.

    Parameters
    ----------
    path : Path
    content : sequence of bytes, or of what else holds some
    unfinished_name : str
        What the file is called until then; by default a name that nobody can foresee. Whoever writes again and again gives
        one, so that what a killed process has left is replaced as well.
    making_room : callable, optional
        Called when the content is on disk and before it takes the name, which what was there before may be given up for.

    Raises
    ------
    FileNotFoundError
        When there is no such folder.
    SettingError
        When there is something other than a file.
    OSError
        When the system refuses.
    """
    target, before = place_for(path)
    aside = unfinished(target.with_name(unfinished_name or os.urandom(8).hex()))
    if unfinished_name:
        with suppress(FileNotFoundError):
            os.unlink(aside)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL  # which follows no link, and opens nothing that is there already
    handle = os.open(aside, flags | getattr(os, "O_BINARY", 0), 0o666 if before is None else 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(content)
            file.flush()
            if before is not None:
                _like(file.fileno(), aside, before)
            os.fsync(file.fileno())
        if making_room is not None:
            making_room()
        os.replace(aside, target)
    except BaseException as error:
        if isinstance(error, OSError) and error.filename is None:  # the disk is full
            error.filename = str(target)
        with suppress(FileNotFoundError):
            os.unlink(aside)
        raise
    keep_name(target.parent)


def unfinished(target: Path) -> Path:
    """Where what is being written lies until it is whole, by the name that it is to have or another one."""
    return target.with_name(f".chainrule-{target.name}.unfinished")


def place_for(path: Path) -> tuple[Path, os.stat_result | None]:
    """Where the file really is that a path leads to, and what is there now; for asking before long work too.

    Raises what `replace_file` raises where no file can be written.
    """
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {target.parent}; make it first")
    return target, _facts(target)


def not_written(path: Path, error: OSError) -> SettingError:
    """The error for a place that a training cannot be kept in."""
    return SettingError(
        f"the training was to be kept in {str(path)!r}, which cannot be written: {error}. Give a file in a folder that can be "
        "written to, on a disk with room for it."
    )


def _facts(target: Path) -> os.stat_result | None:
    """What is there now: a file that may be written to, or nothing."""
    try:
        facts = target.stat()
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(facts.st_mode):
        raise IsADirectoryError(f"{target} is a folder; give the name of a file")
    if not stat.S_ISREG(facts.st_mode):
        raise SettingError(f"{target} is no file but a device, a pipe or a socket; give the name of a file.")
    if not os.access(target, os.W_OK):
        raise PermissionError(f"{target} may not be written to; give another name, or make it writable first")
    return facts


def _like(handle: int, path: Path, before: os.stat_result) -> None:
    """Give a file the owner and the permissions of the one it is to replace."""
    if hasattr(os, "fchown"):
        with suppress(OSError):  # only an administrator may give files away
            os.fchown(handle, before.st_uid, before.st_gid)
    with suppress(OSError):
        os.chmod(handle if os.chmod in os.supports_fd else path, before.st_mode & PERMISSIONS)


def keep_name(folder: Path) -> None:
    """Have the folder itself written to disk, where the system can do that."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
