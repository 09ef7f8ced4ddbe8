"""NaN and infinity in a function of one's own: the line they begin in, the operation, and what it was given."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable
from dataclasses import dataclass
from inspect import currentframe
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np

from chainrule.explanation.diagnosis.finite import beginning
from chainrule.explanation.diagnosis.illness import Finding
from chainrule.explanation.evaluations.nodes import Node
from chainrule.explanation.explain import run_with_values
from chainrule.explanation.values import Graph

LIBRARIES = tuple(str(Path(file).parent) for file in (sys.modules["chainrule"].__file__, np.__file__) if file)
"""Folders whose lines are no user's."""


class LinedGraph(Graph):
    """A graph that knows of every node which line of the user's made it."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[Node, tuple[str, int]] = {}

    def process(self, op: Any, inputs: tuple[Any, ...], attributes: dict[str, Any]) -> Any:
        """Compute, and remember from what and where."""
        found = super().process(op, inputs, attributes)
        frame = currentframe()
        while frame is not None and frame.f_back is not None and frame.f_code.co_filename.startswith(LIBRARIES):
            frame = frame.f_back
        if frame is not None:
            self.lines[found.node] = frame.f_code.co_filename, frame.f_lineno
        return found


@dataclass(frozen=True, repr=False)
class NanSearch:
    """What `find_nan` found: `finding`, and `None` where all numbers are finite; as a condition, whether there is one."""

    finding: Finding | None

    def __bool__(self) -> bool:
        return self.finding is not None

    def __str__(self) -> str:
        if self.finding is None:
            return "All numbers are finite, those of the function and those of its derivatives."
        return "\n".join(
            fill(x, 80, subsequent_indent="  ") for x in (self.finding.says, f"Try {self.finding.remedy}.")
        )

    __repr__ = __str__


def find_nan(function: Callable[..., Any], *args: Any) -> NanSearch:
    """Where NaN or infinity begins in a function of one's own, or in its derivatives: the line, the operation and its numbers.

    Looked at is the first operation that makes such a number out of finite ones, in the order of computing; and where all values are
    finite, the first partial derivative on the way back that is not, as 1/(2·√x) at 0.

    Parameters
    ----------
    function : callable
        Plain NumPy code, as for `grad`.
    *args : float, array, or nested container of arrays
        Where it is looked at.

    Returns
    -------
    NanSearch
        Printed as text; `finding.evidence` has the file, the line and the numbers.

    Raises
    ------
    DifferentiationError
        When the function gives no array that depends on its arguments.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> def loss(w):
    ...     size = np.sqrt(np.sum(w**2))
    ...     return size + np.sum(w)
    >>> bool(cr.find_nan(loss, np.array([3.0, 4.0])))
    False
    >>> cr.find_nan(loss, np.zeros(2)).finding.evidence["pass"]
    'backward'
    """
    graph = LinedGraph()
    with np.errstate(all="ignore"):
        _, result = run_with_values(function, args, graph=graph)
        evaluation, nodes = result.graph()
        evaluation = evaluation.backward(seed=np.ones(result.shape))
        began = beginning(evaluation)
    if began is None:
        return NanSearch(None)
    file, line = graph.lines[nodes[began.equation.output]]
    code = linecache.getline(file, line).strip()
    where = f"line {line} of {Path(file).name}" + (f", {code}" if code else "")
    says = f"{began.what}: it begins with {began.formula}, in {where}"
    evidence = {**began.evidence, "file": file, "line": line, "code": code}
    return NanSearch(Finding("not_finite", says, (began.element,), began.remedy, evidence))
