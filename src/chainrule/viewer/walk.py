"""One step operation by operation: values forwards, then gradients backwards."""

from __future__ import annotations

import re
from functools import cached_property

from chainrule.explanation.evaluations.evaluation import Evaluation
from chainrule.explanation.evaluations.labels import Label, labels_of, told
from chainrule.explanation.rendering.names import in_signs
from chainrule.ops.notation import ATOM
from chainrule.tracing.program import Equation, Variable

LONGEST = 60
"""Characters of the longest formula that stands for a value: there is a whole line for it."""
_NAME = re.compile(r"v\d+'?")
"""What a name looks like that nobody gave."""


class Walk:
    """The operations of an evaluation in the order they are carried out in; so many of them are done at each place.

    First come those of the forward pass, then the same from the last to the first, each of which carries gradients to what it was
    computed from. A gradient is complete when all that the value is used for has been gone through.
    """

    def __init__(self, evaluation: Evaluation) -> None:
        self.evaluation = evaluation
        self.forward = evaluation.program.equations
        self.backward = [e for e in reversed(self.forward) if e.output in evaluation.cotangents]

    @cached_property
    def labels(self) -> dict[Variable, Label]:
        """What values go by in this line."""
        return labels_of(self.evaluation.program, self.evaluation.names, LONGEST)

    @property
    def turn(self) -> int:
        """Operations of the forward pass."""
        return len(self.forward)

    @property
    def count(self) -> int:
        """All operations."""
        return len(self.forward) + len(self.backward)

    @property
    def stops(self) -> tuple[int, int, int]:
        """Places where a stage begins or ends: nothing done, the loss known, all gradients known."""
        return 0, self.turn, self.count

    def stage(self, done: int) -> str:
        """What is going on after so many operations."""
        return "forward" if done < self.turn else "loss" if done == self.turn else "backward"

    def values(self, done: int) -> set[Variable]:
        """Whose values are known by then."""
        return {e.output for e in self.forward[: min(done, self.turn)]}

    def gradients(self, done: int) -> set[Variable]:
        """Whose gradients are known by then: those of inputs and constants are among them."""
        output = self.evaluation.output
        if done < self.turn or output is None:
            return set()
        passed = {id(e) for e in self.backward[: done - self.turn]}
        needed = {id(e) for e in self.backward}
        known = {
            x
            for x in self.evaluation.cotangents
            if all(id(e) in passed for e, _ in self.evaluation.uses[x] if id(e) in needed)
        }
        return known | {output} if done > self.turn else {output}

    def says(self, done: int) -> str:
        """The last operation that was done."""
        if not 0 < done <= self.count:
            return ""
        if done <= self.turn:
            return self._told(self.forward[done - 1])
        equation, output = self.backward[done - self.turn - 1], self.evaluation.output
        of = "L" if output is None else self.evaluation.label(output)
        sources = [x for x in equation.inputs if isinstance(x, Variable) and x in self.evaluation.cotangents]
        named = [self.labels[x] for x in sources]
        slopes = ", ".join(dict.fromkeys(f"∂{of}/∂{_by(x)}" for x in named if x.tells))
        return f"{self._readable(slopes)}{', ' if slopes else ''}back through {self._told(equation)}"

    def _told(self, equation: Equation) -> str:
        formula, own = in_signs(told(equation, self.labels).text), self.labels[equation.output]
        name = in_signs(own.text)
        return self._readable(formula if name == formula or not own.tells else f"{name} = {formula}")

    def _readable(self, text: str) -> str:
        """A formula with dots in place of names that nobody gave."""
        unnamed = {label.text for label in self.labels.values() if not label.tells}
        return _NAME.sub(lambda word: "…" if word[0] in unnamed else word[0], text)


def _by(label: Label) -> str:
    text = in_signs(label.text)
    return text if label.strength == ATOM else f"({text})"
