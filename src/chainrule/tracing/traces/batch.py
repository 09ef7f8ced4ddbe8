"""The batching trace: one operation for all members of a batch, whose axis no member sees."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from chainrule.errors import TracingError
from chainrule.ops.operation import Operation, eager
from chainrule.tracing import refusals
from chainrule.tracing.apply import PLAIN, Trace, Traced, as_it_is, traced
from chainrule.tracing.numpy_interface import ArrayInterface
from chainrule.tracing.views import NO_PAST


class BatchValue(Traced, ArrayInterface):
    """A value for every member of a batch; the batch is the first axis of `inner`, which `shape` leaves out."""

    __slots__ = ("inner",)

    def __init__(self, trace: Batch, value: Any) -> None:
        self.trace, self.inner = trace, value
        self.past = NO_PAST

    @property
    def shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """Lengths of one member's axes."""
        return tuple(self.inner.shape[1:])

    @property
    def dtype(self) -> np.dtype[Any]:  # type: ignore[override]
        """Kind of number."""
        return self.inner.dtype  # type: ignore[no-any-return]

    def __bool__(self) -> NoReturn:
        raise TracingError(
            f"`if`, `while`, `and`, `or` or `not` on {self!r}: under vmap a condition has a value for every member of "
            "the batch. Choose between values with np.where(condition, a, b)."
        )

    def _lose(self, what: str) -> NoReturn:
        refusals.lose(
            what,
            self,
            "Under vmap it has a number for every member of the batch: compute with it by NumPy's functions, or leave out of the "
            "batch what is the same for all, as in cr.vmap(f, (0, None)).",
        )

    def __repr__(self) -> str:
        return f"batched({self.dtype.name}{list(self.shape)}, {self.inner.shape[0]} members)"


class Batch(Trace):
    """Operations carried out for `size` members at once, by the operations' own rules for batches."""

    __slots__ = ("size",)

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def lifted(self, array: Any) -> BatchValue:
        """The same for every member."""
        return self.member(np.broadcast_to(array, (self.size, *array.shape)).copy())

    def member(self, value: Any) -> BatchValue:
        """A value that has the batch as its first axis."""
        self.real = self.real and value.dtype.kind != "c"
        return BatchValue(self, as_it_is(value))

    def process(self, op: Operation, inputs: tuple[Any, ...], attributes: dict[str, Any]) -> Any:
        """The results of all members, one level below."""
        values, batched, plain = [], [], True
        for x in inputs:
            mine = type(x) is BatchValue and x.trace is self
            value = x.inner if mine else x
            plain = plain and type(value) in PLAIN
            batched.append(mine)
            values.append(value)
        return BatchValue(self, op.batch(eager if plain else traced, self.size, batched, values, **attributes))
