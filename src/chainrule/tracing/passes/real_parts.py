"""Programs with complex numbers as Programs without: every complex value in its two parts, as the operations declare them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.ops.operation import ArrayType, Operation, cast
from chainrule.ops.pairs import Pair, is_absent
from chainrule.tracing.apply import apply, traced
from chainrule.tracing.interpreter import interpret, results
from chainrule.tracing.program import Equation, Literal, Program, Variable, bodies_of
from chainrule.tracing.scope import Scope
from chainrule.tracing.traces.recorder import Recorder
from chainrule.tracing.trees import row

PART_OF = {"complex64": "float32", "complex128": "float64"}
"""Kinds of complex numbers, and of their parts."""


def has_complex(program: Program) -> bool:
    """Whether there are complex numbers among the values of a Program and of its loops."""
    held = [x.value for e in program.equations for x in e.inputs if isinstance(x, Literal)]
    kinds = {getattr(value, "dtype", type(value)) for value in held}
    kinds.update([x.dtype for x in program.inputs], [e.output.type.dtype for e in program.equations])
    if any(np.dtype(kind).kind == "c" for kind in kinds) or any(map(is_complex, program.outputs)):
        return True
    return any(has_complex(body) for e in program.equations for body in bodies_of(e))


def without_parts(program: Program) -> set[str]:
    """The operations on complex numbers that do not declare the parts of their results, by name."""
    own = {e.op.name for e in program.equations if _concerns(e) and not (e.op.parts or e.op.part_by_part)}
    return own.union(*(without_parts(body) for e in program.equations for body in bodies_of(e)))


def in_parts(program: Program) -> Program:
    """The same computation with real numbers; a complex input or output is two, the real part first."""
    with Recorder() as recorder:
        given: dict[Variable, Any] = {}
        for x in program.inputs:
            names = (f"{x.name}.re", f"{x.name}.im") if is_complex(x) else (x.name,)
            values = [recorder.input(name, part_of(x.type)) for name in names]
            given[x] = tuple(values) if is_complex(x) else values[0]
        inputs = [value.variable for own in given.values() for value in (own if isinstance(own, tuple) else (own,))]
        found = results(program, interpret(program, given, _carried_out, _constant))
        outputs = []
        for y in found:
            both = y if isinstance(y, tuple) else _constant(y)
            outputs += [recorder.atom(x) for x in (both if isinstance(both, tuple) else (both,))]
    return replace(
        program,
        inputs=tuple(inputs),
        equations=tuple(recorder.equations),
        outputs=tuple(outputs),
        inputs_structure=row(len(inputs)),
        outputs_structure=row(len(outputs)),
    )


def is_complex(x: Any) -> bool:
    """Whether a variable or a constant of a Program is complex."""
    return _kind(getattr(x, "value", x)) == "c"


def _kind(value: Any) -> str:
    return np.dtype(getattr(value, "dtype", type(value))).kind


def _concerns(equation: Equation) -> bool:
    return any(map(is_complex, (*equation.inputs, equation.output))) or any(map(has_complex, bodies_of(equation)))


def part_of(kind: ArrayType) -> ArrayType:
    """The type of each part; of real numbers their own."""
    return ArrayType(kind.shape, np.dtype(PART_OF.get(kind.dtype.name, kind.dtype)))


def _constant(value: Any) -> Any:
    """A known value; a complex one in its parts."""
    return (+value.real, +value.imag) if _kind(value) == "c" else value  # each in memory of its own


def _carried_out(equation: Equation, inputs: list[Any]) -> Any:
    """An equation, for real values and pairs."""
    op, attributes, kind = equation.op, equation.attributes, part_of(equation.output.type)
    with Scope(equation.scope):
        if not _concerns(equation):
            return apply(op, *inputs, **attributes)
        pairs = [x if isinstance(x, tuple) else (x, 0.0) for x in inputs]
        found = op.parts(traced, *pairs, **attributes) if op.parts else _part_by_part(op, pairs, attributes)
        if isinstance(found, tuple) and is_complex(equation.output):
            return _shaped(found[0], kind), _shaped(found[1], kind)
        return _shaped(found[0] if isinstance(found, tuple) else found, kind)


def _part_by_part(op: Operation, pairs: list[Pair], attributes: Mapping[str, Any]) -> Pair:
    """The operation on all real parts, and on all others; positions are the same for both."""
    linear = getattr(op, "linear", None)
    others = [
        x[0] if linear is not None and i >= linear else np.zeros(x[0].shape, x[0].dtype) if is_absent(x[1]) else x[1]
        for i, x in enumerate(pairs)
    ]
    return apply(op, *(x[0] for x in pairs), **attributes), apply(op, *others, **attributes)


def _shaped(x: Any, kind: ArrayType) -> Any:
    """A part as it is to be, numbers repeated."""
    value = cast(traced, x, kind.dtype) if hasattr(x, "dtype") else np.asarray(x, kind.dtype)[()]
    return value if value.shape == kind.shape else traced.broadcast_to(value, shape=kind.shape)
