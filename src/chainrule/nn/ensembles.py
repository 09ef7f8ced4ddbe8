"""Several networks as one: the mean of what they give, and layers in which they share most of their weights."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from chainrule.errors import SettingError, ShapeError, shortened
from chainrule.nn.activations import Activation as ActivationName
from chainrule.nn.activations import start_before
from chainrule.nn.initializer import LARGEST
from chainrule.nn.initializers import Normal, Ones, Uniform
from chainrule.nn.layer import Activated, Arrays, Layer, Shape
from chainrule.nn.model import Sequential, in_a_row
from chainrule.nn.parameters import ParameterSpec
from chainrule.tracing import functions as f

Combined = Literal["outputs", "probabilities", "sigmoid", "exp"]
KINDS_OF_MEAN: tuple[Combined, ...] = ("outputs", "probabilities", "sigmoid", "exp")
OF_LINKS: Mapping[str, Combined] = {"softmax": "probabilities", "sigmoid": "sigmoid", "exp": "exp"}
"""What a mean is of, where it is to be one of predictions, by the activation that makes these of outputs."""


def _mean(apart: Any, of: Combined, axis: int) -> Any:
    """The mean along an axis, as an output: of these themselves, or the one that predicts the mean of what they predict."""
    if of == "outputs":
        return np.mean(apart, axis=axis)
    if of == "sigmoid":
        return f.logsumexp(-f.softplus(-apart), axis=axis) - f.logsumexp(-f.softplus(apart), axis=axis)
    logarithms = apart if of == "exp" else f.log_softmax(apart)
    return f.logsumexp(logarithms, axis=axis) - math.log(apart.shape[axis])


@dataclass(frozen=True)
class Average(Layer):
    """The mean of what several rows of layers give for the same input.

    Parameters
    ----------
    members : tuple of tuples of layers
        The networks, each as its layers; their outputs have the same shape.
    of : {"outputs", "probabilities", "sigmoid", "exp"}
        `"outputs"`: y = 1/K Σ_k y_k. `"probabilities"`: scores whose softmax is the mean of the members' probabilities,
        y = ln 1/K Σ_k softmax(y_k). `"sigmoid"` and `"exp"`: outputs whose sigmoid, or exponential, is the mean of the members'.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> members = tuple((cr.Dense(4, "relu"), cr.Dense(1)) for _ in range(3))
    >>> cr.Network([cr.Average(members)]).build(2)(np.ones((5, 2))).shape
    (5, 1)
    """

    members: tuple[tuple[Any, ...], ...]
    of: Combined = "outputs"

    def __post_init__(self) -> None:
        if not isinstance(self.members, list | tuple) or not self.members:
            raise SettingError(f"Average was given members={shortened(self.members)}; give rows of layers.")
        SettingError.unless_one_of("Average", "of", self.of, KINDS_OF_MEAN)
        object.__setattr__(self, "members", tuple(in_a_row(member).layers for member in self.members))

    def __repr__(self) -> str:
        """As of other layers; members that are alike are written once."""
        shown = super().__repr__()
        if len(self.members) > 1 and len({repr(member) for member in self.members}) == 1:
            return shown.replace(repr(self.members), f"{len(self.members)} × {self.members[0]!r}", 1)
        return shown

    def forward(self, parameters: Arrays, *inputs: Any) -> Any:
        """The mean."""
        (x,) = inputs
        return self._mean([Sequential(member)(x) for member in self.members])

    def _mean(self, outputs: list[Any]) -> Any:
        if self.of == "outputs":
            return sum(outputs[1:], outputs[0]) * (1.0 / len(outputs))
        return _mean(np.stack(outputs), self.of, 0)

    def _apply(self, forward_pass: Any, name: str, parameters: Arrays, inputs: tuple[Any, ...]) -> Any:
        (x,) = inputs
        outputs = [Sequential(member)(x) for member in self.members]
        output = self._mean(outputs)
        forward_pass.note_mean(output, outputs)
        forward_pass.note(name, inputs, None, output)
        return output


@dataclass(frozen=True)
class BatchEnsemble(Activated, Layer):
    """A dense layer of several members that share one weight: a_k = act(((x_k * r_k) · W) * s_k + b_k).

    Member k has vectors r_k, s_k and b_k of its own, so that it is the shared layer times a matrix of rank one. The first
    such layer of a network gives every member the same inputs, and its r_k are drawn about 1, that members become different;
    others start at 1, as all s_k do. `MemberMean` after them makes one prediction.

    Parameters
    ----------
    units : int
        Number of neurons.
    activation : str, callable or None
        A name such as `"relu"`, or any function of one array written in NumPy.
    members : int
        How many.

    The input has shape (batch, features) for all members alike or (batch, members, features), the output
    (batch, members, units).

    References
    ----------
    Wen, Tran and Ba, "BatchEnsemble: an alternative approach to efficient ensemble and lifelong learning", 2020.
    Gorishniy, Kotelnikov and Babenko, "TabM: advancing tabular deep learning with parameter-efficient ensembling", 2024.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> network = cr.Network([cr.BatchEnsemble(16, "relu", members=4), cr.MemberMean(1, members=4)]).build(3)
    >>> {name: value.shape for name, value in network.parameters["batchensemble_0"].items()}
    {'weight': (3, 16), 'input_scale': (4, 3), 'output_scale': (4, 16), 'bias': (4, 16)}
    >>> network(np.ones((5, 3))).shape
    (5, 1)
    """

    units: int
    activation: ActivationName = "identity"
    members: int = 8

    def __post_init__(self) -> None:
        for name in ("units", "members"):
            SettingError.unless_count("BatchEnsemble", name, getattr(self, name), at_most=LARGEST)
        self._settle_activation()

    def parameters(self, *shapes: Shape) -> Mapping[str, ParameterSpec]:
        """W of shape (features, units), r of shape (members, features), s and b of shape (members, units)."""
        shape = _of_members("BatchEnsemble", shapes[0], self.members)
        apart = (self.members, self.units)
        return {
            "weight": ParameterSpec((shape[-1], self.units), start_before(self.activation), bias=False),
            "input_scale": ParameterSpec(
                (self.members, shape[-1]), Normal(1.0, mean=1.0) if len(shape) == 2 else Ones(), bias=False
            ),
            "output_scale": ParameterSpec(apart, Ones(), bias=False),
            "bias": ParameterSpec(apart, "zeros", bias=True),
        }

    def linear(self, parameters: Arrays, *inputs: Any) -> Any:
        """((x * r) · W) * s + b."""
        (x,) = inputs
        x = x[:, None, :] if x.ndim == 2 else x
        return (x * parameters["input_scale"]) @ parameters["weight"] * parameters["output_scale"] + parameters["bias"]


@dataclass(frozen=True)
class MemberMean(Layer):
    """The mean of what members give, each by a dense layer of its own: y = 1/K Σ_k (x_k · W_k + b_k).

    In training every member has a loss of its own, and what is lowered is the mean of these, not the loss of the mean: so
    members stay different. What is predicted and evaluated is the mean.

    Parameters
    ----------
    units : int
        Number of outputs.
    members : int
        How many there are.
    of : {"outputs", "probabilities", "sigmoid", "exp"}
        `"outputs"`: the mean of outputs. `"probabilities"`: scores whose softmax is the mean of the members' probabilities,
        y = ln 1/K Σ_k softmax(y_k). `"sigmoid"` and `"exp"`: outputs whose sigmoid, or exponential, is the mean of the members'.

    The input has shape (batch, features) for all members alike or (batch, members, features), the output (batch, units).

    References
    ----------
    Gorishniy, Kotelnikov and Babenko, "TabM: advancing tabular deep learning with parameter-efficient ensembling", 2024.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> network = cr.Network([cr.BatchEnsemble(16, "relu"), cr.MemberMean(3, of="probabilities")]).build(2)
    >>> network(np.ones((5, 2))).shape
    (5, 3)
    """

    units: int
    members: int = 8
    of: Combined = "outputs"

    def __post_init__(self) -> None:
        for name in ("units", "members"):
            SettingError.unless_count("MemberMean", name, getattr(self, name), at_most=LARGEST)
        SettingError.unless_one_of("MemberMean", "of", self.of, KINDS_OF_MEAN)

    def parameters(self, *shapes: Shape) -> Mapping[str, ParameterSpec]:
        """W of shape (members, features, units) and b of shape (members, units)."""
        shape = _of_members("MemberMean", shapes[0], self.members)
        bound = 1.0 / math.sqrt(shape[-1])
        return {
            "weight": ParameterSpec((self.members, shape[-1], self.units), Uniform(-bound, bound), bias=False),
            "bias": ParameterSpec((self.members, self.units), "zeros", bias=True),
        }

    def apart(self, parameters: Arrays, x: Any) -> Any:
        """What every member gives, shape (batch, members, units)."""
        subscripts = "nd,kde->nke" if x.ndim == 2 else "nkd,kde->nke"
        return np.einsum(subscripts, x, parameters["weight"]) + parameters["bias"]

    def mean(self, apart: Any) -> Any:
        """The members' mean."""
        return _mean(apart, self.of, 1)

    def forward(self, parameters: Arrays, *inputs: Any) -> Any:
        """The mean of what every member gives."""
        (x,) = inputs
        return self.mean(self.apart(parameters, x))

    def _apply(self, forward_pass: Any, name: str, parameters: Arrays, inputs: tuple[Any, ...]) -> Any:
        apart = self.apart(parameters, *inputs)
        output = self.mean(apart)
        forward_pass.note_members(output, apart)
        forward_pass.note_mean(output, apart)
        forward_pass.note(name, inputs, None, output)
        return output


def _of_members(layer: str, shape: Shape, members: int) -> Shape:
    """The shape of an input, of all members alike or of each its own."""
    if len(shape) not in (2, 3) or (len(shape) == 3 and shape[1] != members):
        raise ShapeError(
            f"{layer} of {members} members was given an input of shape {shape}; give it (batch, features) or "
            f"(batch, {members}, features)."
        )
    return shape
