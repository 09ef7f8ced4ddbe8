"""Where JAX computes and how exactly: what a user of the engine chooses, and what holds while it traces and computes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import jax

from chainrule.engines.jax.mesh import Spread
from chainrule.engines.whole_numbers import fitting
from chainrule.errors import UnsupportedError

COPY = (
    "this process is a copy of one that has used JAX, whose threads are not in the copy; "
    'start processes by multiprocessing\'s "spawn", or use JAX in them alone'
)

NEUTRAL: tuple[tuple[str, Any, Any], ...] = (
    ("jax_disable_jit", False, jax.disable_jit),
    ("jax_debug_nans", False, jax.debug_nans),  # NaN is a number here as it is one in NumPy
    ("jax_debug_infs", False, jax.debug_infs),
    ("jax_numpy_rank_promotion", "allow", jax.numpy_rank_promotion),
    ("jax_transfer_guard_host_to_device", "allow", jax.transfer_guard_host_to_device),
    ("jax_transfer_guard_device_to_host", "allow", jax.transfer_guard_device_to_host),
    ("jax_transfer_guard_device_to_device", "allow", jax.transfer_guard_device_to_device),
)
"""Settings of JAX that users look for faults with in code of their own, and what they are for Programs."""


@dataclass(frozen=True)
class Settings:
    """A device such as "gpu" or "cuda:1", or none for JAX's own choice; whether factors are rounded to bfloat16; the devices that a
    training is shared out to."""

    device: str | None = None
    rounded: bool = False
    spread: Spread | None = None
    process: int = field(default_factory=os.getpid)

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
    def computing(self) -> Iterator[None]:
        """NumPy's dtypes, in this thread and for this time; the user's settings stay as they are.

        Raises
        ------
        UnsupportedError
            In a copy of the process, where JAX would wait for threads that are not there.
        """
        if self.process != os.getpid():
            raise UnsupportedError(f"JAX cannot compute here: {COPY}.")
        others = [setting(value) for name, value, setting in NEUTRAL if getattr(jax.config, name) not in (value, None)]
        with jax.enable_x64(True), ExitStack() as stack:
            for context in others:
                stack.enter_context(context)
            yield

    @contextmanager
    def held(self) -> Iterator[None]:
        """As it is while computing, and no rounding of JAX's own, where it is told what to compute."""
        with (
            self.computing(),
            fitting(),
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
        JAX's own, where there is no such platform; IndexError where it has not so many devices.
    """
    platform, _, number = name.partition(":")
    return jax.local_devices(backend=platform)[int(number or 0)]


def types_of(arrays: Sequence[Any]) -> list[Any]:
    """The types of variables or arrays, as JAX says them."""
    with jax.enable_x64(True):
        return [jax.ShapeDtypeStruct(x.shape, x.dtype) for x in arrays]  # type: ignore[no-untyped-call]
