"""Networks as pure functions: layers, activations, initialisers, parameters, and the perceptron."""

from chainrule.nn.activations import ACTIVATIONS, activation
from chainrule.nn.initializers import (
    INITIALIZERS,
    Constant,
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LeCunNormal,
    LeCunUniform,
    Normal,
    Orthogonal,
    Uniform,
    Zeros,
)
from chainrule.nn.layers import Activation, Dense, Dropout, Flatten, Layer, Parameter
from chainrule.nn.model import Model, build, in_a_row
from chainrule.nn.parameters import Parameters, ParameterSpec
from chainrule.nn.perceptron import Perceptron
from chainrule.nn.readings import LayerReading, NeuronReading, Readings

__all__ = [
    "ACTIVATIONS",
    "INITIALIZERS",
    "Activation",
    "Constant",
    "Dense",
    "Dropout",
    "Flatten",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Layer",
    "LayerReading",
    "LeCunNormal",
    "LeCunUniform",
    "Model",
    "NeuronReading",
    "Normal",
    "Orthogonal",
    "Parameter",
    "ParameterSpec",
    "Parameters",
    "Perceptron",
    "Readings",
    "Uniform",
    "Zeros",
    "activation",
    "build",
    "in_a_row",
]
