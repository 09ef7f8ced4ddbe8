"""One step operation by operation: values forwards, then gradients backwards."""

from __future__ import annotations

from chainrule.explanation.evaluation import Evaluation
from chainrule.explanation.labels import told
from chainrule.explanation.rendering.names import in_signs
from chainrule.tracing.program import Equation, Variable


class Walk:
    """The operations of an evaluation in the order they are carried out in; so many of them are done at each place.

    First come those of the forward pass, then the same from the last to the first, each of which carries gradients to what it was
    computed from. A gradient is complete when all that the value is used for has been gone through.
    """

    def __init__(self, evaluation: Evaluation) -> None:
        self.evaluation = evaluation
        self.forward = evaluation.program.equations
        self.backward = [e for e in reversed(self.forward) if e.output in evaluation.cotangents]

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
        slopes = ", ".join(dict.fromkeys(f"∂{of}/∂{in_signs(self.evaluation.label(x))}" for x in sources))
        return f"{slopes}, back through {self._told(equation)}"

    def _told(self, equation: Equation) -> str:
        name, formula = self.evaluation.label(equation.output), in_signs(told(equation, self.evaluation.labels).text)
        return f"{in_signs(name)} = {formula}" if in_signs(name) != formula else formula
