"""A diagnosis: what was found in one step of training, what was looked for, and the measures it rests on."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from chainrule.errors import SettingError, UnknownNameError
from chainrule.explanation.diagnosis.illness import Finding
from chainrule.explanation.diagnosis.measures import Flow, Measures, ParameterMeasures
from chainrule.explanation.diagnosis.registry import ILLNESSES
from chainrule.explanation.diagnosis.writing import as_html, as_markdown, as_text
from chainrule.explanation.networks import evaluate_loss
from chainrule.explanation.stepping import first_step
from chainrule.notebooks import Shown
from chainrule.training import Training

VERSION = 1
"""Of the form in JSON."""


@dataclass(frozen=True, repr=False)
class Diagnosis(Shown):
    """What the doctor says of a network on a batch, and why.

    `findings` are sentences with their numbers, names and remedies (empty: none of what was `looked_for` was found). `layers` are
    the calls of layers and the states of loops, from the first to the last, with what is left of the gradient there and the factors
    that made it so; `parameters` have the lengths of their gradients and steps. `loss`, `rows`, `learning_rate` and `optimizer` say
    of which step. Printing gives text; `to("markdown")`, "html" and "json" other forms.
    """

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

    def __getitem__(self, illness: str) -> tuple[Finding, ...]:
        """The findings of one illness, by its name, such as `"vanishing_gradient"`."""
        if illness not in ILLNESSES:
            raise UnknownNameError.among("illness", illness, ILLNESSES)
        return tuple(finding for finding in self.findings if finding.illness == illness)

    def to(self, form: str) -> str:
        """The diagnosis as "text", "markdown", "html" or "json"; in JSON every number is there in full."""
        forms: dict[str, Callable[[Any], str]] = {
            "text": as_text, "markdown": as_markdown, "html": as_html, "json": lambda own: json.dumps(own.as_data(), ensure_ascii=False, indent=1),
        }  # fmt: skip
        if form not in forms:
            raise UnknownNameError.among("form", form, forms)
        return forms[form](self)

    def as_data(self) -> dict[str, Any]:
        """Everything as nested dicts of numbers and texts; numbers that are not finite are texts."""
        data = {
            "version": VERSION,
            "loss": self.loss,
            "rows": self.rows,
            "optimizer": self.optimizer,
            "learning_rate": self.learning_rate,
            "healthy": self.healthy,
            "findings": [{**asdict(finding), "names": list(finding.names)} for finding in self.findings],
            "looked_for": list(self.looked_for),
            "layers": [_flow_data(flow) for flow in self.layers],
            "parameters": [_parameter_data(p) for p in self.parameters],
        }
        found: dict[str, Any] = _plain(data)
        return found

    def __str__(self) -> str:
        return self.to("text")

    __repr__ = __str__

    def _repr_markdown_(self) -> str:
        return self.to("markdown")


def diagnose(training: Training, input_names: Any, digits: int = 3) -> Diagnosis:
    """What is wrong with the first step of a training, as far as the declared illnesses go."""
    SettingError.unless_count("diagnose", "digits", digits)
    seen = measured(training, input_names)
    found = tuple(finding for illness in ILLNESSES.values() for finding in illness.findings(seen))
    looked = tuple(illness.looks_for for illness in ILLNESSES.values())
    return Diagnosis(
        found, tuple(seen.flows), tuple(seen.parameters), looked, seen.loss, seen.rows, seen.rate, seen.optimizer, digits
    )


def measured(training: Training, input_names: Any) -> Measures:
    """The network on the batch of a training's first step, and what that step does to it."""
    objective, before = training.step.objective, training.parameters
    with np.errstate(all="ignore"):
        network = evaluate_loss(objective, before, training.data, input_names)
        taken = first_step(training)
    learned = {f"{layer}.{name}" for layer, own in taken.state["learned"].items() for name in own}
    names = {f"{layer}.{name}" for layer, own in before.items() for name in own}
    return Measures(
        network,
        before,
        taken.parameters,
        frozenset(names - learned),
        objective.model.biases,
        taken.rate,
        type(training.step.optimizer).__name__,
    )


def _flow_data(flow: Flow) -> dict[str, Any]:
    return {
        "name": flow.name,
        "layer": flow.station.layer,
        "units": flow.station.units,
        "above": list(flow.above),
        "‖∂L/∂z‖": flow.dz,
        "‖∂L/∂a‖": flow.da,
        "mean |act′(z)|": flow.mean_slope,
        "factor": flow.factor,
        "factor of act′": flow.slopes,
        "factor of weights": flow.weights,
    }


def _parameter_data(p: ParameterMeasures) -> dict[str, Any]:
    return {
        "name": p.name,
        "learned": p.learned,
        "‖W‖": p.size,
        "‖∂L/∂W‖": p.gradient,
        "‖∂L/∂W‖/‖W‖": p.gradient_ratio,
        "‖ΔW‖": p.update,
        "‖ΔW‖/‖W‖": p.update_ratio,
    }


def _plain(x: Any) -> Any:
    """What JSON can hold."""
    if isinstance(x, Mapping):
        return {str(key): _plain(value) for key, value in x.items()}
    if isinstance(x, list | tuple):
        return [_plain(value) for value in x]
    if isinstance(x, np.generic):
        return _plain(x.item())
    return str(x) if isinstance(x, float) and not math.isfinite(x) else x
