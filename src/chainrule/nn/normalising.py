"""Layers that bring what other layers give to one size: sample by sample, or feature by feature over a batch."""

from __future__ import annotations

import math
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


@dataclass(frozen=True)
class BatchNorm(Layer):
    """(x − mean)/√(variance + ε) · scale + shift, feature by feature: in training with the mean and the variance of the batch.

    The features are the last axis. A prediction, and what is explained of it or of its loss, takes the running mean and variance,
    which no gradient changes: with every step of training m ← momentum·m + (1 − momentum)·(mean of the batch), and so the
    variance, of n numbers by n − 1. So does training where a batch is a single row, which says nothing of a variance.

    Parameters
    ----------
    momentum : float
        How much of the running ones is kept in a step.
    epsilon : float
        ε, which keeps the divisor from 0.
    scale, shift : initialiser, name of one, number, array, or None
        How the learned factor and summand of every feature start, shape (features,); `None`: without.

    References
    ----------
    Ioffe and Szegedy, "Batch normalization: accelerating deep network training by reducing internal covariate shift", 2015.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> network = cr.Network([cr.BatchNorm(name="norm"), cr.Dense(1)], dtype="float64")
    >>> X = np.array([[1.0, 10.0], [3.0, 50.0]])
    >>> history = network.fit(X, X[:, :1], epochs=1, batch_size=2, progress=False)
    >>> network.parameters["norm"]["mean"], network.parameters["norm"]["variance"]
    (array([0.2, 3. ]), array([ 1.1, 80.9]))
    """

    momentum: float = 0.9
    epsilon: float = 1e-5
    scale: Any = "ones"
    shift: Any = "zeros"

    trains_otherwise = True

    def __post_init__(self) -> None:
        SettingError.unless_number("BatchNorm", "momentum", self.momentum, at_least=0, at_most=1)
        SettingError.unless_number("BatchNorm", "epsilon", self.epsilon, at_least=0)
        for part in ("scale", "shift"):
            object.__setattr__(self, part, settled(getattr(self, part)))

    def parameters(self, *shapes: Shape) -> Mapping[str, ParameterSpec]:
        """The scale, the shift, and the running mean and variance of every feature."""
        learned = of_features("BatchNorm", shapes[0], self.scale, self.shift)
        width = shapes[0][-1:]
        return {
            **learned,
            "mean": ParameterSpec(width, "zeros", trainable=False, running=True),
            "variance": ParameterSpec(width, "ones", trainable=False, running=True, bias=False),
        }

    def forward(self, parameters: Arrays, *inputs: Any, training: bool = False) -> Any:
        """The features, by the batch's mean and variance in training, by the running ones otherwise."""
        (x,) = inputs
        mean, variance = parameters["mean"], parameters["variance"]
        if training and x.shape[0] > 1:
            mean, variance = _of_batch(x)
        return scaled_and_shifted((x - mean) / np.sqrt(variance + self.epsilon), parameters)

    def running(self, parameters: Arrays, *inputs: Any) -> Mapping[str, Any]:
        """The running mean and variance after a batch."""
        (x,) = inputs
        if x.shape[0] == 1:
            return {}
        mean, variance = _of_batch(x)
        numbers = math.prod(x.shape[:-1])
        now = {"mean": mean, "variance": variance * (numbers / (numbers - 1))}
        return {name: self.momentum * parameters[name] + (1.0 - self.momentum) * now[name] for name in now}


def _of_batch(x: Any) -> tuple[Any, Any]:
    """The mean and the variance of every feature."""
    axes = tuple(range(x.ndim - 1))
    mean = np.mean(x, axis=axes)
    return mean, np.mean(np.square(x - mean), axis=axes)


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
