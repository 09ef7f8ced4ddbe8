"""Machine code kept on disk between processes, in a directory that only its owner can read or write.

`CHAINRULE_CACHE` names another directory; set to `off` it switches the cache off. A file begins with a fingerprint of
its name and contents: one that is damaged, or came from elsewhere, is ignored and written anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path

VARIABLE = "CHAINRULE_CACHE"


def _sources() -> str | None:
    """A fingerprint of all that turns a Program into code; `None` where the library's sources are not there to be read."""
    digest, package = hashlib.sha256(), Path(__file__).resolve().parents[2]
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
    try:
        content = (folder / name).read_bytes()
    except OSError:
        return None
    code = content[32:]
    return code if content[:32] == _fingerprint(name, code) else None


def write(name: str, code: bytes) -> None:
    """Keep machine code; where that is impossible nothing happens."""
    folder = _folder()
    if folder is None:
        return
    with contextlib.suppress(OSError):
        handle, unfinished = tempfile.mkstemp(dir=folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(_fingerprint(name, code) + code)
            os.replace(unfinished, folder / name)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(unfinished)


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
    except (OSError, RuntimeError):
        return None
    if hasattr(os, "getuid") and (facts.st_uid != os.getuid() or facts.st_mode & 0o077):
        return None
    return folder
