"""Machine code kept on disk between processes, in a directory that only its owner can read or write.

`CHAINRULE_CACHE` names another directory; set to `off` it switches the cache off. A file begins with a fingerprint of
its name and contents: one that is damaged, or came from elsewhere, is ignored and written anew. What has not been used for
longest goes where all together would take too much room.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
import tempfile
import time
import warnings
from functools import lru_cache
from pathlib import Path

VARIABLE = "CHAINRULE_CACHE"

BYTES, AGE = 2**27, 90 * 86400.0
"""How much room all files together may take, and after how many seconds without use one goes in any case."""

USED_AGAIN = 86400.0
"""Seconds after which a use of a file is noted again, and after which what was not finished never will be."""

LOOKED_THROUGH = "0"
"""With a file whose name begins so, one in sixteen, all are looked through."""

UNFINISHED = "unfinished-"
_NAME = re.compile("[0-9a-f]{64}")


def _sources() -> str | None:
    """A fingerprint of all that turns a Program into code; `None` where the library's sources are not there to be read."""
    digest, package = hashlib.sha256(), Path(__file__).resolve().parents[3]
    paths = sorted(path for name in ("engines", "ops", "tracing") for path in (package / name).rglob("*.py"))
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest() if paths else None


LIBRARY = _sources()
"""The library as it is: read when it is loaded, so that later changes do not count as what is running."""


def key(*parts: str) -> str:
    """A name for the machine code that follows from these texts: what is computed, the CPU, LLVM's version."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode())
        digest.update(b"\0")
    return digest.hexdigest()


def read(name: str) -> bytes | None:
    """The machine code of this name, if it is there and whole."""
    folder = _folder()
    if folder is None:
        return None
    path = folder / name
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(handle, "rb", buffering=0) as file:
            facts = os.fstat(handle)
            if not stat.S_ISREG(facts.st_mode) or facts.st_size > BYTES:  # a pipe would be waited for
                return None
            content = file.read()
    except OSError:
        return None
    if time.time() - facts.st_mtime > USED_AGAIN:
        with contextlib.suppress(OSError):
            os.utime(path)  # the time of a file is that of its last use, to within a day
    code = content[32:]
    return code if content[:32] == _fingerprint(name, code) else None


def write(name: str, code: bytes) -> None:
    """Keep machine code; where that is impossible nothing happens."""
    folder = _folder()
    if folder is None:
        return
    with contextlib.suppress(OSError):
        handle, unfinished = tempfile.mkstemp(dir=folder, prefix=UNFINISHED)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(_fingerprint(name, code) + code)
            os.replace(unfinished, folder / name)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(unfinished)
        if name.startswith(LOOKED_THROUGH):
            _prune(folder)


def _prune(folder: Path) -> None:
    """Take away what has not been used for long, and then what has not been used for longest, until the rest is small enough.

    Other processes may do the same at the same time, or read what is taken away: a file that is open stays readable, and
    one that is gone is written anew.
    """
    now, found = time.time(), []
    for entry in os.scandir(folder):
        if not entry.name.startswith(UNFINISHED) and not _NAME.fullmatch(entry.name):
            continue  # nothing of ours
        with contextlib.suppress(OSError):
            facts = entry.stat(follow_symlinks=False)
            if stat.S_ISREG(facts.st_mode):
                found.append((facts.st_mtime, facts.st_size, entry))
    room = sum(size for _, size, _ in found)
    least = BYTES if room <= BYTES else BYTES * 3 // 4  # so that it is not to be done again with the next file
    for used, size, entry in sorted(found, key=lambda each: each[0]):
        age = now - used
        if room <= least and age < (AGE if _NAME.fullmatch(entry.name) else USED_AGAIN):
            continue
        with contextlib.suppress(OSError):
            os.unlink(entry.path)
        room -= size


def _fingerprint(name: str, code: bytes) -> bytes:
    return hashlib.sha256(name.encode() + code).digest()


def _folder() -> Path | None:
    """The directory, made if need be; `None` if there is to be none, or others could write to it."""
    chosen = os.environ.get(VARIABLE, "")
    if chosen.lower() == "off":
        return None
    try:
        usual = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "chainrule"
        folder = Path(chosen) if chosen else usual
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        facts = folder.stat()
    except (OSError, RuntimeError, ValueError):
        return None
    if hasattr(os, "getuid") and (facts.st_uid != os.getuid() or facts.st_mode & 0o077):
        _say_once(str(folder))
        return None
    return folder


@lru_cache(maxsize=8)
def _say_once(folder: str) -> None:
    warnings.warn(
        f"compiled code is not kept in {folder}, which others may read or write: chmod 700 {folder}, "
        f"or name another directory in {VARIABLE} (or 'off').",
        stacklevel=2,
    )
