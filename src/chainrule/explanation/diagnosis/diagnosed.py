"""What a diagnosis holds."""

from __future__ import annotations

from dataclasses import dataclass

from chainrule.explanation.diagnosis.illness import Finding
from chainrule.explanation.diagnosis.measures import Flow, ParameterMeasures


@dataclass(frozen=True, repr=False)
class Diagnosed:
    """The findings, what was looked for, and the measures they rest on; `Diagnosis` says what each is."""

    findings: tuple[Finding, ...]
    layers: tuple[Flow, ...]
    parameters: tuple[ParameterMeasures, ...]
    looked_for: tuple[str, ...]
    loss: float
    rows: int
    learning_rate: float
    optimizer: str
    digits: int = 3

    @property
    def healthy(self) -> bool:
        """Whether nothing was found but what is mild."""
        return all(finding.mild for finding in self.findings)
