"""The forward pass a layer finds itself in: whose parameters it has, and whether it is being trained.

A layer is a description and holds no numbers. While a network's function runs, `current()` is the forward pass
that knows each layer's name and parameters; a layer called twice is one layer with one set of parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

from chainrule.errors import NotBuiltError, SettingError, ShapeError, shortened
from chainrule.nn.named import initializer
from chainrule.nn.parameters import ParameterSpec
from chainrule.tracing.assignment import repeated
from chainrule.tracing.functions import listener
from chainrule.tracing.program import Variable
from chainrule.tracing.traces.recorder import Recorder


@dataclass
class ForwardPass:
    """One pass through a network's function.

    `names` maps the identity of each layer to its name, `parameters` each name to the layer's arrays.
    `random` draws numbers while training and is `None` otherwise. `activated` remembers, for each result of
    an activation, which one it was and what it was applied to; `means`, for each mean over members, what these gave, shape
    (batch, members, …) or a list; `members` the same where each is judged by itself in training; `running`, while training, what
    parameters that no gradient changes are after the pass, by layer;
    `readings` every layer's values, call by call. The body of a loop is recorded once for all its steps, so what layers compute
    in there are no values of this pass. A pass that `predicts` is none of a training, though it draws numbers.
    """

    names: Mapping[int, str]
    parameters: Mapping[str, Mapping[str, Any]]
    random: Callable[[tuple[int, ...]], Any] | None = None
    activated: dict[int, tuple[str, Any, Any]] = field(default_factory=dict)
    means: dict[int, tuple[Any, Any]] = field(default_factory=dict)
    members: dict[int, tuple[Any, Any]] = field(default_factory=dict)
    running: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    readings: list[tuple[str, tuple[Any, ...], Any, Any]] = field(default_factory=list)

    predicts: bool = False
    around: int = field(default_factory=repeated.get)
    """The level of the loop's body that the pass is in itself."""

    @property
    def is_training(self) -> bool:
        """Whether it is a pass of a training."""
        return self.random is not None and not self.predicts

    def note(self, name: str, inputs: tuple[Any, ...], before: Any, after: Any) -> None:
        """Remember the values of a layer: its inputs, its linear activation if it has one, its output."""
        if repeated.get() == self.around:
            self.readings.append((name, inputs, before, after))

    def note_activation(self, name: str, before: Any, after: Any) -> None:
        """Remember what made `after`; an identity makes nothing."""
        if name != "identity" and repeated.get() == self.around:
            self.activated.setdefault(id(after), (name, before, after))

    def note_members(self, mean: Any, apart: Any) -> None:
        """Remember what members gave whose mean this is."""
        if repeated.get() == self.around:
            self.members[id(mean)] = (apart, mean)  # with the mean, that no other value is ever at its place

    def note_mean(self, mean: Any, apart: Any) -> None:
        """Remember what members gave whose mean this is, whether or not each is judged by itself."""
        if repeated.get() == self.around:
            self.means[id(mean)] = (apart, mean)

    def note_running(self, layer: Any, name: str, inputs: tuple[Any, ...]) -> None:
        """Remember what a layer's running parameters become; a layer called again goes on from there."""
        if repeated.get() != self.around:
            raise SettingError(
                f"layer {name!r} has parameters that every step of training sets from its inputs, and stands in the body of a loop, "
                "whose steps are recorded as one. Call it outside the loop, or take cr.LayerNorm."
            )
        own = {**self.parameters.get(name, {}), **self.running.get(name, {})}
        self.running[name] = {**self.running.get(name, {}), **layer.running(own, *inputs)}

    def parameters_of(self, layer: Any, inputs: tuple[Any, ...]) -> tuple[str, Mapping[str, Any]]:
        """The layer's name and arrays."""
        name = self.names.get(id(layer))
        if name is None:
            raise NotBuiltError(
                f"the layer {layer!r} is called now but was not when the network was built. "
                "Make every layer once, outside the network's function, and call it there on every pass."
            )
        return name, self.parameters.get(name, {})


@dataclass
class Building(ForwardPass):
    """The first pass, on shapes alone: layers get their names, and say which parameters they need."""

    recorder: Recorder = field(default_factory=Recorder)
    layers: dict[str, Any] = field(default_factory=dict)
    specs: dict[str, dict[str, ParameterSpec]] = field(default_factory=dict)

    def note(self, name: str, inputs: tuple[Any, ...], before: Any, after: Any) -> None:
        """Remember the shapes, which are those of every step of a loop."""
        self.readings.append((name, inputs, before, after))

    def parameters_of(self, layer: Any, inputs: tuple[Any, ...]) -> tuple[str, Mapping[str, Any]]:
        """The layer's name and placeholders for its arrays, made when it is met for the first time."""
        if id(layer) not in self.names:
            name = name_among(self.layers, layer)
            if name in self.layers:
                raise ShapeError(f"two different layers are named {name!r}; give them different names.")
            specs = {key: _normal(spec) for key, spec in layer.parameters(*(tuple(x.shape) for x in inputs)).items()}
            self.layers[name], self.names = layer, {**self.names, id(layer): name}
            if specs:
                self.specs[name] = specs
            self.parameters = {
                **self.parameters,
                name: {key: self.recorder.input(f"{name}.{key}", spec.type) for key, spec in specs.items()},
            }
        return super().parameters_of(layer, inputs)

    def variable(self, layer: str, name: str) -> Variable:
        """What stands for a parameter in the equations."""
        return self.parameters[layer][name].variable  # type: ignore[no-any-return]


def _normal(spec: ParameterSpec) -> ParameterSpec:
    return replace(spec, shape=tuple(int(n) for n in spec.shape), initializer=initializer(spec.initializer))


def name_among(taken: Mapping[str, Any], layer: Any) -> str:
    """The name that a layer was given, or the first of its kind that is not taken: `dense_0`, `dense_1`, …"""
    kind, number = type(layer).__name__.lower(), 0
    if layer.name is not None:
        if isinstance(layer.name, str) and layer.name:
            return layer.name
        raise SettingError(
            f"{type(layer).__name__} was given name={shortened(layer.name)}; give some text, or nothing to have it called {kind}_0."
        )
    while f"{kind}_{number}" in taken:
        number += 1
    return f"{kind}_{number}"


_current: ContextVar[ForwardPass | None] = ContextVar("chainrule_forward_pass", default=None)


def in_a_network() -> bool:
    """Whether a network's function is running."""
    return _current.get() is not None


def current(what: Any) -> ForwardPass:
    """The forward pass around this point, where `what` is called."""
    forward_pass = _current.get()
    if forward_pass is None:
        raise NotBuiltError(
            f"{what} was called outside a network, where it has no parameters. "
            "Put it into cr.Network([...]), or call it inside a function given to cr.Network."
        )
    return forward_pass


class running:  # noqa: N801 (used like a function)
    """Make this the forward pass that layers find, in a `with` block."""

    __slots__ = ("_forward_pass", "_hearing", "_token")

    def __init__(self, forward_pass: ForwardPass) -> None:
        self._forward_pass = forward_pass

    def __enter__(self) -> ForwardPass:
        self._token = _current.set(self._forward_pass)
        self._hearing = listener.set(self._forward_pass.note_activation)
        return self._forward_pass

    def __exit__(self, *error: object) -> None:
        _current.reset(self._token)
        listener.reset(self._hearing)
