"""`derivation`: the derivative of a formula in symbols, rule by rule, as one does it by hand."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from chainrule.autodiff.arguments import as_argnums, positions_of
from chainrule.errors import DifferentiationError, InPlaceError, ShapeError, UnknownNameError, shortened
from chainrule.explanation.derivations.kinks import kinks_declared
from chainrule.explanation.derived import DerivedFormula, Kink, PartialDerivative, RuleLine
from chainrule.explanation.evaluations.backward import dependents
from chainrule.explanation.evaluations.elements import LENGTHY, Formulas
from chainrule.explanation.evaluations.evaluation import Evaluation
from chainrule.explanation.evaluations.labels import free_name, label_of_constant
from chainrule.explanation.evaluations.plainer import without_idle_equations
from chainrule.explanation.evaluations.uses import Use
from chainrule.explanation.formulas.letters import Alphabet
from chainrule.explanation.formulas.rules import CHAIN, CONSTANT, FACTOR, IDENTITY, PRODUCT, QUOTIENT, SUM, rule_of
from chainrule.explanation.formulas.symbolic import Formula, as_expression, as_one_fraction, symbolic
from chainrule.explanation.formulas.symbols import (
    ONE,
    ZERO,
    Element,
    Expression,
    Numeral,
    Slope,
    add,
    multiply,
    number_of,
    symbols_in,
)
from chainrule.explanation.rendering.written import Written, from_story
from chainrule.ops import Custom
from chainrule.ops.operation import ArrayType
from chainrule.tracing import simplify, trace
from chainrule.tracing.interpreter import interpret
from chainrule.tracing.program import Atom, Equation, Variable


@dataclass(frozen=True, repr=False)
class FormulaDerivation(DerivedFormula, Written):
    """The derivatives of a formula by all its arguments.

    Printing gives text; `to("latex")`, "markdown", "html" and "json" give other forms. `derivation["a"](a=2.0, b=3.0)` is the
    number that the derivative by `a` has there.
    """

    def __getitem__(self, argument: str) -> Callable[..., float]:
        for partial in self.partials:
            if partial.argument == argument:
                return partial_number(self, partial)
        raise UnknownNameError.among("argument", argument, [p.argument for p in self.partials])

    def forms(self) -> Mapping[str, Callable[[DerivedFormula], str]]:
        """What writes it as text, LaTeX, Markdown, HTML and JSON."""
        from chainrule.explanation.rendering.formulas import FORMS, tell_formula

        return from_story(tell_formula, FORMS)

    def _repr_latex_(self) -> str:
        return self.to("latex")


def partial_number(derivation: FormulaDerivation, partial: PartialDerivative) -> Callable[..., float]:
    """A function from numbers for the arguments to the number of a partial derivative, line by line from the last."""
    evaluation = derivation.formulas.evaluation
    constants = {x: evaluation.values[x] for x in evaluation.constants}

    def number(**numbers: float) -> float:
        given = {x: np.float64(numbers[x.name]) for x in evaluation.program.inputs}
        with np.errstate(all="ignore"):
            found = interpret(evaluation.program, {**given, **constants})
        slopes: dict[Slope, Any] = {}

        def value(x: Any, _: Any) -> Any:
            return slopes[x] if isinstance(x, Slope) else found[x.element.variable]

        order = {x: i for i, x in enumerate(found)}
        for line in sorted(partial.lines, key=lambda line: order[line.slope.of.variable]):
            slopes[line.slope] = number_of(line.result, value)
        return float(slopes[partial.slope])

    return number


def derivation(function: Callable[..., Any], argnums: int | None = None) -> FormulaDerivation:
    """The derivative of a formula in symbols, with the rule named at every step.

    Parameters
    ----------
    function : callable
        Plain NumPy code of numbers that gives a number.
    argnums : int, optional
        By which argument; by default by each.

    Raises
    ------
    DifferentiationError
        When the function gives a constant, or no real number; when it needs arrays, or computes what has no formula.

    Examples
    --------
    >>> import chainrule as cr
    >>> print(cr.derivation(lambda a, b, c: a * b + c, 0))
    f(a, b, c) = a·b + c
    <BLANKLINE>
    ∂f/∂a = ∂(a·b)/∂a + ∂c/∂a  sum rule
      ∂(a·b)/∂a = b · ∂a/∂a    constant factor
      ∂a/∂a = 1                identity rule
      ∂c/∂a = 0                constant rule
    so ∂f/∂a = b
    """
    if not callable(function):
        raise DifferentiationError(
            f"derivation was given {shortened(function)}; give a function such as lambda a, b: a * b."
        )
    count = _count(function)
    try:
        program = simplify(trace(function, *[ArrayType((), np.dtype(np.float64))] * count, stepwise=True))
    except (AttributeError, IndexError, TypeError, ShapeError, InPlaceError) as error:
        raise DifferentiationError(
            "derivation is of formulas of numbers, and with a number for every argument this function fails: "
            f"{shortened(str(error))} Give a function of numbers, or ask cr.explain, which knows arrays and containers."
        ) from error
    output = program.outputs[0]
    if not isinstance(output, Variable) or len(program.outputs) != 1:
        raise DifferentiationError(
            "the function gives a constant, or several results; give a formula of its arguments."
        )
    if output.shape or output.dtype.kind != "f":
        raise DifferentiationError(f"the function gives {output.type}; derivation is of formulas that give one number.")
    for equation in program.equations:
        if equation.output.shape:
            raise DifferentiationError(
                f"derivation is of formulas of numbers, and {equation.op.name} makes an array of shape {equation.output.shape} of "
                "them. Write a + b instead of np.sum(np.stack([a, b])), or ask cr.explain, which knows arrays."
            )
    names = {x: x.name for x in program.inputs}
    nothing = dict.fromkeys([*program.inputs, *(e.output for e in program.equations)])
    evaluation = without_idle_equations(Evaluation(program, nothing, names, output=output), program.inputs)
    evaluation = _with_constant_terms(evaluation)
    output = evaluation.output or output
    for equation in evaluation.program.equations:
        if isinstance(equation.op, Custom):
            raise DifferentiationError(
                f"derivation is of formulas, and the derivative of {equation.op.spoken} is known in numbers only. Ask cr.explain, "
                "which takes it at the numbers that it is given."
            )
    formulas = Formulas(evaluation, names.__contains__, Alphabet(set()))
    places = range(len(program.inputs)) if argnums is None else positions_of(count, as_argnums(argnums))
    partials = tuple(_partial(formulas, output, program.inputs[i]) for i in places)
    name = free_name(program.name if program.name != "program" else "f", names.values())
    return FormulaDerivation(name, formulas, Element(output), partials, tuple(_kinks(formulas)))


def _kinks(formulas: Formulas) -> Iterator[Kink]:
    """The parts that are not differentiable everywhere, of those that the formula still has."""
    needed: set[Atom | None] = {formulas.evaluation.output}
    for equation in reversed(formulas.evaluation.program.equations):
        needed |= set(equation.inputs) if equation.output in needed else set()
    for equation in formulas.evaluation.program.equations:
        if equation.output in needed and equation.op.differentiable and equation.output.dtype.kind == "f":
            inputs = (
                formulas.formula(Element(x)) if isinstance(x, Variable) else Numeral(float(x.value))
                for x in equation.inputs
            )
            own = tuple(inputs)
            for where in kinks_declared(equation.op, [float(x.value) if isinstance(x, Numeral) else None for x in own]):
                yield Kink(Element(equation.output), where, own)


def _count(function: Callable[..., Any]) -> int:
    """How many numbers a function takes."""
    parameters = inspect.signature(function).parameters.values()
    return sum(p.kind.name.startswith("POSITIONAL") and p.default is inspect.Parameter.empty for p in parameters)


def _with_constant_terms(evaluation: Evaluation) -> Evaluation:
    """The same evaluation with variables for the numbers among the terms of sums, which have a derivative as well: 0."""
    values: dict[Variable, Any] = {}

    def lifted(x: Atom) -> Atom:
        if isinstance(x, Variable):
            return x
        new = Variable(label_of_constant(x), ArrayType((), np.dtype(np.float64)))
        values[new] = np.asarray(x.value, np.float64)
        return new

    equations = tuple(
        e.replace(inputs=tuple(map(lifted, e.inputs))) if _adds(e) else e for e in evaluation.program.equations
    )
    return replace(
        evaluation,
        program=replace(evaluation.program, equations=equations),
        values={**values, **evaluation.values},
        constants=frozenset(values),
    )


def _adds(equation: Equation | None) -> bool:
    """Whether an equation only adds its inputs up, or takes one from the other."""
    return equation is not None and equation.op.notation.algebra in ("sum", "difference")


def _partial(formulas: Formulas, output: Variable, by: Variable) -> PartialDerivative:
    """The derivative of the output by one argument: from the outermost operation inwards."""
    evaluation = formulas.evaluation
    moving = {by, *dependents(evaluation.program.equations, [by])}
    derivatives: dict[Variable, Expression] = {}
    lines: dict[Variable, RuleLine] = {}

    def note(x: Variable, told: Expression, result: Expression, rules: Sequence[str]) -> None:
        slope = Slope(Element(x), Element(by))
        derivatives[x] = result if len(list(symbols_in(result))) <= LENGTHY else slope
        lines[x] = RuleLine(slope, told, tuple(dict.fromkeys(rules)))

    for x in (*evaluation.program.inputs, *evaluation.constants):
        note(x, *((ONE, ONE, (IDENTITY,)) if x is by else (ZERO, ZERO, (CONSTANT,))))
    for equation in evaluation.program.equations:
        if equation.output not in moving:
            note(equation.output, ZERO, ZERO, (CONSTANT,))
            continue
        places = _places(equation, moving)
        if equation.op.textbook.differential is not None and len(places) > 1:
            told = _as_a_whole(formulas, equation, lambda x: Slope(Element(x), Element(by)))
            whole = _as_a_whole(formulas, equation, derivatives.__getitem__)
        else:
            terms = list(_terms(formulas, equation, places))
            told = add(multiply([partial, Slope(Element(x), Element(by))]) for partial, x in terms)
            whole = add(as_one_fraction(multiply([partial, derivatives[x]])) for partial, x in terms)
        rules = []
        for i in places:
            rules.append(rule_of(equation, i, moving))
            if rules[-1] not in _INNER_ALREADY and equation.inputs[i] is not by:
                rules.append(CHAIN)
        note(equation.output, told, whole, rules)
    return PartialDerivative(
        by.name, Slope(Element(output), Element(by)), tuple(_used(lines, output)), derivatives[output]
    )


def _places(equation: Equation, moving: Container[Atom]) -> list[int]:
    """The inputs that the derivative is told of: those that move, and the other terms of a sum."""
    inputs = [i for i, x in enumerate(equation.inputs) if isinstance(x, Variable) and x.dtype.kind == "f"]
    return inputs if _adds(equation) else [i for i in inputs if equation.inputs[i] in moving]


def _terms(formulas: Formulas, equation: Equation, places: Sequence[int]) -> Iterator[tuple[Expression, Variable]]:
    """The partial derivatives by an equation's inputs, with these; of a sum of sums by all terms."""
    for i in places:
        x = equation.inputs[i]
        assert isinstance(x, Variable)
        partial = formulas.partial(Use(equation, i, Element(x), Element(equation.output), ()))
        inner = formulas.evaluation.makers.get(x)
        if _adds(equation) and inner is not None and _adds(inner):
            for own, term in _terms(formulas, inner, _places(inner, ())):
                yield multiply([partial, own]), term
        else:
            yield partial, x


def _as_a_whole(formulas: Formulas, equation: Equation, slope: Callable[[Variable], Expression]) -> Expression:
    """The rule for all inputs at once."""
    inputs = [Formula(formulas.formula(Element(x))) if isinstance(x, Variable) else x.value for x in equation.inputs]
    slopes = [Formula(slope(x)) if isinstance(x, Variable) else 0.0 for x in equation.inputs]
    rule = equation.op.textbook.differential
    assert rule is not None
    return as_expression(rule(symbolic, *inputs, *slopes))


_INNER_ALREADY = (SUM, PRODUCT, QUOTIENT, FACTOR)
"""Rules that speak of the derivatives of their parts by themselves; the others need the chain rule for that."""


def _used(lines: dict[Variable, RuleLine], output: Variable) -> list[RuleLine]:
    """The lines that the output's refers to, itself first, every one before those it refers to."""
    order: dict[Variable, None] = {}
    waiting = [output]
    while waiting:
        x = waiting.pop()
        if x not in order:
            order[x] = None
            inner = [s.of.variable for s in symbols_in(lines[x].result) if isinstance(s, Slope)]
            waiting.extend(reversed(inner))
    return [lines[x] for x in order]
