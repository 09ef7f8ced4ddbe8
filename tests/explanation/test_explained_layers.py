"""Every exported layer explained: any weight's derivation gives the gradient of the loss, in both dtypes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from making import called, exported, made


@dataclass(frozen=True)
class Largest(cr.Layer):
    """Of every two linear activations, which have no names of their own, the larger or the smaller one."""

    choose: Any = np.max

    def parameters(self, *shapes: Any) -> Mapping[str, cr.ParameterSpec]:
        return {"weight": cr.ParameterSpec((shapes[0][-1], 6), "glorot_uniform")}

    def forward(self, parameters: Any, *inputs: Any) -> Any:
        z = inputs[0] @ parameters["weight"]
        return self.choose(z.reshape(*z.shape[:-1], 3, 2), axis=-1)


LAYERS = [made(kind) for kind in exported(cr.Layer)] + [Largest(), Largest(np.min)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: re.sub(r" at 0x\w+", "", repr(layer)))
def test_a_derivation_gives_the_gradient(layer: Any, dtype: str) -> None:
    """Numbers between named ones are computed anew in double precision; which of them is the largest is still what it was."""
    first, middle, flat, last = cr.Dense(4, "tanh", name="first"), called(layer), cr.Flatten(), cr.Dense(1)
    network = cr.Network(lambda x: last(flat(middle(first(x)))), dtype=dtype, seed=1).build(3)
    random = np.random.default_rng(0)
    X, y = random.normal(size=(2, 3)), random.normal(size=(2, 1))
    loss = lambda parameters: np.mean((network.model.apply(parameters, [X]).outputs - y) ** 2)  # noqa: E731
    gradients = cr.grad(loss)(network.parameters)
    tolerance = 1e-5 if dtype == "float32" else 1e-9
    for name, own in gradients.items():
        for parameter, gradient in own.items():
            place = tuple(n - 1 for n in gradient.shape)
            found = network.explain(X, y, f"{name}.{parameter}[{', '.join(map(str, place))}]")
            assert found.value == pytest.approx(float(gradient[place]), rel=tolerance, abs=tolerance)
            assert "nan" not in str(found)
