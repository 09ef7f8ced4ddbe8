"""What an illness is: a declaration that looks at the measures and says what it finds, with its numbers and a remedy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from chainrule.declarations import names_of
from chainrule.errors import SettingError
from chainrule.explanation.diagnosis.measures import Measures


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    `illness` is the name of its declaration, `says` a sentence with the numbers, `names` the layers, units or parameters
    concerned, `evidence` the numbers by name, unrounded, `remedy` what to try. What is `mild` need not be a fault.
    """

    illness: str
    says: str
    names: tuple[str, ...]
    remedy: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    mild: bool = False


@dataclass(frozen=True)
class Illness:
    """Something that may be wrong with a step of training; its settings are the bounds beyond which it is told.

    `looks_for` is what was looked for, told where nothing is found.
    """

    looks_for: ClassVar[str]
    mild: ClassVar[bool] = False

    def findings(self, seen: Measures) -> Iterable[Finding]:
        """What is found in these measures."""
        raise SettingError(f"{type(self).__name__} has no findings(seen); write one.")

    def found(
        self, says: str, names: Iterable[str], remedy: str, evidence: Mapping[str, Any], mild: bool | None = None
    ) -> Finding:
        """A finding of this illness, which is as mild as that by default."""
        own = self.mild if mild is None else mild
        return Finding(names_of(type(self))[0], says, tuple(names), remedy, evidence, own)
