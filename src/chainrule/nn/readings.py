"""What a forward pass leaves to be read: every layer's and every neuron's values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.errors import UnknownNameError
from chainrule.nn.neurons import NOT_KNOWN, Neurons


@dataclass(frozen=True)
class NeuronReading:
    """One neuron: its weights w, bias b, linear activation z = Σ wᵢxᵢ + b and activation a = act(z).

    `z` and `a` have shape (batch,), `weights` (inputs,).
    """

    layer: str
    index: int
    weights: Any
    bias: Any
    z: Any
    a: Any


@dataclass(frozen=True)
class LayerReading:
    """One layer in one pass: its inputs, linear activation `z` and activation `a`, shape (batch, units).

    `z` is `None` for layers without activation function, such as `Dropout`; `made` says which parameters are the neurons'.
    """

    name: str
    inputs: tuple[Any, ...]
    z: Any
    a: Any
    parameters: Mapping[str, Any]
    made: Neurons = NOT_KNOWN

    @property
    def neurons(self) -> list[NeuronReading]:
        """The layer neuron by neuron. An activation that changes their number leaves them without `a` of their own."""
        linear = self.a if self.z is None else self.z
        own = self.a if np.shape(self.a) == np.shape(linear) else None
        return [
            NeuronReading(
                self.name,
                j,
                self.made.weights_of(self.parameters, j),
                self.made.bias_of(self.parameters, j),
                None if self.z is None else self.z[..., j],
                None if own is None else own[..., j],
            )
            for j in range(linear.shape[-1])
        ]


def names_of_calls(layers: Iterable[str]) -> list[str]:
    """A name for every call of layers: that of the layer, `g`, and for further calls `g#2`, `g#3`."""
    times = Counter[str]()
    names = []
    for layer in layers:
        times[layer] += 1
        names.append(layer if times[layer] == 1 else f"{layer}#{times[layer]}")
    return names


class Readings:
    """The layers of one forward pass, by position or by name.

    A layer that is called several times appears once for every call; its name gives the first, `g#2` the second of `g`.
    """

    def __init__(self, layers: list[LayerReading], outputs: Any) -> None:
        self.layers, self.outputs = layers, outputs

    def __getitem__(self, key: int | str) -> LayerReading:
        if isinstance(key, int):
            return self.layers[key]
        for layer in self.layers:
            if layer.name == key:
                return layer
        raise UnknownNameError.among("layer", key, dict.fromkeys(layer.name for layer in self.layers))

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[LayerReading]:
        return iter(self.layers)

    def __repr__(self) -> str:
        rows = [f"  {layer.name}: a {tuple(layer.a.shape)}" for layer in self.layers]
        return "\n".join(["Readings", *rows])
