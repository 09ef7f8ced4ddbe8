"""A share of the rows of a dataset: those held out for validation, or the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from chainrule.nn.numbers import columns_of
from chainrule.training.stored.dataset import Dataset, Piece, number_of_rows

GROUP = 4096
"""Of so many rows that follow each other the share is taken at random, so that it is known without looking at all of them."""


class Share(Dataset):
    """Of every 4,096 rows that follow each other a random share is held out; this is what is held out, or what is left."""

    def __init__(self, dataset: Dataset, share: float, seed: int, *, held: bool) -> None:
        self._dataset, self._share, self._seed, self._held = dataset, share, seed, held
        self._all = dataset.rows
        self.megabytes, self.in_order, self.feature_names = dataset.megabytes, dataset.in_order, dataset.feature_names
        self.grain = max(1, round(dataset.grain * (share if held else 1 - share)))
        begins = np.arange(0, self._all, GROUP)
        ends = np.minimum(begins + GROUP, self._all)
        out = np.round(ends * share).astype(int) - np.round(begins * share).astype(int)
        self._counts = out if held else ends - begins - out
        self._held_out = out
        self._ends = np.cumsum(self._counts)
        self.rows = int(self._ends[-1])

    @property
    def lock(self) -> Any:
        """The dataset's, of which both shares read."""
        return self._dataset.lock

    @property
    def edges(self) -> list[int]:
        """Where the groups end that end next to where the dataset is well cut."""
        groups = np.minimum(np.asarray(self._dataset.edges[1:-1], int) // GROUP, len(self._ends) - 1)
        return [0, *np.unique(self._ends[groups]).tolist(), self.rows]

    def pieces(self, begin: int, end: int) -> Iterator[Piece]:
        """The rows of the share, group by group."""
        first = int(np.searchsorted(self._ends, begin, side="right"))
        last = int(np.searchsorted(self._ends, end, side="left"))
        chosen = np.concatenate([self._chosen(group) for group in range(first, last + 1)])
        before = int(self._ends[first] - self._counts[first])
        chosen = chosen[begin - before : end - before]
        if not len(chosen):
            return
        at, stop = first * GROUP, min((last + 1) * GROUP, self._all)
        for piece in self._dataset.pieces(at, stop):
            count = number_of_rows(piece)
            here = chosen[np.searchsorted(chosen, at) : np.searchsorted(chosen, at + count)] - at
            if len(here):
                yield tuple(_taken(part, here) for part in piece)
            at += count

    def let_go(self) -> None:
        """As the dataset does."""
        self._dataset.let_go()

    def _chosen(self, group: int) -> Any:
        """The numbers of the rows of a group that are in the share, in order."""
        begin = group * GROUP
        count = min(GROUP, self._all - begin)
        order = np.random.default_rng([self._seed, 2, group]).permutation(count)
        out = self._held_out[group]
        return begin + np.sort(order[:out] if self._held else order[out:])


def _taken(part: Any, rows: Any) -> Any:
    if isinstance(part, Mapping):
        return {name: _taken(x, rows) for name, x in part.items()}
    if isinstance(part, tuple):
        return tuple(_taken(x, rows) for x in part)
    if part is None:
        return None
    if columns_of(part) is not None:
        return part.iloc[rows] if hasattr(part, "iloc") else part[rows]
    return (part if hasattr(part, "shape") else np.asarray(part))[rows]
