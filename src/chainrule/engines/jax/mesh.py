"""The devices that carry out one training together: rows of every batch along one axis, columns of wide arrays along the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import Mesh, NamedSharding, PartitionSpec

ROWS, COLUMNS = "rows", "columns"

WIDE = 128
"""Columns that a device has at the least of an array that is split."""


@dataclass(frozen=True)
class Spread:
    """A grid of devices of all processes.

    Parameters
    ----------
    devices : int
        How many, `0` for all there are.
    split : int
        Over how many of them the columns of wide arrays are shared out; the rows of a batch over the others.
    """

    devices: int
    split: int = 1

    @property
    def refusal(self) -> str | None:
        """Why there is no such grid here."""
        there = len(jax.devices())
        if self.devices > there:
            return (
                f"JAX has {there} of {self.devices} devices here; the setting XLA_FLAGS=--xla_force_host_platform_device_count="
                f"{self.devices} makes so many of a CPU"
            )
        if self.devices not in (0, there) and jax.process_count() > 1:
            return f"{jax.process_count()} processes train together, with {there} devices; give devices='all'"
        used = self.devices or there
        return f"{used} devices cannot be split by {self.split}" if used % self.split else None

    @property
    def mesh(self) -> Mesh:
        """The grid."""
        return _mesh(self.devices or len(jax.devices()), self.split)

    @property
    def shares(self) -> int:
        """Over how many devices the rows of a batch are shared out."""
        return int(self.mesh.shape[ROWS])

    def _lying(self, *axes: str | None) -> NamedSharding:
        return NamedSharding(self.mesh, PartitionSpec(*axes))  # type: ignore[no-untyped-call]

    def whole(self) -> NamedSharding:
        """An array that every device has."""
        return self._lying()

    def by_device(self) -> NamedSharding:
        """An array of which each share of the rows has a part along the first axis."""
        return self._lying(ROWS)

    def of_state(self, shape: Sequence[int]) -> NamedSharding:
        """Parameters, and what the optimizer keeps of them: whole everywhere, but for wide arrays where that was asked for."""
        if self.split == 1 or len(shape) < 2 or shape[-1] % self.split or shape[-1] < self.split * WIDE:
            return self.whole()
        return self._lying(*[None] * (len(shape) - 1), COLUMNS)

    def of_batches(self, rows: int) -> NamedSharding:
        """Batches of so many rows, one after the other; whole everywhere where the rows cannot be shared out evenly."""
        return self._lying(None, ROWS) if rows % self.shares == 0 else self.whole()


@lru_cache(maxsize=8)
def _mesh(devices: int, split: int) -> Mesh:
    return Mesh(np.array(jax.devices()[:devices]).reshape(-1, split), (ROWS, COLUMNS))


def put(x: Any, where: NamedSharding) -> Any:
    """An array on the devices, to which each process sends what its own devices are to have."""
    return jax.make_array_from_callback(x.shape, where, lambda place: x[place])


def put_rows(x: Any, numbers: Any, where: NamedSharding) -> Any:
    """Rows of an array on the devices, (steps, rows, …); each process reads those alone that its own devices are to have."""

    def rows(place: Any) -> Any:
        return np.asarray(np.take(x, numbers[place[:2]], axis=0), x.dtype.newbyteorder("="))

    return jax.make_array_from_callback((*numbers.shape, *x.shape[1:]), where, rows)


def fetched(x: Any) -> Any:
    """An array of NumPy's, to be read; of one that is split over processes all of these ask for it at the same time."""
    if not (x.is_fully_replicated or x.is_fully_addressable):
        x = multihost_utils.process_allgather(x, tiled=True)
    return np.asarray(x)[()]


def is_first() -> bool:
    """Whether this process is the first of those that train together."""
    return bool(jax.process_index() == 0)


def agreed(number: int) -> int:
    """The number of the first process, for all of them."""
    return number if jax.process_count() == 1 else int(multihost_utils.broadcast_one_to_all(np.int32(number)))
