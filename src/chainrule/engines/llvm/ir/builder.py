"""Writes one instruction after another into a block, as a line of text.

A line is written when its instruction is made, and nothing is kept of it but how others refer to its value: in a graph of objects,
from which text is made afterwards, code took two to three times as long to write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from chainrule.engines.llvm.ir.functions import Block, Function, Module
from chainrule.engines.llvm.ir.values import (
    Alloca,
    Constant,
    FunctionType,
    Instruction,
    IntType,
    LiteralStructType,
    Phi,
    PointerType,
    Type,
    Value,
    VectorType,
)

POINTER, BIT = PointerType(), IntType(1)

SIGNED = {"==": "eq", "!=": "ne", "<": "slt", "<=": "sle", ">": "sgt", ">=": "sge"}
UNSIGNED = {"==": "eq", "!=": "ne", "<": "ult", "<=": "ule", ">": "ugt", ">=": "uge"}
ORDERED = {"==": "oeq", "!=": "one", "<": "olt", "<=": "ole", ">": "ogt", ">=": "oge"}
UNORDERED = {"==": "ueq", "!=": "une", "<": "ult", "<=": "ule", ">": "ugt", ">=": "uge"}

LIKELY, UNLIKELY = (f'!{{!"branch_weights", i32 {a}, i32 {b}}}' for a, b in ((99, 1), (1, 99)))


def _of_two(name: str) -> Callable[[IRBuilder, Value, Value], Value]:
    def written(self: IRBuilder, a: Value, b: Value) -> Value:
        return self.value(a.type, f"{name} {a.typed}, {b.text}")

    return written


def _cast(name: str) -> Callable[[IRBuilder, Value, Type], Value]:
    def written(self: IRBuilder, x: Value, kind: Type) -> Value:
        return x if x.type == kind else self.value(kind, f"{name} {x.typed} to {kind.text}")

    return written


def _comparison(name: str, words: dict[str, str]) -> Callable[[IRBuilder, str, Value, Value], Value]:
    def written(self: IRBuilder, sign: str, a: Value, b: Value) -> Value:
        kind = VectorType(BIT, a.type.count) if isinstance(a.type, VectorType) else BIT
        return self.value(kind, f"{name} {words[sign]} {a.typed}, {b.text}")

    return written


class IRBuilder:
    """Stands in a block, at its end or behind one of its instructions. Names are LLVM's."""

    def __init__(self, block: Block | None = None) -> None:
        self._block, self._place = block, -1

    @property
    def block(self) -> Block:
        """Where it writes."""
        assert self._block is not None
        return self._block

    @property
    def function(self) -> Function:
        """The function that it writes."""
        return self.block.function

    @property
    def module(self) -> Module:
        """The module of that function."""
        return self.block.function.module

    # --- where

    def position_at_end(self, block: Block) -> None:
        """Go on at the end of a block."""
        self._block, self._place = block, -1

    def position_after(self, value: Instruction) -> None:
        """Go on behind the instruction that gives this value."""
        self._block, self._place = value.block, value.block.lines.index(value.line) + 1

    def append_basic_block(self, name: str) -> Block:
        """A new block at the end of the function."""
        return self.function.append_basic_block(name)

    @contextmanager
    def goto_entry_block(self) -> Iterator[None]:
        """Write at the end of the function's first block for a while."""
        here, entry = self.block, self.function.blocks[0]
        self._block, self._place = entry, len(entry.lines) - 1 if entry.ended else -1
        yield
        self.position_at_end(here)

    # --- lines

    def line(self, line: Any) -> None:
        """One line where it stands."""
        if self._place < 0:
            self._block.lines.append(line)  # type: ignore[union-attr]
        else:
            self.block.lines.insert(self._place, line)
            self._place += 1

    def value(self, kind: Type, text: str) -> Instruction:
        """An instruction that gives a value."""
        block = self._block
        name = block.function.new()  # type: ignore[union-attr]
        line = f"  {name} = {text}"
        self.line(line)
        return Instruction(kind, name, block, line)

    def _end(self, text: str) -> None:
        self.line(f"  {text}")
        self.block.ended = True

    # --- numbers

    add, sub, mul, shl = _of_two("add"), _of_two("sub"), _of_two("mul"), _of_two("shl")
    fadd, fsub, fmul, fdiv = _of_two("fadd"), _of_two("fsub"), _of_two("fmul"), _of_two("fdiv")
    udiv, sdiv, urem, srem = _of_two("udiv"), _of_two("sdiv"), _of_two("urem"), _of_two("srem")
    lshr, ashr, and_, or_, xor = _of_two("lshr"), _of_two("ashr"), _of_two("and"), _of_two("or"), _of_two("xor")

    trunc, zext, sext, bitcast = _cast("trunc"), _cast("zext"), _cast("sext"), _cast("bitcast")
    fptrunc, fpext, fptosi = _cast("fptrunc"), _cast("fpext"), _cast("fptosi")
    sitofp, uitofp = _cast("sitofp"), _cast("uitofp")
    inttoptr, ptrtoint = _cast("inttoptr"), _cast("ptrtoint")

    icmp_signed, icmp_unsigned = _comparison("icmp", SIGNED), _comparison("icmp", UNSIGNED)
    fcmp_ordered, fcmp_unordered = _comparison("fcmp", ORDERED), _comparison("fcmp", UNORDERED)

    def neg(self, x: Value) -> Value:
        """−x of whole numbers."""
        return self.sub(Constant(x.type, 0), x)

    def fneg(self, x: Value) -> Value:
        """−x."""
        return self.value(x.type, f"fneg {x.typed}")

    def not_(self, x: Value) -> Value:
        """Every bit turned over."""
        return self.xor(x, Constant(x.type, -1))

    def ctlz(self, x: Value, zero_is_undefined: Value) -> Value:
        """How many bits above the highest that is set."""
        name, kind = f"llvm.ctlz.{x.type.text}", FunctionType(x.type, [x.type, BIT])
        return self.call(self.module.globals.get(name) or Function(self.module, kind, name), [x, zero_is_undefined])

    def freeze(self, x: Value) -> Value:
        """The same value, whose making LLVM does not look into."""
        return self.value(x.type, f"freeze {x.typed}")

    def select(self, condition: Value, a: Value, b: Value) -> Value:
        """`a` where the condition holds, else `b`."""
        return self.value(a.type, f"select {condition.typed}, {a.typed}, {b.typed}")

    # --- parts of vectors and structures

    def extract_element(self, vector: Value, index: Value) -> Value:
        """One number of a vector."""
        assert isinstance(vector.type, VectorType)
        return self.value(vector.type.element, f"extractelement {vector.typed}, {index.typed}")

    def insert_element(self, vector: Value, number: Value, index: Value) -> Value:
        """A vector with one number replaced."""
        return self.value(vector.type, f"insertelement {vector.typed}, {number.typed}, {index.typed}")

    def shuffle_vector(self, a: Value, b: Value, mask: Value) -> Value:
        """Numbers of two vectors by their places."""
        assert isinstance(a.type, VectorType)
        assert isinstance(mask.type, VectorType)
        kind = VectorType(a.type.element, mask.type.count)
        return self.value(kind, f"shufflevector {a.typed}, {b.typed}, {mask.typed}")

    def extract_value(self, whole: Value, index: int) -> Value:
        """One part of a structure."""
        assert isinstance(whole.type, LiteralStructType)
        return self.value(whole.type.elements[index], f"extractvalue {whole.typed}, {index}")

    def insert_value(self, whole: Value, part: Value, index: int) -> Value:
        """A structure with one part replaced."""
        return self.value(whole.type, f"insertvalue {whole.typed}, {part.typed}, {index}")

    # --- memory

    def alloca(self, kind: Type) -> Alloca:
        """Memory on the stack."""
        found = Alloca(kind, self.function.new(), self.block)
        self.line(found)
        return found

    def gep(self, base: Value, indices: Sequence[Value], source_etype: Type) -> Value:
        """An address so many numbers of a type further on."""
        places = ", ".join([x.typed for x in indices])
        return self.value(POINTER, f"getelementptr {source_etype.text}, {base.typed}, {places}")

    def load(self, address: Value, typ: Type, align: int = 0) -> Value:
        """What lies there."""
        return self.value(typ, f"load {typ.text}, {address.typed}{f', align {align}' if align else ''}")

    def store(self, value: Value, address: Value, align: int = 0) -> None:
        """Write it there."""
        self.line(f"  store {value.typed}, {address.typed}{f', align {align}' if align else ''}")

    def load_atomic(self, address: Value, ordering: str, align: int, typ: Type) -> Value:
        """What lies there, while other threads write."""
        return self.value(typ, f"load atomic {typ.text}, {address.typed} {ordering}, align {align}")

    def atomic_rmw(self, operation: str, address: Value, value: Value, ordering: str) -> Value:
        """Change what lies there, while other threads do; gives what was there."""
        return self.value(value.type, f"atomicrmw {operation} {address.typed}, {value.typed} {ordering}")

    def compare_exchange(self, address: Value, expected: Value, new: Value, ordering: str) -> Value:
        """Write a new number where the expected one lies, while other threads write; gives whether it lay there."""
        both = LiteralStructType([expected.type, BIT])
        text = f"cmpxchg {address.typed}, {expected.typed}, {new.typed} {ordering} monotonic"
        return self.extract_value(self.value(both, text), 1)

    # --- functions and blocks

    def call(self, function: Function, arguments: Sequence[Value]) -> Value:
        """What a function gives."""
        kind = function.function_type.return_type
        text = f"call {kind.text} {function.text}({', '.join([x.typed for x in arguments])})"
        if kind.text != "void":
            return self.value(kind, text)
        self.line(f"  {text}")
        return Value(kind, "")

    def call_at(self, address: Value, arguments: Sequence[Value]) -> None:
        """Call the function that lies there and gives nothing."""
        self.line(f"  call void {address.text}({', '.join([x.typed for x in arguments])})")

    def phi(self, kind: Type, name: str = "") -> Phi:
        """A value that depends on which block came before."""
        found = Phi(kind, self.function.new(name), self.block)
        self.line(found)
        return found

    def branch(self, block: Block) -> None:
        """Go on in a block."""
        self._end(f"br label {block.text}")

    def cbranch(self, condition: Value, yes: Block, no: Block, weights: str = "") -> None:
        """Go on in one of two blocks."""
        hint = f", !prof !{self.module.metadata(weights)}" if weights else ""
        self._end(f"br {condition.typed}, label {yes.text}, label {no.text}{hint}")

    def ret(self, value: Value) -> None:
        """The function's end, with what it gives."""
        self._end(f"ret {value.typed}")

    def ret_void(self) -> None:
        """The function's end."""
        self._end("ret void")

    @contextmanager
    def if_then(self, condition: Value, likely: bool | None = None) -> Iterator[None]:
        """Write what is done only where the condition holds."""
        inside, after = (self.append_basic_block(name) for name in ("if", "endif"))
        self.cbranch(condition, inside, after, "" if likely is None else LIKELY if likely else UNLIKELY)
        with self._branch(inside, after):
            yield
        self.position_at_end(after)

    @contextmanager
    def if_else(self, condition: Value) -> Iterator[tuple[Any, Any]]:
        """Write what is done where the condition holds, and what elsewhere, each in a context of its own."""
        yes, no, after = (self.append_basic_block(name) for name in ("if", "else", "endif"))
        self.cbranch(condition, yes, no)
        yield self._branch(yes, after), self._branch(no, after)
        self.position_at_end(after)

    @contextmanager
    def _branch(self, block: Block, after: Block) -> Iterator[None]:
        self.position_at_end(block)
        yield
        if not self.block.ended:
            self.branch(after)
