"""What of a value is used: which of its elements anything is computed from, as its cotangent, which may be 0 by chance, cannot say.

v[:, -1] uses one column; v * f does all, whatever f is: where f is 0 and v has no derivative, f times that is not 0.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Any

import numpy as np

from chainrule.ops.operation import Namespace, Operation, shape_of

Node = tuple[Operation, Sequence[Any], Mapping[str, Any], Any, Sequence[int], str | None]
"""How a value came about: operation, input values, attributes, output, places of the inputs, scope.

The place of an input that no cotangent is wanted for is 0; a scope of `None` asks for none to be noted.
"""


def used_elements(m: Namespace, nodes: Sequence[Node | None], ends: Container[int], last: int) -> dict[int, Any]:
    """Of every value whose operation asks for it, whether each element is used by the values at the `ends`, up to the place `last`.

    It is carried back as cotangents are, by what each kind of operation says of it (`Operation.uses`), over what depends on such
    values.
    """
    reached: dict[int, Node] = {}
    for place, node in enumerate(nodes[: last + 1]):
        if node is not None and (node[0].asks_use or any(source in reached for source in node[4])):
            reached[place] = node
    found: dict[int, Any] = {}
    asked = {}
    for place, (op, values, attributes, output, places, _) in reversed(reached.items()):
        used = np.ones(shape_of(output)) if place in ends else found.pop(place, None)
        if used is None:
            continue
        used = m.not_equal(used, 0)
        if op.asks_use:
            asked[place] = used
        parts = op.uses(m, m.astype(used, dtype=np.dtype(float)), values, places, **attributes)
        for source, part in zip(places, parts, strict=True):
            if part is not None and source in reached:
                found[source] = found[source] + part if source in found else part
    return asked
