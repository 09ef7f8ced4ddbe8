"""The interpreter of Programs: equations carried out in order, with a value for every variable.

What is done with an equation is the caller's: it is evaluated with plain arrays, applied to traced values, given a
tangent, or evaluated in another precision.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from chainrule.tracing.apply import apply
from chainrule.tracing.program import Equation, Program, Variable

Rule = Callable[[Equation, list[Any]], Any]
"""What an equation's output is, given what is known of its inputs."""


def evaluated(equation: Equation, inputs: list[Any]) -> Any:
    """The value for plain arrays."""
    return equation.op.evaluate(*inputs, **equation.attributes)


def applied(equation: Equation, inputs: list[Any]) -> Any:
    """The value for traced values, or for arrays and traced values together."""
    return apply(equation.op, *inputs, **equation.attributes)


def literal(value: Any) -> Any:
    """A constant stands for itself."""
    return value


def walk(
    program: Program,
    known: Mapping[Variable, Any],
    rule: Rule = evaluated,
    constant: Callable[[Any], Any] = literal,
) -> Iterator[tuple[Equation, list[Any], Any]]:
    """Each equation in turn, with what its inputs and its output are; whoever walks may stop where they like.

    Parameters
    ----------
    program : Program
        Its equations are walked from the first to the last.
    known : mapping of variables
        What is known before: of all inputs, and of any other variable; equations of known variables are passed over.
    rule : callable
        Gives what the output is, from the equation and what its inputs are.
    constant : callable
        Gives what a literal's value stands for among the inputs.
    """
    values = dict(known)
    for equation in program.equations:
        if equation.output not in values:
            inputs = [values[x] if isinstance(x, Variable) else constant(x.value) for x in equation.inputs]
            output = values[equation.output] = rule(equation, inputs)
            yield equation, inputs, output


def interpret(
    program: Program,
    known: Mapping[Variable, Any],
    rule: Rule = evaluated,
    constant: Callable[[Any], Any] = literal,
) -> dict[Variable, Any]:
    """What every variable is, those known before first; the arguments are those of `walk`."""
    return {**known, **{equation.output: output for equation, _, output in walk(program, known, rule, constant)}}


def reinterpret(
    program: Program,
    values: Mapping[Variable, Any],
    changed: Mapping[Variable, Any],
    rule: Rule = evaluated,
    constant: Callable[[Any], Any] = literal,
) -> dict[Variable, Any]:
    """What every variable is once some have changed: only what depends on these is computed again."""
    affected = set(changed)
    for equation in program.equations:
        if not affected.isdisjoint(equation.inputs):
            affected.add(equation.output)
    kept = {x: value for x, value in values.items() if x not in affected}
    return interpret(program, {**kept, **changed}, rule, constant)


def results(program: Program, values: Mapping[Variable, Any]) -> list[Any]:
    """What the outputs are, from what the variables are."""
    return [values[x] if isinstance(x, Variable) else x.value for x in program.outputs]
