"""Values and plain functions as subjects: a graph of numbers, computed again when one of them is changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.explanation.derivations.derivation import Derivation, derive
from chainrule.explanation.drawing import draw_evaluation
from chainrule.explanation.drawing.scene import Scene
from chainrule.explanation.evaluations.evaluation import Evaluation
from chainrule.explanation.evaluations.networks import LOSS
from chainrule.explanation.explain import run_with_values
from chainrule.explanation.formulas.rules import only_moves
from chainrule.explanation.values import Value
from chainrule.tracing.interpreter import interpret
from chainrule.tracing.program import Variable
from chainrule.viewer.subject import Subject, unless_changeable, with_number
from chainrule.viewer.topics import Topics


class GraphSubject(Subject):
    """A value and all that it was computed from, or what a function gives of its arguments.

    The numbers that nothing was computed to get to can be changed. Of a value the same operations are carried out again; a function
    is called again, so that it may take another way.
    """

    def __init__(
        self, topics: Topics, kind: str, evaluation: Evaluation, again: Callable[[Any], Evaluation], digits: int = 4
    ) -> None:
        super().__init__(topics, digits)
        self.kind = kind
        self._again = again
        self._given = {x.name: evaluation.values[x] for x in evaluation.program.inputs}
        self._inputs = dict(self._given)
        output = evaluation.program.outputs[0]
        self.title = evaluation.label(output)

    @classmethod
    def of_value(cls, topics: Topics, value: Value, digits: int = 4) -> GraphSubject:
        """A value that was computed from others."""
        first = _named(value.evaluation(), value.name or LOSS)

        def again(inputs: Mapping[str, Any]) -> Evaluation:
            with np.errstate(all="ignore"):
                values = interpret(first.program, {x: inputs[x.name] for x in first.program.inputs})
            return replace(first, values=values, cotangents={})

        return cls(topics, "value", first, again, digits)

    @classmethod
    def of_function(
        cls, topics: Topics, function: Callable[..., Any], args: tuple[Any, ...], digits: int = 4
    ) -> GraphSubject:
        """What a function of numbers and arrays gives."""
        name = getattr(function, "__name__", "f")
        name = "f" if name == "<lambda>" else name
        first = _named(run_with_values(function, args)[1].evaluation(), name)

        def again(inputs: Mapping[str, Any]) -> Evaluation:
            return _named(run_with_values(function, args, changed=inputs)[1].evaluation(), name)

        return cls(topics, "function", first, again, digits)

    def evaluated(self) -> Evaluation:
        """All values and gradients, of the numbers as they are."""
        return self._again(self._inputs).backward()

    @property
    def evaluation(self) -> Evaluation:
        """That, kept until a number changes."""
        found: Evaluation = self._now
        return found

    @property
    def known(self) -> Mapping[str, Variable]:
        """The variables by their labels, of one label the first."""
        return {label.text: x for x, label in reversed(list(self.evaluation.labels.items()))}

    def explain(self, key: str, depth: str, check: bool) -> Derivation:
        """Why the derivative by a number is what it is."""
        evaluation = self.evaluation
        moved = {e.output for e in evaluation.program.equations if only_moves(e)} - set(evaluation.names)
        symbolic = None if depth == "layers" else lambda x: x not in moved
        return derive(
            evaluation, self.element(key), depth=depth, symbolic=symbolic, check=check, digits=self.digits + 2
        )

    def drawn(self) -> Scene:
        """The graph of all values and operations."""
        return draw_evaluation(self.partial(self.evaluation), title=self.title, digits=self.digits).scene

    def changeable(self, key: str) -> bool:
        """Whether nothing was computed to get to it."""
        return self.element(key).variable in self.evaluation.program.inputs

    def put(self, key: str, value: float) -> None:
        """Set a number that nothing was computed to get to."""
        unless_changeable(self, key)
        element = self.element(key)
        name = element.variable.name
        now = self.evaluation.values[element.variable]
        self._inputs = {**self._inputs, name: with_number(now, element.place, value)}
        self.touch()

    @property
    def held(self) -> Mapping[str, Any]:
        """The inputs, as they are."""
        return self._inputs

    def hold(self, held: Mapping[str, Any]) -> None:
        """Take these again."""
        self._inputs = dict(held)
        self.touch()

    def reset(self) -> None:
        """Take back all that was set."""
        self._inputs = dict(self._given)
        self.touch()


def _named(evaluation: Evaluation, name: str) -> Evaluation:
    """The evaluation with a name for what it gives, if it has none."""
    output = evaluation.program.outputs[0]
    if output in evaluation.names or name in evaluation.names.values() or not isinstance(output, Variable):
        return evaluation
    return replace(evaluation, names={**evaluation.names, output: name})
