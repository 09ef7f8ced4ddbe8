"""The training step that `fit` takes, carried out by the same engine with all its intermediate values kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from chainrule.engines import REFERENCE, TrainingLoop, make_runner
from chainrule.nn.neurons import Neurons
from chainrule.nn.parameters import Parameters
from chainrule.nn.readings import names_of_calls
from chainrule.tracing import check, simplify, trace, trees
from chainrule.tracing.program import Atom, Program, Variable
from chainrule.training import Optimizer, Training
from chainrule.training.blocks import Block
from chainrule.training.loops import scalar_types
from chainrule.training.objective import merged, types_of


@dataclass(frozen=True)
class Call:
    """One call of one layer: its inputs, z and a, and the derivatives of the loss by z and a (`None`: there is none).

    The `name` is that of the layer, of further calls `g#2`.
    """

    name: str
    layer: str
    inputs: tuple[Any, ...]
    z: Any
    a: Any
    dz: Any
    da: Any


@dataclass(frozen=True)
class Seen:
    """All that one step computed.

    `exact` says whether intermediate values were read from a run whose new state is that of `fit` to the bit. An
    engine may round otherwise once all values have to be kept; the values shown are then NumPy's, which differ from
    the engine's by rounding. The new parameters are those of `fit` in any case.
    """

    metrics: dict[str, float]
    calls: tuple[Call, ...]
    outputs: Any
    output_gradients: Any
    gradients: Parameters
    clipped: Parameters
    optimizer_state: Any
    before: Parameters
    after: Parameters
    rate: float
    exact: bool
    neurons: Mapping[str, Neurons]
    optimizer: Optimizer
    optimizer_state_before: Any
    count: int


@dataclass(frozen=True, eq=False)
class _Watched:
    """A step whose intermediate values are outputs: the Program as traced, and as a loop that keeps them as state."""

    program: Program
    layers: list[str]
    found: Any
    kept: tuple[Variable, ...]
    loop: TrainingLoop


@dataclass(frozen=True)
class Taken:
    """A training's first step, as its engine takes it: its metrics, the new state, and the parameters in that."""

    metrics: Any
    leaves: list[Any]
    state: Any
    parameters: Parameters
    rate: float
    block: Block


def first_step(training: Training) -> Taken:
    """Take the first step of a training, and leave it there."""
    before, block = training.parameters, training.block(0, 1)
    metrics = training.runner.run(block.order, 0, 1, [s[:1] for s in block.scalars])[0]
    leaves = training.runner.state
    state = trees.unflatten(training.structure, leaves)
    after = _in_order_of(before, merged(state["frozen"], state["learned"]))
    return Taken(metrics, leaves, state, after, float(block.rates[0]), block)


def watch(training: Training) -> Seen:
    """Take the first step of a training and see all of it.

    The step is run twice by the training's engine: as `fit` runs it, and once more with its intermediate values as
    further state.
    """
    before, state = training.parameters, training.runner.state
    taken = first_step(training)
    block, new, new_state = taken.block, taken.leaves, taken.state
    numbers = [s[:1] for s in block.scalars]
    watched, data = _watched(training), training.data.arrays()

    def run(engine: str) -> tuple[list[Any], list[Any]]:
        runner = make_runner(watched.loop, data, engine, training.settings.threads)
        runner.load([*state, *(np.zeros(x.shape, x.dtype) for x in watched.kept)])
        runner.run(block.order, 0, 1, numbers)
        return runner.state[: len(state)], runner.state[len(state) :]

    again, kept = run(training.settings.engine)
    exact = all(np.array_equal(a, b, equal_nan=True) for a, b in zip(new, again, strict=True))
    if not exact:
        _, kept = run(REFERENCE.name)
    batch = [np.take(x, block.order[0], axis=0) for x in data]
    known: dict[Any, Any] = dict(zip(watched.program.inputs, [*state, *batch, *(s[0] for s in numbers)], strict=True))
    known |= dict(zip(watched.kept, kept, strict=True))

    def value(x: Atom) -> Any:
        return known[x] if isinstance(x, Variable) else np.asarray(x.value)

    known |= {x: now for x, now in zip(watched.program.outputs, new, strict=False) if isinstance(x, Variable)}
    calls, outputs, output_gradients, gradients, clipped = trees.map_leaves(value, watched.found[1:])
    return Seen(
        dict(zip(training.step.objective.metrics, map(float, taken.metrics), strict=True)),
        tuple(
            Call(name, layer, tuple(inputs), *rest)
            for name, layer, (inputs, *rest) in zip(names_of_calls(watched.layers), watched.layers, calls, strict=True)
        ),
        outputs,
        output_gradients,
        gradients,
        clipped,
        new_state["optimizer"],
        before,
        taken.parameters,
        taken.rate,
        exact,
        training.step.objective.model.neurons,
        training.step.optimizer,
        trees.unflatten(training.structure, state)["optimizer"],
        int(block.scalars[1][0]),
    )


def _in_order_of(like: Parameters, parameters: Parameters) -> Parameters:
    return {layer: {name: np.array(parameters[layer][name]) for name in own} for layer, own in like.items()}


def _watched(training: Training) -> _Watched:
    """The training's step, traced once more so that nothing it computes is lost."""
    layers: list[str] = []

    def training_step(state: Any, arrays: list[Any], rate: Any, count: Any, key: Any) -> Any:
        taken = training.step.carry_out(state, training.data.like(arrays), rate, count, key)
        layers.extend(taken.layers)
        found = taken.state, taken.calls, taken.outputs, taken.by_outputs, taken.gradients, taken.clipped
        return found, taken.metrics

    leaves = trees.unflatten(training.structure, training.runner.state)
    types = types_of(leaves), types_of(training.data.arrays(), training.batch_size), *scalar_types(training.dtype)
    program = simplify(trace(training_step, *types, name="step"))
    found, metrics = trees.unflatten(program.outputs_structure, list(program.outputs))
    state = len(training.runner.state)
    taken = {*program.inputs, *program.outputs[:state]}
    kept = tuple(
        dict.fromkeys(x for x in trees.flatten(found)[0][state:] if isinstance(x, Variable) and x not in taken)
    )
    blanks = tuple(Variable(f"kept[{i}]", x.type) for i, x in enumerate(kept))
    inputs = (*program.inputs[:state], *blanks, *program.inputs[state:])
    outputs = (*program.outputs[:state], *kept, *metrics)
    whole = replace(
        program,
        inputs=inputs,
        outputs=outputs,
        inputs_structure=trees.row(len(inputs)),
        outputs_structure=trees.row(len(outputs)),
    )
    loop = TrainingLoop(check(whole), None, state + len(kept), training.batch_size)
    return _Watched(program, layers, found, kept, loop)
