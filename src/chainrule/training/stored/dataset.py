"""Datasets: sources of rows that are read piece by piece, so that there may be more of them than fit into memory."""

from __future__ import annotations

import mmap
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, NoReturn, Self

import numpy as np

from chainrule.errors import DataError, SettingError, ShapeError, shortened
from chainrule.nn.numbers import columns_of

Piece = tuple[Any, ...]
"""Some rows that follow each other: X, y and weights, the last two `None` where there are none."""

MOST = 2**40
"""The most rows there may be."""

MEGABYTES = 256
"""What the rows that are held at a time may take, unless told otherwise."""


class Dataset:
    """Rows that are read piece by piece, so that there may be more of them than fit into memory.

    `fit`, `evaluate`, `predict` and `resume` take one in place of X and y. A class of your own says how many `rows` there are and
    gives `pieces(begin, end)` of them; `cr.ArrayDataset`, `cr.BatchDataset` and `cr.TableDataset` are such classes.

    An epoch takes the rows window by window, and the next window is read while one is learned from. With M megabytes and b bytes
    a row, as it is learned from, a window has at most W = M·2²⁰/(2b) rows. The rows are cut into blocks of about W/16 that follow
    each other (of `grain`, where that is more, but not of more than W/4). In every epoch the blocks come in a random order, as many
    as fit are a window, and its rows are shuffled so that every batch has as many of each part of it. This is decided by the seed,
    the number of rows, the batch size and the megabytes alone.

    Attributes
    ----------
    rows : int
        How many there are.
    megabytes : float
        What the rows that are held at a time may take, as they are learned from; a piece that is being read comes on top.
    edges : sequence of int
        Where it is well cut, from 0 to `rows`: a file of many parts is read faster part by part.
    in_order : bool
        Whether it can only be read from its beginning on. Then blocks come as they are, and only the rows of a window are shuffled.
    grain : int
        How many rows are better read together, where there is room for four times as many.
    feature_names : sequence of str
        Those of the columns of X, where they have some.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> class Squares(cr.Dataset):
    ...     rows = 1000
    ...     def pieces(self, begin, end):
    ...         x = np.arange(begin, end)[:, None] / 1000
    ...         yield x, x**2, None
    >>> network = cr.Network([cr.Dense(8, "tanh"), cr.Dense(1)])
    >>> history = network.fit(Squares(), epochs=5, progress=False)
    >>> history["loss"][-1] < history["loss"][0]
    True
    """

    rows: int
    megabytes: float = MEGABYTES
    in_order: bool = False
    grain: int = 1
    feature_names: Sequence[str] = ()

    _reading: tuple[int, Any]

    def __new__(cls, *_: Any, **__: Any) -> Self:
        """Rows that nobody reads yet."""
        made = super().__new__(cls)
        made._reading = os.getpid(), threading.RLock()
        return made

    @property
    def lock(self) -> Any:
        """What the thread holds that reads. A copy of the process has one of its own: that thread is not in it."""
        if self._reading[0] != os.getpid():
            self._reading = os.getpid(), threading.RLock()
        return self._reading[1]

    @property
    def edges(self) -> Sequence[int]:
        """Where it is well cut."""
        return (0, self.rows)

    def pieces(self, begin: int, end: int) -> Iterable[Piece]:
        """The rows from `begin` to `end` in pieces of any length, one after the other: X, y and weights of each."""
        raise SettingError(f"{type(self).__name__} has no pieces(begin, end); write one.")

    def check(self) -> None:
        """Refuse a number of rows, and of megabytes, that is none: a class of a user's own may say anything."""
        SettingError.unless_count(type(self).__name__, "rows", getattr(self, "rows", None), at_least=0)
        SettingError.unless_number(type(self).__name__, "megabytes", self.megabytes, above=0)

    def let_go(self) -> None:
        """Give back memory that holds what was read last; called when it is not needed any more."""

    def __len__(self) -> int:
        return self.rows

    def __getstate__(self) -> dict[str, Any]:
        return {name: x for name, x in vars(self).items() if name != "_reading"}

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        raise DataError(
            f"{type(self).__name__} has {self.rows:,} rows that are read piece by piece, and arrays are needed here. fit, evaluate, "
            "predict and resume take it; for anything else give some rows of it as arrays."
        )


