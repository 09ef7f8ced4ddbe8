"""An evaluation: a Program with the value of every variable and, after a backward pass, every variable's cotangent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from chainrule.errors import DifferentiationError, UnknownNameError, UnsupportedError
from chainrule.explanation.evaluations.backward import carry_back, parts_of
from chainrule.explanation.evaluations.labels import Label, label_of_constant, labels_of
from chainrule.ops import Elementwise, Layout, Reduction
from chainrule.ops.operation import eager
from chainrule.tracing import trace
from chainrule.tracing.interpreter import evaluated, interpret
from chainrule.tracing.program import Atom, Equation, Literal, Program, Variable


@dataclass(frozen=True)
class Edge:
    """One input of one equation, seen from the backward pass.

    `local` is ∂output/∂input element by element where the operation works so (elementwise operations, reductions,
    single numbers) and `None` elsewhere; `part` what the input gets of the output's cotangent, `None` where no
    derivative passes.
    """

    equation: Equation
    position: int
    local: Any
    part: Any

    @property
    def source(self) -> Atom:
        """The input: a variable or a constant."""
        return self.equation.inputs[self.position]

    @property
    def target(self) -> Variable:
        """The equation's output."""
        return self.equation.output


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation:
    """What was computed: a Program, the value of every variable, and cotangents once `backward` was called.

    `names` are the names that were given (`dense_0.weight`, `x`, `e`); `label` has one for every variable. `output`
    is the variable that cotangents are derivatives of, `None` before a backward pass. `samples` are the variables
    whose first axis counts the samples of a batch, `constants` those that stand for arrays the code holds, `states` those of a loop
    after every step, each with the last one of them. `aside` are those that formulas alone have a name for.

    Values are those of the run. Cotangents are computed in double precision from the values that have names, so that
    what is shown of float32 networks is not clouded by rounding.
    """

    program: Program
    values: Mapping[Variable, Any]
    names: Mapping[Variable, str] = field(default_factory=dict)
    samples: frozenset[Variable] = frozenset()
    constants: frozenset[Variable] = frozenset()
    states: Mapping[Variable, Variable] = field(default_factory=dict)
    aside: frozenset[Variable] = frozenset()
    output: Variable | None = None
    cotangents: Mapping[Variable, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for x in self.values:
            if x.dtype.kind == "c":  # formulas and double precision are of real numbers
                raise of_real_numbers(x)

    @classmethod
    def run(
        cls,
        program: Program,
        inputs: list[Any],
        names: Mapping[Variable, str] | None = None,
        samples: frozenset[Variable] = frozenset(),
    ) -> Evaluation:
        """Evaluate a Program with NumPy, equation by equation, and keep everything; inputs are copied."""
        own = [x.copy() if isinstance(x, np.ndarray) else x for x in inputs]
        with np.errstate(all="ignore"):
            values = interpret(program, dict(zip(program.inputs, own, strict=True)))
        named = dict(zip(program.inputs, (x.name for x in program.inputs), strict=True))
        return cls(program, values, named if names is None else names, samples)

    # --- values

    def value(self, x: Atom) -> Any:
        """The value of a variable, or of a constant."""
        return self.values[x] if isinstance(x, Variable) else x.value

    def precise(self, x: Atom) -> Any:
        """The same in double precision, which derivatives are computed in; numbers stay numbers."""
        return self.precise_values[x] if isinstance(x, Variable) else double(x.value)

    @cached_property
    def precise_values(self) -> Mapping[Variable, Any]:
        """All values in double precision: those with names as they were, those between computed again from these.

        So a formula of named values gives, to the last digit, the numbers that derivatives are computed from.
        """
        if all(double(value) is value for value in self.values.values()):
            return self.values
        kept = self._selected_from()
        known = {x: double(value) for x, value in self.values.items() if x in kept or x not in self.makers}
        with np.errstate(all="ignore"):
            return interpret(self.program, known, lambda e, given: double(evaluated(e, given)), constant=double)

    def _selected_from(self) -> set[Variable]:
        """What has a name, and what of such is selected from, and told by being equal to it: elements of which one is the largest."""
        kept = set(self.names)
        moved: set[Atom] = set()
        for equation in reversed(self.program.equations):
            op, output = equation.op, equation.output
            if (isinstance(op, Reduction) and op.selects and output in kept) or (
                isinstance(op, Layout) and output in moved
            ):
                moved.update(equation.inputs)
                kept.update(x for x in equation.inputs if isinstance(x, Variable))
        return kept

    def variable(self, name: str) -> Variable:
        """The variable of a given name."""
        for x, own in self.names.items():
            if own == name:
                return x
        raise UnknownNameError.among("value", name, set(self.names.values()))

    def label(self, x: Atom) -> str:
        """A readable name: the one given, or else the formula, or else `v7`."""
        return self.labels[x].text if isinstance(x, Variable) else label_of_constant(x)

    def __repr__(self) -> str:
        of = f", derivatives of {self.label(self.output)}" if self.output is not None else ""
        return f"Evaluation({self.program.name}: {len(self.values)} values{of})"

    @cached_property
    def labels(self) -> Mapping[Variable, Label]:
        """A readable name for every variable; no two variables have the same."""
        return labels_of(self.program, self.names)

    @property
    def d(self) -> str:
        """The sign of derivatives: d where all is computed from one number, and ∂ where there are several."""
        given = [x for x in self.program.inputs if x.dtype.kind == "f" and x not in self.constants]
        return "d" if sum(x.type.size for x in given) == 1 else "∂"

    @cached_property
    def makers(self) -> Mapping[Variable, Equation]:
        """The equation that makes each variable; inputs have none."""
        return {equation.output: equation for equation in self.program.equations}

    @cached_property
    def places(self) -> Mapping[Variable, int]:
        """Where each variable stands in the order of computing, inputs first."""
        made = [*self.program.inputs, *(equation.output for equation in self.program.equations)]
        return {x: place for place, x in enumerate(made)}

    @cached_property
    def uses(self) -> Mapping[Variable, list[tuple[Equation, int]]]:
        """Where each variable is used: equations, and which of their inputs it is."""
        found: dict[Variable, list[tuple[Equation, int]]] = {x: [] for x in self.values}
        for equation in self.program.equations:
            for i, x in enumerate(equation.inputs):
                if isinstance(x, Variable):
                    found[x].append((equation, i))
        return found

    def followed_by(self, function: Callable[[Any], Any], x: Variable, name: str) -> tuple[Evaluation, Variable]:
        """The same evaluation, and after it what a function makes of one of its values, by a name and in double precision."""
        more = trace(function, x.type)
        (given,), (made,) = more.inputs, more.outputs
        assert isinstance(made, Variable)
        equations = [
            e.replace(inputs=tuple(x if y is given else y for y in e.inputs), scope="") for e in more.equations
        ]
        with np.errstate(all="ignore"):
            own = interpret(
                more, {given: self.precise(x)}, lambda e, inputs: double(evaluated(e, inputs)), constant=double
            )
        found = replace(
            self,
            program=replace(self.program, equations=(*self.program.equations, *equations)),
            values={**self.values, **{e.output: own[e.output] for e in equations}},
            names={**self.names, made: name},
        )
        return found, made

    # --- derivatives

    def backward(self, output: Variable | None = None, seed: Any = None) -> Evaluation:
        """The same evaluation with the cotangents of every variable for one output.

        Parameters
        ----------
        output : Variable, optional
            By default the Program's first output. It must be one number unless there is a seed.
        seed : array, optional
            The output's cotangent; 1 by default.
        """
        if output is None:
            first = self.program.outputs[0]
            if isinstance(first, Literal):
                raise DifferentiationError(
                    "the result is a constant, which depends on nothing; return something computed from the arguments."
                )
            output = first
        value = np.asarray(self.values[output])
        if value.dtype.kind != "f":
            raise DifferentiationError(
                f"{self.label(output)} has dtype {value.dtype}, which has no derivative; use floating-point numbers."
            )
        if seed is None:
            if value.size != 1:
                raise DifferentiationError(
                    f"{self.label(output)} has shape {value.shape}, and derivatives are of one number. "
                    "Sum or average it first, or give its cotangent."
                )
            seed = np.ones(value.shape)
        seed = np.asarray(seed, np.float64)
        if seed.shape != value.shape:
            raise DifferentiationError(
                f"the cotangent has shape {seed.shape} and {self.label(output)} {value.shape}; give one of that shape."
            )
        with np.errstate(all="ignore"):
            cotangents = carry_back(eager, self.program.equations, self.precise, {output: seed[()]}, has_derivative)
        return replace(self, output=output, cotangents=cotangents)

    def cotangent(self, x: Atom) -> Any | None:
        """∂output/∂x, of x's shape; `None` if not computed or not reached."""
        return self.cotangents.get(x) if isinstance(x, Variable) else None

    def edges(self) -> Iterator[Edge]:
        """Every input of every equation, from the first equation to the last."""
        with np.errstate(all="ignore"):
            for equation in self.program.equations:
                cotangent = self.cotangents.get(equation.output)
                parts: list[Any] = [None] * len(equation.inputs)
                if cotangent is not None and equation.op.differentiable:
                    parts = parts_of(eager, equation, self.precise, cotangent, has_derivative)
                for i, part in enumerate(parts):
                    yield Edge(equation, i, self.local(equation, i), part)

    def local(self, equation: Equation, position: int) -> Any:
        """∂output/∂input element by element, of the output's shape (for reductions the input's); else `None`."""
        if not equation.op.differentiable or not has_derivative(equation.inputs[position]):
            return None
        inputs, output = [self.precise(x) for x in equation.inputs], self.precise(equation.output)
        if isinstance(equation.op, Elementwise):
            partial = equation.op.partials[position]
            if callable(partial):
                partial = partial(eager, output, *inputs, **equation.attributes)
            return None if partial is None else np.broadcast_to(np.asarray(partial, np.float64), np.shape(output))[()]
        if isinstance(equation.op, Reduction) or np.size(output) == 1:
            flags = [i == position for i in range(len(inputs))]
            ones = np.ones(np.shape(output))[()]
            return equation.op.pullback(eager, ones, output, inputs, flags, **equation.attributes)[position]
        return None


def of_real_numbers(value: Any) -> UnsupportedError:
    """The error for complex numbers, which formulas and double precision are not of."""
    return UnsupportedError(
        f"explanations are of real numbers, and a complex one was met (dtype {value.dtype}, shape {tuple(value.shape)}). Compute "
        "with real and imaginary parts, np.cos(x) and np.sin(x) for np.exp(1j * x), or ask for the number alone: cr.grad takes "
        "complex ones."
    )


def has_derivative(x: Atom) -> bool:
    """Whether this is a variable with real numbers."""
    return isinstance(x, Variable) and x.dtype.kind == "f"


def double(value: Any) -> Any:
    """Real numbers in double precision, anything else as it is."""
    if hasattr(value, "dtype") and value.dtype.kind == "f" and value.dtype != np.float64:
        return value.astype(np.float64)
    return value
