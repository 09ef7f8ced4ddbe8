"""`compare`: gradients of one's own beside the right ones, of a plain function and of a network."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.errors import DataError, DifferentiationError, SettingError, UnknownNameError, shortened
from chainrule.explanation.comparison.comparison import Comparison, told_apart
from chainrule.explanation.comparison.mistake import Given
from chainrule.explanation.comparison.rounding import rounding_of
from chainrule.explanation.derivations.derivation import Derivation, derive
from chainrule.explanation.evaluations.evaluation import Evaluation, has_derivative
from chainrule.explanation.evaluations.lifting import with_constants_as_inputs
from chainrule.explanation.evaluations.networks import LOSS, NetworkEvaluation
from chainrule.explanation.evaluations.places import element_of
from chainrule.explanation.stations import Station, stations_of
from chainrule.explanation.values import Graph, Value
from chainrule.nn.parameters import flat_names
from chainrule.ops import Elementwise
from chainrule.ops.operation import ArrayType
from chainrule.tracing import trees
from chainrule.tracing.apply import refreshed
from chainrule.tracing.passes.rowwise import rows_of
from chainrule.tracing.program import Variable

LARGEST = 2000
"""Operations of the longest function in which mistakes at single operations are looked for."""


def compare(
    loss: Callable[[Any], Any],
    parameters: Any,
    my_gradients: Any,
    *,
    learning_rate: float | None = None,
    digits: int = 6,
) -> Comparison:
    """In which way a gradient of one's own differs from the right one, ∂loss/∂parameters.

    Every known mistake is computed, and told only where its numbers are those given, to rounding: a constant factor (rows, ½, sign,
    learning rate), transposed, another order or shape, act′ left out, taken at a or twice, weights that were updated already, a path
    or a sample left out, not summed. Else it is said which gradient differs first, and how the right number comes about.

    Parameters
    ----------
    loss : callable
        A function of the parameters that gives one number, in plain NumPy.
    parameters : array, or nested dict, list or tuple of arrays
        Where the gradient is taken.
    my_gradients
        One's own gradients, in containers as the parameters are. Those that were typed, to 3 digits or more, are right to these.
    learning_rate : float, optional
        That of one's own step; so that a gradient with it, or after it, is known.
    digits : int
        Significant digits.

    Returns
    -------
    Comparison
        Printed as text, shown in notebooks; `differences` and `gradients` have the numbers.

    Raises
    ------
    DifferentiationError
        When the loss gives no single number that depends on the parameters.
    ShapeError, DataError
        For gradients in other containers than the parameters, and for what is no array of numbers.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> X, t, w = np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 1.0]]), np.array([1.0, 0.0, 2.0]), np.array([0.3, -0.2])
    >>> loss = lambda w: np.mean((X @ w - t) ** 2)
    >>> cr.compare(loss, w, 2 * X.T @ (X @ w - t) / 3).is_right
    True
    >>> found = cr.compare(loss, w, 2 * X.T @ (X @ w - t))
    >>> found.kinds, found.differences[0].evidence
    (('factor',), {'factor': 3.0})
    """
    SettingError.unless_callable("compare", loss, "cr.compare(loss, parameters, my_gradients)")
    _check(learning_rate, digits)
    leaves, structure = trees.flatten(parameters)
    mine = [_numbers(x, "my_gradients") for x in trees.flatten_like(structure, my_gradients, "my_gradients")]
    names = _names(loss, structure)
    with Graph() as graph:
        values = [graph.variable(x, name) for x, name in zip(leaves, names, strict=True)]
        result = refreshed(loss(trees.unflatten(structure, values)))
    if not isinstance(result, Value):
        raise DifferentiationError(
            f"compare was given a loss that gives {shortened(result)}, which does not depend on the parameters; return one number "
            "that is computed from them."
        )
    evaluation, nodes = result.graph()
    output = evaluation.program.outputs[0]
    assert isinstance(output, Variable)
    own = getattr(loss, "__name__", "")
    known_names = {output: own if own.isidentifier() else LOSS, **evaluation.names}
    evaluation = with_constants_as_inputs(replace(evaluation, names=known_names)).backward(output)
    found = {node: x for x, node in nodes.items()}
    known = {
        name: found.get(value.node) or Variable(name, ArrayType(np.shape(x), np.dtype(np.float64)))
        for name, value, x in zip(names, values, leaves, strict=True)
    }  # what the loss does not depend on is in no graph
    given = Given(
        evaluation,
        _in_order(evaluation, known),
        dict(zip(names, mine, strict=True)),
        parameters=known,
        biases=frozenset(),
        stations=_bends(evaluation),
        outputs=(),
        samples=_samples(evaluation),
        rate=learning_rate,
        precision=rounding_of(leaves, mine),
    )
    return _compared(given, digits)


def compare_network(
    network: NetworkEvaluation,
    names: Iterable[str],
    biases: frozenset[str],
    my_gradients: Mapping[str, Any],
    learning_rate: float | None = None,
    digits: int = 6,
) -> Comparison:
    """The same of a network's loss: gradients of its parameters, all or some, and of the values in between, by their names."""
    _check(learning_rate, digits)
    if not isinstance(my_gradients, Mapping) or not my_gradients:
        raise SettingError(
            f"compare was given the gradients {shortened(my_gradients)}; give a dict of them by names, such as "
            f"{{{next(iter(names))!r}: …}}."
        )
    flat: dict[str, Any] = {}
    for key, value in my_gradients.items():
        flat |= flat_names({key: value}) if isinstance(value, Mapping) else {key: value}
    for name in flat:
        if name not in network.known:
            raise UnknownNameError.among("value", name, network.known)
    mine = {name: _numbers(x, name) for name, x in flat.items()}
    evaluation = network.evaluation
    parameters = {name: network.known[name] for name in names}
    stations = stations_of(network)
    makers = {layer.a: layer.z for layer in network.layers if layer.z is not None}
    outputs = [x if x in evaluation.cotangents else makers.get(x) for x in network.outputs]
    given = Given(
        evaluation,
        _in_order(evaluation, {name: network.known[name] for name in mine}),
        mine,
        parameters=parameters,
        biases=biases,
        stations=tuple(x for x in reversed(stations) if x.z is not x.a and x.dz is not None),
        outputs=tuple(x for x in outputs if isinstance(x, Variable)),
        samples=evaluation.samples,
        rate=learning_rate,
        precision=rounding_of(map(evaluation.value, parameters.values()), list(mine.values())),
    )
    return _compared(given, digits)


