"""The recording trace: operations become equations; only shapes and dtypes are known."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable
from typing import Any, NoReturn

import numpy as np

from chainrule.errors import LeakedValueError, SettingError, TracingError
from chainrule.ops.operation import REGISTRY, ArrayType, Operation
from chainrule.tracing import refusals, trees
from chainrule.tracing.apply import PLAIN, Trace, Traced, as_operand, identity, refreshed
from chainrule.tracing.assignment import repeated
from chainrule.tracing.keeping import Copies
from chainrule.tracing.numbers import NUMBERS, Number
from chainrule.tracing.numpy_interface import ArrayInterface
from chainrule.tracing.program import Atom, Equation, Literal, Program, Variable, check, infer
from chainrule.tracing.scope import Step, current_scope
from chainrule.tracing.views import NO_PAST, note_array


class RecordedValue(Traced, ArrayInterface):
    """A value whose numbers are not known yet."""

    __slots__ = ("variable",)
    trace: Recorder

    def __init__(self, trace: Recorder, variable: Variable) -> None:
        self.trace, self.variable = trace, variable
        self.past = NO_PAST

    @property
    def shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """Lengths of the axes."""
        return self.variable.type.shape

    @property
    def dtype(self) -> np.dtype[Any]:  # type: ignore[override]
        """Kind of number."""
        return self.variable.type.dtype

    def __bool__(self) -> NoReturn:
        raise TracingError(
            f"`if`, `while`, `and`, `or` or `not` on the traced value {self!r}: its numbers are not known while a Program is "
            "made (by jit, trace, scan, loop, or a network). Choose between values with np.where(condition, a, b); loop a fixed "
            "number of times."
        )

    def _lose(self, what: str) -> NoReturn:
        refusals.lose(
            what,
            self,
            "Its number is not known while a Program is made (by jit, trace, scan, loop, or a network): give what decides lengths, "
            "loops and branches as a Python number that is not traced, as in cr.jit(lambda x: f(x, 2)); compute with the rest "
            "by NumPy.",
        )

    def __repr__(self) -> str:
        return f"traced({self.variable!r})"


class RecordedNumber(Number, RecordedValue):
    """A number of Python's whose value is not known yet."""

    __slots__ = ()


class Recorder(Trace):
    """Equations in the order they were traced."""

    __slots__ = ("copies", "equations", "stepwise")

    def __init__(self, stepwise: bool = False) -> None:
        super().__init__()
        self.stepwise = stepwise
        self.equations: list[Equation] = []
        self.copies = Copies()  # changes made later do not reach the Program

    def input(self, name: str, example: Any) -> RecordedValue:
        """A value the Program will be given."""
        kind = RecordedNumber if type(example) in NUMBERS else RecordedValue
        value = kind(self, Variable(name, _type(example)))
        self.real = self.real and value.dtype.kind != "c"
        return note_array(value) if type(example) is np.ndarray else value

    def lifted(self, array: Any) -> RecordedValue:
        """A constant, as it is now."""
        op = REGISTRY["astype"]
        return self.process(op, (array,), {"dtype": array.dtype})  # type: ignore[no-any-return]

    def process(self, op: Operation, inputs: tuple[Any, ...], attributes: dict[str, Any]) -> Any:
        """Write down an equation."""
        atoms = tuple(self.atom(x) for x in inputs)
        output = Variable(f"v{len(self.equations)}", infer(op, atoms, attributes))
        self.equations.append(Equation(output, op, atoms, attributes, current_scope()))
        return RecordedValue(self, output)

    def alike(self, value: Any) -> Hashable:
        """Its variable."""
        return id(value.variable)

    def note_step(self, value: Any, step: Step) -> None:
        """What was first known as another value stays that."""
        if value.variable.step is None:
            value.variable.step = step

    def atom(self, x: Any) -> Atom:
        """An input or output of an equation: one of this trace's variables, or a constant."""
        if isinstance(x, RecordedValue) and x.trace is self:
            return x.variable
        if isinstance(x, Traced):
            return self.outer(x)
        x = x if type(x) in PLAIN else as_operand(x)
        return Literal(self.copies.of(x) if type(x) is np.ndarray else x)

    def outer(self, x: Traced) -> Atom:
        """A traced value of another trace."""
        raise TracingError(
            f"a function being traced uses {x!r}, a traced value from outside it. "
            "Pass it as an argument, so that the Program has it as an input."
        )


