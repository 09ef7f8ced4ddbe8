"""What every layer has in common: it is called in a network's function, and may end in an activation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, fields
from typing import Any, ClassVar

from chainrule.errors import SettingError, ShapeError
from chainrule.nn.activations import Activation as ActivationName
from chainrule.nn.activations import activation, name_of
from chainrule.nn.context import current
from chainrule.nn.parameters import ParameterSpec
from chainrule.tracing.scope import scope

Arrays = Mapping[str, Any]
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Layer:
    """A layer of your own: a frozen dataclass with `parameters` and `forward`.

    `parameters(*shapes)` says which arrays the layer learns, given the shapes of its inputs (the first axis is
    the batch); `forward(parameters, *inputs)` is the mathematics, in plain NumPy. A layer that sets
    `uses_random = True` gets `random=` as well: a function from a shape to uniform numbers in [0, 1)
    during training, `None` otherwise. One that needs several inputs says how many, `takes = 2`. One whose pass in training is
    another one sets `trains_otherwise = True` and gets `training=`; `running(parameters, *inputs)` then says what parameters
    that are `running` are after such a pass.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> import numpy as np, chainrule as cr
    >>> @dataclass(frozen=True)
    ... class Scale(cr.Layer):
    ...     def parameters(self, shape):
    ...         return {"factor": cr.ParameterSpec((shape[-1],), "ones")}
    ...     def forward(self, parameters, x):
    ...         return x * parameters["factor"]
    >>> network = cr.Network([Scale(), cr.Dense(1)]).build(3)
    >>> network.parameters["scale_0"]["factor"]
    array([1., 1., 1.], dtype=float32)
    """

    _: KW_ONLY
    name: str | None = None

    uses_random = False
    trains_otherwise: ClassVar[bool] = False
    takes: ClassVar[int | None] = None
    expects_one_size: ClassVar[bool] = False
    """Whether it sums up its inputs with weights that are drawn for inputs of one size."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "__repr__" not in vars(cls):  # `dataclass` writes one with every setting where the class has none
            cls.__repr__ = Layer.__repr__  # type: ignore[method-assign]

    def __repr__(self) -> str:
        """The call that makes the layer, with its first setting and those that are not left at their defaults."""
        settings = sorted(fields(self), key=lambda field: field.name == "name")
        shown = [
            f"{f.name}={getattr(self, f.name)!r}"
            for place, f in enumerate(settings)
            if (place == 0 and f.name != "name") or not _same(getattr(self, f.name), f.default)
        ]
        return f"{type(self).__name__}({', '.join(shown)})"

    def parameters(self, *shapes: Shape) -> Mapping[str, ParameterSpec]:
        """The arrays this layer learns, by name."""
        return {}

    def forward(self, parameters: Arrays, *inputs: Any) -> Any:
        """The layer's output."""
        raise SettingError(f"{type(self).__name__} has no forward(parameters, *inputs); write one.")

    def taken_from(self, parameters: Arrays, inputs: Any) -> Mapping[str, Any]:
        """Parameters that are not learned but taken from the rows learned from, where the layer is the first of a row."""
        return {}

    def running(self, parameters: Arrays, *inputs: Any) -> Mapping[str, Any]:
        """Parameters that no gradient changes, as they are after a step of training on these inputs."""
        return {}

    def __call__(self, *inputs: Any) -> Any:
        """The output inside a network's function, with the parameters the network holds for this layer."""
        if self.takes is not None and len(inputs) != self.takes:
            letters = ", ".join("xyzuvw"[: self.takes])
            raise ShapeError(
                f"{type(self).__name__} takes {self.takes} inputs and was given {len(inputs)}; call it with as many in a function "
                f"that makes a network, as in cr.Network(lambda {letters}: layer({letters}))."
            )
        forward_pass = current(self)
        name, parameters = forward_pass.parameters_of(self, inputs)
        with scope(name):
            try:
                return self._apply(forward_pass, name, parameters, inputs)
            except ShapeError as error:
                shapes = ", ".join(str(tuple(getattr(x, "shape", ()))) for x in inputs)
                raise ShapeError(f"layer {name!r}, given input of shape {shapes}: {error}") from None

    def _apply(self, forward_pass: Any, name: str, parameters: Arrays, inputs: tuple[Any, ...]) -> Any:
        options = {"random": forward_pass.random} if self.uses_random else {}
        if self.trains_otherwise:
            options["training"] = forward_pass.is_training
            if forward_pass.is_training:
                forward_pass.note_running(self, name, inputs)
        output = self.forward(parameters, *inputs, **options)
        forward_pass.note(name, inputs, None, output)
        return output


class Activated:
    """The second half of a layer that ends in an activation: z ↦ act(z), both remembered."""

    activation: ActivationName

    def _settle_activation(self) -> None:
        """Refuse an activation that is none, and call none at all by its name."""
        if self.activation is None:
            object.__setattr__(self, "activation", "identity")
        activation(self.activation)

    def linear(self, parameters: Arrays, *inputs: Any) -> Any:
        """The linear activation z."""
        raise SettingError(f"{type(self).__name__} has no linear(parameters, *inputs); write one.")

    def forward(self, parameters: Arrays, *inputs: Any) -> Any:
        """act(z)."""
        return activation(self.activation)(self.linear(parameters, *inputs))

    def _apply(self, forward_pass: Any, name: str, parameters: Arrays, inputs: tuple[Any, ...]) -> Any:
        with scope("linear"):
            z = self.linear(parameters, *inputs)
        with scope("activation"):
            a = activation(self.activation)(z)
        forward_pass.note_activation(name_of(self.activation), z, a)
        forward_pass.note(name, inputs, z, a)
        return a


def _same(value: Any, default: Any) -> bool:
    return type(value) is type(default) and value == default
