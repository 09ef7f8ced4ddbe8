"""Expressions as they are typed: parsed with a short list of what may stand in them, never run as code."""

from __future__ import annotations

import ast
import math
import operator
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from chainrule.errors import ChainruleError, nearest
from chainrule.explanation.handwriting import spelling, typed
from chainrule.explanation.values import Value
from chainrule.ops import Elementwise
from chainrule.ops.kinds.elementwise import BOOLEAN
from chainrule.ops.operation import REGISTRY
from chainrule.tracing.apply import apply

LONGEST = 1000
"""Characters of an expression."""
DEEPEST = 100
"""Operations inside each other."""
SHOWN = 60
"""Characters of the excerpt that an error shows."""

_OPERATORS: dict[type, Callable[..., Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Pow: lambda a, b: np.exp(b) if isinstance(a, float) and a == math.e else a**b, ast.USub: operator.neg, ast.UAdd: operator.pos,
}  # fmt: skip
_CONSTANTS, _UNLESS_GIVEN = {"pi": math.pi, "π": math.pi}, {"e": np.float64(math.e)}
_WRITTEN = ("+", "-", "*", "/", "**")
"""Signs, which no function's name is needed for."""


class ExpressionError(ChainruleError, ValueError):
    """An expression that cannot be understood, or has no finite value; the message points at the place.

    Fails: `parse_expression("a*b + tanhh(c)")`.
    Works: `parse_expression("a*b + tanh(c)")`.
    """


def functions() -> dict[str, Elementwise]:
    """The functions that expressions may use, by name: elementwise operations of real numbers that have a derivative and no sign.

    They also go by what they are called in formulas, and by NumPy's other names for them.

    Examples
    --------
    >>> [name in functions() for name in ("absolute", "abs", "ln", "sigmoid", "add", "where")]
    [True, True, True, True, False, False]
    """
    found = {
        name: op
        for name, op in REGISTRY.items()
        if isinstance(op, Elementwise)
        and op.differentiable
        and not op.to_complex
        and BOOLEAN not in op.domain
        and op.notation.typed.format("", "").strip() not in _WRITTEN
        and op.notation.rule != ""
        and not any(case.attributes for case in op.examples)
    }
    by_numpy = {alias: found[f.__name__] for alias, f in vars(np).items() if getattr(f, "__name__", "") in found}
    in_formulas = {op.notation.sign: op for op in found.values() if op.notation.form == "function"}
    return found | {name: op for name, op in (by_numpy | in_formulas).items() if name.isascii() and name.isidentifier()}


@dataclass(frozen=True)
class Instruction:
    """One step of an expression in postfix order: a number, a name, or a function of the last few results."""

    start: int
    end: int
    number: Any = None
    name: str = ""
    function: Callable[..., Any] | None = None
    inputs: int = 0


@dataclass(frozen=True, repr=False)
class ParsedExpression:
    """A function of named numbers, read from text. `names` are in the order in which they stand there.

    Examples
    --------
    >>> expression = parse_expression("(a*b + c)*f")
    >>> expression.names
    ('a', 'b', 'c', 'f')
    >>> expression(a=2.0, b=-3.0, c=10.0, f=-2.0)
    -8.0
    """

    text: str
    instructions: tuple[Instruction, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names that numbers have to be given for; e without one is Euler's number."""
        return tuple(dict.fromkeys(piece.name for piece in self.instructions if piece.name))

    def __repr__(self) -> str:
        return f"ParsedExpression({self.text!r})"

    def __call__(self, **numbers: Any) -> Any:
        """The value for these numbers, or for `Value`s of these names; every part of it has to be finite."""
        stack: list[Any] = []
        for piece in self.instructions:
            if piece.name:
                if piece.name not in numbers and piece.name not in _UNLESS_GIVEN:
                    self.refuse(piece, f"{piece.name!r} was given no number; write {piece.name}=2, say")
                stack.append(numbers[piece.name] if piece.name in numbers else _UNLESS_GIVEN[piece.name])
            elif piece.function is None:
                stack.append(piece.number)
            else:
                given = stack[-piece.inputs :]
                del stack[-piece.inputs :]
                with np.errstate(all="ignore"):
                    stack.append(piece.function(*given))
                number = float(_number(stack[-1]))
                if not math.isfinite(number):
                    said = " and ".join(f"{float(_number(x)):g}" for x in given)
                    self.refuse(piece, f"this gives {number} for {said}; every part has to be a finite number")
        return stack[-1]

    def values(self, numbers: Mapping[str, float]) -> tuple[Value, dict[str, Value]]:
        """The result as a `Value` with its gradients, and the values it was computed from, by name.

        Parameters
        ----------
        numbers : mapping
            A finite number for every name, and none besides.

        Raises
        ------
        ExpressionError
            When numbers are missing or too many, or a value or a derivative is not finite.
        """
        more = [name for name in numbers if name not in self.names]
        if more:
            there = f"its names are {', '.join(self.names)}" if self.names else "it has no names at all"
            joined = next((x for x in self.names if x not in numbers and set(x) <= {*numbers}), None)
            remedy = f"For a product write {'*'.join(joined)}" if joined else "Give numbers for names that are in it"
            raise ExpressionError(f"{more[0]!r} does not occur in the expression {self.text}; {there}. {remedy}.")
        for name, number in numbers.items():
            if not math.isfinite(number):
                raise ExpressionError(f"{name} was given as {number}; give a finite number.")
        given = {name: Value(float(numbers[name]), name) for name in self.names if name in numbers}
        result = self(**given)
        if not isinstance(result, Value):
            raise ExpressionError(f"{self.text} has no names in it, so there is nothing to take a derivative by.")
        if result.name is None:
            result.named(next(name for name in ("L", "y", "z", "result", "the_result") if name not in self.names))
        result.backward()
        for name, value in given.items():
            if value.grad is None or not math.isfinite(value.grad):
                said = "no derivative" if value.grad is None else f"no finite derivative ({value.grad})"
                at = ", ".join(f"{other} = {v.data:g}" for other, v in given.items())
                raise ExpressionError(f"{self.text} has {said} by {name} at {at}; give other numbers.")
        return result, given

    def refuse(self, piece: Instruction, why: str) -> NoReturn:
        """Raise an error that points at a part of the text."""
        raise ExpressionError(_pointing(self.text, piece.start, piece.end, why))


def parse_expression(text: str) -> ParsedExpression:
    """The function that an expression of numbers, names, + − * / ** and the library's functions describes.

    Parameters
    ----------
    text : str
        Such as `"(a*b + c)*f"` or `"tanh(w*x + b)**2"`, or as one writes it: `"3x² − 2(x + 1)"`, `"e^x"`. `pi` is a number,
        and `e` one that may be given another.

    Raises
    ------
    ExpressionError
        With the place in the text, for whatever else stands there. Nothing in the text is ever executed.

    Examples
    --------
    >>> parse_expression("2x^2")
    ParsedExpression('2*x**2')
    >>> parse_expression("x(x + 1)")
    Traceback (most recent call last):
    chainrule.explanation.expressions.ExpressionError: there is no function named 'x'; for a product write x*(…)
        x(x + 1)
        ^^^^^^^^
    """
    text = typed(text)
    if not text:
        raise ExpressionError("the expression is empty; give one such as (a*b + c)*f.")
    if len(text) > LONGEST:
        raise ExpressionError(f"the expression has {len(text):,} characters; at most {LONGEST:,} are read.")
    if "#" in text:
        place = text.index("#")
        raise ExpressionError(_pointing(text, place, place + 1, "a # has no meaning here; leave it out"))
    try:
        tree = ast.parse(text, mode="eval").body
    except SyntaxError as error:
        place = min(max((error.offset or 1) - 1, 0), len(text) - 1)
        end = max(error.end_offset or 0, place + 2) - 1
        why = f"this cannot be read as an expression: {spelling(text, functions()) or error.msg}"
        raise ExpressionError(_pointing(text, place, end, why)) from None
    except (ValueError, MemoryError, RecursionError) as error:
        raise ExpressionError("the expression cannot be read; it may be nested too deeply.") from error
    return ParsedExpression(text, tuple(_instructions(text, tree)))


def _instructions(text: str, tree: ast.expr) -> Iterator[Instruction]:
    """The tree in postfix order, by a loop: inputs first, then what is computed from them."""
    waiting: list[tuple[ast.expr, Instruction | None, int]] = [(tree, None, 1)]
    while waiting:
        node, ready, depth = waiting.pop()
        if ready is not None:
            yield ready
            continue
        own, inputs = _read(text, node)
        if depth > DEEPEST:
            raise ExpressionError(
                _pointing(
                    text,
                    own.start,
                    own.end,
                    f"more than {DEEPEST} operations are inside each other here; write it in several expressions",
                )
            )
        waiting.append((node, own, depth))
        waiting += [(inner, None, depth + 1) for inner in reversed(inputs)]


def _read(text: str, node: ast.expr) -> tuple[Instruction, list[ast.expr]]:
    """One node's instruction and its inputs; an error for whatever is not on the list."""
    start, end = _place(text, node)

    def refuse(why: str) -> NoReturn:
        raise ExpressionError(_pointing(text, start, end, why))

    if isinstance(node, ast.Constant):
        if isinstance(node.value, bool) or not isinstance(node.value, int | float):
            refuse("numbers, names, + - * / ** and functions are all that can stand here")
        try:
            number = np.float64(node.value)
        except OverflowError:
            number = np.float64(np.inf)
        if not np.isfinite(number):
            refuse("this number is too large")
        return Instruction(start, end, number), []
    if isinstance(node, ast.Name):
        if node.id in _CONSTANTS:
            return Instruction(start, end, np.float64(_CONSTANTS[node.id])), []
        if node.id in functions():
            refuse(f"{node.id} is a function; write {node.id}(…), and call a number something else")
        return Instruction(start, end, name=node.id), []
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return Instruction(start, end, function=_OPERATORS[type(node.op)], inputs=2), [node.left, node.right]
    if isinstance(node, ast.UnaryOp) and type(node.op) in _OPERATORS:
        return Instruction(start, end, function=_OPERATORS[type(node.op)], inputs=1), [node.operand]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        name, known = node.func.id, functions()
        if name not in known:
            hint = nearest(name, known) or "; known are " + ", ".join(sorted(known)[:60])
            product = f"; for a product write {name}*(…)" if len(name) == 1 else hint
            refuse(f"there is no function named {name!r}{product}")
        count = len(known[name].partials)
        if node.keywords or len(node.args) != count:
            refuse(f"{name} takes {count} number{'s' * (count > 1)}")
        op = known[name]
        return Instruction(start, end, function=lambda *given: apply(op, *given), inputs=count), node.args
    refuse(spelling(text, functions()) or "numbers, names, + - * / ** and functions are all that can stand here")


def _number(x: Any) -> Any:
    return x.data if isinstance(x, Value) else x


def _place(text: str, node: ast.expr) -> tuple[int, int]:
    """Where a node stands in the text, in characters; Python's tree counts bytes."""
    encoded = text.encode()
    ends = (node.col_offset, node.end_col_offset or node.col_offset + 1)
    start, end = (len(encoded[:offset].decode(errors="ignore")) for offset in ends)
    return start, end


def _pointing(text: str, start: int, end: int, why: str) -> str:
    """A message with the part of the text below it, and arrows below that."""
    first = max(0, min(start - SHOWN // 3, len(text) - SHOWN))
    excerpt = text[first : first + SHOWN]
    before, after = "… " * (first > 0), " …" * (first + SHOWN < len(text))
    marks = "^" * max(1, min(end, first + SHOWN) - start)
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in excerpt[: start - first])
    return f"{why}\n    {before}{excerpt}{after}\n    {' ' * (len(before) + start - first + wide)}{marks}"