class Closure(Recorder):
    """A recording in which traced values from outside become further inputs."""

    __slots__ = ("_token", "captured")

    def __init__(self) -> None:
        super().__init__()
        self.captured: dict[Any, tuple[Traced, Variable]] = {}

    def __enter__(self) -> Any:
        super().__enter__()
        self._token = repeated.set(self.level)
        return self

    def __exit__(self, *error: Any) -> None:
        repeated.reset(self._token)
        super().__exit__(*error)

    def outer(self, x: Traced) -> Atom:
        """An input for it, one for all its uses."""
        if not x.trace.open:
            raise LeakedValueError(
                f"the function given to scan or loop uses {x!r}, whose function has already returned: it was stored elsewhere there. "
                "Return it from there, and pass it on as an argument."
            )
        # Several handles may hold one value.
        held = identity(x)
        if held not in self.captured:
            kind = x.dtype.type(1).item() if x.is_number else ArrayType(tuple(x.shape), x.dtype)
            self.captured[held] = x, self.input(f"outer_{len(self.captured)}", kind).variable
        return self.captured[held][1]


def trace(function: Callable[..., Any], *examples: Any, name: str | None = None, stepwise: bool = False) -> Program:
    """The Program of a function, for arguments shaped like the examples.

    Parameters
    ----------
    function : callable
        Plain NumPy code of arrays or nested dicts, lists and tuples of them.
    *examples
        One for each argument: arrays, numbers, or `ArrayType` where only the shape is known. A number of Python's stands
        for others of its type, which take the dtype of the arrays they meet, as they do in NumPy.
    name : str, optional
        The Program's name; the function's by default.
    stepwise : bool
        Whether loops (`scan`, `loop`) are written out step by step, instead of being one equation each.

    Returns
    -------
    Program
        Checked, and not simplified.

    Raises
    ------
    TracingError
        Where the function's course depends on the numbers (`if x > 0`), or they are asked for (`float(x)`).

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> print(cr.trace(lambda x, w: np.tanh(x @ w), np.ones((4, 3)), np.ones((3, 2)), name="layer"))
    layer(x: float64[4,3], w: float64[3,2])
      v0: float64[4,2] = einsum(x, w, subscripts='ij,jk->ik')
      v1: float64[4,2] = tanh(v0)
      return v1
    """
    SettingError.unless_callable("trace", function, "cr.trace(f, x)")
    return _recorded(Recorder(stepwise), function, examples, name)


def trace_closed(function: Callable[..., Any], *examples: Any, name: str | None = None) -> tuple[Program, list[Traced]]:
    """The Program of a function that also uses traced values from around it; these are its last inputs, and given with it."""
    closure = Closure()
    program = _recorded(closure, function, examples, name)
    return program, [x for x, _ in closure.captured.values()]


def _recorded(recorder: Recorder, function: Callable[..., Any], examples: tuple[Any, ...], name: str | None) -> Program:
    """What a function does with values like the examples."""
    leaves, structure = trees.flatten(tuple(examples))
    with recorder:
        names = _names(function, structure, len(examples))
        inputs = [recorder.input(n, leaf) for n, leaf in zip(names, leaves, strict=True)]
        variables = tuple(value.variable for value in inputs)  # before the function writes to them
        result = refreshed(function(*trees.unflatten(structure, inputs)))
        outputs, outputs_structure = trees.flatten(result)
        atoms = tuple(recorder.atom(x) for x in outputs)
    captured = tuple(variable for _, variable in recorder.captured.values()) if isinstance(recorder, Closure) else ()
    if captured:
        structure = trees.row(len(variables) + len(captured))
    return check(
        Program(
            (*variables, *captured),
            tuple(recorder.equations),
            atoms,
            structure,
            outputs_structure,
            name or getattr(function, "__name__", "program").replace("<lambda>", "program"),
        )
    )


def _type(leaf: Any) -> ArrayType:
    if isinstance(leaf, ArrayType):
        return leaf
    array = as_operand(leaf)
    return ArrayType(
        tuple(np.shape(array)) if type(array) in PLAIN else array.shape,
        np.result_type(array.dtype if hasattr(array, "dtype") else array),
    )


def parameters_of(function: Callable[..., Any], count: int) -> list[str]:
    """What a function calls its positional arguments, or `argument_0`, … where it does not say."""
    try:
        given = [
            p.name for p in inspect.signature(function).parameters.values() if p.kind.name.startswith("POSITIONAL")
        ]
    except (TypeError, ValueError):
        given = []
    return [*given, *(f"argument_{i}" for i in range(len(given), count))]


def _names(function: Callable[..., Any], structure: trees.Structure, count: int) -> list[str]:
    """Names of the inputs: the parameters' names, and below them the paths inside containers."""
    parameters = parameters_of(function, count)
    return [
        path for name, child in zip(parameters, structure.children, strict=False) for path in trees.paths(child, name)
    ]
