"""Files that hold a table: which ones a path, a pattern or a folder names, and of what kind each is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from glob import glob, has_magic
from pathlib import Path
from typing import Any, Literal

from chainrule.errors import MissingFileError
from chainrule.tables.options import TableError

Kind = Literal["parquet", "arrow", "json", "text"]

_JSON = frozenset({".json", ".jsonl", ".ndjson"})
_KNOWN = _JSON | {".csv", ".tsv", ".tab", ".txt", ".psv", ".dat", ".parquet", ".pq", ".arrow", ".feather", ".ipc"}
"""Endings of files that are taken for tables in a folder, beside which others may lie."""


def kind_of(first: bytes, name: str) -> Kind:
    """What a file is by its first bytes, and JSON by the end of its name.

    Examples
    --------
    >>> kind_of(b"PAR1", "data.csv"), kind_of(b"[1, 2]", "data.json.gz")
    ('parquet', 'json')
    """
    if first[:4] == b"PAR1":
        return "parquet"
    if first[:6] == b"ARROW1":
        return "arrow"
    return "json" if _JSON.intersection(Path(name.lower()).suffixes[-2:]) else "text"


@dataclass(frozen=True)
class File:
    """A file, and the columns of which the folders it lies in hold one value each.

    Attributes
    ----------
    path : Path
        Where it is.
    parts : dict of str to str
        As `sales/year=2024/month=5/data.parquet` has year and month.
    """

    path: Path
    parts: dict[str, str] = field(default_factory=dict)


def files_of(source: Any) -> list[File] | None:
    """The files that a path, a pattern, a folder or a list of them names; None where `source` is nothing of the kind.

    Raises
    ------
    TableError, MissingFileError
        When there are none.
    """
    if isinstance(source, Sequence) and not isinstance(source, (str, bytes)):
        if not source or not all(isinstance(path, (str, Path)) for path in source):
            return None
        return [file for path in source for file in files_of(path) or []]
    if not isinstance(source, (str, Path)):
        return None
    if isinstance(source, str) and "://" in source:
        raise TableError(f"{source!r} is an address; download the file, and give its path.")
    path = Path(source).expanduser()
    if path.is_dir():
        inside = [file.relative_to(path) for file in sorted(path.rglob("*")) if file.is_file()]
        shown = [file for file in inside if not any(part[0] in "._" for part in file.parts)]
        files = [File(path / file, _parts(file)) for file in shown]
        files = [file for file in files if _KNOWN.intersection(file.path.suffixes)] or files
    elif has_magic(str(path)) and not path.exists():
        paths = [Path(found) for found in sorted(glob(str(path), recursive=True))]
        files = [File(found, _parts(found)) for found in paths if found.is_file()]
    else:
        MissingFileError.unless_there(path)
        return [File(path)]
    if not files:
        raise TableError(
            f"no file is found at {str(source)!r}; give the path of a file or of a folder with files, or a pattern such "
            "as 'data/*.csv'."
        )
    return files


def _parts(path: Path) -> dict[str, str]:
    return dict(part.split("=", 1) for part in path.parent.parts if "=" in part)
