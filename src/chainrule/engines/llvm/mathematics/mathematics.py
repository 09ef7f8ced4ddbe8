"""The namespace of operations on LLVM vectors: the `m` with which a declared value becomes machine code."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from llvmlite import ir

from chainrule.engines.llvm.mathematics import conversions, functions, operators
from chainrule.engines.llvm.mathematics.numbers import (
    BOOL,
    INT32,
    INT64,
    DType,
    Vector,
    bits,
    constant,
    is_signed,
    kind_of,
    result_dtype,
    vector_type,
)
from chainrule.ops import REGISTRY, Elementwise

INTRINSIC_LETTERS = {"f": "f", "i": "i", "u": "i", "b": "i"}


class Mathematics:
    """Every elementwise operation by its name, for numbers of one vector width, emitted where the builder stands.

    `contract` lets the machine fuse a·b + c of the expressions written in operators into one rounding. With `inline`,
    algorithms are written out where they are used instead of called.
    """

    def __init__(self, builder: ir.IRBuilder, width: int, contract: bool = False, inline: bool = False) -> None:
        self.builder = builder
        self.width = width
        self.inline = inline
        self.flags = ("contract",) if contract else ()
        self._composing: set[str] = set()

    def __getattr__(self, name: str) -> Callable[..., Vector]:
        found: Callable[..., Vector]
        if name in functions.FUNCTIONS:
            found = partial(self._function, name)
        elif (operator := getattr(operators, name, None)) is not None and operator.__module__ == operators.__name__:
            found = partial(operator, self)
        elif isinstance(operation := REGISTRY.get(name), Elementwise):
            found = partial(self._composed, operation)
        else:
            raise AttributeError(f"there is no operation on vectors named {name!r}")
        setattr(self, name, found)
        return found

    def call(self, name: str, *inputs: Any) -> Vector:
        """The operation of this name."""
        result: Vector = getattr(self, name)(*inputs)
        return result

    # ---- numbers

    def number(self, x: Any, dtype: DType | None = None) -> Vector:
        """A number, or a constant in every lane, in the dtype asked for."""
        if dtype is None:
            dtype = x.dtype if isinstance(x, Vector) else result_dtype((kind_of(x),))
        if isinstance(x, Vector):
            return self.convert(x, dtype)
        return Vector(constant(x, dtype, self.width), dtype, self)

    def wrap(self, value: ir.Value, dtype: DType) -> Vector:
        """An LLVM value as a number."""
        return Vector(value, dtype, self)

    def convert(self, x: Vector, dtype: DType) -> Vector:
        """The same number in another dtype."""
        return conversions.convert(self, x, dtype)

    def truth(self, x: Any) -> Vector:
        """Whether it is other than 0."""
        return self.number(x, BOOL)

    # ---- instructions

    def emit(self, build: Callable[..., ir.Value], dtype: DType, *inputs: Vector) -> Vector:
        """One instruction of the builder."""
        settings = {"flags": self.flags} if dtype.kind == "f" else {}
        return Vector(build(*(x.value for x in inputs), **settings), dtype, self)

    def choose(self, condition: Vector, a: Any, b: Any) -> Vector:
        """`a` where the condition holds, else `b`; constants take the other's dtype."""
        dtype = a.dtype if isinstance(a, Vector) else b.dtype
        a, b = self.number(a, dtype), self.number(b, dtype)
        return Vector(self.builder.select(condition.value, a.value, b.value), dtype, self)

    def intrinsic(self, name: str, *inputs: Vector) -> Vector:
        """A call of an LLVM intrinsic that takes and returns numbers of one dtype."""
        dtype = inputs[0].dtype
        kind = vector_type(dtype, self.width)
        suffix = f"{INTRINSIC_LETTERS[dtype.kind]}{bits(dtype)}"
        full = f"llvm.{name}.{suffix}" if self.width == 1 else f"llvm.{name}.v{self.width}{suffix}"
        function = self.builder.module.globals.get(full)
        if function is None:
            function = ir.Function(self.builder.module, ir.FunctionType(kind, [kind] * len(inputs)), full)
        return Vector(self.builder.call(function, [x.value for x in inputs]), dtype, self)

    def fma(self, a: Any, b: Any, c: Any) -> Vector:
        """a·b + c with one rounding."""
        dtype = next(x.dtype for x in (a, b, c) if isinstance(x, Vector))
        return self.intrinsic("fma", *(self.number(x, dtype) for x in (a, b, c)))

    def as_bits(self, x: Vector) -> Vector:
        """The bits of a float as an integer of the same size."""
        dtype = INT32 if bits(x.dtype) == 32 else INT64
        return Vector(self.builder.bitcast(x.value, vector_type(dtype, self.width)), dtype, self)

    def from_bits(self, x: Vector, dtype: DType) -> Vector:
        """The float of these bits."""
        return Vector(self.builder.bitcast(x.value, vector_type(dtype, self.width)), dtype, self)

    def extend(self, x: Vector, size: int) -> ir.Value:
        """An integer with more bits."""
        kind = ir.IntType(size) if self.width == 1 else ir.VectorType(ir.IntType(size), self.width)
        return self.builder.sext(x.value, kind) if is_signed(x.dtype) else self.builder.zext(x.value, kind)

    def any(self, condition: Vector) -> ir.Value:
        """Whether the condition holds in any lane, as one bit."""
        if self.width == 1:
            return condition.value
        mask = self.builder.bitcast(condition.value, ir.IntType(self.width))
        return self.builder.icmp_unsigned("!=", mask, ir.Constant(mask.type, 0))

    def otherwise(self, condition: Vector, usual: Vector, rare: Callable[[], Vector]) -> Vector:
        """`usual`, but `rare()` in the lanes where the condition holds; a branch passes it by where there are none."""
        before = self.builder.block
        with self.builder.if_then(self.any(condition), likely=False):
            other = self.choose(condition, rare(), usual)
            end = self.builder.block
        phi = self.builder.phi(usual.value.type)
        phi.add_incoming(usual.value, before)
        phi.add_incoming(other.value, end)
        return Vector(phi, usual.dtype, self)

    # ---- functions

    def _function(self, name: str, *inputs: Any) -> Vector:
        """A call of the function that holds an algorithm; each is written once for a module."""
        function, numbers = functions.prepared_call(self, name, inputs)
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

    def outlined(self, name: str, body: Callable[..., Vector], *inputs: Vector, rare: bool = False) -> Vector:
        """A call of a function made of `body(m, *inputs)`, whose result has the first input's dtype.

        The function is written into the module at its first call. A `rare` one is not inlined.
        """
        dtype = inputs[0].dtype
        full = f"{name}.{dtype.name}x{self.width}"
        function = self.builder.module.globals.get(full)
        if function is None:
            function = self._write(full, body, inputs, rare)
        return Vector(self.builder.call(function, [x.value for x in inputs]), dtype, self)

    def _write(self, full: str, body: Callable[..., Vector], inputs: tuple[Vector, ...], rare: bool) -> ir.Function:
        kinds = [vector_type(x.dtype, self.width) for x in inputs]
        function = ir.Function(self.builder.module, ir.FunctionType(kinds[0], kinds), full)
        function.linkage = "internal"
        for attribute in ("noinline", "cold") if rare else ("alwaysinline",) if self.inline else ():
            function.attributes.add(attribute)
        m = Mathematics(ir.IRBuilder(function.append_basic_block("entry")), self.width, inline=self.inline)
        arguments = [Vector(value, x.dtype, m) for value, x in zip(function.args, inputs, strict=True)]
        m.builder.ret(body(m, *arguments).value)
        return function
