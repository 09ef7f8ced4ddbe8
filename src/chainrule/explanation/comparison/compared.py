"""What a comparison holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chainrule.explanation.derivations.derivation import Derivation


@dataclass(frozen=True)
class Difference:
    """A way in which gradients differ: the name of the mistake, the gradients it explains, a sentence, and what to do.

    `kind` is empty where no known mistake gives these numbers.
    """

    kind: str
    names: tuple[str, ...]
    says: str
    remedy: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class GradientPair:
    """One gradient: its largest difference from the right one, where that is, and both numbers there.

    `error` is relative to the largest number in the right gradient. All but `shape` are `None` where the shapes differ.
    """

    name: str
    is_right: bool
    shape: tuple[int, ...]
    right_shape: tuple[int, ...]
    difference: float | None
    error: float | None
    place: tuple[int, ...] | None
    mine: float | None
    right: float | None


@dataclass(frozen=True, repr=False)
class Compared:
    """The gradients, and the ways in which they differ; `Comparison` says what each is."""

    gradients: tuple[GradientPair, ...]
    differences: tuple[Difference, ...]
    explanation: Derivation | None
    tolerance: float
    dtype: str
    digits: int = 6
    typed: int | None = None

    @property
    def is_right(self) -> bool:
        """Whether all of them agree to rounding."""
        return not self.differences

    @property
    def kinds(self) -> tuple[str, ...]:
        """The names of the mistakes found; "" among them where something is wrong in no known way."""
        return tuple(dict.fromkeys(x.kind for x in self.differences))

    @property
    def first_wrong(self) -> str | None:
        """The wrong one nearest to the output, where the backward pass first went wrong; `None` if there is none."""
        return next((x.name for x in self.gradients if not x.is_right), None)
