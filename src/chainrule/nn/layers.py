"""Layers: frozen descriptions whose methods are plain NumPy code."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np

from chainrule.errors import SettingError, ShapeError
from chainrule.nn.activations import RECTIFIERS, activation, name_of
from chainrule.nn.activations import Activation as ActivationName
from chainrule.nn.context import current, in_a_network
from chainrule.nn.initializers import Given, initializer
from chainrule.nn.parameters import ParameterSpec
from chainrule.tracing.numpy_interface import ArrayInterface
from chainrule.tracing.scope import scope

Arrays = Mapping[str, Any]
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Layer:
    """A layer of your own: a frozen dataclass with `parameters` and `forward`.

    `parameters(*shapes)` says which arrays the layer learns, given the shapes of its inputs (the first axis is
    the batch); `forward(parameters, *inputs)` is the mathematics, in plain NumPy. A layer that sets
    `uses_random = True` gets `random=` as well: a function from a shape to uniform numbers in [0, 1)
    during training, `None` otherwise.

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

    def parameters(self, *shapes: Shape) -> Mapping[str, ParameterSpec]:
        """The arrays this layer learns, by name."""
        return {}

    def forward(self, parameters: Arrays, *inputs: Any) -> Any:
        """The layer's output."""
        raise SettingError(f"{type(self).__name__} has no forward(parameters, *inputs); write one.")

    def __call__(self, *inputs: Any) -> Any:
        """The output inside a network's function, with the parameters the network holds for this layer."""
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
        output = self.forward(parameters, *inputs, **options)
        forward_pass.readings.append((name, inputs, None, output))
        return output


class Activated:
    """The second half of a layer that ends in an activation: z ↦ act(z), both remembered."""

    activation: ActivationName

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
        forward_pass.readings.append((name, inputs, z, a))
        return a


@dataclass(frozen=True)
class Dense(Activated, Layer):
    """Neurons that are each connected to every input: a = act(x · W + b).

    Parameters
    ----------
    units : int
        Number of neurons.
    activation : str or callable
        A name such as `"relu"`, or any function of one array written in NumPy.
    weight : initialiser, name of one, number, or array
        How W, shape (inputs, units), starts; by default Glorot's uniform law, He's normal law for `relu` and
        its relatives, LeCun's for `selu`. A `Parameter` is used in place of an own weight.
    bias : the same, or None
        How b, shape (units,), starts; zeros by default. `None`: no bias.
    name : str, optional
        By default `dense_0`, `dense_1`, … in order.

    Several inputs, `layer(x, y)`, are joined along their last axis first.

    Examples
    --------
    >>> import chainrule as cr
    >>> cr.Dense(32, "relu")
    Dense(units=32, activation='relu')
    """

    units: int
    activation: ActivationName = "identity"
    weight: Any = "auto"
    bias: Any = "zeros"

    def __post_init__(self) -> None:
        SettingError.unless_count("Dense", "units", self.units)
        activation(self.activation)
        for part in ("weight", "bias"):
            given = getattr(self, part)
            if not (given is None or isinstance(given, Parameter) or (isinstance(given, str) and given == "auto")):
                made = initializer(given)
                if isinstance(made, Given):  # arrays become tuples, so that layers can be compared and hashed
                    object.__setattr__(self, part, made)

    def parameters(self, *shapes: Shape) -> Mapping[str, ParameterSpec]:
        """W of shape (inputs, units) and b of shape (units,)."""
        if not shapes or any(len(shape) < 2 for shape in shapes):
            raise ShapeError(
                f"Dense needs inputs of shape (batch, features) and was given {', '.join(map(str, shapes))}."
            )
        specs = {}
        if not isinstance(self.weight, Parameter):
            width = sum(shape[-1] for shape in shapes)
            specs["weight"] = ParameterSpec((width, self.units), self._weight_initializer())
        if self.bias is not None and not isinstance(self.bias, Parameter):
            specs["bias"] = ParameterSpec((self.units,), self.bias)
        return specs

    def _weight_initializer(self) -> Any:
        if not (isinstance(self.weight, str) and self.weight == "auto"):
            return self.weight
        name = name_of(self.activation)
        return "he_normal" if name in RECTIFIERS else "lecun_normal" if name == "selu" else "glorot_uniform"

    def linear(self, parameters: Arrays, *inputs: Any) -> Any:
        """Z = x · W + b."""
        x = inputs[0] if len(inputs) == 1 else np.concatenate(inputs, axis=-1)
        z = x @ (self.weight() if isinstance(self.weight, Parameter) else parameters["weight"])
        if self.bias is None:
            return z
        return z + (self.bias() if isinstance(self.bias, Parameter) else parameters["bias"])

    def __repr__(self) -> str:
        return _short(self, "units", activation="identity", weight="auto", bias="zeros", name=None)