class ArrayDataset(Dataset):
    """Rows of arrays that may lie on disk, such as `np.load(path, mmap_mode="r")`; also of frames and sparse matrices.

    They are read in pieces, and pages of files are given back after it, so that memory stays bounded. (A memmap that is
    given to `fit` as it is is read row by row where it lies, which is as fast as long as the system has room for its pages.)

    Parameters
    ----------
    X : array-like of shape (rows, features)
        What has a shape and is cut by `x[begin:end]`; for several inputs a tuple or a dict.
    y : array-like of shape (rows,) or (rows, outputs), optional
        Labels or values, as for `fit`; not needed for `predict`.
    sample_weight : array-like of shape (rows,), optional
        As for `fit`.
    megabytes : float
        What the rows that are held at a time may take.

    Raises
    ------
    ShapeError
        Where X, y and weights have different numbers of rows.
    DataError
        When it is read and a file has become shorter.

    Examples
    --------
    >>> import os, tempfile, numpy as np, chainrule as cr
    >>> path = os.path.join(tempfile.mkdtemp(), "X.npy")
    >>> np.save(path, np.linspace(-1, 1, 500, dtype="float32")[:, None])
    >>> X = np.load(path, mmap_mode="r")
    >>> data = cr.ArrayDataset(X, np.asarray(X[:, 0]) > 0, megabytes=64)
    >>> network = cr.Network([cr.Dense(8, "relu"), cr.Dense(1)])
    >>> history = network.fit(data, validation_split=0.1, progress=False)
    >>> network.evaluate(data)["accuracy"] > 0.9
    True
    """

    def __init__(self, X: Any, y: Any = None, sample_weight: Any = None, *, megabytes: float = MEGABYTES) -> None:
        SettingError.unless_number("ArrayDataset", "megabytes", megabytes, above=0)
        self._whole = tuple(_cuttable(part) for part in (X, y, sample_weight))
        self._leaves = [x for part in self._whole for x in _leaves(part)]
        counts = [_rows(x) for x in self._leaves]
        if len(set(counts)) != 1:
            raise ShapeError(
                f"ArrayDataset was given arrays of {', '.join(map(str, counts))} rows; give each of them one row a sample."
            )
        self.rows, self.megabytes = counts[0], float(megabytes)
        names = None if isinstance(X, tuple | Mapping) else columns_of(X)
        self.feature_names = tuple(names or ())

    def pieces(self, begin: int, end: int) -> Iterator[Piece]:
        """The rows as one piece."""
        for x in self._leaves:
            unless_shorter(x)
        yield tuple(cut(part, begin, end) for part in self._whole)

    def let_go(self) -> None:
        """Give pages of files back to the system, which keeps them as long as it has room."""
        for x in self._leaves:
            if isinstance(x, np.memmap) and x.mode != "c" and (mapped := _map_of(x)) is not None:
                with suppress(AttributeError, OSError, ValueError):  # no such advice on this system, or it is closed
                    mapped.madvise(mmap.MADV_DONTNEED)


class BatchDataset(Dataset):
    """Rows that come in batches from a function that is called anew for every pass over them, such as a generator.

    They can only be read from the beginning on: rows are shuffled within the windows in which they come, and a larger shuffle is
    the function's own. Batches of thousands of rows are read faster than those of a few; they need not be those of `fit`.

    Parameters
    ----------
    batches : callable
        Called without arguments; gives an iterable of `(X, y)` or `(X, y, sample_weight)`, some rows each.
    rows : int
        How many rows all batches have together.
    megabytes : float
        What the rows that are held at a time may take.

    Raises
    ------
    DataError
        When it is read and there are fewer rows, or more, or a batch has none.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> def batches():
    ...     for part in range(10):
    ...         x = np.random.default_rng(part).uniform(-1, 1, (200, 2))
    ...         yield x, x[:, 0] > x[:, 1]
    >>> network = cr.Network([cr.Dense(1)])
    >>> history = network.fit(cr.BatchDataset(batches, rows=2000), epochs=10, progress=False)
    >>> history["accuracy"][-1] > 0.9
    True
    """

    in_order = True

    def __init__(self, batches: Callable[[], Iterable[Any]], rows: int, *, megabytes: float = MEGABYTES) -> None:
        SettingError.unless_callable("BatchDataset", batches, "batches()")
        SettingError.unless_count("BatchDataset", "rows", rows, at_most=MOST)
        SettingError.unless_number("BatchDataset", "megabytes", megabytes, above=0)
        self._batches, self.rows, self.megabytes = batches, int(rows), float(megabytes)
        self._coming: Iterator[Piece] = iter(())
        self._rest: Piece | None = None
        self._at, self._process = -1, os.getpid()

    def pieces(self, begin: int, end: int) -> Iterator[Piece]:
        """The rows as they come; those before them are gone through where they do not come next."""
        if (
            begin != self._at or self._process != os.getpid()
        ):  # in a copy of the process it may be in the midst of a batch
            self._coming, self._rest, self._at, self._process = self._all(), None, 0, os.getpid()
        try:
            while self._at < end:
                at, piece = self._at, next(self._coming) if self._rest is None else self._rest
                self._rest = None
                self._at += number_of_rows(piece)
                if self._at > end:  # the rest comes with the next pieces
                    self._rest = tuple(cut(part, end - at, self._at - at) for part in piece)
                    self._at = end
                if self._at > begin:
                    yield tuple(cut(part, max(begin - at, 0), self._at - at) for part in piece)
            if self._at == self.rows:
                next(self._coming, None)  # refuses more
        except BaseException:
            self._at = -1  # begin anew with the next
            raise

    def _all(self) -> Iterator[Piece]:
        """All pieces of a pass, of which there are so many rows."""
        count = 0
        for number, batch in enumerate(passed(self._batches), 1):
            piece = _as_piece(batch, number)
            size = number_of_rows(piece, f"batch {number}")
            if not size:
                raise DataError(f"batch {number} of the BatchDataset has no rows; leave it out, or give it some.")
            count += size
            if count > self.rows:
                raise DataError(
                    f"the BatchDataset was said to have {self.rows} rows, and {count} have come with batch {number}. Give rows as "
                    "many as all batches have."
                )
            yield piece
        if count < self.rows:
            raise DataError(
                f"the BatchDataset was said to have {self.rows} rows, and its batches ended after {count}. Give rows as many as all "
                "batches have, which the function must give every time it is called."
            )


