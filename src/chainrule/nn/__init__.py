"""Networks as pure functions: layers, activations, initialisers, parameters, and the perceptron."""

from chainrule.declarations import declared
from chainrule.nn import embeddings, ensembles, initializers, layers, normalising, standardising
from chainrule.nn.activations import ACTIVATIONS, activation
from chainrule.nn.layer import Layer
from chainrule.nn.model import Model, build, in_a_row
from chainrule.nn.named import INITIALIZERS
from chainrule.nn.parameters import Parameters, ParameterSpec
from chainrule.nn.perceptron import Perceptron
from chainrule.nn.readings import LayerReading, NeuronReading, Readings

globals().update(declared(initializers, layers, embeddings, ensembles, normalising, standardising))

__all__ = [
    "ACTIVATIONS",
    "INITIALIZERS",
    "Layer",
    "LayerReading",
    "Model",
    "NeuronReading",
    "ParameterSpec",
    "Parameters",
    "Perceptron",
    "Readings",
    "activation",
    "build",
    "in_a_row",
]
