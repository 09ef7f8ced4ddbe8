"""One training step, stage by stage: initialise, forward, loss, backward, gather, update, each a table of numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.errors import SettingError, UnknownNameError
from chainrule.explanation.rendering.commands import sentence
from chainrule.explanation.rendering.data import written
from chainrule.explanation.rendering.latex import aligned
from chainrule.explanation.rendering.steps import data_of
from chainrule.explanation.rendering.tables import Table, table_by_element, table_of
from chainrule.explanation.stepping import Call, Seen
from chainrule.explanation.updates import GRADIENT, NEW, PARAMETER, RATE, STEP, Update, formulas_of_update
from chainrule.nn.neurons import Neurons
from chainrule.nn.parameters import flat_names
from chainrule.nn.readings import LayerReading
from chainrule.notebooks import Shown


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
        return "\n".join([f"{self.title}: {self.says}", *formulas, *(f"\n{table}" for table in self.tables)])

    __repr__ = __str__

    def _repr_markdown_(self) -> str:
        formulas = [aligned([update.latex for update in self.updates])] if self.updates else []
        tables = [table._repr_html_() for table in self.tables]
        return "\n\n".join([f"**{self.title}**: {sentence(self.says)}", *formulas, *tables])


STAGES = ("initial", "forward", "loss", "backward", "gather", "update")


class StepByStep(Shown):
    """A training step to walk through: `initial`, `forward`, `loss`, `backward`, `gather`, `update`.

    Each is an object with numbers (`step.forward.layers[0].neurons[1].z`) that prints as a table. `next()` and
    `back()` walk through them, with `by="layer"` a layer at a time; iterating gives all six. The network is left as it
    is; `following()` is the step after this one.

    What is shown is what `fit` does with these rows as one batch: `update.after` are its new parameters, bit for bit.
    `exact` says whether the values in between were read from that very computation as well (see `Seen`).
    """

    initial: Stage
    forward: Stage
    loss: Stage
    backward: Stage
    gather: Stage
    update: Stage

    def __init__(self, seen: Seen, following: Callable[[Seen], StepByStep], digits: int = 4) -> None:
        SettingError.unless_count("step_by_step", "digits", digits)
        self._seen, self._following = seen, following
        self.exact = seen.exact
        for name, stage in zip(STAGES, _stages(seen, digits), strict=True):
            setattr(self, name, stage)
        self._pages = [
            (i, j) for i, stage in enumerate(self) for j in (range(len(stage.layers)) if stage.layers else [None])
        ]
        self._at = -1

    def __iter__(self) -> Iterator[Stage]:
        return iter([self.initial, self.forward, self.loss, self.backward, self.gather, self.update])

    def __len__(self) -> int:
        return len(STAGES)

    def following(self) -> StepByStep:
        """The next step on the same batch, from the new parameters and with what the optimizer keeps."""
        return self._following(self._seen)

    # --- walking

    @property
    def here(self) -> Stage:
        """The stage that `next` or `back` gave last; the first before either was called."""
        return list(self)[self._pages[max(self._at, 0)][0]]

    def next(self, by: str = "stage") -> Stage:
        """The next stage, or with `by="layer"` the next layer of it; at the end the last again."""
        return self._walk(1, by)

    def back(self, by: str = "stage") -> Stage:
        """The stage before, or with `by="layer"` the layer before; at the beginning the first again."""
        return self._walk(-1, by)

    def _walk(self, step: int, by: str) -> Stage:
        if by not in ("stage", "layer"):
            raise SettingError(f"by was given as {by!r}; use 'stage' or 'layer'.")
        at, last = self._at, len(self._pages) - 1
        if by == "layer" or at < 0:
            self._at = min(max(at + step, 0), last)
        else:
            wanted = min(max(self._pages[at][0] + step, 0), len(STAGES) - 1)
            self._at = next(i for i, (stage, _) in enumerate(self._pages) if stage == wanted)
        stage, layer = self._pages[self._at]
        whole = list(self)[stage]
        return whole if by == "stage" or layer is None else whole.page(layer)

    def to(self, form: str) -> str:
        """The six stages as "text", "markdown" or "json": there every number in full, by its key."""
        forms: dict[str, Callable[[], str]] = {
            "text": lambda: str(self),
            "markdown": self._repr_markdown_,
            "json": lambda: written(data_of(dict(zip(STAGES, self, strict=True)), self.exact)),
        }
        if form not in forms:
            raise UnknownNameError.among("form", form, forms)
        return forms[form]()

    def __str__(self) -> str:
        numbered = [f"{i}. {stage}" for i, stage in enumerate(self, 1)]
        return "\n\n".join(numbered)

    __repr__ = __str__

    def _repr_markdown_(self) -> str:
        return "\n\n".join(stage._repr_markdown_() for stage in self)


# --- the stages


def _stages(seen: Seen, digits: int) -> list[Stage]:
    return [
        _initial(seen, digits),
        _forward(seen, digits),
        _loss(seen, digits),
        _backward(seen, digits),
        _gather(seen, digits),
        _update(seen, digits),
    ]


def _parameters(seen: Seen, shown: Mapping[str, Mapping[str, Any]], digits: int) -> tuple[Table, ...]:
    """A table for every parameter, with its arrays side by side."""
    tables = []
    for name, arrays in shown.items():
        layer, _, own = name.rpartition(".")
        tables.append(table_of(name, arrays, digits, axes=seen.neurons.get(layer, Neurons()).rows_and_columns(own)))
    return tuple(tables)


def _initial(seen: Seen, digits: int) -> Stage:
    shown = {name: {"value": value} for name, value in flat_names(seen.before).items()}
    contents = {"parameters": seen.before}
    return Stage("Initialise", "the parameters before the step", _parameters(seen, shown, digits), (), contents)


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
    said = "of every parameter, the mean over the batch" + _says(seen, ": δ · input", "")
    return Stage("Gather the gradients", said, _parameters(seen, shown, digits), (), contents)


def _update(seen: Seen, digits: int) -> Stage:
    before, after, gradients = map(flat_names, (seen.before, seen.after, seen.clipped))
    old, new = _states(seen.optimizer_state_before), _states(seen.optimizer_state)
    learned = [name for name in before if name in gradients]
    largest = max((before[name].shape for name in learned), key=math.prod)
    formulas = formulas_of_update(seen.optimizer, largest)
    tables = []
    for name, value in before.items():
        layer, _, own = name.rpartition(".")
        kept = {key + mark: x for key in old.get(name, {}) for mark, x in (("", old[name][key]), (NEW, new[name][key]))}
        arrays = {PARAMETER: value, GRADIENT: gradients.get(name), **kept, PARAMETER + NEW: after[name]}
        axes = seen.neurons.get(layer, Neurons()).rows_and_columns(own)
        tables.append(table_by_element(name, arrays, digits, axes=axes))
    contents = {
        "before": seen.before,
        "after": seen.after,
        "learning_rate": seen.rate,
        "optimizer_state": seen.optimizer_state,
        "formulas": {name: formula.text for name, formula in formulas.items()},
    }
    said = f"the parameters after the step; {GRADIENT} is the gradient, {RATE} = {seen.rate:g} the learning rate"
    if any(re.search(rf"\b{STEP}\b", formula.text) for formula in formulas.values()):
        said += f", {STEP} = {seen.count} the number of the step"
    return Stage("Update", said, tuple(tables), (), contents, tuple(formulas.values()))


def _states(state: Any) -> dict[str, dict[str, Any]]:
    """What the optimizer keeps, by the names of the parameters."""
    return {f"{layer}.{name}": dict(kept) for layer, own in state.items() for name, kept in own.items()}
