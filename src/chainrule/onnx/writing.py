"""A function of rows as a graph of ONNX, by the Programs it is traced to."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chainrule.errors import UnsupportedError
from chainrule.onnx.evaluation import Evaluation
from chainrule.onnx.graph import Graph
from chainrule.onnx.lengths import NotWrittenError
from chainrule.onnx.values import Value
from chainrule.tracing.program import Program

NUMBERS_OF_ROWS = 16, 53
"""How many rows a function is traced for, to see what goes with their number."""


def written(graph: Graph, trace: Callable[[int], Program], inputs: Sequence[Value]) -> list[Value]:
    """The outputs of a function as values of a graph, for any number of rows.

    Parameters
    ----------
    graph : Graph
        Which grows.
    trace : callable
        Gives the function's Program for so many rows.
    inputs : sequence of Value
        What it is given.

    Raises
    ------
    UnsupportedError
        Naming the operations that cannot be written.
    """
    one, other = map(trace, NUMBERS_OF_ROWS)
    evaluation = Evaluation(graph, NUMBERS_OF_ROWS)
    try:
        outputs = evaluation.outputs(one, other, inputs)
    except NotWrittenError as error:
        raise UnsupportedError(
            f"{error}, so it is not written as an ONNX model. Use the number of rows for shapes of arrays only."
        ) from None
    if evaluation.refused:
        told = "; ".join(f"{name} ({why})" if why else name for name, why in evaluation.refused.items())
        raise UnsupportedError(
            f"these operations cannot be written as nodes of ONNX: {told}. Write the network without them."
        )
    return outputs
