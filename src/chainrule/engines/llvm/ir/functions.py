"""Modules, functions and blocks: what instructions are written into."""

from __future__ import annotations

from collections import Counter
from typing import Any

from chainrule.engines.llvm.ir.values import FunctionType, PointerType, Type, Value


class Names:
    """Names that are given out once."""

    def __init__(self) -> None:
        self._taken: Counter[str] = Counter()

    def new(self, name: str) -> str:
        """The name, with a number behind it where it is taken."""
        self._taken[name] += 1
        number = self._taken[name] - 1
        return self.new(f"{name}.{number}") if number else name


class Module:
    """Functions and constants that are compiled together."""

    def __init__(self, name: str = "") -> None:
        self.name = name
        self.globals: dict[str, Any] = {}
        self._names = Names()
        self._metadata: dict[str, int] = {}

    def get_unique_name(self, name: str) -> str:
        """A name that no other function of the module has."""
        while (found := self._names.new(name)) in self.globals:
            pass
        return found

    def metadata(self, text: str) -> int:
        """The number by which instructions refer to it."""
        return self._metadata.setdefault(text, len(self._metadata))

    def __str__(self) -> str:
        parts = [f"; {self.name}", *map(str, self.globals.values())]
        return "\n\n".join([*parts, *(f"!{number} = {text}" for text, number in self._metadata.items())]) + "\n"


class GlobalVariable(Value):
    """Numbers that lie in the module, at an address."""

    def __init__(self, module: Module, kind: Type, name: str) -> None:
        super().__init__(PointerType(), f"@{name}")
        self.linkage, self.global_constant = "", False
        self.initializer: Value | None = None
        module.globals[name] = self

    def __str__(self) -> str:
        assert self.initializer is not None
        return (
            f"{self.text} = {self.linkage} {'constant' if self.global_constant else 'global'} {self.initializer.typed}"
        )


class Argument(Value):
    """What a function is given."""

    def __init__(self, kind: Type, number: int) -> None:
        super().__init__(kind, f"%a{number}")
        self.attributes: list[str] = []

    def rename(self, name: str) -> None:
        """Give it a name to be read."""
        super().__init__(self.type, f"%{name}")

    def __str__(self) -> str:
        return " ".join([self.type.text, *self.attributes, self.text])


class Function(Value):
    """A function of a module; without blocks one that is elsewhere."""

    def __init__(self, module: Module, kind: FunctionType, name: str) -> None:
        super().__init__(PointerType(), f"@{name}")
        self.module, self.name, self.function_type, self.linkage = module, name, kind, ""
        self.attributes: list[str] = []
        self.blocks: list[Block] = []
        self.args = [Argument(x, i) for i, x in enumerate(kind.args)]
        self._names, self._values = Names(), 0
        assert name not in module.globals, f"two functions are called {name}"
        module.globals[name] = self

    def append_basic_block(self, name: str) -> Block:
        """A block after the others."""
        self.blocks.append(Block(self, self._names.new(name)))
        return self.blocks[-1]

    def new(self, name: str = "") -> str:
        """How a value that comes now is referred to."""
        if name:
            return f"%{self._names.new(name)}"
        self._values += 1
        return f"%v{self._values}"

    def __str__(self) -> str:
        given = self.function_type.return_type.text
        if not self.blocks:
            return f"declare {given} {self.text}({', '.join(x.type.text for x in self.args)})"
        head = " ".join(
            ["define", *filter(None, [self.linkage]), given, f"{self.text}({', '.join(map(str, self.args))})"]
        )
        body = "\n".join(map(str, self.blocks))
        return f"{' '.join([head, *self.attributes])}\n{{\n{body}\n}}"


class Block:
    """Instructions one after another, as lines; the last one says where it goes on."""

    __slots__ = ("ended", "function", "lines", "name", "text")

    def __init__(self, function: Function, name: str) -> None:
        self.function, self.name, self.text = function, name, f"%{name}"
        self.lines: list[Any] = []
        self.ended = False

    def __str__(self) -> str:
        return "\n".join([f"{self.name}:", *map(str, self.lines)])
