"""Which of a layer's parameters are the weights and biases of its neurons: proven on what it computes, whatever their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.ops import Contraction, Elementwise, Layout
from chainrule.ops.axes import Kept, Put
from chainrule.ops.kinds.contraction import parse
from chainrule.tracing.program import Equation, Variable, axes_of


@dataclass(frozen=True)
class Neurons:
    """What neuron j adds up, z_j = Σ_i w_ij·x_i + b_j: the names of w and b among a layer's parameters, `None` if it has none.

    `units` is the axis of w that counts the neurons.
    """

    weight: str | None = None
    bias: str | None = None
    units: int = 1

    def weights_of(self, parameters: Mapping[str, Any], j: int) -> Any:
        """The weights of a neuron among arrays by name; `None` if there are none."""
        found = parameters.get(self.weight) if self.weight else None
        return None if found is None else np.take(found, j, axis=self.units)

    def bias_of(self, parameters: Mapping[str, Any], j: int) -> Any:
        """The bias of a neuron among arrays by name; `None` if there is none."""
        found = parameters.get(self.bias) if self.bias else None
        return None if found is None else found[j]

    def rows_and_columns(self, name: str) -> tuple[str, str]:
        """What the first and the second axis of a parameter count."""
        if name == self.weight:
            return ("units", "inputs") if self.units == 0 else ("inputs", "units")
        return ("units" if name == self.bias else "rows"), "columns"


def neurons_of(
    makers: Mapping[Variable, Equation], inputs: Sequence[Any], z: Any, parameters: Mapping[str, Variable]
) -> Neurons:
    """The neurons of a layer that computes `z` from `inputs` with these parameters; `makers` has every variable's equation."""
    own = {variable: name for name, variable in parameters.items()}
    bias = None
    equation = makers.get(z)
    while equation is not None and isinstance(equation.op, Elementwise) and equation.op.partials == (1, 1):
        added = [_unmoved(x, makers) for x in equation.inputs]
        last = [(len(x.shape) - 1,) for x in equation.inputs]  # which is the result's last one
        places = [i for i, (x, axes) in enumerate(added) if x in own and axes == last[i] and x.shape == z.shape[-1:]]
        if len(places) != 1 or bias is not None:
            return Neurons()
        bias = own[added[places[0]][0]]
        equation = makers.get(equation.inputs[1 - places[0]])  # type: ignore[arg-type]
    if equation is None or not isinstance(equation.op, Contraction):
        return Neurons(bias=bias)
    subscripts = parse(equation.attributes["subscripts"])
    sides = list(zip(equation.inputs, (subscripts.left, subscripts.right), strict=True))
    for (x, letters), (w, others) in (sides, sides[::-1]):
        weight, axes = _unmoved(w, makers)
        summed = (*subscripts.result[:-1], next(iter(subscripts.summed), ""))
        if weight in own and len(weight.shape) == 2 and tuple(letters) == summed and _joined(x, inputs, makers):
            unit = subscripts.result[-1]
            if sorted(others) == sorted((unit, summed[-1])):
                return Neurons(own[weight], bias, axes.index(others.index(unit)))
    return Neurons(bias=bias)


def _unmoved(x: Any, makers: Mapping[Variable, Equation]) -> tuple[Any, tuple[int, ...]]:
    """What operations that only permute or repeat an array were given at first, and which axis of `x` each of its is."""
    axes = tuple(range(len(x.shape)))
    while (equation := makers.get(x)) is not None and isinstance(equation.op, Layout) and len(equation.inputs) == 1:
        links = (axes_of(equation) or ((),))[0]
        (source,) = equation.inputs
        kept = {link.source: axes[link.target] for link in links if isinstance(link, Kept)}
        if len(kept) != len(source.shape) or len(links) != len(kept):
            break
        x, axes = source, tuple(kept[i] for i in range(len(source.shape)))
    return x, axes


def _joined(x: Any, inputs: Sequence[Any], makers: Mapping[Variable, Equation]) -> bool:
    """Whether `x` is the input, or all inputs joined along their last axis."""
    if len(inputs) == 1:
        return x is inputs[0]
    equation = makers.get(x)
    return (
        equation is not None
        and isinstance(equation.op, Layout)
        and len(equation.inputs) == len(inputs)
        and all(a is b for a, b in zip(equation.inputs, inputs, strict=True))
        and all(isinstance(links[-1], Put) for links in axes_of(equation) or [(None,)])
    )


NOT_KNOWN = Neurons()
"""Of a layer about whose neurons nothing is proven."""
