"""Reverse accumulation: cotangents carried back over what was computed, by the operations' own reverse rules."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any

from chainrule.ops.operation import Namespace
from chainrule.tracing.scope import BACKWARD, current_scope, move_to
from chainrule.tracing.traces.use import Node, used_elements


def accumulate(
    m: Namespace, nodes: Sequence[Node | None], found: list[Any], last: int, kept: Container[int] = ()
) -> None:
    """Carry cotangents back from the place `last` to the first, adding to those in `found` what inputs get.

    Parameters
    ----------
    m : namespace
        `eager` where all values are plain arrays; `traced` where the cotangents are to be traced as well.
    nodes : sequence of nodes
        By their places; an operation's inputs come before it. A place without a node is where cotangents end.
    found : list of cotangents
        By their places, `None` where there is none: before, those of the outputs; afterwards those of all places that
        were `kept` or have no node.
    last : int
        The last place that has a cotangent before.
    kept : container of places
        The nodes whose cotangents are to stay in `found`. Others go as soon as they have been carried on, so that a
        long computation does not hold them all at once.
    """
    outside = None
    used: dict[int, Any] | None = None
    ends = {place for place in range(last + 1) if found[place] is not None}
    try:
        for place in range(last, 0, -1):
            cotangent, node = found[place], nodes[place]
            if cotangent is None or node is None:
                continue
            if place not in kept:
                found[place] = None
            op, values, attributes, output, places, scope = node
            if scope is not None:
                if outside is None:
                    outside = current_scope()
                move_to(scope, BACKWARD)
            if op.asks_use:
                if used is None:
                    used = used_elements(m, nodes, ends, last)
                attributes = {**attributes, "used": used.get(place)}
            parts = op.pullback(m, cotangent, output, values, places, **attributes)
            for i, source in enumerate(places):
                if source and (part := parts[i]) is not None:
                    previous = found[source]
                    found[source] = part if previous is None else previous + part
    finally:
        if outside is not None:
            move_to(outside)
