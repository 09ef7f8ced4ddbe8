"""Forward and reverse mode side by side: what is computed when, and how many operations each needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.autodiff.modes import as_mode
from chainrule.errors import DifferentiationError, SettingError
from chainrule.explanation.evaluations.backward import carry_back, dependents
from chainrule.explanation.evaluations.evaluation import Evaluation, has_derivative
from chainrule.explanation.evaluations.forward import carry_forward, tangent_rule, tangents_of, unit_tangent
from chainrule.explanation.formulas.symbols import Element
from chainrule.explanation.rendering.names import in_signs, spelled
from chainrule.explanation.rendering.numerals import numeral
from chainrule.explanation.rendering.tables import Table
from chainrule.notebooks import Shown
from chainrule.ops import Contraction, Elementwise, Reduction
from chainrule.ops.kinds.contraction import parse
from chainrule.ops.notation import ATOM
from chainrule.ops.operation import REGISTRY
from chainrule.tracing import simplify, trace, trees
from chainrule.tracing.apply import traced
from chainrule.tracing.interpreter import applied, interpret
from chainrule.tracing.program import Atom, Equation, Program, Variable


@dataclass(frozen=True)
class Count:
    """How many multiplications (and divisions) and additions (and subtractions), on single numbers; other functions."""

    multiplications: int = 0
    additions: int = 0
    functions: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(
            self.multiplications + other.multiplications,
            self.additions + other.additions,
            self.functions + other.functions,
        )

    def times(self, number: int) -> Count:
        """So many times as much."""
        return Count(self.multiplications * number, self.additions * number, self.functions * number)

    @property
    def total(self) -> int:
        """All of them."""
        return self.multiplications + self.additions + self.functions

    def __str__(self) -> str:
        parts = {"multiplication": self.multiplications, "addition": self.additions, "function": self.functions}
        shown = [f"{n:,} {word}{'s' * (n != 1)}" for word, n in parts.items() if n or word != "function"]
        return ", ".join(shown)


@dataclass(frozen=True)
class Moment:
    """One thing computed: its name and its value."""

    name: str
    value: Any


@dataclass(frozen=True, repr=False)
class EvaluationOrder(Shown):
    """What one mode computes, in order, for the Jacobian of all outputs by all inputs.

    Forward mode carries values and derivatives from the inputs outwards together, once for every number among the
    inputs; reverse mode computes and keeps the values first and carries derivatives back, once for every number among
    the outputs. `moments` is the first sweep; `sweeps` how many are needed; `count` all the work, `counts` that of both
    modes, to compare.
    """

    mode: str
    moments: tuple[Moment, ...]
    sweeps: int
    outputs: int
    inputs: int
    counts: dict[str, Count]
    jacobian: Any
    digits: int = 6

    @property
    def count(self) -> Count:
        """All the work of this mode."""
        return self.counts[self.mode]

    def __str__(self) -> str:
        names = [moment.name for moment in self.moments]
        width = max(map(len, names), default=0)
        out = [f"{self.mode} mode: {_WORDS[self.mode]}", ""]
        for i, moment in enumerate(self.moments, 1):
            out.append(f"  {i:>3}. {moment.name.ljust(width)} = {_shown(moment.value, self.digits)}")
        if self._repeated():
            out.append(f"  {self._repeated()}")
        out += ["", self._work()]
        out += [f"  {mode}: {count}" for mode, count in self.counts.items()]
        return "\n".join(out)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = [(f"{i}.", m.name, _shown(m.value, self.digits)) for i, m in enumerate(self.moments, 1)]
        counts = [
            (mode, *map(str, (c.multiplications, c.additions, c.functions, c.total))) for mode, c in self.counts.items()
        ]
        order = Table(
            f"{self.mode} mode: {_WORDS[self.mode]}", ("", "computed", "value"), tuple(rows), self._repeated(), texts=2
        )
        work = Table(self._work(), ("mode", "multiplications", "additions", "functions", "in all"), tuple(counts))
        return f"{order._repr_html_()}{work._repr_html_()}"

    def _repeated(self) -> str:
        """That there are further sweeps, if there are."""
        per = "number among the inputs" if self.mode == "forward" else "number among the outputs"
        more = f"… and the derivatives once more for each further {per}, {self.sweeps} times in all"
        return more if self.sweeps > 1 else ""

    def _work(self) -> str:
        """What the counts are of."""
        outputs, inputs = (
            f"{n} {word}{'s' * (n > 1)}" for n, word in ((self.outputs, "output"), (self.inputs, "input"))
        )
        return f"The Jacobian of {outputs} by {inputs} takes"


_WORDS = {
    "forward": "every value with its derivative, from the inputs outwards",
    "reverse": "the values first, kept; then derivatives, from the output back",
}


def evaluation_order(
    function: Callable[..., Any], *args: Any, mode: str = "reverse", digits: int = 6
) -> EvaluationOrder:
    """Which value and which derivative is computed when, in forward or in reverse mode, and how many operations it takes.

    Parameters
    ----------
    function : callable
        Plain NumPy code of numbers or arrays, giving a number or an array.
    *args : float or array
        Where. All real numbers among them are the inputs.
    mode : {"reverse", "forward"}
        Derivatives from the output back, or from the inputs outwards.
    digits : int
        Significant digits where numbers are printed.

    Returns
    -------
    EvaluationOrder
        Printed as a numbered list; `counts["forward"]` and `counts["reverse"]` compare the modes, `jacobian` is the
        derivative, of shape (outputs, inputs).

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> order = cr.evaluation_order(lambda a, b, c: (a * b + c) ** 2, 2.0, -3.0, 10.0)
    >>> order.jacobian
    array([[-24.,  16.,   8.]])
    >>> order.counts["reverse"].multiplications, order.counts["forward"].multiplications
    (6, 12)

    References
    ----------
    Griewank and Walther, "Evaluating Derivatives", 2nd edition, 2008, chapters 3 and 4.
    """
    mode = as_mode("evaluation_order", mode)
    SettingError.unless_count("evaluation_order", "digits", digits)
    given = [trees.map_leaves(_real, x) for x in args]
    program = simplify(trace(function, *given, stepwise=True))
    if len(program.outputs) != 1 or not isinstance(program.outputs[0], Variable):
        raise DifferentiationError(
            "the function gives a constant, or several results; let it give one number or array."
        )
    names = {x: x.name for x in program.inputs}
    own = "f" if program.name == "program" else program.name
    names.setdefault(
        program.outputs[0], own if own not in names.values() else next(x for x in "Lyzg" if x not in names.values())
    )
    evaluation = Evaluation.run(program, trees.flatten(tuple(given))[0], names)
    inputs = sum(x.type.size for x in program.inputs if has_derivative(x))
    outputs = program.outputs[0].type.size
    sweep, jacobian = (_forward if mode == "forward" else _reverse)(evaluation)
    counts = {"forward": _forward_count(program, inputs), "reverse": _reverse_count(program, outputs)}
    return EvaluationOrder(
        mode, tuple(sweep), inputs if mode == "forward" else outputs, outputs, inputs, counts, jacobian, digits
    )


def _real(x: Any) -> Any:
    array = np.asarray(x)
    return array.astype(np.float64)[()] if array.dtype.kind in "iub" else array[()]


def _output(program: Program) -> Variable:
    """The one output."""
    (output,) = program.outputs
    assert isinstance(output, Variable)
    return output


def _numbers_of(variables: Any) -> list[Element]:
    """Every single number of the variables that have a derivative."""
    return [Element(x, place) for x in variables if has_derivative(x) for place in np.ndindex(x.shape)]


def _forward(evaluation: Evaluation) -> tuple[list[Moment], Any]:
    """The first sweep with values and tangents in turn; the Jacobian, a column a sweep."""
    output = _output(evaluation.program)
    moments: list[Moment] = []
    columns = []
    for number, element in enumerate(_numbers_of(evaluation.program.inputs)):
        tangents, _ = carry_forward(evaluation, unit_tangent(element))
        columns.append(np.broadcast_to(tangents.get(output, 0.0), output.shape).ravel())
        if number == 0:
            by = spelled(evaluation, element, {}).text
            for x, value in evaluation.values.items():
                moments.append(Moment(_written(evaluation, x), value))
                if x in tangents:
                    moments.append(Moment(f"{evaluation.d}{_below(evaluation, x)}/{evaluation.d}{by}", tangents[x]))
    return moments, np.stack(columns, axis=1)


def _reverse(evaluation: Evaluation) -> tuple[list[Moment], Any]:
    """Values, then cotangents from the output back; the Jacobian, a row a sweep."""
    output = _output(evaluation.program)
    moments = [Moment(_written(evaluation, x), value) for x, value in evaluation.values.items()]
    rows = []
    for number, element in enumerate(_numbers_of([output])):
        found = evaluation.backward(output, unit_tangent(element)[output])
        parts = [found.cotangents.get(x, np.zeros(x.shape)) for x in evaluation.program.inputs if has_derivative(x)]
        rows.append(np.concatenate([np.ravel(part) for part in parts]))
        if number == 0:
            of = spelled(evaluation, element, {}).text
            moments += [
                Moment(f"{evaluation.d}{of}/{evaluation.d}{_below(evaluation, x)}", found.cotangents[x])
                for x in reversed(list(evaluation.values))
                if x in found.cotangents
            ]
    return moments, np.stack(rows)


def _written(evaluation: Evaluation, x: Variable) -> str:
    """A value by its name, or its formula."""
    return evaluation.label(x) if x in evaluation.names else in_signs(evaluation.label(x))


def _below(evaluation: Evaluation, x: Variable) -> str:
    """The same as it stands in ∂f/∂x: in parentheses where the formula does not hold together by itself."""
    text = _written(evaluation, x)
    return text if x in evaluation.names or evaluation.labels[x].strength == ATOM else f"({text})"


# --- counting: the operations of a sweep, traced like any other computation


def _forward_count(program: Program, sweeps: int) -> Count:
    """Values and partial derivatives once, and for every number among the inputs what depends on its tangent."""

    def swept(inputs: list[Any], tangents: list[Any]) -> Any:
        value_of = _applied(program, inputs)
        given = {x: t for x, t in zip(program.inputs, tangents, strict=True) if has_derivative(x)}
        found = tangents_of(program, given, tangent_rule(traced, value_of))
        return value_of(_output(program)), found.get(_output(program))

    types = [x.type for x in program.inputs]
    return _split_count(simplify(trace(swept, types, types)), len(types), sweeps)


def _reverse_count(program: Program, sweeps: int) -> Count:
    """Values and partial derivatives once, and for every number among the outputs what depends on its cotangent."""

    def swept(inputs: list[Any], seeds: list[Any]) -> Any:
        value_of = _applied(program, inputs)
        found = carry_back(traced, program.equations, value_of, {_output(program): seeds[0]}, has_derivative)
        return value_of(_output(program)), [found.get(x) for x in program.inputs]

    types = [x.type for x in program.inputs]
    return _split_count(simplify(trace(swept, types, [_output(program).type])), len(types), sweeps)


def _applied(program: Program, inputs: list[Any]) -> Callable[[Atom], Any]:
    """The values of a Program's variables and constants, for traced inputs."""
    values = interpret(program, dict(zip(program.inputs, inputs, strict=True)), applied)
    return lambda x: values[x] if isinstance(x, Variable) else x.value


