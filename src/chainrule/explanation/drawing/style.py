"""Where the numbers of a network's picture come from: values and gradients of neurons, over the rows of a batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.explanation.drawing.layers import RowLayer
from chainrule.explanation.drawing.pieces import NUMBER_SIZE
from chainrule.explanation.drawing.scene import text_width
from chainrule.explanation.evaluations.backward import dependents
from chainrule.explanation.evaluations.evaluation import Evaluation
from chainrule.explanation.evaluations.forward import tangent_rule, tangents_of
from chainrule.explanation.evaluations.keys import keys_of
from chainrule.ops import Elementwise
from chainrule.ops.operation import eager
from chainrule.tracing.program import Equation, Variable


@dataclass(frozen=True)
class Style:
    """Where the numbers come from, and how they are written."""

    evaluation: Evaluation
    digits: int
    side: float = 150.0
    """Pixels of a folded layer's heat maps."""
    steady: bool = False
    """Whether nothing moves when numbers change or become known: every number has room for any other, and for "—"."""
    symbols: Mapping[str, str] = field(default_factory=dict)
    """Other names in formulas, by the names of arrays."""

    @property
    def room(self) -> float:
        """The width that is kept for a number."""
        return text_width(f"−0.000{'8' * self.digits}", NUMBER_SIZE) if self.steady else 0.0

    @property
    def has_data(self) -> bool:
        """Whether values were computed, as far as the evaluation has been gone through."""
        return any(x in self.evaluation.values for x in self.evaluation.samples)

    @property
    def rows(self) -> int:
        """Rows of the batch."""
        return next((x.shape[0] for x in self.evaluation.samples), 1)

    @property
    def differentiated(self) -> bool:
        """Whether there are gradients to be shown."""
        return self.evaluation.output is not None

    def value(self, x: Variable | None) -> Any:
        """The value of a variable, if it is known."""
        return None if x is None else self.evaluation.values.get(x)

    def gradient(self, x: Variable | None) -> Any:
        """The gradient of a variable, if it was computed."""
        return None if x is None else self.evaluation.cotangent(x)

    def letter(self, x: Variable | None, otherwise: str) -> str:
        """What an array goes by in formulas, where it was given a name for them."""
        return self.symbols.get("" if x is None else self.evaluation.label(x), otherwise)

    def keys_of_unit(self, x: Variable | None, j: int) -> tuple[str, str]:
        """Those of one neuron's number and its gradient, where there is one row that they are of."""
        own, slopes = keys_of(self.evaluation, x)
        return (own.at(0, j), slopes.at(0, j)) if self.rows == 1 else ("", "")

    def mean(self, x: Variable) -> Any:
        """Means over the rows of a batch, one for every neuron; `None` where nothing is known."""
        value = self.value(x)
        return None if value is None else np.mean(np.asarray(value, np.float64), axis=0)

    def total(self, x: Variable) -> Any:
        """The gradient by every neuron, added up over the rows of a batch; `None` where there is none."""
        gradient = self.gradient(x)
        return None if gradient is None else np.sum(gradient, axis=0)

    def sloped(self, x: Variable) -> bool:
        """Whether there is a gradient by it to be shown, or one that is not known yet."""
        return self.differentiated and (self.gradient(x) is not None or self.steady)

    def local(self, layer: RowLayer) -> Any:
        """∂a/∂z of every neuron, means over the rows; `None` where there is none, or an a depends on the z of others."""
        between = dependents(self.evaluation.program.equations, [layer.z])
        if not self.differentiated or layer.a is layer.z or layer.a not in between or self.value(layer.a) is None:
            return None
        waiting, way = [layer.a], set[Variable]()
        while waiting:
            way.add(x := waiting.pop())
            maker = self.evaluation.makers[x]
            if not isinstance(maker.op, Elementwise):
                return None
            waiting += [x for x in maker.inputs if isinstance(x, Variable) and x in between and x is not layer.z]
        onwards = tangent_rule(eager, self.evaluation.precise)

        def rule(
            equation: Equation, given: list[Any]
        ) -> Any:  # no further: what comes after a may not have been computed yet
            return onwards(equation, given) if equation.output in way else None

        with np.errstate(all="ignore"):
            tangents = tangents_of(self.evaluation.program, {layer.z: np.ones(layer.z.shape)}, rule)
        return np.mean(np.broadcast_to(tangents.get(layer.a, 0.0), layer.a.shape), axis=0)
