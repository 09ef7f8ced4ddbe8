"""Tracing: plain NumPy code run on values that remember how they came about."""

from chainrule.tracing.apply import Trace, Traced, apply, as_operand, traced
from chainrule.tracing.containers import register_container
from chainrule.tracing.numpy_interface import ArrayInterface
from chainrule.tracing.passes.simplify import simplify
from chainrule.tracing.program import Equation, Literal, Program, Variable, check
from chainrule.tracing.scope import current_scope, scope
from chainrule.tracing.traces.recorder import RecordedValue, Recorder, trace
from chainrule.tracing.traces.tangents import Tangents, TangentValue
from chainrule.tracing.traces.tape import Tape, TapeValue

__all__ = [
    "ArrayInterface",
    "Literal",
    "Equation",
    "Program",
    "RecordedValue",
    "Recorder",
    "Tangents",
    "TangentValue",
    "Tape",
    "TapeValue",
    "Trace",
    "Traced",
    "Variable",
    "apply",
    "as_operand",
    "check",
    "current_scope",
    "register_container",
    "scope",
    "simplify",
    "trace",
    "traced",
]
