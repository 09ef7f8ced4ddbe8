"""Loops as ONNX's Scan, whose body is a graph of its own, and the parts of what a loop gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from chainrule.onnx.graph import Described
from chainrule.onnx.lengths import NotWrittenError, Rows, common, count
from chainrule.onnx.pairs import OTHERWISE, Both
from chainrule.onnx.values import Value
from chainrule.ops.axes import Picked
from chainrule.tracing.program import Program, axes_of

Write = Callable[[Program, Program, Sequence[Value]], list[Value]]
"""Writes what a Program gives of values; the second one is the same for another number of rows."""


class Pieces:
    """What a loop gives: arrays that lie one after the other in one, from which they are cut out again."""

    def __init__(self, values: Sequence[Value], ends: Sequence[Sequence[tuple[int, int]]]) -> None:
        self._values, self._ends = values, ends

    def cut(self, both: Both) -> Value:
        """A piece, flat or, of one number, that number."""
        found = []
        for equation, ends in zip(both[:2], self._ends, strict=True):
            match axes_of(equation):
                case ((Picked(source=0, start=begin, step=1),),):
                    cut = (begin, begin + equation.output.type.size)
                case _:
                    raise NotWrittenError("what a loop gives is not taken apart as it was put together")
            if cut not in ends:
                raise NotWrittenError("a loop's results are cut in pieces")
            found.append(ends.index(cut))
        if found[0] != found[1]:
            raise NotWrittenError(OTHERWISE)
        value = self._values[found[0]]
        return value.reshaped(() if not both.one.output.shape else (count(value.shape),))


def scanned(both: Both, inputs: Sequence[Value], write: Write) -> Pieces | Value:
    """The loop as a Scan; `inputs` are those of its body, with all rows of each sequence."""
    one, other = (equation.attributes for equation in both[:2])
    body, twin = one["body"], other["body"]
    if (body.states, body.sequences, one["reverse"]) != (twin.states, twin.sequences, other["reverse"]):
        raise NotWrittenError(OTHERWISE)
    p, q = body.states, body.states + body.sequences
    (length,) = common((one["length"],), (other["length"],), both.rows)
    graph = inputs[0].graph
    shapes = [
        common(a.shape, b.shape, both.rows) for a, b in zip(body.program.inputs, twin.program.inputs, strict=True)
    ]
    inside = [
        Value(graph, graph.name("step"), v.dtype, shape)
        for v, shape in zip(body.program.inputs[:q], shapes, strict=False)
    ]
    given = [x.astype(v.dtype) for x, v in zip(inputs, body.program.inputs, strict=True)]
    rows = [x.name for x in given[p:q]]
    parameters = [Described(x.name, x.dtype, x.shape) for x in inside]
    if not rows:  # a Scan goes along something
        if isinstance(length, Rows):
            raise NotWrittenError(OTHERWISE)
        rows = [graph.constant(np.zeros(length, np.bool_))]
        parameters.append(Described(graph.name("step"), np.bool_, ()))
    with graph.inside() as nodes:
        found = write(body.program, twin.program, [*inside, *given[q:]])
        names = [graph.node("Identity", x.name) for x in found]
    results = [Described(name, x.dtype, x.shape) for name, x in zip(names, found, strict=True)]
    inner = graph.body(nodes, parameters, results)
    ways = {"scan_input_directions": len(rows), "scan_output_directions": len(found) - p} if one["reverse"] else {}
    backwards: dict[str, Any] = {name: [1] * many for name, many in ways.items() if many}
    taken = [*(x.name for x in given[:p]), *rows]
    outputs = graph.nodes("Scan", *taken, outputs=len(found), body=inner, num_scan_inputs=len(rows), **backwards)
    kind = both.one.output.type.dtype
    last = [x.named(name, x.shape) for x, name in zip(found[:p], outputs, strict=False)]
    collected = [x.named(name, (length, *x.shape)) for x, name in zip(found[p:], outputs[p:], strict=True)]
    ends = [[(begin, end) for begin, end, _ in b.parts(n)] for b, n in ((body, one["length"]), (twin, other["length"]))]
    parts = [x.astype(kind) for x in (*collected, *last)]
    return Pieces(parts, ends) if len(parts) > 1 else parts[0].reshaped((count(parts[0].shape),))