def _split_count(program: Program, inputs: int, sweeps: int) -> Count:
    """What depends on the inputs from number `inputs` on is done in every sweep, the rest once."""
    repeated = dependents(program.equations, program.inputs[inputs:])
    total = Count()
    for equation in program.equations:
        cost = cost_of(equation)
        total += cost.times(sweeps) if equation.output in repeated else cost
    return total


_COUNTS = {"free": Count(), "addition": Count(0, 1), "multiplication": Count(1), "function": Count(0, 0, 1)}


def cost_of(equation: Equation) -> Count:
    """The operations on single numbers that one equation takes; moving numbers and changing signs costs nothing."""
    op, size = equation.op, equation.output.type.size
    if isinstance(op, Contraction):
        parts = parse(equation.attributes["subscripts"])
        lengths = dict(zip(parts.left, equation.inputs[0].shape, strict=True))
        summed = int(np.prod([lengths[c] for c in parts.summed], dtype=np.int64))
        return Count(size * summed, size * (summed - 1), 0)
    if isinstance(op, Reduction):
        joined = int(np.prod(equation.inputs[0].shape, dtype=np.int64)) - size
        joining = REGISTRY[op.combine].notation.cost if op.combine is not None else "function"
        return _COUNTS[joining].times(joined) + Count(size if op.finish is not None else 0)
    if not isinstance(op, Elementwise) or equation.output.dtype.kind != "f":
        return Count()
    if op.notation.cost == "multiplication" and any(_is_sign(x) for x in equation.inputs):
        return Count()
    return _COUNTS[op.notation.cost].times(size)


def _is_sign(x: Atom) -> bool:
    """Whether a factor is known to be 1 or −1, as the derivatives of sums and differences are."""
    return not isinstance(x, Variable) and bool((np.abs(np.asarray(x.value)) == 1).all())


def _shown(value: Any, digits: int) -> str:
    array = np.asarray(value)
    if array.size == 1:
        return numeral(float(array.ravel()[0]), digits).replace("-", "−")
    shown = ", ".join(numeral(float(x), digits).replace("-", "−") for x in array.ravel()[:4])
    return f"[{shown}{', …' if array.size > 4 else ''}]" + (
        f" of shape {array.shape}" if array.ndim > 1 or array.size > 4 else ""
    )
