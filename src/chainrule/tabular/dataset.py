"""Rows of tables that are read part by part: Parquet and Arrow files, and batches of columns that come one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from chainrule.errors import SettingError, shortened
from chainrule.tables.options import TableError, quoted
from chainrule.tables.sources.files import Kind, files_of, kind_of
from chainrule.tables.sources.frames import frame_of
from chainrule.tables.threads import refuse_in_a_copy
from chainrule.training import BatchDataset, Dataset
from chainrule.training.stored.dataset import MEGABYTES, MOST, Piece, passed

if TYPE_CHECKING:
    import polars as pl

R = TypeVar("R")

GRAIN = 2**17
"""Rows that are read together where there is room: of a Parquet file those of a row group are, however few are wanted."""


class TableDataset(Dataset):
    """Rows of Parquet or Arrow files, or of batches of columns, as columns of numbers to be learned from and a target.

    Files are read in parts. Rows of one row group of a Parquet file are decoded together, so that groups of some ten thousand rows
    are read fastest. For text, dates, categories and missing values there is `cr.TableModel`.

    Parameters
    ----------
    source : path, list of paths, or callable
        A file, a folder or a pattern of files. Or a function that is called for every pass and gives batches of columns, such as
        an Arrow reader or frames of pandas or Polars; `rows` says how many rows they have together.
    target : str or sequence of str, optional
        The column to be learned, or several. Its values are labels or numbers, as for `fit`; `predict` needs none.
    features : sequence of str, optional
        The columns to be learned from, in this order; by default all others.
    weight : str, optional
        A column of weights, `sample_weight` of `fit`.
    rows : int, optional
        How many rows the batches of a function have.
    megabytes : float
        What the rows that are held at a time may take.

    Raises
    ------
    TableError, MissingFileError
        Where there are no such files or columns; when it is read and a file has been changed.

    Examples
    --------
    >>> import os, tempfile, numpy as np, polars as pl, chainrule as cr
    >>> folder, x = tempfile.mkdtemp(), np.linspace(-1, 1, 600)
    >>> for part in range(3):
    ...     own = x[part::3]
    ...     pl.DataFrame({"x": own, "y": own**2}).write_parquet(os.path.join(folder, f"{part}.parquet"))
    >>> data = cr.TableDataset(folder, "y")
    >>> len(data), data.feature_names
    (600, ('x',))
    >>> network = cr.Network([cr.Dense(8, "tanh"), cr.Dense(1)])
    >>> history = network.fit(data, epochs=3, progress=False)
    >>> network.predict(pl.DataFrame({"x": [0.5]})).shape
    (1,)
    """

    grain = GRAIN

    def __init__(
        self,
        source: Any,
        target: str | Sequence[str] | None = None,
        features: Sequence[str] | None = None,
        weight: str | None = None,
        *,
        rows: int | None = None,
        megabytes: float = MEGABYTES,
    ) -> None:
        SettingError.unless_number("TableDataset", "megabytes", megabytes, above=0)
        refuse_in_a_copy()
        self.megabytes, self._weight = float(megabytes), weight
        targets = [] if target is None else _names("target", target)
        own = None if features is None else _names("features", features)
        self._target = target if isinstance(target, str) else targets
        others = targets + ([] if weight is None else _names("weight", [weight]))
        named = [*(own or ()), *others]
        if twice := [name for name in dict.fromkeys(named) if named.count(name) > 1]:
            raise TableError(
                f"TableDataset was given {quoted(twice)} twice. A column is a feature, a target or a weight."
            )
        self._read: Callable[[int, int], Iterable[Piece]]
        if callable(source):
            SettingError.unless_count("TableDataset", "rows", rows, at_most=MOST)
            first = next(passed(source), None)
            if first is None:
                raise TableError(
                    "the function that TableDataset was given gave no batches; let it give some of columns."
                )
            names = frame_of(first).frame.columns
            coming = BatchDataset(lambda: map(self._split, source()), int(rows or 0), megabytes=megabytes)
            self.rows, self.in_order, self._read = coming.rows, True, coming.pieces
        else:
            files = Files(source)
            if rows is not None:
                raise SettingError("TableDataset was given rows, which are counted in files. Leave it out.")
            self.rows, names, self._edges = files.rows, files.names, files.ends
            self._read = lambda begin, end: map(self._split, files.frames(begin, end, [*self.feature_names, *others]))
        self.feature_names = tuple(own or (name for name in names if name not in others))
        self._columns = [*self.feature_names, *others]
        self._unless_there(names, shortened(source))
        if not self.feature_names:
            raise TableError(f"{shortened(source)} has the columns {quoted(names)}: none is left to be learned from.")

    @property
    def edges(self) -> Sequence[int]:
        """Where files end."""
        return (0, self.rows) if self.in_order else self._edges

    def pieces(self, begin: int, end: int) -> Iterator[Piece]:
        """The rows, file by file."""
        refuse_in_a_copy()
        yield from self._read(begin, end)

    def _unless_there(self, names: Sequence[str], what: str) -> None:
        missing = [name for name in self._columns if name not in names]
        if missing:
            raise TableError(f"{what} has the columns {quoted(names)}, and not {quoted(missing)}. Give names of these.")

    def _split(self, part: Any) -> Piece:
        frame = frame_of(part).frame
        self._unless_there(frame.columns, "a batch")
        weights = None if self._weight is None else frame[self._weight].to_numpy()
        targets = frame[self._target].to_numpy() if self._target else None
        return frame.select(self.feature_names), targets, weights


def _names(setting: str, given: Any) -> list[str]:
    """Names of columns: one, or a sequence of them."""
    found = [given] if isinstance(given, str) else given
    if not isinstance(found, Sequence | np.ndarray) or not len(found) or not all(isinstance(x, str) for x in found):
        raise SettingError(
            f"TableDataset was given {setting}={shortened(given)}; give the name of a column, or several in a list."
        )
    return [str(x) for x in found]


class Files:
    """Files of typed columns, one after the other, as long as they stay as they were.

    Attributes
    ----------
    names : list of str
        Of the columns of the first, which all others have.
    ends : list of int
        The rows before each file, and all of them.
    """

    def __init__(self, source: Any) -> None:
        self._files = [(file.path, _kind(file.path)) for file in files_of(source) or []]
        if not self._files:
            raise TableError(
                f"TableDataset was given {shortened(source)}; give the path of Parquet or Arrow files, or a function that gives "
                "batches of columns, and rows. Arrays are a cr.ArrayDataset."
            )
        self._stamps = [_stamp(path) for path, _ in self._files]
        schemas = [_scan(*file).collect_schema() for file in self._files]
        self.names = schemas[0].names()
        for (path, _), schema in zip(self._files, schemas, strict=True):
            lacking = [name for name in self.names if name not in schema]
            if lacking:
                raise TableError(
                    f"{path} has no {quoted(lacking)}, and {self._files[0][0]} has. Give files of the same columns."
                )
        self.ends = [0]
        for path, kind in self._files:
            self.ends.append(self.ends[-1] + _height(path, kind))

    @property
    def rows(self) -> int:
        """How many all files have."""
        return self.ends[-1]

    def frames(self, begin: int, end: int, names: Sequence[str]) -> Iterator[pl.DataFrame]:
        """The rows from `begin` to `end`, file by file."""
        for (path, kind), stamp, (first, last) in zip(self._files, self._stamps, pairwise(self.ends), strict=True):
            at, stop = max(begin, first), min(end, last)
            if at < stop:
                if _stamp(path) != stamp:
                    raise TableError(
                        f"{path} has been changed since it was looked at. Begin anew with the files as they are now."
                    )
                yield _checked(path, lambda: _scan(path, kind).select(names).slice(at - first, stop - at).collect())  # noqa: B023


def _kind(path: Path) -> Kind:
    with path.open("rb") as file:
        kind = kind_of(file.read(6), path.name)
    if kind not in ("parquet", "arrow"):
        raise TableError(
            f"{path} is no Parquet or Arrow file, and only these are read part by part as numbers. Write it as one, or give it to "
            "cr.TableModel."
        )
    return kind


def _scan(path: Path, kind: Kind) -> pl.LazyFrame:
    import polars as pl

    return _checked(path, lambda: pl.scan_parquet(path, low_memory=True) if kind == "parquet" else pl.scan_ipc(path))


def _height(path: Path, kind: Kind) -> int:
    import polars as pl

    return int(_checked(path, lambda: _scan(path, kind).select(pl.len()).collect()).item())


def _checked(path: Path, read: Callable[[], R]) -> R:
    """What is read of a file that may be damaged."""
    from polars.exceptions import PolarsError

    try:
        return read()
    except (PolarsError, OSError) as error:
        raise TableError(f"{path} cannot be read ({shortened(str(error), 200)}). Write it anew.") from None


def _stamp(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns
