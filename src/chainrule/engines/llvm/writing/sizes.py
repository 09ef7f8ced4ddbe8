"""Sizes that code is told when it runs: expressions in the lengths and strides of arrays, with what was asked of them.

Code is written for some arrays, and what decides how it is written is asked of their sizes (`rows < 8`): each answer is kept. For
arrays whose sizes give the same answers the code is the same, and it is told the numbers it needs, which are worked out before.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

Number = Any
"""An `int`, or a `Size`."""


class Sizes:
    """The sizes of the arrays of one function: what was asked of them, and the numbers that the function is told."""

    def __init__(self, values: Sequence[int]) -> None:
        self._inputs = [f"s{i}" for i in range(len(values))]
        self.all = [Size(self, name, value) for name, value in zip(self._inputs, values, strict=True)]
        self._lines: list[str] = []
        self._names: dict[str, str] = {}
        self._told: dict[str, int] = {}
        self._functions: dict[str, Callable[..., Any]] = {"min": min}
        self._numbers: Callable[..., Sequence[int] | None] | None = None

    def size(self, expression: str, value: int) -> Size:
        """What an expression in other sizes gives."""
        if expression not in self._names:
            self._names[expression] = f"t{len(self._names)}"
            self._lines.append(f"{self._names[expression]} = {expression}")
        return Size(self, self._names[expression], value)

    def ask(self, condition: str) -> None:
        """Note that this holds of them, and that the code depends on it."""
        if condition not in self._names:
            self._names[condition] = ""
            self._lines.append(f"if not {condition}: return None")

    def call(self, function: Callable[..., Any], numbers: Sequence[Number]) -> str:
        """The expression for what a function of numbers gives."""
        name = next((name for name, known in self._functions.items() if known is function), f"f{len(self._functions)}")
        self._functions[name] = function
        return f"{name}({', '.join(map(_text, numbers))})"

    def told(self, size: Size) -> int:
        """Which of the numbers that the function is told this one is."""
        return self._told.setdefault(size.text, len(self._told))

    def numbers(self, values: Sequence[int]) -> Sequence[int] | None:
        """The numbers that the function, which is written, is told for other arrays; None if it is not the code for those."""
        if self._numbers is None:
            told = f"return ({''.join([f'{text}, ' for text in self._told])})"
            lines, found = [f"def numbers({', '.join(self._inputs)}):", *self._lines, told], dict[str, Any]()
            exec("\n ".join(lines), {"__builtins__": self._functions}, found)
            self._numbers = found["numbers"]
        return self._numbers(*values)


def _arithmetic(name: str, sign: str) -> tuple[Callable[[Size, Number], Number], Callable[[Size, Number], Number]]:
    compute = getattr(operator, name)

    def of(self: Size, other: Number) -> Number:
        if not isinstance(other, Size | int | float):
            return NotImplemented
        return self.of.size(f"{self.text} {sign} {_text(other)}", compute(self.value, _value(other)))

    def reflected(self: Size, other: Number) -> Number:
        if not isinstance(other, int | float):
            return NotImplemented
        return self.of.size(f"{other} {sign} {self.text}", compute(other, self.value))

    return of, reflected


def _comparison(name: str, sign: str, otherwise: str) -> Callable[[Size, Any], bool]:
    compute = getattr(operator, name)

    def of(self: Size, other: Any) -> bool:
        if not isinstance(other, Size | int | float):
            return NotImplemented  # type: ignore[no-any-return]
        answer: bool = compute(self.value, _value(other))
        if _text(other) != self.text:
            self.of.ask(f"{self.text} {sign if answer else otherwise} {_text(other)}")
        return answer

    return of


class Size:
    """A whole number that a function is told. `value` is what it is where the function was written.

    What needs it as a number (a hash, a place in a list) asks which it is: then the code is that of no other.
    """

    __slots__ = ("of", "text", "value")

    def __init__(self, of: Sizes, text: str, value: int) -> None:
        self.of, self.text, self.value = of, text, value

    def __add__(self, other: Number) -> Number:
        return self if _text(other) == "0" else _add(self, other)

    def __mul__(self, other: Number) -> Number:
        return 0 if _text(other) == "0" else self if _text(other) == "1" else _multiply(self, other)

    __radd__, __rmul__ = __add__, __mul__
    __sub__, __rsub__ = _arithmetic("sub", "-")
    __floordiv__, __rfloordiv__ = _arithmetic("floordiv", "//")
    __mod__, __rmod__ = _arithmetic("mod", "%")
    __truediv__, __rtruediv__ = _arithmetic("truediv", "/")
    __pow__, __rpow__ = _arithmetic("pow", "**")

    __eq__, __ne__ = _comparison("eq", "==", "!="), _comparison("ne", "!=", "==")
    __lt__, __ge__ = _comparison("lt", "<", ">="), _comparison("ge", ">=", "<")
    __le__, __gt__ = _comparison("le", "<=", ">"), _comparison("gt", ">", "<=")

    def __neg__(self) -> Size:
        return self.of.size(f"-{self.text}", -self.value)

    def __divmod__(self, other: Number) -> tuple[Number, Number]:
        return self // other, self % other

    def __bool__(self) -> bool:
        answer: bool = self != 0
        return answer

    def __index__(self) -> int:
        self.of.ask(f"{self.text} == {self.value}")
        return self.value

    __int__ = __index__

    def __float__(self) -> float:
        return float(self.__index__())

    def __hash__(self) -> int:
        return hash(self.__index__())

    def __repr__(self) -> str:
        return self.text


_add, _ = _arithmetic("add", "+")
_multiply, _ = _arithmetic("mul", "*")


def smaller(a: int | Size, b: int | Size) -> int | Size:
    """The smaller of two numbers, which need not be known now."""
    of = _sizes_of((a, b))
    return min(a, b) if of is None else of.size(f"min({_text(a)}, {_text(b)})", min(_value(a), _value(b)))


def decided(function: Callable[..., Any], *numbers: Number) -> Any:
    """What a function says of numbers, where code depends on nothing else of them: how it is found is not asked."""
    answer, of = function(*map(_value, numbers)), _sizes_of(numbers)
    if of is not None:
        of.ask(f"{of.call(function, numbers)} == {answer!r}")
    return answer


def worked_out(function: Callable[..., Sequence[int]], *numbers: Number) -> Sequence[Number]:
    """The numbers that a function makes of others, whatever it asks of them."""
    found, of = function(*map(_value, numbers)), _sizes_of(numbers)
    if of is None:
        return found
    together = of.size(of.call(function, numbers), 0)
    return [of.size(f"{together.text}[{i}]", value) for i, value in enumerate(found)]


def _sizes_of(numbers: Sequence[Number]) -> Sizes | None:
    return next((x.of for x in numbers if isinstance(x, Size)), None)


def known(number: Number) -> int | str:
    """What a number is known by: two that are not written alike may be the same."""
    return number.text if isinstance(number, Size) else number


def _text(number: Any) -> str:
    return number.text if isinstance(number, Size) else str(number)


def _value(number: Any) -> Any:
    return number.value if isinstance(number, Size) else number
