"""LLVM's types and values as texts: two types of the same text are equal, a value is referred to by its text."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any


class Type:
    """A type, by its text."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Type) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __call__(self, value: Any) -> Constant:
        """A constant of this type."""
        return Constant(self, value)

    def constant(self, value: Any) -> str:
        """The text of a constant of this type."""
        raise TypeError(f"there are no constants of type {self.text}")


class VoidType(Type):
    """Of functions that give nothing."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__("void")


class PointerType(Type):
    """An address, of whatever lies there."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__("ptr")

    def constant(self, value: Any) -> str:
        """The name of a function, or of numbers that lie in the module."""
        name: str = value.text
        return name


class IntType(Type):
    """Whole numbers of so many bits, signed or not as an instruction takes them."""

    __slots__ = ()

    def __init__(self, width: int) -> None:
        super().__init__(f"i{width}")

    def constant(self, value: Any) -> str:
        """Its digits."""
        return str(int(value))


class _RealType(Type):
    __slots__ = ()

    def constant(self, value: Any) -> str:
        """Its bits as a float64, by which LLVM knows numbers of either size."""
        return f"0x{struct.unpack('>Q', struct.pack('>d', value))[0]:016x}"


class FloatType(_RealType):
    """Numbers of 32 bits."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__("float")


class DoubleType(_RealType):
    """Numbers of 64 bits."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__("double")


class _Row(Type):
    """So many numbers of one type."""

    __slots__ = ("count", "element")

    def __init__(self, element: Type, count: int, text: str) -> None:
        super().__init__(text)
        self.element, self.count = element, count

    def _listed(self, values: Sequence[Any]) -> str:
        return ", ".join([f"{self.element.text} {self.element.constant(x)}" for x in values])


class VectorType(_Row):
    """Numbers in one register."""

    __slots__ = ()

    def __init__(self, element: Type, count: int) -> None:
        super().__init__(element, count, f"<{count} x {element.text}>")

    def constant(self, value: Any) -> str:
        """One number for all lanes, or a list of them."""
        if isinstance(value, list | tuple):
            return f"<{self._listed(value)}>" if any(value) else "zeroinitializer"
        return f"splat ({self.element.text} {self.element.constant(value)})" if value else "zeroinitializer"


class ArrayType(_Row):
    """Numbers in memory."""

    __slots__ = ()

    def __init__(self, element: Type, count: int) -> None:
        super().__init__(element, count, f"[{count} x {element.text}]")

    def constant(self, value: Any) -> str:
        """A list of them."""
        return f"[{self._listed(value)}]"


class LiteralStructType(Type):
    """Numbers of several types, which a function gives together."""

    __slots__ = ("elements",)

    def __init__(self, elements: Sequence[Type]) -> None:
        super().__init__(f"{{{', '.join(x.text for x in elements)}}}")
        self.elements = tuple(elements)


class FunctionType(Type):
    """What a function takes and gives."""

    __slots__ = ("args", "return_type")

    def __init__(self, return_type: Type, args: Sequence[Type]) -> None:
        super().__init__(f"{return_type.text} ({', '.join(x.text for x in args)})")
        self.return_type, self.args = return_type, tuple(args)


class Value:
    """A constant, an argument, or what an instruction gives; `text` with its type is `typed`."""

    __slots__ = ("text", "type", "typed")

    def __init__(self, type: Type, text: str) -> None:
        self.type, self.text, self.typed = type, text, f"{type.text} {text}"

    def __str__(self) -> str:
        return self.typed


class Undefined:
    """The value of a constant that nobody asks."""


class Constant(Value):
    """A known number, or several; None is 0, `Undefined` any."""

    __slots__ = ()

    def __init__(self, type: Type, value: Any) -> None:
        super().__init__(type, "undef" if value is Undefined else type.constant(0 if value is None else value))


class Instruction(Value):
    """What an instruction gives, with the line that it is written in, and the block that has it."""

    __slots__ = ("block", "line")

    def __init__(self, type: Type, text: str, block: Any, line: Any) -> None:
        super().__init__(type, text)
        self.block, self.line = block, line


class Phi(Instruction):
    """A value that depends on which block came before."""

    __slots__ = ("_incoming",)

    def __init__(self, type: Type, text: str, block: Any) -> None:
        super().__init__(type, text, block, self)
        self._incoming: list[str] = []

    def add_incoming(self, value: Value, block: Any) -> None:
        """What it is behind a block."""
        self._incoming.append(f"[{value.text}, {block.text}]")

    def __str__(self) -> str:
        return f"  {self.text} = phi {self.type.text} {', '.join(self._incoming)}"


class Alloca(Instruction):
    """The address of memory on the stack; where it is to be aligned may be said afterwards."""

    __slots__ = ("_held", "align")

    def __init__(self, held: Type, text: str, block: Any) -> None:
        super().__init__(PointerType(), text, block, self)
        self._held, self.align = held, 0

    def __str__(self) -> str:
        return f"  {self.text} = alloca {self._held.text}{f', align {self.align}' if self.align else ''}"
