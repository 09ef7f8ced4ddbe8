"""The kind `Custom`: operations that declare both of their derivatives, side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from chainrule.ops.axes import Links
from chainrule.ops.operation import ArrayType, Namespace, Operation


@dataclass(init=False, eq=False, repr=False, kw_only=True)
class Custom(Operation):
    """An operation of no other kind.

    `value(*inputs, **attributes)` is NumPy's own code and `type(*inputs, **attributes)` the type of the
    result. `forward(m, tangents, output, *inputs, **attributes)` gives the output's tangent and
    `reverse(m, cotangent, output, *inputs, **attributes)` the inputs' cotangents, as a list; both `None`
    for an operation without derivative.

    Where it can be said, `links(*inputs, **attributes)` is how axes go on, `batched(m, size, batched, *inputs,
    **attributes)` the results for a batch, whose axis is the first of the inputs that are `batched`,
    `simpler(m, *inputs, **attributes)` the same in simpler operations, and `accumulate` the elementwise operation by
    which elements along `axis` are joined to those before them. `view`: NumPy's result may share the memory of the input.
    """

    value: Callable[..., Any]
    type: Callable[..., ArrayType]
    forward: Callable[..., Any] | None = None
    reverse: Callable[..., list[Any]] | None = None
    links: Callable[..., tuple[Links, ...]] | None = None
    batched: Callable[..., Any] | None = None
    simpler: Callable[..., Any] | None = None
    accumulate: str | None = None
    view: bool = False
    write_back: Callable[..., Any] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.evaluate = self.value  # type: ignore[method-assign]
        self.differentiable = self.reverse is not None
        self.views = self.view

    def infer(self, *inputs: Any, **attributes: Any) -> ArrayType:
        """The type as declared."""
        return self.type(*inputs, **attributes)

    def axes(self, *inputs: Any, **attributes: Any) -> tuple[Links, ...] | None:
        """As declared."""
        return None if self.links is None else self.links(*inputs, **attributes)

    def batch(self, m: Namespace, size: int, batched: Sequence[bool], inputs: Sequence[Any], **attributes: Any) -> Any:
        """As declared; one member after the other where nothing is."""
        if self.batched is None:
            return super().batch(m, size, batched, inputs, **attributes)
        return self.batched(m, size, batched, *inputs, **attributes)

    @property
    def at_once(self) -> bool:
        """Where it is declared how."""
        return self.batched is not None

    def written(self, m: Namespace, *inputs: Any, **attributes: Any) -> Any:
        """As declared."""
        return None if self.simpler is None else self.simpler(m, *inputs, **attributes)

    def has_loops(self, inputs: int) -> bool:
        """Where it says how it is done, by `simpler` or `accumulate`."""
        return self.simpler is not None or self.accumulate is not None

    def pullback(
        self,
        m: Namespace,
        cotangent: Any,
        output: Any,
        inputs: Sequence[Any],
        wanted: Sequence[Any],
        **attributes: Any,
    ) -> list[Any]:
        """The declared reverse rule."""
        assert self.reverse is not None
        return self.reverse(m, cotangent, output, *inputs, **attributes)

    def pushforward(
        self, m: Namespace, tangents: Sequence[Any], output: Any, inputs: Sequence[Any], **attributes: Any
    ) -> Any:
        """The declared forward rule."""
        if self.forward is None or all(tangent is None for tangent in tangents):
            return None
        return self.forward(m, tangents, output, *inputs, **attributes)
