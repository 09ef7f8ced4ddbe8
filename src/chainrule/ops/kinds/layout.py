"""The kind `Layout`: elements moved, repeated or left out, none of them computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.ops.operation import ArrayType, Namespace, Operation, dtype_of, shape_of


@dataclass(frozen=True, eq=False, kw_only=True)
class Layout(Operation):
    """A linear map that only moves elements, so its forward derivative is the map itself.

    `value(*inputs, **attributes)` is NumPy's own code, `shape(*shapes, **attributes)` the shape of the
    result, and `adjoint(m, cotangent, index, *inputs, **attributes)` the reverse map for the input at
    position `index`. Inputs from position `linear` on (the indices of a `take`) have no derivative.
    """

    value: Callable[..., Any]
    shape: Callable[..., tuple[int, ...]]
    adjoint: Callable[..., Any]
    linear: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "evaluate", self.value)

    def infer(self, *inputs: Any, **attributes: Any) -> ArrayType:
        """The shape as declared; the dtype of the inputs together."""
        shape = self.shape(*(shape_of(x) for x in inputs), **attributes)
        kinds = {dtype_of(x) for x in inputs[: self.linear]}
        dtypes = [np.asarray(kind(1)).dtype if isinstance(kind, type) else kind for kind in kinds]
        return ArrayType(tuple(shape), np.result_type(*dtypes))

    def pullback(
        self,
        m: Namespace,
        cotangent: Any,
        output: Any,
        inputs: Sequence[Any],
        wanted: Sequence[Any],
        **attributes: Any,
    ) -> list[Any]:
        """The adjoint, for each wanted input that the map is linear in."""
        linear = len(inputs) if self.linear is None else self.linear
        results: list[Any] = []
        for i, (x, want) in enumerate(zip(inputs, wanted, strict=True)):
            if not want or i >= linear:
                results.append(None)
                continue
            moved = self.adjoint(m, cotangent, i, *inputs, **attributes)
            results.append(moved if moved.dtype == x.dtype else m.astype(moved, dtype=x.dtype))
        return results

    def pushforward(
        self, m: Namespace, tangents: Sequence[Any], output: Any, inputs: Sequence[Any], **attributes: Any
    ) -> Any:
        """The map itself, applied to the tangents; an input without one contributes zeros."""
        linear = len(inputs) if self.linear is None else self.linear
        if all(tangent is None for tangent in tangents[:linear]):
            return None
        moved = [
            x if i >= linear else t if t is not None else np.zeros(shape_of(x), output.dtype)
            for i, (t, x) in enumerate(zip(tangents, inputs, strict=True))
        ]
        return getattr(m, self.name)(*moved, **attributes)
