"""Layers: frozen descriptions whose methods are plain NumPy code."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.errors import SettingError, ShapeError
from chainrule.nn.activations import Activation as ActivationName
from chainrule.nn.activations import start_before
from chainrule.nn.context import in_a_network
from chainrule.nn.initializer import LARGEST
from chainrule.nn.layer import Activated, Arrays, Layer, Shape
from chainrule.nn.named import settled
from chainrule.nn.parameters import ParameterSpec
from chainrule.tracing.numpy_interface import ArrayInterface


def _is_auto(given: Any) -> bool:
    """Whether how a weight starts is left to its activation."""
    return isinstance(given, str) and given == "auto"


@dataclass(frozen=True)
class Dense(Activated, Layer):
    """Neurons that are each connected to every input: a = act(x · W + b).

    Parameters
    ----------
    units : int
        Number of neurons.
    activation : str, callable or None
        A name such as `"relu"`, or any function of one array written in NumPy; `None` is `"identity"`.
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

    expects_one_size = True

    def __post_init__(self) -> None:
        SettingError.unless_count("Dense", "units", self.units, at_most=LARGEST)
        self._settle_activation()
        for part in ("weight", "bias"):
            given = getattr(self, part)
            if not (isinstance(given, Parameter) or _is_auto(given)):
                object.__setattr__(self, part, settled(given))

    def parameters(self, *shapes: Shape) -> Mapping[str, ParameterSpec]:
        """W of shape (inputs, units) and b of shape (units,)."""
        if not shapes or any(len(shape) < 2 for shape in shapes):
            raise ShapeError(
                f"Dense needs inputs of shape (batch, features) and was given {', '.join(map(str, shapes))}."
            )
        specs = {}
        if not isinstance(self.weight, Parameter):
            width = sum(shape[-1] for shape in shapes)
            start = start_before(self.activation) if _is_auto(self.weight) else self.weight
            specs["weight"] = ParameterSpec((width, self.units), start, bias=False)
        if self.bias is not None and not isinstance(self.bias, Parameter):
            specs["bias"] = ParameterSpec((self.units,), self.bias, bias=True)
        return specs

    def linear(self, parameters: Arrays, *inputs: Any) -> Any:
        """Z = x · W + b."""
        x = inputs[0] if len(inputs) == 1 else np.concatenate(inputs, axis=-1)
        z = x @ (self.weight() if isinstance(self.weight, Parameter) else parameters["weight"])
        if self.bias is None:
            return z
        return z + (self.bias() if isinstance(self.bias, Parameter) else parameters["bias"])


@dataclass(frozen=True)
class Activation(Activated, Layer):
    """An activation function as a layer of its own.

    Parameters
    ----------
    activation : str, callable or None
        A name such as `"relu"`, or any function of one array written in NumPy; `None` is `"identity"`.
    """

    activation: ActivationName

    def __post_init__(self) -> None:
        self._settle_activation()

    def linear(self, parameters: Arrays, *inputs: Any) -> Any:
        """The input itself."""
        (x,) = inputs
        return x


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


@dataclass(frozen=True)
class Flatten(Layer):
    """All axes after the batch made one: (batch, 8, 8) becomes (batch, 64)."""

    def forward(self, parameters: Arrays, *inputs: Any) -> Any:
        """The same numbers, one row for every sample."""
        (x,) = inputs
        return np.reshape(x, (x.shape[0], math.prod(x.shape[1:])))


@dataclass(frozen=True, eq=False)
class Parameter(Layer, ArrayInterface):
    """An array that is learned, for use in a network's function as if it were the array.

    Parameters
    ----------
    shape : tuple of ints
        Its shape; `()` for a single number.
    initializer : initialiser, name of one, number, or array
        How it starts.
    bias : bool, optional
        Whether it is a bias, which `l1` and `l2` leave alone. By default the network's function decides: an array that
        is only ever added to what depends on the data is a bias.

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
    bias: bool | None = None

    def parameters(self, *shapes: Shape) -> Mapping[str, ParameterSpec]:
        """The array itself, under the name `value`."""
        return {"value": ParameterSpec(self.shape, self.initializer, bias=self.bias)}

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
