"""Stored rows as a training takes them: encoded when they are read, and looked at as arrays that are not in memory."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from typing import Any, NoReturn

import numpy as np

from chainrule.errors import ChainruleError, DataError, SettingError, ShapeError, UnsupportedError, shortened
from chainrule.nn.standardising import moments_of
from chainrule.training.objective import Batch
from chainrule.training.stored.dataset import Dataset, Piece, number_of_rows
from chainrule.training.stored.layout import Layout

Encode = Callable[[Piece], Batch]
"""What makes of a piece the arrays that are learned from."""


def checked_pieces(dataset: Dataset, begin: int, end: int, take: Callable[[Piece], Any]) -> Generator[Any]:
    """What is made of the pieces of some rows, which must be as many; an error says which rows they were."""
    at = begin
    with dataset.lock:
        pieces = dataset.pieces(begin, end)
        if not isinstance(pieces, Iterable):
            raise DataError(
                f"pieces({begin}, {end}) of {type(dataset).__name__} gave {shortened(pieces)}; give X, y and weights of these rows."
            )
        for piece in pieces:
            count = number_of_rows(piece)
            try:
                if not count:
                    raise DataError("there are no rows; leave such pieces out.")
                found = take(piece)
            except ChainruleError as error:
                raise type(error)(
                    f"in the rows {at} to {at + count} of {type(dataset).__name__}, counted from 0: {error}"
                ) from None
            at += count
            yield found
    if at != end:
        raise DataError(
            f"{type(dataset).__name__} gave {at - begin} rows where it was asked for those from {begin} to {end}. A dataset must "
            "have the same rows as long as it is used."
        )


def first_of(dataset: Dataset, count: int, take: Callable[[Piece], Any]) -> Any:
    """What is made of the first piece of so many rows."""
    with closing(checked_pieces(dataset, 0, min(count, dataset.rows), take)) as found:
        return next(found)


def passed_over(dataset: Dataset, row_bytes: int) -> Iterator[tuple[int, int]]:
    """From where to where the rows of a dataset are to be read, part by part; memory is given back between."""
    for begin, end in pairwise(Layout.of(dataset, row_bytes).edges):
        yield begin, end
        dataset.let_go()


class Store:
    """The rows of a dataset, encoded as they are read.

    `template` are some encoded rows, of which only the kinds count; `fingerprint` is a text that is
    another when any number is.
    """

    def __init__(self, dataset: Dataset, encode: Encode, template: Batch, fingerprint: str) -> None:
        self.dataset, self._encode, self.fingerprint = dataset, encode, fingerprint
        self.kinds = [(x.shape[1:], x.dtype) for x in template.arrays()]
        self.layout = Layout.of(dataset, sum(x[:1].nbytes for x in template.arrays()))
        self._last: tuple[int, int, list[Any]] | None = None
        self.batch = template.like(
            [StoredArray(self, place, (self.rows, *shape), dtype) for place, (shape, dtype) in enumerate(self.kinds)]
        )

    @property
    def rows(self) -> int:
        """How many there are."""
        return self.layout.rows

    def read_into(self, arrays: list[Any], begin: int, end: int) -> None:
        """Put rows into arrays."""
        at = 0
        for found in checked_pieces(self.dataset, begin, end, self._encoded):
            for x, part in zip(arrays, found, strict=True):
                x[at : at + len(part)] = part
            at += len(found[0])
        self.dataset.let_go()

    def _encoded(self, piece: Piece) -> list[Any]:
        found = self._encode(piece).arrays()
        if [(x.shape[1:], x.dtype) for x in found] != self.kinds:
            raise ShapeError(
                f"they are of other kinds than the first: {_told(found)}, and those were {_told_kinds(self.kinds)}. Give all rows "
                "the same parts, as many features and targets of one kind."
            )
        return found

    def read(self, begin: int, end: int) -> list[Any]:
        """Rows as arrays; those that were read last are remembered."""
        last = self._last
        if last is None or last[:2] != (begin, end):
            arrays = [np.empty((end - begin, *shape), dtype) for shape, dtype in self.kinds]
            self.read_into(arrays, begin, end)
            self._last = last = (begin, end, arrays)
        return last[2]

    def blocks(self) -> Iterator[Batch]:
        """All rows, block by block."""
        for begin, end in pairwise(self.layout.edges):
            yield self.batch.like(self.read(begin, end))
        self._last = None

    def loaded(self) -> Batch:
        """All rows as arrays."""
        arrays = [np.empty((self.rows, *shape), dtype) for shape, dtype in self.kinds]
        for begin, end in pairwise(self.layout.edges):
            self.read_into([x[begin:end] for x in arrays], begin, end)
        return replace(self.batch.like(arrays), own=True)

    def taken(self, rows: Any) -> list[Any]:
        """Rows by their numbers, of which every block is read once."""
        rows = np.asarray(rows)
        found = [np.empty((len(rows), *shape), dtype) for shape, dtype in self.kinds]
        edges = np.asarray(self.layout.edges)
        blocks = np.searchsorted(edges, rows, side="right") - 1
        for block in np.unique(blocks).tolist():
            here = blocks == block
            arrays = self.read(int(edges[block]), int(edges[block + 1]))
            for x, part in zip(found, arrays, strict=True):
                x[here] = part[rows[here] - edges[block]]
        return found

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_last": None}


class StoredArray:
    """One of the arrays of stored rows: it has a shape, and rows of it are read where they are asked for."""

    def __init__(self, store: Store, place: int, shape: tuple[int, ...], dtype: Any) -> None:
        self.store, self._place, self.shape, self.dtype = store, place, shape, dtype

    def moments(self) -> tuple[Any, Any]:
        """The mean and the standard deviation of every column, in float64, read once."""
        return moments_of(self[begin:end] for begin, end in pairwise(self.store.layout.edges))

    @property
    def ndim(self) -> int:
        """How many axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """How many numbers."""
        return int(np.prod(self.shape))

    @property
    def nbytes(self) -> int:
        """How many bytes they would take."""
        return self.size * int(self.dtype.itemsize)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> Any:
        if isinstance(rows, slice):
            begin, end, _ = rows.indices(len(self))
            return self.store.read(begin, end)[self._place]
        return self.take(rows)

    def take(self, rows: Any, axis: int = 0, out: Any = None, mode: str = "raise") -> Any:
        """Rows by their numbers, as `np.take` asks for them."""
        return self.store.taken(rows)[self._place]

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        raise UnsupportedError(
            f"the {len(self):,} rows learned from are read piece by piece, and arrays are needed here. Train on some of them as "
            "arrays for this."
        )


def store_of(data: Batch) -> Store | None:
    """The store that the arrays of a batch are looked at of; `None` for arrays."""
    first = data.inputs[0]
    return first.store if isinstance(first, StoredArray) else None


def layout_for(data: Batch, batch_size: int, shuffle: Any) -> Layout | None:
    """How stored rows are laid out, unless that does not go together with such batches or orders; `None` for arrays."""
    store = store_of(data)
    if store is None:
        return None
    if not isinstance(shuffle, bool | np.bool_):
        raise SettingError(
            "fit was given a dataset together with orders of rows from a function. Rows that are read piece by piece come by "
            "blocks: give shuffle=True or False."
        )
    return store.layout.in_batches(batch_size, store.dataset.megabytes)


def _told(arrays: list[Any]) -> str:
    return _told_kinds([(x.shape[1:], x.dtype) for x in arrays])


def _told_kinds(kinds: list[tuple[Any, Any]]) -> str:
    return ", ".join(f"{dtype} in shape (rows{''.join(f', {n}' for n in shape)})" for shape, dtype in kinds)