def passed(batches: Callable[[], Iterable[Any]]) -> Iterator[Any]:
    """What such a function gives, one after the other."""
    found = batches()
    if not isinstance(found, Iterable):
        raise DataError(
            f"the function for batches gave {shortened(found)}; let it give a new generator or list of batches with every call."
        )
    return iter(found)


def _as_piece(batch: Any, number: int) -> Piece:
    if not isinstance(batch, tuple) or len(batch) not in (2, 3):
        raise DataError(
            f"batch {number} of the BatchDataset is {shortened(batch)}; give a tuple (X, y), or (X, y, sample_weight)."
        )
    return (*batch, None) if len(batch) == 2 else batch


def number_of_rows(piece: Piece, what: str = "a piece") -> int:
    """How many rows a piece has, which all of its parts must have."""
    if not isinstance(piece, tuple | list) or len(piece) != 3:
        raise DataError(
            f"{what} is {shortened(piece)}; give X, y and weights in a tuple, and None for what is not there."
        )
    counts = {_rows(x) for part in piece for x in _leaves(part)}
    if len(counts) != 1:
        raise ShapeError(
            f"{what} has {' and '.join(map(str, sorted(counts))) or 'no'} rows in its parts; give each of them one row a sample."
        )
    return counts.pop()


def _leaves(part: Any) -> list[Any]:
    """The arrays of a part, which may be a dict or tuple of them."""
    if isinstance(part, Mapping | tuple):
        return [x for one in (part.values() if isinstance(part, Mapping) else part) for x in _leaves(one)]
    return [] if part is None else [part]


def _cuttable(part: Any) -> Any:
    """A part whose rows can be cut: of sparse matrices those that hold it so."""
    if isinstance(part, Mapping):
        return {name: _cuttable(x) for name, x in part.items()}
    if isinstance(part, tuple):
        return tuple(_cuttable(x) for x in part)
    if hasattr(part, "tocsr"):
        return part.tocsr()
    if part is not None and not hasattr(part, "__getitem__"):
        raise DataError(f"ArrayDataset was given {shortened(part)}; give what has rows that are cut by x[begin:end].")
    return part


def cut(part: Any, begin: int, end: int) -> Any:
    """Rows of a part, in arrays that are in memory or views of it."""
    if isinstance(part, Mapping):
        return {name: cut(x, begin, end) for name, x in part.items()}
    if isinstance(part, tuple):
        return tuple(cut(x, begin, end) for x in part)
    if part is None:
        return None
    rows = part[begin:end]
    return np.asarray(rows) if isinstance(rows, np.memmap) else rows


def _rows(x: Any) -> int:
    if hasattr(x, "shape"):
        return int(x.shape[0]) if x.shape else 0
    if hasattr(x, "__len__"):
        return len(x)
    raise DataError(f"a dataset was given {shortened(x)}; give arrays with a row for every sample.")


def unless_shorter(x: Any) -> None:
    """Refuse an array of a file that has become shorter, since reading it would end the process."""
    mapped = _map_of(x) if isinstance(x, np.memmap) else None
    if mapped is None:
        return
    try:
        there, mine = mapped.size(), x.offset - x.offset % mmap.ALLOCATIONGRANULARITY + len(mapped)
    except (OSError, ValueError):
        return
    if there < mine:
        raise DataError(
            f"the file {x.filename} has become shorter: {there} bytes are there of {mine}. Write it anew and open it again."
        )


def _map_of(x: Any) -> mmap.mmap | None:
    """The map that an array is a view of."""
    while x is not None and not isinstance(x, mmap.mmap):
        x = getattr(x, "base", None)
    return x
