"""Programs: computations as data, a short list of equations with shapes and dtypes known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from chainrule.errors import ProgramError, shortened
from chainrule.notebooks import Shown, viewers
from chainrule.ops.axes import Links
from chainrule.ops.operation import REGISTRY, ArrayType, Operation, shape_of
from chainrule.tracing.scope import Step
from chainrule.tracing.trees import Structure


class Variable:
    """A value that a Program computes or is given."""

    __slots__ = ("name", "step", "type")

    def __init__(self, name: str, type: ArrayType, step: Step | None = None) -> None:
        self.name, self.type, self.step = name, type, step

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        return self.type.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Kind of number."""
        return self.type.dtype

    def __repr__(self) -> str:
        return f"{self.name}: {self.type}"


class Literal:
    """A value known when the Program was made; Python numbers adapt to the dtype of what they meet."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        return shape_of(self.value)

    @property
    def kind(self) -> Any:
        """The value itself for a Python number, its type for an array: what inference asks for."""
        value = self.value
        return ArrayType(value.shape, value.dtype) if hasattr(value, "dtype") else value

    def __repr__(self) -> str:
        shape = self.shape
        return f"{self.value!r}" if shape == () else f"constant{list(shape)}"


Atom = Variable | Literal
NO_ATTRIBUTES: Mapping[str, Any] = MappingProxyType({})


class Equation:
    """`output = op(*inputs, **attributes)`, in the scope where it was traced."""

    __slots__ = ("attributes", "inputs", "op", "output", "scope")

    def __init__(
        self,
        output: Variable,
        op: Operation,
        inputs: tuple[Atom, ...],
        attributes: Mapping[str, Any] = NO_ATTRIBUTES,
        scope: str = "",
    ) -> None:
        self.output, self.op, self.inputs, self.attributes, self.scope = output, op, inputs, attributes, scope

    def replace(self, **changes: Any) -> Equation:
        """The same with some of its parts changed."""
        return Equation(**{name: changes.get(name, getattr(self, name)) for name in self.__slots__})

    def __str__(self) -> str:
        arguments = [x.name if isinstance(x, Variable) else repr(x) for x in self.inputs]
        arguments += [f"{name}={value!r}" for name, value in self.attributes.items()]
        return f"{self.output.name}: {self.output.type} = {self.op.name}({', '.join(arguments)})"


@dataclass(eq=False)
class Program(Shown):
    """Straight-line single assignment: every variable is an input or is assigned once, before it is used.

    `inputs_structure` and `outputs_structure` say how nested arguments and results are put together.
    """

    inputs: tuple[Variable, ...]
    equations: tuple[Equation, ...]
    outputs: tuple[Atom, ...]
    inputs_structure: Structure
    outputs_structure: Structure
    name: str = "program"

    def __str__(self) -> str:
        lines = [f"{self.name}({', '.join(map(repr, self.inputs))})"]
        current = ""
        for equation in self.equations:
            if equation.scope != current:
                current = equation.scope
                lines.append(f"  # {current or '(no scope)'}")
            lines.append(f"  {equation}")
            lines += [f"    {line}" for body in bodies_of(equation) for line in str(body).splitlines()]
        outputs = [x.name if isinstance(x, Variable) else repr(x) for x in self.outputs]
        return "\n".join([*lines, f"  return {', '.join(outputs)}"])

    __repr__ = __str__

    def draw(self, *inputs: Any, depth: int | None = None, focus: str | None = None, digits: int = 4) -> Any:
        """The equations as a graph, drawn: shapes and dtypes, and with inputs the values and gradients too.

        Parameters
        ----------
        *inputs : arrays, or containers of them
            As the function that was traced takes them.
        depth : int, optional
            Levels of scopes that are unfolded; by default as many as leave the picture legible.
        focus : str, optional
            A scope, such as `"hidden"`, to be unfolded down to its operations.
        digits : int
            Significant digits of numbers.

        Returns
        -------
        Drawing
        """
        return viewers["Program.draw"](self, *inputs, depth=depth, focus=focus, digits=digits)

    def _repr_html_(self) -> Any:
        return viewers["Program._repr_html_"](self)


def bodies_of(equation: Equation) -> list[Program]:
    """The Programs that an equation holds: the bodies of loops."""
    if not equation.attributes:
        return []
    return [x.program for x in equation.attributes.values() if isinstance(getattr(x, "program", None), Program)]


def as_program(asked: str, given: Any) -> Program:
    """What was given, if it is a Program."""
    if not isinstance(given, Program):
        raise ProgramError(
            f"{asked} was given {shortened(given)}; give a Program, as cr.trace(function, *examples) makes it."
        )
    return given


def check(program: Program) -> Program:
    """The same Program, if it keeps the rules.

    Every variable is assigned once and before its use; every operation is in the registry; every shape and
    dtype is the one its operation gives; the outputs fit their structure.

    Raises
    ------
    ProgramError
        Naming the equation that breaks a rule.
    """
    known = set(as_program("check", program).inputs)
    if len(known) != len(program.inputs):
        raise ProgramError(f"{program.name}: an input is named twice; give every input a Variable of its own.")
    for equation in program.equations:
        if equation.op.listed and REGISTRY.get(equation.op.name) is not equation.op:
            raise ProgramError(
                f"{program.name}: {equation.op.name!r} is not in the registry of operations: {equation}. Use registered ones."
            )
        for x in equation.inputs:
            if isinstance(x, Variable) and x not in known:
                raise ProgramError(
                    f"{program.name}: {x.name} is used before it is assigned: {equation}. Put the equation that computes it before."
                )
        if equation.output in known:
            raise ProgramError(
                f"{program.name}: {equation.output.name} is assigned twice: {equation}. Give every equation an output of its own."
            )
        expected = infer(equation.op, equation.inputs, equation.attributes)
        if expected != equation.output.type:
            raise ProgramError(
                f"{program.name}: {equation} — the operation gives {expected}, and the output must be of that type."
            )
        known.add(equation.output)
    for x in program.outputs:
        if isinstance(x, Variable) and x not in known:
            raise ProgramError(
                f"{program.name}: the output {x.name} is never assigned; keep the equation that computes it."
            )
    for what, structure, count in (
        ("inputs", program.inputs_structure, len(program.inputs)),
        ("outputs", program.outputs_structure, len(program.outputs)),
    ):
        if structure.leaves != count:
            raise ProgramError(f"{program.name}: {count} {what} do not fit a structure with {structure.leaves} leaves.")
    return program


def infer(op: Operation, inputs: tuple[Atom, ...], attributes: Mapping[str, Any]) -> ArrayType:
    """The type of an operation's result."""
    return op.infer(*(x.type if isinstance(x, Variable) else x.kind for x in inputs), **attributes)


def axes_of(equation: Equation) -> tuple[Links, ...] | None:
    """How the axes of every input of an equation go on in its output; `None` if that is not known."""
    return equation.op.axes(*equation.inputs, **equation.attributes)
