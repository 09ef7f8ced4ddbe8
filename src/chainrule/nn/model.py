"""A model: a network's function with the shapes known, as a pure function of parameters and inputs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from chainrule.errors import SettingError, ShapeError, shortened
from chainrule.nn.activations import name_of
from chainrule.nn.biases import added_only
from chainrule.nn.context import Building, ForwardPass, current, name_among, running
from chainrule.nn.initializer import LARGEST
from chainrule.nn.layer import Layer
from chainrule.nn.neurons import Neurons, neurons_of
from chainrule.nn.parameters import ParameterSpec
from chainrule.nn.randomness import RandomNumbers
from chainrule.ops.operation import ArrayType
from chainrule.tracing import trees
from chainrule.tracing.apply import Traced, refreshed
from chainrule.tracing.program import Variable
from chainrule.tracing.scope import scope
from chainrule.tracing.traces.recorder import Recorder


@dataclass(frozen=True)
class Sequential:
    """Layers in a row: each one's output is the next one's input."""

    layers: tuple[Any, ...]

    def __call__(self, x: Any) -> Any:
        """The last layer's output."""
        for layer in self.layers:
            if isinstance(layer, Layer):
                x = layer(x)
            else:
                with scope(getattr(layer, "__name__", type(layer).__name__)):
                    y = layer(x)
                current("a row").note_activation(name_of(layer), x, y)
                x = y
        return x


def in_a_row(layers: Sequence[Any]) -> Sequential:
    """The function of a list of layers and plain functions."""
    if not isinstance(layers, list | tuple) or not layers:
        raise SettingError(
            f"Network was given {shortened(layers)}; give a list of layers, or a function that calls layers."
        )
    for layer in layers:
        if not callable(layer):
            raise SettingError(
                f"Network was given {shortened(layer)} among its layers; give layers or functions of one array."
            )
        if isinstance(layer, type):
            raise SettingError(
                f"Network was given the class {layer.__name__} among its layers; give a layer made of it: cr.{layer.__name__}(...)."
            )
    return Sequential(tuple(layers))


def names_in_a_row(layers: Sequence[Any]) -> dict[str, Any]:
    """The layers among these by the names they will have, without the shapes being known."""
    named: dict[str, Any] = {}
    for layer in layers:
        if isinstance(layer, Layer) and not any(layer is other for other in named.values()):
            named[name_among(named, layer)] = layer
    return named


def as_function(given: Any) -> Callable[..., Any]:
    """The function of a network given as a list of layers, as one layer, or as a function that calls layers."""
    if isinstance(given, Layer):
        return in_a_row([given])
    return given if callable(given) else in_a_row(given)


def names_of_inputs(function: Callable[..., Any]) -> list[str]:
    """The names of a function's inputs: its positional parameters without default."""
    parameters = inspect.signature(function).parameters.values()
    names = [
        p.name for p in parameters if p.kind.name.startswith("POSITIONAL") and p.default is inspect.Parameter.empty
    ]
    if not names:
        raise SettingError(
            f"the network's function {function!r} takes no arrays; give it one parameter for every input."
        )
    return names


@dataclass(frozen=True)
class Outcome:
    """What one pass gave: the outputs, and for each the activation that made it and what it was applied to.

    `means` are what members gave, for each mean over them, and in training `members` those of which each is judged by itself, and
    `running` what parameters that no gradient changes are after the step, by layer.
    """

    outputs: Any
    activated: Mapping[int, tuple[str, Any, Any]]
    readings: Sequence[tuple[str, tuple[Any, ...], Any, Any]]
    members: Mapping[int, tuple[Any, Any]] = field(default_factory=dict)
    running: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    means: Mapping[int, tuple[Any, Any]] = field(default_factory=dict)

    def made_by(self, output: Any) -> tuple[str, Any]:
        """The activation that made this very output and what it was applied to; `identity` and the output otherwise."""
        name, before, _ = self.activated.get(id(output), ("identity", output, None))
        return name, before

    def apart(self, mean: Any) -> list[Any] | None:
        """What each member gave whose mean this is."""
        found = self.means.get(id(mean), (None, mean))[0]
        return found if found is None or isinstance(found, list) else [found[:, i] for i in range(found.shape[1])]

    def members_of(self, mean: Any) -> Any | None:
        """In training, what members gave whose mean this is, shape (batch, members, …)."""
        return self.members.get(id(mean), (None, mean))[0]


