"""The stages of a training step, made of what was seen of it: initialise, forward, loss, backward or nudges, gather, update."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from chainrule.explanation.rendering.numerals import numeral
from chainrule.explanation.rendering.tables import Table, table_by_element, table_of
from chainrule.explanation.training_steps.stage import LayerGradient, Stage
from chainrule.explanation.training_steps.stepping import Call, Nudged, Seen
from chainrule.explanation.training_steps.updates import (
    GRADIENT,
    NEW,
    PARAMETER,
    RATE,
    STEP,
    Update,
    formulas_of_update,
)
from chainrule.nn.neurons import Neurons
from chainrule.nn.parameters import flat_names
from chainrule.nn.readings import LayerReading
from chainrule.training.settings import NUMERICAL, passes
from chainrule.training.steps.finite_differences import EPSILON

EXACT = 12
"""Significant digits of losses that differ by a nudge."""
FEW = 8
"""More rows of a batch than these are not told one by one."""


def stages_of(seen: Seen, digits: int) -> dict[str, Stage]:
    """The stages of a step by their names, in order."""
    derivatives = (
        {"backward": _backward(seen, digits)} if seen.nudged is None else {"nudges": _nudges(seen, seen.nudged, digits)}
    )
    return {
        "initial": _initial(seen, digits),
        "forward": _forward(seen, digits),
        "loss": _loss(seen, digits),
        **derivatives,
        "gather": _gather(seen, digits),
        "update": _update(seen, digits),
    }


def _parameters(seen: Seen, shown: Mapping[str, Mapping[str, Any]], digits: int) -> tuple[Table, ...]:
    """A table for every parameter, with its arrays side by side."""
    tables = []
    for name, arrays in shown.items():
        tables.append(table_of(name, arrays, digits, axes=_axes(seen, name)))
    return tuple(tables)


def _initial(seen: Seen, digits: int) -> Stage:
    shown = {name: {"value": value} for name, value in flat_names(seen.before).items()}
    contents = {"parameters": seen.before, "rows": seen.rows}
    said = f"the parameters before {_step(seen)}"
    return Stage("Initialise", said, _parameters(seen, shown, digits), (), contents)


def _step(seen: Seen) -> str:
    """Which step it is, and which rows are its mini-batch."""
    if seen.steps_per_epoch == 1:
        return f"step {seen.number + 1}" if seen.number else "the step"
    epoch, first = divmod(seen.number, seen.steps_per_epoch)
    rows = ", ".join(map(str, seen.rows[:FEW])) + ", …" * (len(seen.rows) > FEW)
    place = f"mini-batch {first + 1} of {seen.steps_per_epoch} in epoch {epoch + 1}"
    return f"step {seen.number + 1}, whose samples are {place}: {'rows' if len(seen.rows) > 1 else 'row'} {rows}"


def _says(seen: Seen, of_neurons: str, of_others: str) -> str:
    """What happens, if in all layers that have parameters neurons add up w·x, and if not."""
    return (
        of_neurons if all(seen.neurons[layer].weight for layer in seen.before if layer in seen.neurons) else of_others
    )


def _forward(seen: Seen, digits: int) -> Stage:
    layers = tuple(
        LayerReading(c.name, c.inputs, c.z, c.a, seen.before.get(c.layer, {}), seen.neurons[c.layer])
        for c in seen.calls
    )
    tables = [table_of(c.name, {"z": None if c.z is c.a else c.z, "a": c.a}, digits) for c in seen.calls]
    contents = {"outputs": seen.outputs}
    said = _says(
        seen, "every neuron's z = Σ w·x + b and a = act(z), kept", "what every layer computes, z and a = act(z), kept"
    )
    return Stage("Forward pass", said, tuple(tables), layers, contents)


def _loss(seen: Seen, digits: int) -> Stage:
    outputs = {"output": seen.outputs, "∂L/∂output": seen.output_gradients}
    metrics = Table.of_metrics("metrics", seen.metrics, digits)
    single = not isinstance(seen.outputs, dict | list | tuple)
    tables = (metrics, table_of("outputs", outputs, digits)) if single else (metrics,)
    contents = {"value": seen.metrics["loss"], "metrics": seen.metrics, "gradient": seen.output_gradients}
    said = "how far the outputs are from the targets (L), and how L changes with each"
    return Stage("Loss", said, tables, (), contents)


def _backward(seen: Seen, digits: int) -> Stage:
    calls = list(reversed([c for c in seen.calls if c.da is not None or c.dz is not None]))
    layers = tuple(_layer_gradient(seen, c) for c in calls)
    tables = [table_of(c.name, {"∂L/∂a": None if c.a is c.z else c.da, "δ = ∂L/∂z": c.dz}, digits) for c in calls]
    said = "from the last layer to the first: " + _says(
        seen, "δ = ∂L/∂a · act′(z), and what each input gets, Σ δ·w", "the derivatives of L by a and by z"
    )
    return Stage("Backward pass", said, tuple(tables), layers)


def _nudges(seen: Seen, nudged: Nudged, digits: int) -> Stage:
    before, values, measured = seen.metrics["loss"], flat_names(seen.before), flat_names(seen.gradients)
    losses, exact = flat_names(nudged.losses), flat_names(nudged.exact)
    at, quotient = f"L({PARAMETER} + ε)", "ΔL/ε"
    tables = []
    for name, loss in losses.items():
        arrays = {PARAMETER: values[name], at: loss, quotient: measured[name], f"∂L/∂{PARAMETER}": exact[name]}
        tables.append(table_by_element(name, arrays, digits, axes=_axes(seen, name), precise={at: EXACT}))
    count = sum(x.size for x in measured.values())
    done = passes(1, NUMERICAL, count)
    said = f"every parameter in turn is raised by ε = {EPSILON:g}, the loss computed again, and the nudge taken back"
    counted = ("loss before", numeral(before, EXACT)), *((f"{way} passes", f"{n:,}") for way, n in done.items())
    tables.insert(0, Table("", ("what", "value"), counted))
    formula = Update(
        f"ΔL/ε = (L({PARAMETER} + ε) − L({PARAMETER}))/ε",
        (r"\frac{\Delta L}{\varepsilon}", rf"= \frac{{L({PARAMETER} + \varepsilon) - L({PARAMETER})}}{{\varepsilon}}"),
    )
    contents = {
        "epsilon": EPSILON,
        "before": before,
        "after": nudged.losses,
        "measured": seen.gradients,
        "exact": nudged.exact,
        "passes": done,
    }
    return Stage("Nudge every parameter", said, tuple(tables), (), contents, (formula,))


def _axes(seen: Seen, name: str) -> tuple[str, str]:
    """What the axes of a parameter count."""
    layer, _, own = name.rpartition(".")
    return seen.neurons.get(layer, Neurons()).rows_and_columns(own)


def _layer_gradient(seen: Seen, call: Call) -> LayerGradient:
    own, values = seen.gradients.get(call.layer, {}), seen.before.get(call.layer, {})
    shared = sum(other.layer == call.layer for other in seen.calls) > 1
    return LayerGradient(call.name, call.inputs, call.da, call.dz, own, values, seen.neurons[call.layer], shared)


def _gather(seen: Seen, digits: int) -> Stage:
    clipped = flat_names(seen.clipped)
    shown = {
        name: {
            "gradient": gradient,
            "clipped": None if np.array_equal(gradient, clipped[name], equal_nan=True) else clipped[name],
        }
        for name, gradient in flat_names(seen.gradients).items()
    }
    contents = {"gradients": seen.gradients, "clipped": seen.clipped}
    if seen.nudged is None:
        said = "of every parameter, the mean over the batch" + _says(seen, ": δ · input", "")
    else:
        said = "of every parameter, as it was measured: ΔL/ε"
    return Stage("Gather the gradients", said, _parameters(seen, shown, digits), (), contents)


def _update(seen: Seen, digits: int) -> Stage:
    before, after, gradients = map(flat_names, (seen.before, seen.after, seen.clipped))
    old, new = _states(seen.optimizer_state_before), _states(seen.optimizer_state)
    learned = [name for name in before if name in gradients]
    largest = max((before[name].shape for name in learned), key=math.prod, default=None)
    formulas = {} if largest is None else formulas_of_update(seen.optimizer, largest)
    tables = []
    for name, value in before.items():
        kept = {key + mark: x for key in old.get(name, {}) for mark, x in (("", old[name][key]), (NEW, new[name][key]))}
        arrays = {PARAMETER: value, GRADIENT: gradients.get(name), **kept, PARAMETER + NEW: after[name]}
        tables.append(table_by_element(name, arrays, digits, axes=_axes(seen, name)))
    contents = {
        "before": seen.before,
        "after": seen.after,
        "learning_rate": seen.rate,
        "optimizer_state": seen.optimizer_state,
        "formulas": {name: formula.text for name, formula in formulas.items()},
    }
    said = f"the parameters after the step; {GRADIENT} is the gradient, {RATE} = {seen.rate:g} the learning rate"
    if any(re.search(rf"\b{STEP}\b", formula.text) for formula in formulas.values()):
        said += f", {STEP} = {seen.number + 1} the number of the step"
    return Stage("Update", said, tuple(tables), (), contents, tuple(formulas.values()))


def _states(state: Any) -> dict[str, dict[str, Any]]:
    """What the optimizer keeps, by the names of the parameters."""
    return {f"{layer}.{name}": dict(kept) for layer, own in state.items() for name, kept in own.items()}
