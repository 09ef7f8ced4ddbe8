"""Columns put together as the network's inputs: numbers, then plain ones, flags and codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.tables.columns.column import FEATURE_KINDS, Column, Encoder, Feature
from chainrule.tables.side_by_side import side_by_side

ROWS_AT_ONCE = 16384
"""So many rows are encoded at once that little memory is needed beside what comes out."""


class Block(NamedTuple):
    """Columns of one kind, which are encoded together, and the places of their features in X."""

    columns: tuple[Column, ...]
    encode: Encoder
    places: NDArray[np.intp]


def features_of(columns: Sequence[Column]) -> tuple[Feature, ...]:
    """The network's inputs in order."""
    every = [feature for column in columns for feature in column.features]
    return tuple(sorted(every, key=lambda feature: FEATURE_KINDS.index(feature.kind)))


def blocks_of(columns: Sequence[Column]) -> tuple[Block, ...]:
    """The columns by kind, and where their features stand in the order of `features_of`."""
    kinds = np.array([FEATURE_KINDS.index(f.kind) for column in columns for f in column.features], dtype=np.intp)
    place = np.empty(len(kinds), dtype=np.intp)
    place[np.argsort(kinds, kind="stable")] = np.arange(len(kinds))
    starts = np.cumsum([0] + [len(column.features) for column in columns])
    blocks = []
    for kind in dict.fromkeys(type(column) for column in columns):
        chosen = [i for i, column in enumerate(columns) if type(column) is kind]
        same = tuple(columns[i] for i in chosen)
        places = np.concatenate([place[starts[i] : starts[i + 1]] for i in chosen])
        blocks.append(Block(same, kind.encoder(same), places))
    return tuple(blocks)


def arranged(blocks: Sequence[Block], values: Sequence[Sequence[Any]]) -> Any:
    """X as `joined` puts it together, of all rows at once and as plain code, which can be traced."""
    encoded = [block.encode(read).astype(np.float32) for block, read in zip(blocks, values, strict=True)]
    places = np.argsort(np.concatenate([block.places for block in blocks]))
    return np.concatenate(encoded, axis=1)[:, places]


def joined(blocks: Sequence[Block], values: Sequence[Sequence[NDArray[np.float64]]], rows: int) -> NDArray[np.float32]:
    """X, shape (rows, features), put together from what was read of every block's columns."""
    X = np.empty((rows, sum(len(block.places) for block in blocks)), dtype=np.float32)

    def fill(start: int) -> None:
        part = slice(start, start + ROWS_AT_ONCE)
        for block, read in zip(blocks, values, strict=True):
            X[part, block.places] = block.encode([x[part] for x in read])

    side_by_side(fill, range(0, rows, ROWS_AT_ONCE))
    return X