@dataclass(frozen=True)
class Model:
    """A network's function, its layers by name, and the parameters they need.

    `inputs` are the shapes of one sample of every input; `outputs` the types of one sample of the results, nested
    as the function gives them; `shapes` what every layer gives for one sample; `ends_in` the activation that makes each
    output; `neurons` which parameters of a layer are its neurons' weights and biases. Every spec says whether it is a bias.
    """

    function: Callable[..., Any]
    layers: Mapping[str, Any]
    names: Mapping[int, str]
    specs: Mapping[str, Mapping[str, ParameterSpec]]
    inputs: tuple[tuple[int, ...], ...]
    outputs: Any
    shapes: Mapping[str, tuple[int, ...]]
    ends_in: tuple[str, ...] = ()
    neurons: Mapping[str, Neurons] = field(default_factory=dict)

    @cached_property
    def biases(self) -> frozenset[str]:
        """The names of the parameters that are biases."""
        return frozenset(
            f"{layer}.{name}" for layer, own in self.specs.items() for name, spec in own.items() if spec.bias
        )

    @cached_property
    def unlearned(self) -> frozenset[str]:
        """The names of the parameters that no gradient changes, as their layers say."""
        return frozenset(
            f"{layer}.{name}" for layer, own in self.specs.items() for name, spec in own.items() if not spec.trainable
        )

    @cached_property
    def running(self) -> frozenset[str]:
        """The names of those of them that every step of training sets."""
        return frozenset(
            f"{layer}.{name}" for layer, own in self.specs.items() for name, spec in own.items() if spec.running
        )

    @cached_property
    def trains_as_it_predicts(self) -> bool:
        """Whether the pass in training is the other one, random numbers apart."""
        return not any(layer.trains_otherwise for layer in self.layers.values())

    def __reduce__(self) -> Any:
        """Copies and pickles are built anew: layers are known by their identity, which a copy does not share."""
        return build, (self.function, self.inputs)

    def apply(
        self,
        parameters: Mapping[str, Mapping[str, Any]],
        inputs: Sequence[Any],
        key: Any = None,
        *,
        predicts: bool = False,
    ) -> Outcome:
        """One pass through the network; with a key, as in training, random numbers included.

        One that `predicts` has these numbers too, and is a prediction in all else.
        """
        forward_pass = ForwardPass(
            self.names, parameters, None if key is None else RandomNumbers(key), predicts=predicts
        )
        with running(forward_pass):
            outputs = self.function(*inputs)
        members = forward_pass.members if forward_pass.is_training else {}
        return Outcome(
            outputs, forward_pass.activated, forward_pass.readings, members, forward_pass.running, forward_pass.means
        )


def build(function: Callable[..., Any], inputs: Sequence[tuple[int, ...]]) -> Model:
    """Run the function once on shapes alone, to find its layers, their parameters and the outputs.

    Parameters
    ----------
    function : callable
        Of one array of shape (batch, *features) for every input.
    inputs : sequence of tuples
        The shape of one sample of every input, without the batch axis.

    Raises
    ------
    ShapeError
        When shapes do not fit, naming the layer.
    """
    for size in (size for shape in inputs for size in shape):
        SettingError.unless_count("build", "an input size", size, at_most=LARGEST)
    batch = 2
    with Recorder() as recorder:
        building = Building({}, {}, _not_drawn(recorder), recorder=recorder)
        values = [
            recorder.input(f"input_{i}", ArrayType((batch, *shape), np.dtype(np.float32)))
            for i, shape in enumerate(inputs)
        ]
        variables = [x.variable for x in values]  # before the function writes to them
        with running(building):
            outputs = refreshed(function(*values))
        leaves, structure = trees.flatten(outputs)
        shapes = [_sample_shape(leaf, batch) for leaf in leaves]
    return Model(
        function,
        building.layers,
        dict(building.names),
        _with_biases(building, variables, leaves),
        tuple(tuple(shape) for shape in inputs),
        trees.unflatten(structure, [ArrayType(shape, np.dtype(np.float32)) for shape in shapes]),
        {name: tuple(output.shape[1:]) for name, _, _, output in building.readings},
        tuple(Outcome(outputs, building.activated, ()).made_by(leaf)[0] for leaf in leaves),
        _neurons(building),
    )


def _not_drawn(recorder: Recorder) -> Callable[[tuple[int, ...]], Any]:
    """Random numbers of which only the shape is known."""
    return lambda shape: recorder.input("random", ArrayType(tuple(shape), np.dtype(np.float32)))


def _with_biases(building: Building, inputs: Sequence[Variable], outputs: Sequence[Any]) -> dict[str, dict[str, Any]]:
    """What layers ask for, with it decided whether each parameter is a bias: as the layer says, or by its uses."""
    added = added_only(building.recorder.equations, inputs, [x.variable for x in outputs])
    return {
        layer: {
            name: spec if spec.bias is not None else replace(spec, bias=building.variable(layer, name) in added)
            for name, spec in own.items()
        }
        for layer, own in building.specs.items()
    }


def _neurons(building: Building) -> dict[str, Neurons]:
    """What is proven of every layer's neurons, in all its calls alike."""
    found: dict[str, Neurons] = {}
    makers = {equation.output: equation for equation in building.recorder.equations}
    for layer, inputs, z, a in building.readings:
        own = {name: building.variable(layer, name) for name in building.specs.get(layer, {})}
        given, (result,) = [_atom(x) for x in inputs], [_atom(a if z is None else z)]
        proven = neurons_of(makers, given, result, own)
        found[layer] = proven if found.get(layer, proven) == proven else Neurons()
    return found


def _atom(x: Any) -> Any:
    return x.variable if isinstance(x, Traced) else None  # type: ignore[attr-defined]


def _sample_shape(leaf: Any, batch: int) -> tuple[int, ...]:
    if not isinstance(leaf, Traced):
        raise ShapeError(
            "a network's output depends on no input and no parameter; its function must return what it computes from them."
        )
    if not leaf.shape or leaf.shape[0] != batch:
        shape = getattr(leaf, "shape", None)
        raise ShapeError(
            f"a network's output must have the batch as its first axis, one row for every sample; this one gives shape {shape} "
            f"for {batch} samples."
        )
    return tuple(leaf.shape[1:])
