"""Programs whose every equation is simple: operations that say what they are in simpler ones are written out in these."""

from __future__ import annotations

from dataclasses import replace

from chainrule.tracing.apply import traced
from chainrule.tracing.program import Atom, Program, Variable
from chainrule.tracing.scope import Scope
from chainrule.tracing.traces.recorder import RecordedValue, Recorder


def written_out(program: Program) -> Program:
    """The same computation in operations that are simple, as the others say themselves."""
    known: dict[Variable, Atom] = {}
    with Recorder() as recorder:
        for equation in program.equations:
            if not known.keys().isdisjoint(equation.inputs):
                inputs = tuple(known.get(x, x) if isinstance(x, Variable) else x for x in equation.inputs)
                equation = equation.replace(inputs=inputs)
            values = [RecordedValue(recorder, x) if isinstance(x, Variable) else x.value for x in equation.inputs]
            with Scope(equation.scope):
                written = equation.op.written(traced, *values, **equation.attributes)
                if written is None:
                    recorder.equations.append(equation)
                else:
                    known[equation.output] = recorder.atom(traced.astype(written, dtype=equation.output.dtype))
    outputs = tuple(known.get(x, x) if isinstance(x, Variable) else x for x in program.outputs)
    return replace(program, equations=tuple(recorder.equations), outputs=outputs)
