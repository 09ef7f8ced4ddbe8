"""Where JAX computes and how exactly: what a user of the engine chooses, and what holds while it traces and computes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import jax

from chainrule.engines.jax.mesh import Spread


@dataclass(frozen=True)
class Settings:
    """A device such as "gpu" or "cuda:1", or none for JAX's own choice; whether factors are rounded to bfloat16; the devices that a
    training is shared out to."""

    device: str | None = None
    rounded: bool = False
    spread: Spread | None = None

    @property
    def chosen(self) -> Any:
        """The device of JAX."""
        return None if self.device is None else device_of(self.device)

    @property
    def grid(self) -> Spread:
        """The devices of a training that is shared out."""
        assert self.spread is not None
        return self.spread

    @contextmanager
    def held(self) -> Iterator[None]:
        """NumPy's dtypes, and no rounding of JAX's own, in this thread and for this time; the user's settings stay as they are."""
        with (
            jax.enable_x64(True),
            jax.numpy_dtype_promotion("standard"),
            jax.default_matmul_precision("highest"),
            jax.default_device(self.chosen),
        ):
            yield


def device_of(name: str) -> Any:
    """The device of a name: a platform, and behind a colon which of its devices.

    Raises
    ------
    RuntimeError
        JAX's own, where there is no such platform; IndexError where it has not so many devices, ValueError for no number.
    """
    platform, _, number = name.partition(":")
    return jax.local_devices(backend=platform)[int(number or 0)]


def types_of(arrays: Sequence[Any]) -> list[Any]:
    """The types of variables or arrays, as JAX says them."""
    with jax.enable_x64(True):
        return [jax.ShapeDtypeStruct(x.shape, x.dtype) for x in arrays]  # type: ignore[no-untyped-call]
