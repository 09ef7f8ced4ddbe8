"""How a training goes, apart from what is learned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.engines import Engine
from chainrule.errors import SettingError, shortened
from chainrule.training.alike import alike
from chainrule.training.between_epochs.callbacks import Callback, EarlyStopping, StopRule, unless_callbacks
from chainrule.training.between_epochs.progress import Display

MEGABYTES = 64
"""What a recording keeps of the states on the way, unless told otherwise."""

CHAIN_RULE, NUMERICAL = "chain rule", "numerical"
"""How gradients are found: by backpropagation, or by nudging every parameter in turn."""


@dataclass(frozen=True)
class Settings:
    """How a training goes, apart from what is learned.

    `shuffle` may be a function that gives the orders of the rows for the next so many epochs, shape (epochs, rows).
    `record` is how many megabytes a recording may keep of the states on the way; 0 or `False` for none, `True` for 64.
    `progress` may be what is told how far it is.
    """

    epochs: int = 20
    batch_size: int | None = 32
    seed: int = 0
    shuffle: bool | Callable[[int], Any] = True
    engine: str | Engine = "auto"
    threads: int | None = None
    gradients: str = CHAIN_RULE
    early_stopping: EarlyStopping | None = None
    callbacks: Sequence[Callback] = field(default_factory=tuple)
    stop: StopRule | None = None
    frozen: Sequence[str] = field(default_factory=tuple)
    progress: bool | Display | None = None
    record: bool | int = False

    def __post_init__(self) -> None:
        SettingError.unless_count("fit", "epochs", self.epochs)
        if self.batch_size is not None:
            SettingError.unless_count("fit", "batch_size", self.batch_size)
        SettingError.unless_count("fit", "seed", self.seed, at_least=0, at_most=2**128)
        if self.threads is not None:
            SettingError.unless_count("fit", "threads", self.threads)
        for name in ("epochs", "batch_size", "seed", "threads"):  # NumPy's whole numbers as Python's
            if getattr(self, name) is not None:
                object.__setattr__(self, name, int(getattr(self, name)))
        called = callable(self.shuffle) and not isinstance(self.shuffle, type)
        if not called and not isinstance(self.shuffle, bool | np.bool_):
            raise SettingError(
                f"fit was given shuffle={shortened(self.shuffle)}; use True, False, or a function that gives the orders of the rows."
            )
        if not isinstance(self.record, bool | np.bool_):
            SettingError.unless_count("fit", "record", self.record, at_least=0)
        object.__setattr__(self, "record", MEGABYTES if self.record is True else int(self.record))
        if self.record and called:
            raise SettingError(
                "fit was given record together with orders of rows from a function, which cannot be asked for them again. "
                "Give shuffle=True or False, or leave record out."
            )
        SettingError.unless_one_of("fit", "gradients", self.gradients, (CHAIN_RULE, NUMERICAL))
        unless_callbacks(self.callbacks)

    def another(self, seed: int, progress: Display) -> Settings:
        """The same with another seed and something else that is told; nothing is checked again."""
        other = alike(self)
        other.__dict__.update(seed=seed, progress=progress)
        return other


def passes(steps: int, gradients: str, parameters: int) -> dict[str, int]:
    """How many passes over a batch so many steps take, with so many parameters to be learned."""
    if gradients == NUMERICAL:
        return {"forward": steps * (parameters + 1), "backward": 0}
    return {"forward": steps, "backward": steps}
