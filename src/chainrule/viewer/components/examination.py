"""What is wrong, in words: with the network, as the doctor finds it, and with gradients of a learner's own."""

from __future__ import annotations

import json
import re
from typing import Any

from chainrule.errors import SettingError
from chainrule.explanation.comparison import compare_network
from chainrule.explanation.diagnosis import diagnose
from chainrule.explanation.rendering.json_form import exact
from chainrule.nn.parameters import flat_names
from chainrule.training import Settings as TrainingSettings
from chainrule.training import Training
from chainrule.training.steps.step import TrainingStep
from chainrule.viewer.component import Component, command, part
from chainrule.viewer.components.reasons import written
from chainrule.viewer.components.settings import SETTINGS
from chainrule.viewer.components.time import Time
from chainrule.viewer.subject import MOMENT

COMPARISON = "comparison"
NUMBERS = {
    "dz": "‖∂L/∂z‖",
    "da": "‖∂L/∂a‖",
    "mean_slope": "mean |act′(z)|",
    "factor": "factor from above",
    "slopes": "of it act′",
    "weights": "of it weights",
}
"""What is told of every layer, and how it is called."""


class Examination(Component):
    """The doctor on the step that comes next, and a comparison of gradients."""

    def __init__(self, time: Time) -> None:
        self.time, self.subject = time, time.subject
        self.given: dict[str, Any] | None = None

    @part(MOMENT, SETTINGS, slow=True, panel=True)
    def doctor(self) -> dict[str, Any] | None:
        """What the doctor finds with the rows shown; nothing while a number is hidden, which may be among what was measured."""
        subject, digits = self.subject, self.subject.digits
        if subject.hidden:
            return None
        settings = TrainingSettings(
            epochs=1, batch_size=None, engine="numpy", frozen=self.time.plan.other.frozen, progress=False
        )
        step = TrainingStep(subject.objective, self.time.plan.optimizer, self.time.plan.clipping)
        found = diagnose(
            Training(step, subject.parameters, subject.batch(), None, settings), subject.network.input_names
        )
        data = found.data()
        findings = [
            {
                "kind": finding["illness"],
                "title": str(finding["illness"]).replace("_", " "),
                "sentence": finding["says"],
                "evidence": _evidence(finding["evidence"], digits),
                "names": [self._key(name) for name in finding["names"]],
                "advice": [finding["remedy"]],
                "mild": finding["mild"],
            }
            for finding in data["findings"]
        ]
        layers = [
            {"name": x["name"], "numbers": _evidence({NUMBERS[n]: x[n] for n in NUMBERS}, digits)}
            for x in data["layers"]
        ]
        nothing = f"No problems found. Looked for: {', '.join(found.looked_for)}."
        told = ", ".join(x["title"] for x in findings)
        return {"healthy": data["healthy"], "says": told or nothing, "findings": findings, "layers": layers}

    def _key(self, name: str) -> str:
        """The key of what a finding names: of a unit `hidden[3]` its activation, for any row."""
        unit = re.fullmatch(r"(.+)\[(\d+)\]", name)
        return name if unit is None or unit[1] in self.subject.found.known else f"{unit[1]}.a[n, {unit[2]}]"

    @command
    def compare(self, gradients: Any) -> None:
        """Compare a learner's gradients by the names of parameters, as nested lists or as their JSON; `None` for none."""
        if isinstance(gradients, str):
            try:
                gradients = json.loads(gradients)
            except ValueError as error:
                raise SettingError(
                    f'these gradients are no JSON ({error}); write them as {{"hidden.weight": [[0.1, 0.2]], …}}.'
                ) from None
        if gradients is not None and not isinstance(gradients, dict):
            raise SettingError('give gradients by the names of parameters, such as {"hidden.bias": [0.1, 0.2]}.')
        before, self.given = self.given, gradients
        try:
            self._compared()
        except Exception:
            self.given = before
            raise
        self.subject.topics.touch(COMPARISON)

    @part(MOMENT, COMPARISON)
    def comparison(self) -> dict[str, Any] | None:
        """In which way they differ from the right ones, of the rows shown."""
        return None if self.given is None or self.subject.hidden else self._compared()

    def _compared(self) -> dict[str, Any] | None:
        subject = self.subject
        if self.given is None:
            return None
        names = flat_names(subject.parameters)
        rate = self.time.plan.optimizer.learning_rate
        found = compare_network(
            subject.found,
            names,
            subject.network.model.biases,
            self.given,
            float(rate) if isinstance(rate, int | float) else None,
            subject.digits + 2,
        )
        return {**found.data(), "text": str(found)}


def _evidence(numbers: Any, digits: int) -> list[dict[str, Any]]:
    """Numbers with what they are called, in full and to be read."""
    found = []
    for name, x in dict(numbers).items():
        if isinstance(x, int | float) and not isinstance(x, bool):
            found.append({"name": name.replace("_", " "), "value": exact(float(x)), "text": written(float(x), digits)})
    return found