@dataclass(frozen=True)
class Activation(Activated, Layer):
    """An activation function as a layer of its own.

    Parameters
    ----------
    activation : str or callable
        A name such as `"relu"`, or any function of one array written in NumPy.
    """

    activation: ActivationName

    def __post_init__(self) -> None:
        activation(self.activation)

    def linear(self, parameters: Arrays, *inputs: Any) -> Any:
        """The input itself."""
        (x,) = inputs
        return x

    def __repr__(self) -> str:
        return _short(self, "activation", name=None)


@dataclass(frozen=True)
class Dropout(Layer):
    """In training, each number is set to 0 with probability `rate` and the others are divided by 1 − rate.

    Parameters
    ----------
    rate : float
        At least 0 and less than 1. Prediction leaves every number as it is.

    References
    ----------
    Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", 2014.
    """

    rate: float = 0.5

    uses_random = True

    def __post_init__(self) -> None:
        SettingError.unless_number("Dropout", "rate", self.rate, at_least=0, below=1)

    def forward(self, parameters: Arrays, *inputs: Any, random: Any = None) -> Any:
        """The numbers that stay, scaled so that their expected sum is the same."""
        (x,) = inputs
        if random is None or self.rate == 0:
            return x
        return np.where(random(x.shape) >= np.float32(self.rate), x * (1.0 / (1.0 - self.rate)), 0.0)

    def __repr__(self) -> str:
        return _short(self, "rate", name=None)


@dataclass(frozen=True)
class Flatten(Layer):
    """All axes after the batch made one: (batch, 8, 8) becomes (batch, 64)."""

    def forward(self, parameters: Arrays, *inputs: Any) -> Any:
        """The same numbers, one row for every sample."""
        (x,) = inputs
        return np.reshape(x, (x.shape[0], math.prod(x.shape[1:])))

    def __repr__(self) -> str:
        return _short(self, name=None)


@dataclass(frozen=True, eq=False)
class Parameter(Layer, ArrayInterface):
    """An array that is learned, for use in a network's function as if it were the array.

    Parameters
    ----------
    shape : tuple of ints
        Its shape; `()` for a single number.
    initializer : initialiser, name of one, number, or array
        How it starts.

    Examples
    --------
    >>> import chainrule as cr
    >>> b = cr.Parameter((1,), name="b")
    >>> network = cr.Network(lambda x: x + b).build(1)
    >>> network.parameters["b"]["value"]
    array([0.], dtype=float32)
    """

    shape: tuple[int, ...] = ()
    initializer: Any = "zeros"

    def parameters(self, *shapes: Shape) -> Mapping[str, ParameterSpec]:
        """The array itself, under the name `value`."""
        return {"value": ParameterSpec(self.shape, self.initializer)}

    def forward(self, parameters: Arrays, *inputs: Any) -> Any:
        """The array."""
        return parameters["value"]

    def __eq__(self, other: object) -> Any:
        return ArrayInterface.__eq__(self, other) if in_a_network() else self is other

    def __ne__(self, other: object) -> Any:
        return ArrayInterface.__ne__(self, other) if in_a_network() else self is not other

    __hash__ = object.__hash__

    def traced_value(self) -> Any:
        """The array, where an operation meets this parameter."""
        return self()

    @property
    def dtype(self) -> Any:  # type: ignore[override]
        """Kind of number."""
        return self().dtype

    def __repr__(self) -> str:
        return _short(self, "shape", initializer="zeros", name=None)


def _short(layer: Any, *always: str, **defaults: Any) -> str:
    """The call that makes the layer, without what is left at its default."""
    shown = [f"{key}={getattr(layer, key)!r}" for key in always]
    shown += [
        f"{key}={getattr(layer, key)!r}" for key, default in defaults.items() if not _same(getattr(layer, key), default)
    ]
    return f"{type(layer).__name__}({', '.join(shown)})"


def _same(value: Any, default: Any) -> bool:
    return type(value) is type(default) and value == default
