"""Layers that bring what other layers give to one size, sample by sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.errors import SettingError, ShapeError
from chainrule.nn.layer import Arrays, Layer, Shape
from chainrule.nn.named import settled
from chainrule.nn.parameters import ParameterSpec


@dataclass(frozen=True)
class LayerNorm(Layer):
    """(x − mean)/√(variance + ε) · scale + shift, with the mean and the variance of each sample's own features.

    The features are the last axis. A sample is normalised by itself alone, in training and in prediction alike.

    Parameters
    ----------
    epsilon : float
        ε, which keeps the divisor from 0.
    scale, shift : initialiser, name of one, number, array, or None
        How the learned factor and summand of every feature start, shape (features,); `None`: without.

    References
    ----------
    Ba, Kiros and Hinton, "Layer normalization", 2016.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> cr.Network([cr.LayerNorm(epsilon=0.0)]).build(2)(np.array([[1.0, 3.0], [10.0, 50.0]]))
    array([[-1.,  1.],
           [-1.,  1.]], dtype=float32)
    """

    epsilon: float = 1e-5
    scale: Any = "ones"
    shift: Any = "zeros"

    def __post_init__(self) -> None:
        SettingError.unless_number("LayerNorm", "epsilon", self.epsilon, at_least=0)
        for part in ("scale", "shift"):
            object.__setattr__(self, part, settled(getattr(self, part)))

    def parameters(self, *shapes: Shape) -> Mapping[str, ParameterSpec]:
        """The scale and the shift of every feature."""
        return of_features("LayerNorm", shapes[0], self.scale, self.shift)

    def forward(self, parameters: Arrays, *inputs: Any) -> Any:
        """The features, each sample's by their own mean and deviation."""
        (x,) = inputs
        centred = x - np.mean(x, axis=-1, keepdims=True)
        variance = np.mean(np.square(centred), axis=-1, keepdims=True)
        return scaled_and_shifted(centred / np.sqrt(variance + self.epsilon), parameters)


def of_features(layer: str, shape: Shape, scale: Any, shift: Any) -> dict[str, ParameterSpec]:
    """The learned factor and summand of every feature, those that are wanted."""
    if len(shape) < 2:
        raise ShapeError(f"{layer} needs inputs of shape (batch, …, features) and was given {shape}.")
    wanted = {"scale": (scale, False), "shift": (shift, True)}
    return {
        name: ParameterSpec(shape[-1:], start, bias=bias) for name, (start, bias) in wanted.items() if start is not None
    }


def scaled_and_shifted(x: Any, parameters: Arrays) -> Any:
    """x · scale + shift, with what there is of both."""
    for name, combined in (("scale", np.multiply), ("shift", np.add)):
        if name in parameters:
            x = combined(x, parameters[name])
    return x
