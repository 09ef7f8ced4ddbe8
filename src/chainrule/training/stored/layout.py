"""The order of stored rows: blocks in random order, windows of some blocks, rows shuffled within a window.

A window is cut into stripes, of each of which every batch has as many rows. So a process that computes a part of every batch needs
a part of the window, and the order is the same for any number of processes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from chainrule.errors import SettingError
from chainrule.training.stored.dataset import Dataset

BLOCKS, FEWEST = 16, 4
"""About how many blocks a window has, and how few where a source would rather be read in larger ones."""

STRIPES = 16
"""Of how many stripes a batch has as many rows of each, at most: that many processes can share out batches and windows alike."""

Share = Callable[[int], tuple[int, int]]
"""From which to which row of a batch of so many a process needs."""


@dataclass(frozen=True)
class Layout:
    """Rows cut into blocks at the `edges`, as many of which are taken together as have at most `window` rows.

    Where they are taken `in_order` no block comes before another that stands before it. They are learned from in batches of
    `batch` rows.
    """

    edges: tuple[int, ...]
    window: int
    in_order: bool
    batch: int = 1

    @classmethod
    def of(cls, dataset: Dataset, row_bytes: int) -> Layout:
        """The layout of a dataset whose rows take so many bytes."""
        dataset.check()
        rows = int(dataset.rows)
        most = max(1, int(dataset.megabytes * 2**20) // (2 * max(1, row_bytes)))
        window = min(rows, most)
        aim = max(1, window // BLOCKS, min(dataset.grain, window // FEWEST))
        given = sorted({0, rows, *(int(edge) for edge in dataset.edges if 0 < edge < rows)})
        fine = [0]
        for begin, end in pairwise(given):
            count = max(1, round((end - begin) / aim))
            fine += [begin + (end - begin) * i // count for i in range(1, count + 1)]
        edges = [0]
        for edge, following in pairwise(fine[1:]):
            if following - edges[-1] > aim:
                edges.append(edge)
        edges.append(rows)
        return cls(tuple(edges), window, dataset.in_order)

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return self.edges[-1]

    def in_batches(self, batch_size: int, megabytes: float) -> Layout:
        """The same for batches of so many rows; those so large that a window does not hold two, and not all rows, are refused."""
        if batch_size < self.rows and self.window < min(self.rows, 2 * batch_size):
            raise SettingError(
                f"fit was given batch_size={batch_size}, and {megabytes:g} megabytes of a dataset hold windows of {self.window} "
                "rows, which must be two batches or more. Give a smaller batch_size, or more megabytes to the dataset."
            )
        if batch_size >= self.rows > self.window:
            raise SettingError(
                f"fit was given a batch of all {self.rows} rows, and {megabytes:g} megabytes of a dataset hold {self.window}. Give "
                "a smaller batch_size, or more megabytes to the dataset."
            )
        return replace(self, batch=batch_size)

    @property
    def stripes(self) -> int:
        """How many stripes a window has, besides that of the last, smaller batch."""
        return math.gcd(self.batch, STRIPES)

    def stripes_of(self, begin: int, end: int) -> Any:
        """The stripes whose rows stand at the places of an epoch; the last, smaller batch has one of its own, behind the others."""
        of_batch = (np.arange(self.batch) * self.stripes // self.batch).astype(np.uint8)
        found = np.resize(np.roll(of_batch, -(begin % self.batch)), end - begin)
        found[max(0, self.rows // self.batch * self.batch - begin) :] = self.stripes
        return found

    def orders(self, random: np.random.Generator, epochs: int, *, shuffled: bool) -> Orders:
        """The orders of the next epochs, for each of which one number is drawn."""
        keys = self.keys(random, epochs)
        ahead = np.random.default_rng(0)
        ahead.bit_generator.state = random.bit_generator.state
        return Orders(self, (*keys, *self.keys(ahead, 1)), shuffled)

    @staticmethod
    def keys(random: np.random.Generator, epochs: int) -> list[int]:
        """The numbers that decide about the next epochs."""
        found: list[int] = random.integers(0, 2**63, size=epochs, dtype=np.int64).tolist()
        return found

    def epoch(self, key: int, shuffled: bool) -> tuple[Window, ...]:
        """The windows of the epoch with this number."""
        numbers = np.arange(len(self.edges) - 1)
        if shuffled and not self.in_order:
            numbers = np.random.default_rng([key, 0]).permutation(numbers)
        groups: list[list[tuple[int, int]]] = [[]]
        count = 0
        for number in numbers.tolist():
            block = self.edges[number], self.edges[number + 1]
            if count and count + block[1] - block[0] > self.window:
                groups.append([])
                count = 0
            groups[-1].append(block)
            count += block[1] - block[0]
        found, begin = [], 0
        for index, blocks in enumerate(groups):
            end = begin + sum(last - first for first, last in blocks)
            found.append(Window(self, key, index, begin, end, tuple(blocks), shuffled))
            begin = end
        return tuple(found)

    def __str__(self) -> str:
        stripes = "" if self.stripes == 1 else f" and {self.stripes} stripes"
        return f"windows of {self.window} rows in {len(self.edges) - 1} blocks{stripes}"


@dataclass(frozen=True)
class Window:
    """Blocks of rows that are held together, and from where to where they are in an epoch.

    The row at place p of the epoch is the one at `places[p − begin]` among the rows of its blocks. Stripes are shuffled each by
    itself, one behind the other, and take turns as they do in batches.
    """

    layout: Layout
    key: int
    index: int
    begin: int
    end: int
    blocks: tuple[tuple[int, int], ...]
    shuffled: bool

    @cached_property
    def places(self) -> Any:
        """Where each row of the window is among those of its blocks, in the order in which they are learned from."""
        count = self.end - self.begin
        if not self.shuffled:
            return np.arange(count, dtype=np.int32)
        random, found = np.random.default_rng([self.key, 1 + self.index]), np.empty(count, np.int32)
        for stripe, (begin, end) in enumerate(pairwise(self._ends)):
            found[self._stripes == stripe] = begin + random.permutation(end - begin)
        return found

    @cached_property
    def _stripes(self) -> Any:
        return self.layout.stripes_of(self.begin, self.end)

    @cached_property
    def _ends(self) -> list[int]:
        """From where to where each stripe is among the rows of the blocks."""
        return [0, *np.cumsum(np.bincount(self._stripes, minlength=self.layout.stripes + 1)).tolist()]

    def parts(self, share: Share) -> list[tuple[int, int, int]]:
        """What of its blocks is to be read for a share of all batches: at which place of the window, from which row to which.

        These are the stripes that the share has rows of, and the last, smaller batch.
        """
        (first, stop), size, count = share(self.layout.batch), self.layout.batch, self.layout.stripes
        ranges = [(0, self.end - self.begin)]
        if self.shuffled and (first, stop) != (0, size):
            ranges = [
                (self._ends[first * count // size], self._ends[-(-stop * count // size)]),
                (self._ends[-2], self._ends[-1]),
            ]
        found, at = [], 0
        for begin, end in self.blocks:
            for one, other in ranges:
                here, there = max(one, at), min(other, at + end - begin)
                if here < there:
                    found.append((here, begin + here - at, begin + there - at))
            at += end - begin
        return found

    @property
    def rows(self) -> Any:
        """The numbers of its rows, in the order in which they are learned from."""
        return np.concatenate([np.arange(begin, end) for begin, end in self.blocks])[self.places]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Window) and (self.key, self.index) == (other.key, other.index)

    def __hash__(self) -> int:
        return hash((self.key, self.index))


@dataclass(frozen=True)
class Orders:
    """The orders of rows in some epochs, and in one more that will come, which are not written out.

    `orders[epoch, begin:end]` are numbers of rows, as of an array of shape (epochs, rows).
    """

    layout: Layout
    keys: Sequence[int]
    shuffled: bool
    _known: dict[int, tuple[Window, ...]] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, int]:
        """Epochs, without the one that will come, and rows."""
        return len(self.keys) - 1, self.layout.rows

    def epoch(self, number: int) -> tuple[Window, ...]:
        """The windows of an epoch, the one that will come among them."""
        if number not in self._known:
            self._known.clear()
            self._known[number] = self.layout.epoch(self.keys[number], self.shuffled)
        return self._known[number]

    def __getitem__(self, place: tuple[int, slice]) -> Any:
        epoch, part = place
        begin, end, _ = part.indices(self.layout.rows)
        found = [np.empty(0, int)]
        for window in self.epoch(epoch):
            first, last = max(begin, window.begin), min(end, window.end)
            if first < last:
                found.append(window.rows[first - window.begin : last - window.begin])
        return np.concatenate(found)
