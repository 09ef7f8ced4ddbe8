"""What one stage of a training step shows: words, formulas, tables, and the layers it goes through, backwards too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.errors import UnknownNameError
from chainrule.explanation.rendering.commands import sentence
from chainrule.explanation.rendering.latex import aligned
from chainrule.explanation.rendering.tables import Table
from chainrule.explanation.rendering.written import filled
from chainrule.explanation.training_steps.updates import Update
from chainrule.nn.neurons import Neurons
from chainrule.notebooks import Shown

NUMBERED = "   "
"""Room for the number of a stage, before its words."""


@dataclass(frozen=True)
class NeuronGradient:
    """One neuron, backwards.

    `da` is ∂L/∂a, the derivative by its output, and `delta` is ∂L/∂z = ∂L/∂a · act′(z), both of shape (batch,).
    `weights` is the gradient of its weights, Σ over the batch of delta · input, `bias` the sum of delta; `passed_on` of
    shape (batch, inputs) what its inputs get from it, delta · weight. `None` where a layer has no such thing.
    """

    layer: str
    index: int
    da: Any
    delta: Any
    weights: Any
    bias: Any
    passed_on: Any


@dataclass(frozen=True)
class LayerGradient:
    """One call of a layer, backwards: ∂L/∂a and ∂L/∂z of shape (batch, units), and the gradients of its parameters.

    A layer `g` that is called several times has calls `g`, `g#2`, … with numbers of their own; `parameters` are the same in
    every call, the sum over all of them (`shared`).
    """

    name: str
    inputs: tuple[Any, ...]
    da: Any
    dz: Any
    parameters: Mapping[str, Any]
    values: Mapping[str, Any]
    made: Neurons
    shared: bool = False

    @property
    def neurons(self) -> list[NeuronGradient]:
        """The layer neuron by neuron. An activation that changes their number leaves them without `da` of their own."""
        linear = self.da if self.dz is None else self.dz
        parameters = self._of_this_call() if self.shared else self.parameters
        own = self.da if np.shape(self.da) == np.shape(linear) else None
        found = []
        for j in range(np.shape(linear)[-1] if np.ndim(linear) else 0):
            delta, w = (None if self.dz is None else self.dz[..., j]), self.made.weights_of(self.values, j)
            passed_on = None if w is None or delta is None else delta[..., None] * w
            slopes = self.made.weights_of(parameters, j), self.made.bias_of(parameters, j)
            found.append(NeuronGradient(self.name, j, None if own is None else own[..., j], delta, *slopes, passed_on))
        return found

    def _of_this_call(self) -> dict[str, Any]:
        """What this call adds to the gradients of the neurons' weights and biases: Σ δ · input, and Σ δ."""
        if self.dz is None:
            return {}
        delta = np.reshape(self.dz, (-1, np.shape(self.dz)[-1]))
        found = {self.made.bias: delta.sum(axis=0)} if self.made.bias else {}
        if self.made.weight:
            inputs = np.concatenate([np.reshape(x, (len(delta), -1)) for x in self.inputs], axis=1)
            by_weight = inputs.T @ delta
            found[self.made.weight] = by_weight.T if self.made.units == 0 else by_weight
        return found


@dataclass(frozen=True, repr=False)
class Stage(Shown):
    """One of the six stages: a heading, what happens in it and by what formulas, tables, and the layers it goes through."""

    title: str
    says: str
    tables: tuple[Table, ...]
    layers: tuple[Any, ...] = ()
    contents: dict[str, Any] = field(default_factory=dict)
    updates: tuple[Update, ...] = ()

    def __getattr__(self, name: str) -> Any:
        contents = self.__dict__.get("contents", {})
        if name in contents:
            return contents[name]
        raise AttributeError(f"{self.title!r} has no {name!r}; it has {', '.join(['layers', 'tables', *contents])}.")

    def __getitem__(self, key: int | str) -> Any:
        if isinstance(key, int):
            return self.layers[key]
        for layer in self.layers:
            if layer.name == key:
                return layer
        raise UnknownNameError.among("layer", key, dict.fromkeys(layer.name for layer in self.layers))

    def __iter__(self) -> Iterator[Any]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)

    def page(self, number: int) -> Stage:
        """One layer of the stage by itself."""
        return Stage(self.title, self.says, (self.tables[number],), self.layers[number : number + 1])

    def __str__(self) -> str:
        formulas = [f"  {update.text}" for update in self.updates]
        first, *more = filled(f"{self.title}: {self.says}", NUMBERED)
        return "\n".join([first.lstrip(), *more, *formulas, *(f"\n{table}" for table in self.tables)])

    __repr__ = __str__

    def _repr_markdown_(self) -> str:
        formulas = [aligned([update.latex for update in self.updates])] if self.updates else []
        tables = [table._repr_html_() for table in self.tables]
        return "\n\n".join([f"**{self.title}**: {sentence(self.says)}", *formulas, *tables])
