"""The instructions that vector mathematics is made of: constants, conversions, choices, intrinsics, functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.engines.llvm import ir
from chainrule.engines.llvm.mathematics.numbers import (
    BOOL,
    FLOAT32,
    FLOAT64,
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

REGISTER = 64
"""Bytes of the registers of a CPU that scales by powers of two."""

INTRINSIC_LETTERS = {"f": "f", "i": "i", "u": "i", "b": "i"}


class Instructions:
    """Code for numbers of one vector width, emitted where the builder stands.

    What is written in these finds every other operation by its name, too: `m.exp(x)`. Which there are, `operation` says.

    Every instruction rounds, as NumPy's do: a·b + c is fused into one rounding only where `fma` says so, lest b·b − 4·a·c of a
    double root become a little less than 0. With `inline`, algorithms are written out where they are used instead of called;
    The CPU may lack instructions: "fma" for a·b + c with one rounding, "rounding" to whole numbers, "scaling" of a whole register by
    powers of two. They are written in others.
    """

    def __init__(
        self, builder: ir.IRBuilder, width: int, inline: bool = False, lacks: frozenset[str] = frozenset()
    ) -> None:
        self.builder = builder
        self.width = width
        self.inline = inline
        self.lacks = lacks

    def operation(self, name: str) -> Callable[..., Vector]:
        """What computes the operation of this name."""
        raise AttributeError(f"there is no operation on vectors named {name!r}")

    def __getattr__(self, name: str) -> Callable[..., Vector]:
        found = self.operation(name)
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

    def truth(self, x: Any) -> Vector:
        """Whether it is other than 0."""
        return self.number(x, BOOL)

    # ---- instructions

    def emit(self, build: Callable[..., ir.Value], dtype: DType, *inputs: Vector) -> Vector:
        """One instruction of the builder."""
        return Vector(build(*(x.value for x in inputs)), dtype, self)

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
        """a·b + c with one rounding; where there is no instruction, as good as that, and the system's function slow, with two."""
        dtype = next(x.dtype for x in (a, b, c) if isinstance(x, Vector))
        a, b, c = (self.number(x, dtype) for x in (a, b, c))
        if "fma" not in self.lacks:
            return self.intrinsic("fma", a, b, c)
        if dtype == FLOAT32:
            wide = [self.convert(x, FLOAT64) for x in (a, b, c)]
            return self.convert(wide[0] * wide[1] + wide[2], FLOAT32)
        product = a * b
        total = product + c
        share = total - product
        rest = (product - (total - share)) + (c - share)
        return self.choose(total - total == 0.0, total + (rest + self.lost(a, b, product)), total)

    def lost(self, a: Vector, b: Vector, product: Vector) -> Vector:
        """a·b − product, which is a·b rounded: what the rounding lost (Dekker 1971, with halves by their bits)."""
        if "fma" not in self.lacks or a.dtype == FLOAT32:
            return self.fma(a, b, -product)
        (a_high, a_low), (b_high, b_low) = self._halves(a), self._halves(b)
        return ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low

    def _halves(self, x: Vector) -> tuple[Vector, Vector]:
        """A float64 as the sum of its upper 26 bits and its lower 27."""
        high = self.from_bits(self.as_bits(x) & -(1 << 27), x.dtype)
        return high, x - high

    def multiply_add(self, a: Any, b: Any, c: Any) -> Vector:
        """a·b + c in the fewest instructions, for where one rounding more does no harm."""
        result: Vector = a * b + c if "fma" in self.lacks else self.fma(a, b, c)
        return result

    def rounded(self, name: str, x: Vector) -> Vector:
        """A float as a whole number: "rint", "floor", "ceil" or "trunc" of it, zeros with its sign."""
        if "rounding" not in self.lacks:
            return self.intrinsic(name, x)
        if name == "ceil":
            return -self.rounded("floor", -x)
        size = self.intrinsic("fabs", x)
        whole = 2.0 ** (23 if x.dtype == FLOAT32 else 52)  # from here on every float is a whole number
        nearest = (size + whole) - whole
        if name == "floor":
            nearest = self.intrinsic("copysign", nearest, x)
            nearest = self.choose(nearest > x, nearest - 1.0, nearest)
        elif name == "trunc":
            nearest = self.choose(nearest > size, nearest - 1.0, nearest)
        return self.choose(size < whole, self.intrinsic("copysign", nearest, x), x)

    def scales(self, x: Vector) -> bool:
        """Whether there is an instruction for `scaled`."""
        return "scaling" not in self.lacks and self.width * x.dtype.itemsize == REGISTER

    def scaled(self, x: Vector, k: Vector) -> Vector:
        """x·2^k rounded once, for a whole number k."""
        name, lanes = "ps" if x.dtype == FLOAT32 else "pd", ir.IntType(self.width)
        kind, full = vector_type(x.dtype, self.width), f"llvm.x86.avx512.mask.scalef.{name}.512"
        function = self.builder.module.globals.get(full)
        if function is None:
            inputs = [kind, kind, kind, lanes, ir.IntType(32)]
            function = ir.Function(self.builder.module, ir.FunctionType(kind, inputs), full)
        every, as_set = ir.Constant(lanes, -1), ir.Constant(ir.IntType(32), 4)
        return Vector(self.builder.call(function, [x.value, k.value, x.value, every, as_set]), x.dtype, self)

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

    # ---- conversions, with NumPy's results on x86 where the number does not fit

    def convert(self, x: Vector, dtype: DType) -> Vector:
        """The same number in another dtype; float to integer drops the fraction."""
        if x.dtype == dtype:
            return x
        if dtype == BOOL:
            return x != 0
        if dtype.kind == "f":
            return self._to_float(x, dtype)
        if x.dtype.kind == "f":
            return self._to_integer(x, dtype)
        return self._between_integers(x, dtype)

    def _to_float(self, x: Vector, dtype: DType) -> Vector:
        if x.dtype == BOOL:
            return self.choose(x, self.number(1.0, dtype), self.number(0.0, dtype))
        build = self.builder.sitofp if is_signed(x.dtype) else self.builder.uitofp
        if x.dtype.kind == "f":
            build = self.builder.fpext if bits(dtype) > bits(x.dtype) else self.builder.fptrunc
        return Vector(build(x.value, vector_type(dtype, self.width)), dtype, self)

    def _to_integer(self, x: Vector, dtype: DType) -> Vector:
        """Through int32 or int64, whose least number stands for what does not fit: there LLVM itself promises nothing."""
        if dtype == np.dtype(np.uint64) or (bits(dtype) == 64 and not is_signed(dtype)):
            half = 2.0**63
            above = x >= half
            low = self._to_integer(self.choose(above, x - half, x), INT64)
            return self._between_integers(low, dtype) ^ self.choose(above, self.number(1 << 63, dtype), 0)
        through = INT64 if bits(dtype) == 64 or (bits(dtype) == 32 and not is_signed(dtype)) else INT32
        least = -(2.0 ** (bits(through) - 1))
        fits = (x >= least) & (x < -least)
        inside = self.choose(fits, x, 0.0)
        whole = Vector(self.builder.fptosi(inside.value, vector_type(through, self.width)), through, self)
        return self._between_integers(self.choose(fits, whole, int(least)), dtype)

    def _between_integers(self, x: Vector, dtype: DType) -> Vector:
        kind = vector_type(dtype, self.width)
        if bits(dtype) < bits(x.dtype):
            value = self.builder.trunc(x.value, kind)
        elif bits(dtype) > bits(x.dtype):
            value = self.builder.sext(x.value, kind) if is_signed(x.dtype) else self.builder.zext(x.value, kind)
        else:
            value = x.value
        return Vector(value, dtype, self)

    # ---- functions

    def outlined(self, name: str, body: Callable[..., Vector], *inputs: Vector, rare: bool = False) -> Vector:
        """A call of a function made of `body(m, *inputs)`, whose result has the first input's dtype.

        The function is written into the module at its first call. A `rare` one is not inlined.
        """
        dtype = inputs[0].dtype
        full = f"{name}.{dtype.name}x{self.width}" + ".inline" * self.inline
        function = self.builder.module.globals.get(full)
        if function is None:
            function = self._write(full, body, inputs, rare)
        return Vector(self.builder.call(function, [x.value for x in inputs]), dtype, self)

    def _write(self, full: str, body: Callable[..., Vector], inputs: tuple[Vector, ...], rare: bool) -> ir.Function:
        kinds = [vector_type(x.dtype, self.width) for x in inputs]
        function = ir.Function(self.builder.module, ir.FunctionType(kinds[0], kinds), full)
        function.linkage = "internal"
        for attribute in ("noinline", "cold") if rare else ("alwaysinline",) if self.inline else ():
            function.attributes.append(attribute)
        m = type(self)(ir.IRBuilder(function.append_basic_block("entry")), self.width, self.inline, self.lacks)
        arguments = [Vector(value, x.dtype, m) for value, x in zip(function.args, inputs, strict=True)]
        m.builder.ret(body(m, *arguments).value)
        return function
