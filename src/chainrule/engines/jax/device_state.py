"""The state of a training loop on JAX's devices, where it stays until somebody asks for NumPy's arrays."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp

from chainrule.engines.jax.mesh import fetched
from chainrule.engines.jax.settings import Settings
from chainrule.engines.states import State, are_finite


class DeviceState(State):
    """Arrays of JAX, which nothing writes into; NumPy's, all of them together, when one is asked for."""

    def __init__(self, arrays: Sequence[Any], settings: Settings) -> None:
        self.arrays, self._settings = tuple(arrays), settings

    @cached_property
    def is_finite(self) -> bool:
        """Whether all their numbers are finite, looked at where they are."""
        if are_in_memory(self.arrays):
            return are_finite(self)
        with self._settings.held():
            return bool(fetched(_all_finite(self.arrays)))

    @cached_property
    def as_numpy(self) -> list[Any]:
        """The arrays as NumPy's, to be read; of arrays that are split over processes all of these ask at the same time."""
        with self._settings.computing():
            return [fetched(x) for x in self.arrays]

    def __getitem__(self, place: Any) -> Any:
        return self.as_numpy[place]

    def __len__(self) -> int:
        return len(self.arrays)


def are_in_memory(arrays: Sequence[Any]) -> bool:
    """Whether NumPy can look at arrays of JAX where they are."""
    return all(device.platform == "cpu" for x in arrays for device in x.devices())


@jax.jit
def _all_finite(arrays: Sequence[Any]) -> Any:
    numbers = [x for x in arrays if jnp.issubdtype(x.dtype, jnp.inexact)]
    return jnp.all(jnp.array([jnp.all(jnp.isfinite(x)) for x in numbers], bool))
