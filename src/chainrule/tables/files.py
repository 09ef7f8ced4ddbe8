"""Files that hold a table: which ones a path, a pattern or a folder names, and of what kind each is."""

from __future__ import annotations

from collections.abc import Sequence
from glob import glob, has_magic
from pathlib import Path
from typing import Any, Literal

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


def files_of(source: Any) -> list[Path] | None:
    """The files that a path, a pattern, a folder or a list of them names; None where `source` is nothing of the kind.

    Raises
    ------
    TableError
        When there are none.
    """
    if isinstance(source, Sequence) and not isinstance(source, (str, bytes)):
        if not source or not all(isinstance(path, (str, Path)) for path in source):
            return None
        return [file for path in source for file in files_of(path) or []]
    if not isinstance(source, (str, Path)):
        return None
    path = Path(source)
    if path.is_dir():
        files = [file for file in sorted(path.rglob("*")) if file.is_file() and not _hidden(file.relative_to(path))]
        files = [file for file in files if _KNOWN.intersection(file.suffixes)] or files
    elif has_magic(str(source)) and not path.exists():
        files = [Path(file) for file in sorted(glob(str(source), recursive=True)) if Path(file).is_file()]
    else:
        return [path]
    if not files:
        raise TableError(
            f"no file is found at {str(source)!r}; give the path of a file or of a folder with files, or a pattern such "
            "as 'data/*.csv'."
        )
    return files


def _hidden(path: Path) -> bool:
    return any(part[0] in "._" for part in path.parts)


def parts_of(path: Path) -> dict[str, str]:
    """The columns of which the folders of a file hold one value each, as `year=2024/month=5/data.parquet` does.

    Examples
    --------
    >>> parts_of(Path("sales/year=2024/month=5/data.parquet"))
    {'year': '2024', 'month': '5'}
    """
    return dict(part.split("=", 1) for part in path.parent.parts if "=" in part)
