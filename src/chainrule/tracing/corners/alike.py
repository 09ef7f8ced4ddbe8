"""Values of a trace that are computed alike: by the same operations of the same numbers, if under another handle."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from chainrule.ops.operation import Operation
from chainrule.tracing.keeping import fingerprint

Made = tuple[Operation, Sequence[Hashable], Mapping[str, Any]] | None
"""How a value was made: operation, what tells its inputs from others, attributes; `None` for one that was given."""


class Alike:
    """A number for every value of a list, the same for those that are made alike."""

    __slots__ = ("_known", "numbers")

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self._known: dict[Hashable, int] = {}

    def follow(self, made: Iterable[Made]) -> None:
        """Number the values that have come to the list since."""
        for one in made:
            key: Hashable = object()
            if one is not None:
                op, inputs, attributes = one
                key = op, *inputs, *attributes.items()
            number = len(self.numbers)
            with suppress(TypeError):  # an attribute that cannot be compared
                number = self._known.setdefault(key, number)
            self.numbers.append(number)


def of_plain(x: Any) -> Hashable:
    """What tells plain numbers from others, to the bit."""
    if isinstance(x, np.ndarray):
        return x.shape, x.dtype, fingerprint(x)
    return type(x), np.asarray(x).tobytes()
