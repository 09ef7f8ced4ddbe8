"""A diagnosis: what was found in one step of training, what was looked for, and the measures it rests on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from chainrule.errors import SettingError, UnknownNameError
from chainrule.explanation.diagnosis.diagnosed import Diagnosed
from chainrule.explanation.diagnosis.illness import Finding
from chainrule.explanation.diagnosis.measures import Measures
from chainrule.explanation.diagnosis.registry import ILLNESSES
from chainrule.explanation.diagnosis.writing import FORMS, as_data
from chainrule.explanation.evaluations.networks import evaluate_loss
from chainrule.explanation.rendering.written import Written
from chainrule.explanation.training_steps.stepping import Steps
from chainrule.training import Training


class Diagnosis(Diagnosed, Written):
    """What the doctor says of a network on a batch, and why.

    `findings` are sentences with their numbers, names and remedies (empty: none of what was `looked_for` was found). `layers` are
    the calls of layers and the states of loops, from the first to the last, with what is left of the gradient there and the factors
    that made it so; `parameters` have the lengths of their gradients and steps. `loss`, `rows`, `learning_rate` and `optimizer` say
    of which step. Printing gives text; `to("markdown")`, "html" and "json" other forms.
    """

    def __getitem__(self, illness: str) -> tuple[Finding, ...]:
        """The findings of one illness, by its name, such as `"vanishing_gradient"`."""
        if illness not in ILLNESSES:
            raise UnknownNameError.among("illness", illness, ILLNESSES)
        return tuple(finding for finding in self.findings if finding.illness == illness)

    def forms(self) -> Mapping[str, Callable[[Diagnosed], str]]:
        """What writes it as text, Markdown, HTML and JSON; there every number is in full."""
        return FORMS

    def data(self) -> dict[str, Any]:
        """The same as nested dicts and lists, every number with all its digits."""
        return as_data(self)


@np.errstate(all="ignore")  # what is not finite is a finding
def diagnose(training: Training, input_names: Any, digits: int = 3) -> Diagnosis:
    """What is wrong with the first step of a training, as far as the declared illnesses go."""
    SettingError.unless_count("diagnose", "digits", digits)
    seen = measured(training, input_names)
    found = tuple(finding for illness in ILLNESSES.values() for finding in illness.findings(seen))
    looked = tuple(illness.looks_for for illness in ILLNESSES.values())
    return Diagnosis(
        found,
        tuple(seen.flows),
        tuple(seen.parameters),
        looked,
        seen.loss,
        seen.rows,
        seen.rate,
        seen.optimizer,
        digits,
    )


def measured(training: Training, input_names: Any) -> Measures:
    """The network on the batch of a training's first step, and what that step does to it."""
    objective, before = training.step.objective, training.parameters
    with np.errstate(all="ignore"):
        taken = Steps(training).take()
        key = None if objective.model.trains_as_it_predicts else np.uint32(taken.key)
        network = evaluate_loss(objective, before, training.data, input_names, key=key)
    learned = {f"{layer}.{name}" for layer, own in taken.state["learned"].items() for name in own}
    learned -= objective.model.unlearned
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