def _compared(given: Given, digits: int) -> Comparison:
    evaluation = given.evaluation
    strange = [name for name in given.names if not np.isfinite(given.right(name)).all()]
    if strange:
        raise DataError(
            f"the right gradient by {strange[0]} has NaN or infinity in it here, so that nothing can be compared with it. Compare "
            "where it is finite; network.diagnose says where it begins."
        )

    def explain(name: str, place: tuple[int, ...]) -> Derivation | None:
        if given.names[name] not in evaluation.cotangents:
            return None  # 0, for the loss does not depend on it
        return derive(evaluation, element_of(evaluation, given.names[name], place), digits=digits)

    return told_apart(given, explain, digits)


def _in_order(evaluation: Evaluation, names: Mapping[str, Variable]) -> dict[str, Variable]:
    """From the output to the input, as their gradients become known in the backward pass."""
    return dict(sorted(names.items(), key=lambda item: _depth(evaluation, item[1])))


def _depth(evaluation: Evaluation, x: Variable) -> tuple[int, bool]:
    """How far back in the backward pass the gradient of a variable is known: where it is made, or else first used."""
    if x in evaluation.makers:
        return -evaluation.places[x], False
    return -max((evaluation.places[e.output] for e, _ in evaluation.uses.get(x, ())), default=-1), True


def _check(learning_rate: float | None, digits: int) -> None:
    SettingError.unless_count("compare", "digits", digits)
    if learning_rate is not None:
        SettingError.unless_number("compare", "learning_rate", learning_rate, above=0)


def _numbers(given: Any, what: str) -> Any:
    """An array of real numbers, in the precision it was given in."""
    try:
        array = np.asarray(given)
        return array if array.dtype.kind == "f" else array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"{what} was given {shortened(given)}, which is no array of numbers ({error}); give one."
        ) from None


def _names(loss: Callable[[Any], Any], structure: trees.Structure) -> list[str]:
    """What the parameters go by: the path in their container, or the name of the function's argument."""
    try:
        own = next(iter(inspect.signature(loss).parameters), "parameters")
    except (TypeError, ValueError):
        own = "parameters"
    paths = trees.paths(structure, own)
    return [path.removeprefix(f"{own}.") for path in paths]


def _bends(evaluation: Evaluation) -> tuple[Station, ...]:
    """Where a function of one array is applied, number by number, whose derivative is no constant; the last ones first."""
    if len(evaluation.program.equations) > LARGEST:
        return ()
    found = []
    for e in evaluation.program.equations:
        inputs = [x for x in e.inputs if has_derivative(x) and x not in evaluation.constants]
        if isinstance(e.op, Elementwise) and len(inputs) == 1 and evaluation.cotangent(e.output) is not None:
            z = inputs[0]
            if isinstance(z, Variable) and z.shape == e.output.shape:
                station = Station(evaluation, evaluation.label(e.output), "", z, e.output)
                elsewhere = station.slopes_at(0.7 - 2.0 * evaluation.precise(z))
                if not np.array_equal(elsewhere, station.slopes):  # a factor or a summand else
                    found.append(station)
    return tuple(found[::-1])


def _samples(evaluation: Evaluation) -> frozenset[Variable]:
    """The values whose first axis counts samples: that of all data, which are the arrays that the function holds."""
    data = [x for x in evaluation.constants if x.shape]
    if not data or len({x.shape[0] for x in data}) > 1:
        return frozenset()
    return frozenset(x for x, rows in rows_of(evaluation.program, data).items() if rows.axis == 0)
