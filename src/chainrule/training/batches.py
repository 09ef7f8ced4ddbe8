"""Batches: the order of the rows in every epoch and the keys of random numbers, drawn from two streams."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from chainrule.engines import REFERENCE, Engine, Shuffling
from chainrule.errors import ShapeError
from chainrule.ops.lazy import cached_property
from chainrule.training.alike import alike
from chainrule.training.stored.layout import Layout

Streams = Mapping[str, Any]
"""Where the two streams of random numbers stand, as their bit generators say it: `order`, and `keys`, `None` where none are drawn."""


class Drawn(NamedTuple):
    """What is drawn for some epochs: the orders of the rows, shape (epochs, rows), the key of every step, and the streams around it.

    Orders may be `left` to a crew to be shuffled before they are first read; until then their stream `stands` where it did before.
    """

    order: Any
    keys: Any
    before: Streams
    stands: Streams
    left: Shuffling | None = None

    @property
    def after(self) -> Streams:
        """The streams after it, once orders are shuffled."""
        return self.stands if self.left is None else {**self.stands, "order": self.left.state}


class Batches:
    """The rows of a training, shared out to steps.

    The last batch of an epoch may be smaller. Rows behind the first `rows` fill it up; they stay where they are.
    There are two streams of random numbers, so that neither depends on how many epochs are drawn at once. Stored rows have a
    layout, by which their orders are not written out. What shuffles is the engine that learns, to the same bits on all.
    """

    def __init__(
        self,
        rows: int,
        filled: int,
        size: int,
        seed: int,
        shuffle: bool | Callable[[int], Any],
        keyed: bool,
        layout: Layout | None = None,
        engine: Engine = REFERENCE,
    ) -> None:
        self.rows, self.size, self._filled, self._seed = rows, size, filled, seed
        self.steps_per_epoch = -(-rows // size)
        self.step_rows = np.full(self.steps_per_epoch, size, float)
        self.step_rows[-1] = rows - size * (self.steps_per_epoch - 1)
        self._shuffle, self.keyed = bool(shuffle) if isinstance(shuffle, np.bool_) else shuffle, keyed
        self._layout, self._engine = layout, engine
        self._begin(seed)

    def _begin(self, seed: int) -> None:
        self._order = np.random.default_rng([seed, 0])
        self._keys = np.random.default_rng([seed, 1]) if self.keyed else None
        self._left: Shuffling | None = None

    @property
    def windows(self) -> str:
        """How stored rows are laid out, for whoever goes on; empty for arrays."""
        return "" if self._layout is None else f", {self._layout}"

    def another(self, seed: int | None = None) -> Batches:
        """The same with streams of its own, at their beginning; by another seed if one is given."""
        other = alike(self)
        other._seed = self._seed if seed is None else seed
        other._begin(other._seed)
        return other

    @property
    def streams(self) -> Streams:
        """The streams before what is drawn next."""
        if self._left is not None:
            self._order.bit_generator.state, self._left = self._left.state, None
        return _standing(self._order, self._keys)

    @streams.setter
    def streams(self, streams: Streams) -> None:
        self._left = None
        _stand(streams, self._order, self._keys)

    def draw(self, epochs: int, *, by_others: bool = False) -> Drawn:
        """What the next epochs need; where calls are carried out by others, shuffling may be left to them."""
        before = self.streams
        order, self._left = self._orders(epochs, by_others)
        keys = self._draw_keys(self._keys, epochs)
        return Drawn(order, keys, before, _standing(self._order, self._keys), self._left)

    def later(self, streams: Streams, epochs: int) -> Streams:
        """The streams so many epochs after these, without drawing from those of the training."""
        order, keys = np.random.default_rng(0), np.random.default_rng(0) if self.keyed else None
        _stand(streams, order, keys)
        if self._layout is not None:
            self._layout.keys(order, epochs)
        elif self._is_shuffled:
            self._engine.shuffle(order, self._own(epochs)[:, : self.rows])
        self._draw_keys(keys, epochs)
        return _standing(order, keys)

    @property
    def _is_shuffled(self) -> bool:
        """Whether orders come from the stream; the order within a batch of all rows is of no account."""
        return self._shuffle is True and self.size < self.rows

    def _draw_keys(self, random: np.random.Generator | None, epochs: int) -> Any:
        total = epochs * self.steps_per_epoch
        return np.zeros(total, np.uint32) if random is None else random.integers(0, 2**32, total, np.uint32)

    @cached_property
    def _numbers(self) -> Any:
        return np.arange(self._filled, dtype=np.int32)

    def _natural(self, epochs: int) -> Any:
        return np.broadcast_to(self._numbers, (epochs, self._filled))

    def _own(self, epochs: int) -> Any:
        order = np.empty((epochs, self._filled), np.int32)
        order[...] = self._numbers
        return order

    def _orders(self, epochs: int, by_others: bool) -> tuple[Any, Shuffling | None]:
        if self._layout is not None:
            return self._layout.orders(self._order, epochs, shuffled=self._is_shuffled), None
        if not self._is_shuffled and isinstance(self._shuffle, bool):
            return self._natural(epochs), None
        order = self._own(epochs)
        rows, left = order[:, : self.rows], None
        if not self._is_shuffled:
            rows[...] = self._given(epochs)
        else:
            left = self._engine.shuffling(self._order, rows) if by_others else None
            if left is None:
                self._engine.shuffle(self._order, rows)
        return order, left

    def _given(self, epochs: int) -> Any:
        """Orders of the user's, checked."""
        given = np.asarray(self._shuffle(epochs))  # type: ignore[operator]
        if given.shape != (epochs, self.rows):
            raise ShapeError(
                f"shuffle gave orders of shape {given.shape} for {epochs} epochs of {self.rows} rows; "
                f"it must give shape {(epochs, self.rows)}."
            )
        strange = given[(given < 0) | (given >= self.rows)]
        if strange.size:
            raise ShapeError(f"shuffle gave row {strange[0]}; it must give numbers of rows, from 0 to {self.rows - 1}.")
        return given


def _standing(order: np.random.Generator, keys: np.random.Generator | None) -> Streams:
    """Where these stand."""
    return {"order": order.bit_generator.state, "keys": None if keys is None else keys.bit_generator.state}


def _stand(streams: Streams, order: np.random.Generator, keys: np.random.Generator | None) -> None:
    """Have them stand there; keys that nobody draws are of no account."""
    order.bit_generator.state = streams["order"]
    if keys is not None:
        keys.bit_generator.state = streams["keys"]


def means(steps: Any, step_rows: Any) -> Any:
    """Means over the first steps of every epoch, each counted by its rows: (epochs, steps, n) → (epochs, n)."""
    if steps.shape[1] == 1:
        return steps[:, 0]
    rows = step_rows[: steps.shape[1]]
    return np.einsum("s,esf->ef", rows, steps) / rows.sum()
