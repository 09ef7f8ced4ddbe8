"""Stations: where a gradient passes on its way back, every call of a layer and every state of a loop, and who stands above whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from chainrule.explanation.evaluations.evaluation import Evaluation
from chainrule.explanation.evaluations.labels import is_state
from chainrule.explanation.evaluations.networks import NetworkEvaluation
from chainrule.nn.neurons import NOT_KNOWN, Neurons
from chainrule.ops import Elementwise
from chainrule.ops.operation import eager
from chainrule.tracing.interpreter import evaluated
from chainrule.tracing.program import Atom, Equation, Variable


@dataclass(frozen=True, eq=False)
class Station:
    """A call of a layer, or the state of a loop after a step: its linear activation z, and its activation a = act(z).

    `z` is `a` where there is no activation. `above` are the stations that the gradient comes from, none for the last ones, whose
    gradient is the loss's own; `layer` is the name without the number of the call, and empty for states.
    """

    evaluation: Evaluation
    name: str
    layer: str
    z: Variable
    a: Variable
    above: tuple[Station, ...] = ()
    made: Neurons = NOT_KNOWN

    @property
    def units(self) -> int:
        """How many neurons, or channels, lie along the last axis."""
        return self.z.shape[-1] if self.z.shape else 1

    @property
    def dz(self) -> Any:
        """∂L/∂z; `None` where no derivative comes."""
        return self.evaluation.cotangent(self.z)

    @property
    def da(self) -> Any:
        """∂L/∂a; `None` where no derivative comes this way, as where the loss takes z itself."""
        return self.evaluation.cotangent(self.a)

    @cached_property
    def size(self) -> float | None:
        """‖∂L/∂z‖, over all samples and units."""
        return None if self.dz is None else float(np.linalg.norm(np.ravel(self.dz)))

    @cached_property
    def slopes(self) -> Any:
        """act′(z), of z's shape; `None` without an activation, and for those that mix units, as softmax does."""
        if self.z is self.a or not self._by_element:
            return None
        return self.slopes_at(self.evaluation.precise(self.z))

    def slopes_at(self, z: Any) -> Any:
        """act′ at other numbers than the z that there is."""
        precise = self.evaluation.precise
        values: dict[Atom, Any] = {self.z: z}
        tangents: dict[Atom, Any] = {self.z: np.ones(self.z.shape)}
        with np.errstate(all="ignore"):
            for e in self.between:
                given = [values[x] if x in values else precise(x) for x in e.inputs]
                values[e.output] = evaluated(e, given)
                moved = [tangents.get(x) for x in e.inputs]
                if e.op.differentiable and any(t is not None for t in moved):
                    tangents[e.output] = e.op.pushforward(eager, moved, values[e.output], given, **e.attributes)
        found = tangents.get(self.a)
        return np.zeros(self.z.shape) if found is None else found

    @property
    def activation(self) -> str:
        """How act′ is written: σ′ for the operation that says so, act′ for what several operations make."""
        maker = self.evaluation.makers[self.a]
        if not (len(self.between) == 1 and isinstance(maker.op, Elementwise)):
            return "act′"
        notation = maker.op.notation
        return f"{(notation.sign if notation.form == 'function' else '') or maker.op.spoken}′"

    @cached_property
    def between(self) -> list[Equation]:
        """The equations that make a of z, in order."""
        makers, found, waiting = self.evaluation.makers, dict[Variable, Equation](), [self.a]
        while waiting:
            x = waiting.pop()
            if x is not self.z and x in makers and x not in found:
                found[x] = makers[x]
                waiting += [y for y in makers[x].inputs if isinstance(y, Variable)]
        reached, between = {self.z}, []
        for equation in sorted(found.values(), key=lambda e: self.evaluation.places[e.output]):
            if not reached.isdisjoint(x for x in equation.inputs if isinstance(x, Variable)):
                reached.add(equation.output)
                between.append(equation)
        return between

    @property
    def _by_element(self) -> bool:
        return all(isinstance(e.op, Elementwise) and e.output.shape == self.z.shape for e in self.between)


def stations_of(network: NetworkEvaluation) -> list[Station]:
    """All stations, in the order in which they were computed; calls that give their input unchanged are none.

    An activation that is a layer of its own belongs to the layer before it, where that has none.
    """
    evaluation = network.evaluation
    found: dict[Variable, Station] = {}
    for layer in network.layers:
        z = layer.a if layer.z is None else layer.z
        if not isinstance(z, Variable) or not isinstance(layer.a, Variable) or layer.a in layer.inputs:
            continue
        if z not in found:
            found[z] = Station(evaluation, layer.name, layer.layer, z, layer.a, (), layer.made)
        elif found[z].a is z:
            found[z] = replace(found[z], a=layer.a)
    for x, name in evaluation.names.items():
        if is_state(x):
            z = _before(evaluation, x)
            found.setdefault(z, Station(evaluation, name, "", z, x))
    return _linked(evaluation, dict(sorted(found.items(), key=lambda item: evaluation.places[item[0]])))


def _before(evaluation: Evaluation, state: Variable) -> Variable:
    """What a state is the activation of, where one elementwise operation makes it of one array of its shape; else itself."""
    maker = evaluation.makers.get(state)
    inputs = [x for x in maker.inputs if isinstance(x, Variable)] if maker is not None else []
    if maker is None or not isinstance(maker.op, Elementwise) or len(inputs) != 1 or inputs[0].shape != state.shape:
        return state
    return inputs[0] if inputs[0] in evaluation.makers else state


def _linked(evaluation: Evaluation, found: Mapping[Variable, Station]) -> list[Station]:
    """The stations with those above them: the first whose z is met on the way to the loss."""
    met: dict[Variable, dict[Variable, None]] = {}
    for equation in reversed(evaluation.program.equations):
        y = equation.output
        if evaluation.cotangent(y) is not None:
            onwards = {y: None} if y in found else met.get(y, {})
            for x in equation.inputs:
                if isinstance(x, Variable):
                    met[x] = met.get(x, {}) | onwards
    made: dict[Variable, Station] = {}
    for z, station in reversed(list(found.items())):
        made[z] = replace(station, above=tuple(made[x] for x in met.get(z, {})))
    return list(made.values())[::-1]
