"""The training steps that `fit` takes, carried out by the same engine with all their intermediate values kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from chainrule.engines import REFERENCE, Engine, TrainingLoop, make_runner
from chainrule.nn.neurons import Neurons
from chainrule.nn.parameters import Parameters
from chainrule.nn.readings import names_of_calls
from chainrule.tracing import check, simplify, trace, trees
from chainrule.tracing.program import Atom, Program, Variable
from chainrule.training import Optimizer, Training
from chainrule.training.objective import in_order, types_of
from chainrule.training.settings import NUMERICAL
from chainrule.training.steps.blocks import Block
from chainrule.training.steps.finite_differences import measure, wide
from chainrule.training.steps.loops import scalar_types


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
class Nudged:
    """What nudging gave: of every parameter the loss after its nudge, and beside what was measured the exact gradient."""

    losses: Parameters
    exact: Parameters


@dataclass(frozen=True)
class Seen:
    """All that one step computed.

    `exact` says whether intermediate values were read from a run whose new state is that of `fit` to the bit. An
    engine may round otherwise once all values have to be kept; the values shown are then NumPy's, which differ from
    the engine's by rounding. The new parameters are those of `fit` in any case. `gradients` are those that the step
    went by; where they were measured `nudged` has how. `rows` are those of the data in its batch, `number` counts steps from 0.
    """

    metrics: dict[str, float]
    calls: tuple[Call, ...]
    outputs: Any
    output_gradients: Any
    gradients: Parameters
    clipped: Parameters
    nudged: Nudged | None
    optimizer_state: Any
    before: Parameters
    after: Parameters
    rate: float
    exact: bool
    neurons: Mapping[str, Neurons]
    optimizer: Optimizer
    optimizer_state_before: Any
    rows: Any
    number: int
    steps_per_epoch: int


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
    """A step of a training, as its engine takes it: its metrics, the new state, the parameters before and in that, rate and key."""

    metrics: Any
    leaves: Sequence[Any]
    state: Any
    before: Parameters
    parameters: Parameters
    rate: float
    key: int


class Steps:
    """The steps of a training, each from the state that the one before it left."""

    def __init__(self, training: Training) -> None:
        self.training = training
        self._orders = training.order_of_layers
        self._begin = training.runner.state
        self._epochs: list[Block] = []
        self._watched: dict[int, _Watched] = {}

    def take(self, number: int = 0, state: Sequence[Any] | None = None) -> Taken:
        """Take one step from a state, by default the first from where the training begins."""
        training, state = self.training, self._begin if state is None else state
        block, first = self._place(number)
        training.runner.load(state)
        metrics = training.runner.run(block.order, first, 1, [s[first : first + 1] for s in block.scalars])[0]
        leaves = training.runner.state
        old, new = (trees.unflatten(training.structure, x) for x in (state, leaves))
        own = self._parameters(old), self._parameters(new)
        return Taken(metrics, leaves, new, *own, float(block.rates[first]), int(block.scalars[2][first]))

    def watch(self, number: int = 0, state: Sequence[Any] | None = None) -> tuple[Seen, Sequence[Any]]:
        """Take one step and see all of it; and the state after it.

        The step is run twice by the training's engine: as `fit` runs it, and once more with its intermediate values as
        further state.
        """
        training, begin = self.training, self._begin if state is None else state
        taken = self.take(number, begin)
        block, first = self._place(number)
        rows = block.order[:, first * training.batch_size : (first + 1) * training.batch_size]
        numbers = [s[first : first + 1] for s in block.scalars]
        watched = self._with_all_values(rows.shape[1])
        batch = [np.take(x, rows[0], axis=0) for x in training.data.arrays()]

        def run(engine: str | Engine) -> tuple[Sequence[Any], Sequence[Any]]:
            runner = make_runner(watched.loop, batch, engine, training.settings.threads)
            runner.load([*begin, *(np.zeros(x.shape, x.dtype) for x in watched.kept)])
            runner.run(np.arange(rows.size, dtype=np.int32)[None], 0, 1, numbers)
            return runner.state[: len(begin)], runner.state[len(begin) :]

        again, kept = run(training.settings.engine)
        exact = all(np.array_equal(a, b, equal_nan=True) for a, b in zip(taken.leaves, again, strict=True))
        if not exact:
            _, kept = run(REFERENCE.name)
        known = dict[Any, Any](zip(watched.program.inputs, [*begin, *batch, *(s[0] for s in numbers)], strict=True))
        known |= dict(zip(watched.kept, kept, strict=True))

        def value(x: Atom) -> Any:
            return known[x] if isinstance(x, Variable) else np.asarray(x.value)

        outputs_and_new = zip(watched.program.outputs, taken.leaves, strict=False)
        known |= {x: now for x, now in outputs_and_new if isinstance(x, Variable)}
        found = trees.map_leaves(value, watched.found[1:])
        given = rows[0][rows[0] < training.batches.rows]
        calls, outputs, output_gradients = trees.map_leaves(lambda x: _of_rows(x, rows.shape[1], len(given)), found[:3])
        gradients, clipped, nudged = found[3:6]
        seen = Seen(
            dict(zip(training.step.objective.metrics, map(float, taken.metrics), strict=True)),
            tuple(
                Call(name, layer, tuple(inputs), *rest)
                for name, layer, (inputs, *rest) in zip(
                    names_of_calls(watched.layers), watched.layers, calls, strict=True
                )
            ),
            outputs,
            output_gradients,
            gradients,
            clipped,
            None if nudged is None else Nudged(*nudged),
            taken.state["optimizer"],
            taken.before,
            taken.parameters,
            taken.rate,
            exact,
            training.step.objective.model.neurons,
            training.step.optimizer,
            trees.unflatten(training.structure, begin)["optimizer"],
            given,
            number,
            training.steps_per_epoch,
        )
        return seen, taken.leaves

    def _place(self, number: int) -> tuple[Block, int]:
        """The epoch of a step, drawn, and which step of it it is."""
        epoch, first = divmod(number, self.training.steps_per_epoch)
        while len(self._epochs) <= epoch:
            self._epochs.append(self.training.block(len(self._epochs), 1))
        return self._epochs[epoch], first

    def _parameters(self, state: Any) -> Parameters:
        """Copies of all parameters of a state, in their order."""
        return trees.map_leaves(np.array, in_order(self._orders, state["frozen"], state["learned"]))  # type: ignore[no-any-return]

    def _with_all_values(self, rows: int) -> _Watched:
        if rows not in self._watched:
            self._watched[rows] = _watched(self.training, rows)
        return self._watched[rows]


def _of_rows(x: Any, batch: int, given: int) -> Any:
    """A value of a batch without those of rows that only fill it up."""
    return x[:given] if given < batch and np.ndim(x) and len(x) == batch else x


def _watched(training: Training, rows: int) -> _Watched:
    """The training's step on so many rows, traced once more so that nothing it computes is lost."""
    layers: list[str] = []

    def training_step(state: Any, arrays: list[Any], rate: Any, count: Any, key: Any) -> Any:
        step, batch = training.step, training.data.like(arrays)
        if training.settings.gradients == NUMERICAL:
            measured = measure(step, state, batch, rate, count, key)
            taken = step.carry_out(*wide(state, batch), rate, count, key)
            nudged: Any = measured.nudged, taken.gradients
            own, metrics = (measured.state, measured.gradients, measured.clipped), measured.metrics
        else:
            taken = step.carry_out(state, batch, rate, count, key)
            own, metrics, nudged = (taken.state, taken.gradients, taken.clipped), taken.metrics, None
        layers.extend(taken.layers)
        new, *gradients = own
        return (new, taken.calls, taken.outputs, taken.by_outputs, *gradients, nudged), metrics

    leaves = trees.unflatten(training.structure, training.runner.state)
    types = types_of(leaves), types_of(training.data.arrays(), rows), *scalar_types(training.dtype)
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
    loop = TrainingLoop(check(whole), None, state + len(kept), rows)
    return _Watched(program, layers, found, kept, loop)
