"""Layers in a row: which networks are one, and what is known of each of their layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chainrule.explanation.evaluations.networks import LayerVariables, NetworkEvaluation
from chainrule.nn.activations import name_of
from chainrule.tracing.program import Variable


@dataclass(frozen=True)
class RowLayer:
    """A layer whose every neuron has z and a: connected to all inputs by `weight`, or each to one where it is `None`."""

    name: str
    description: str
    source: Variable
    weight: Variable | None
    bias: Variable | None
    z: Variable
    a: Variable

    @property
    def inputs(self) -> int:
        """Number of inputs of the layer."""
        return self.source.shape[-1]

    @property
    def units(self) -> int:
        """Number of neurons."""
        return self.a.shape[-1]

    @property
    def connections(self) -> int:
        """Number of connections."""
        return self.inputs * self.units if self.weight is not None else self.units


def as_row(found: NetworkEvaluation, layers: Mapping[str, Any]) -> list[RowLayer] | None:
    """The layers of a network that is a row of neurons; `None` if it is anything else."""
    row: list[RowLayer] = []
    for call in found.layers:
        if len(call.inputs) == 1 and call.a is call.inputs[0]:  # Dropout and Flatten, where they change nothing
            continue
        layer = _neurons(call, layers)
        if layer is None or (row and layer.source is not row[-1].a):
            return None
        row.append(layer)
    if not row or len(found.outputs) != 1 or found.outputs[0] is not row[-1].a:
        return None
    return row if row[0].source in found.evaluation.program.inputs else None


def _neurons(call: LayerVariables, layers: Mapping[str, Any]) -> RowLayer | None:
    """A call of a layer as neurons, if it is like that."""
    made = call.made
    if call.name not in layers or len(call.inputs) != 1 or set(call.parameters) - {made.weight, made.bias}:
        return None
    (source,), z, a = call.inputs, call.z, call.a
    if not (isinstance(source, Variable) and isinstance(z, Variable) and isinstance(a, Variable)):
        return None
    if len(source.shape) != 2 or len(a.shape) != 2 or z.shape != a.shape:
        return None
    weight, bias = (call.parameters[name] if name else None for name in (made.weight, made.bias))
    if weight is None and (bias is not None or source.shape != a.shape or z is not source):
        return None
    if weight is not None and made.units != 1:
        return None
    return RowLayer(call.name, described(layers[call.name]), source, weight, bias, z, a)


def described(layer: Any) -> str:
    """A layer in a few words: "Dense, 3 neurons, sigmoid"."""
    words = [type(layer).__name__]
    units = getattr(layer, "units", None)
    if units is not None:
        words.append(f"{units} neuron" + ("" if units == 1 else "s"))
    activation = getattr(layer, "activation", None)
    if activation is not None and name_of(activation) != "identity":
        words.append(name_of(activation))
    return ", ".join(words)
