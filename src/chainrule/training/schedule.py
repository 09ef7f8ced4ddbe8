"""What a schedule is: the learning rate as a function of the time in epochs, fractions included."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chainrule.errors import SettingError
from chainrule.training.bounds import unless_number


@dataclass(frozen=True)
class Schedule:
    """A schedule of your own: a frozen dataclass with `__call__(epoch)`, an array of times in epochs ↦ rates.

    A plain function of the same kind serves as well.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> cr.Cosine(0.1, epochs=10)(np.array([0.0, 5.0, 10.0])).round(3)
    array([0.1 , 0.05, 0.  ])
    """

    def __post_init__(self) -> None:
        for name in ("rate", "factor", "final", "minimum"):
            unless_number(type(self).__name__, name, getattr(self, name, 0.0), at_least=0)
        for name in ("epochs", "every"):
            unless_number(type(self).__name__, name, getattr(self, name, 1.0), above=0)

    def __call__(self, epoch: Any) -> Any:
        """Learning rates at these times."""
        raise SettingError(f"{type(self).__name__} has no __call__(epoch); write one.")
