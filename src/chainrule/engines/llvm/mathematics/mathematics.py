"""The namespace of operations on LLVM vectors: the `m` with which a declared value becomes machine code."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from chainrule.engines.llvm import ir
from chainrule.engines.llvm.mathematics import functions, operators
from chainrule.engines.llvm.mathematics.instructions import Instructions
from chainrule.engines.llvm.mathematics.numbers import Vector
from chainrule.ops import REGISTRY, Elementwise


class Mathematics(Instructions):
    """Every elementwise operation by its name."""

    def __init__(
        self, builder: ir.IRBuilder, width: int, inline: bool = False, lacks: frozenset[str] = frozenset()
    ) -> None:
        super().__init__(builder, width, inline, lacks)
        self._composing: set[str] = set()

    def operation(self, name: str) -> Callable[..., Vector]:
        """What computes the operation of this name: an algorithm, some instructions, or what its declaration says."""
        if name in functions.FUNCTIONS:
            return partial(self._function, name)
        if (operator := getattr(operators, name, None)) is not None and operator.__module__ == operators.__name__:
            return partial(operator, self)
        if isinstance(operation := REGISTRY.get(name), Elementwise):
            return partial(self._composed, operation)
        return super().operation(name)

    def _function(self, name: str, *inputs: Any) -> Vector:
        """A call of the function that holds an algorithm; each is written once for a module."""
        function, numbers = functions.resolved_call(self, name, inputs)
        if isinstance(function, Vector):
            return function
        return self.outlined(function, functions.FUNCTIONS[function], *numbers)

    def _composed(self, operation: Elementwise, *inputs: Any, **attributes: Any) -> Vector:
        """The value of an operation that is written in others."""
        if operation.name in self._composing:
            raise AttributeError(
                f"vector mathematics has no primitive {operation.name!r}, and the operation is no composition"
            )
        self._composing.add(operation.name)
        try:
            result: Vector = operation.value(self, *inputs, **attributes)
        finally:
            self._composing.discard(operation.name)
        return result
