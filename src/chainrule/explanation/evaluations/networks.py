"""A network on a batch as an evaluation: its loss traced into a Program, with the layers' values named in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from chainrule.errors import UnknownNameError
from chainrule.explanation.evaluations.evaluation import Evaluation
from chainrule.explanation.evaluations.labels import names_of_states
from chainrule.nn.model import Model, Outcome
from chainrule.nn.neurons import NOT_KNOWN, Neurons
from chainrule.nn.parameters import Parameters, flat_names
from chainrule.nn.readings import names_of_calls
from chainrule.tracing import simplify, trace, trees
from chainrule.tracing.passes.rowwise import rows_of
from chainrule.tracing.program import Atom, Program, Variable
from chainrule.training.objective import Batch, Objective, types_of

LOSS = "L"


@dataclass(frozen=True)
class LayerVariables:
    """One call of one layer: the variables of its inputs, linear activation z, activation a, and parameters.

    `z` is `None` for layers without activation function, and the same variable as `a` where the activation is the
    identity. A constant stands where a value depends on nothing. `made` says which parameters are the neurons'. The `layer`
    has the same name but for further calls, `g#2`.
    """

    name: str
    inputs: tuple[Atom, ...]
    z: Atom | None
    a: Atom
    parameters: Mapping[str, Variable] = field(default_factory=dict)
    made: Neurons = NOT_KNOWN
    layer: str = ""


@dataclass(frozen=True, eq=False, repr=False)
class NetworkEvaluation:
    """An evaluation of a network: `layers` in the order they were called, the `outputs`, and the `loss` if there is one.

    `known` has a variable for every name a user may ask by: `dense_0.weight`, `dense_0.z`, `x`, `output`. `scores` are those outputs
    that a classifying loss makes probabilities of, each with the name of the activation by which.
    """

    evaluation: Evaluation
    layers: tuple[LayerVariables, ...]
    outputs: tuple[Atom, ...]
    loss: Variable | None
    known: Mapping[str, Variable]
    scores: tuple[tuple[Variable, str], ...] = ()

    def variable(self, name: str) -> Variable:
        """The variable of this name."""
        if name not in self.known:
            raise UnknownNameError.among("value", name, self.known)
        return self.known[name]

    def __repr__(self) -> str:
        return f"NetworkEvaluation({', '.join(self.known)})"


def evaluate_loss(
    objective: Objective,
    parameters: Parameters,
    batch: Batch,
    input_names: Sequence[str],
    *,
    backward: bool = True,
    key: Any = None,
) -> NetworkEvaluation:
    """The loss of a batch, evaluated as `evaluate` would (without dropout) or with a key as a training step, and its cotangents."""
    calls: list[str] = []

    def loss(parameters: Any, arrays: list[Any]) -> Any:
        value, _, outcome = objective.observed(parameters, batch.like(arrays), key)
        return value, _readings(outcome, calls)

    arrays = batch.arrays()
    program = simplify(trace(loss, types_of(parameters), types_of(arrays), name="loss", stepwise=True))
    names = names_of_batch(objective, batch, input_names)
    found = _named(objective.model, program, parameters, arrays, names, calls)
    links = zip(found.outputs, objective.heads, objective.model.ends_in, strict=True)
    scores = [
        (x, head.loss.link) for x, head, end in links if head.classifies and head.loss.link not in (end, "identity")
    ]
    found = replace(found, scores=tuple((x, link) for x, link in scores if isinstance(x, Variable)))
    if not backward or found.loss is None:
        return found
    return replace(found, evaluation=found.evaluation.backward(found.loss))


def evaluate_outputs(
    model: Model, parameters: Parameters, inputs: Sequence[Any], input_names: Sequence[str]
) -> NetworkEvaluation:
    """The outputs for rows of inputs, without a loss."""
    calls: list[str] = []

    def outputs(parameters: Any, inputs: list[Any]) -> Any:
        return None, _readings(model.apply(parameters, inputs), calls)

    arrays = list(inputs)
    program = simplify(trace(outputs, types_of(parameters), types_of(arrays), name="outputs", stepwise=True))
    return _named(model, program, parameters, arrays, input_names, calls)


def names_of_batch(objective: Objective, batch: Batch, input_names: Sequence[str]) -> list[str]:
    """A name for every array of a batch, in order."""
    suffixes = [f".{head.name}" if head.name else "" for head in objective.heads]
    names = [*input_names, *(f"target{suffix}" for suffix in suffixes)]
    names += [
        f"label{s}" for s, class_indices in zip(suffixes, batch.class_indices, strict=True) if class_indices is not None
    ]
    names += ["sample_weight"] * (batch.weights is not None)
    return [*names, "row_count"] if batch.counts is not None else names


def _readings(outcome: Outcome, calls: list[str]) -> Any:
    """All layers' values in nested lists, and their names added to `calls`; the outputs after them."""
    calls.extend(name for name, *_ in outcome.readings)
    return [[list(inputs), z, a] for _, inputs, z, a in outcome.readings], trees.flatten(outcome.outputs)[0]


def _named(
    model: Model, program: Program, parameters: Parameters, arrays: list[Any], names: Sequence[str], calls: list[str]
) -> NetworkEvaluation:
    """The evaluated Program, with names for its inputs and for all that its layers gave."""
    flat = flat_names(parameters)
    given = dict(zip(program.inputs, [*flat, *names], strict=True))
    known = {name: x for x, name in given.items()}
    loss, (readings, outputs) = trees.unflatten(program.outputs_structure, list(program.outputs))

    def note(name: str, x: Atom | None) -> None:
        if isinstance(x, Variable):
            known.setdefault(name, x)
            given.setdefault(x, name)

    layers = []
    for call, name, (inputs, z, a) in zip(names_of_calls(calls), calls, readings, strict=True):
        note(f"{call}.z", z)
        note(f"{call}.a", a)
        own = {key: known[f"{name}.{key}"] for key in parameters.get(name, {})}
        layers.append(LayerVariables(call, tuple(inputs), z, a, own, model.neurons[name], name))
    note(LOSS, loss)
    for i, x in enumerate(outputs):
        note("output" if len(outputs) == 1 else f"output[{i}]", x)
    for x, name in names_of_states(program).items():
        given.setdefault(x, name)
    samples = _with_samples(program, program.inputs[len(flat) :])
    evaluation = Evaluation.run(program, [*flat.values(), *arrays], given, samples)
    return NetworkEvaluation(
        evaluation, tuple(layers), tuple(outputs), loss if isinstance(loss, Variable) else None, known
    )


def _with_samples(program: Program, batch: Sequence[Variable]) -> frozenset[Variable]:
    """The variables whose first axis counts samples."""
    return frozenset(x for x, rows in rows_of(program, batch).items() if rows.axis == 0)
