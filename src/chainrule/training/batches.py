"""Batches: the order of the rows in every epoch and the keys of random numbers, drawn from two streams."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from chainrule.engines import REFERENCE, Engine
from chainrule.errors import ShapeError
from chainrule.ops.lazy import cached_property
from chainrule.training.alike import alike
from chainrule.training.stored.layout import Layout

Streams = Mapping[str, Any]
"""Where the two streams of random numbers stand: `order` and `keys`, each as its bit generator says it; no `keys` where none are drawn."""


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
        return _standing(self._order, self._keys)

    @streams.setter
    def streams(self, streams: Streams) -> None:
        _stand(streams, self._order, self._keys)

    def draw(self, epochs: int) -> tuple[Any, Any]:
        """For the next epochs the order of the rows, shape (epochs, rows), and the key of every step."""
        return self._orders(epochs), self._draw_keys(self._keys, epochs)

    def later(self, streams: Streams, epochs: int) -> Streams:
        """The streams so many epochs after these, without drawing from those of the training."""
        order, keys = np.random.default_rng(0), np.random.default_rng(0) if self.keyed else None
        _stand(streams, order, keys)
        if self._layout is not None:
            self._layout.keys(order, epochs)
        elif self._is_shuffled:
            self._shuffled(order, epochs)
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

    def _shuffled(self, random: np.random.Generator, epochs: int) -> Any:
        order = np.empty((epochs, self._filled), np.int32)
        order[...] = self._numbers
        self._engine.shuffle(random, order[:, : self.rows])
        return order

    def _orders(self, epochs: int) -> Any:
        if self._layout is not None:
            return self._layout.orders(self._order, epochs, shuffled=self._is_shuffled)
        if self._is_shuffled:
            return self._shuffled(self._order, epochs)
        if isinstance(self._shuffle, bool):
            return self._natural(epochs)
        order = self._natural(epochs).copy()
        order[:, : self.rows] = self._given(epochs)
        return order

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
