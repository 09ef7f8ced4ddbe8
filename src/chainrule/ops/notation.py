"""How an operation is written and spoken of, what textbooks print of it, and how exact it is: data of its declaration."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Literal, NamedTuple

COMPARISON, SUM, PRODUCT, SIGN, POWER, ATOM = range(6)
"""How strongly a piece of a formula holds together; SIGN is that of −x, and of Σ x."""


Form = Literal[
    "function", "infix", "prefix", "fraction", "power", "exponential", "root", "fence", "case", "cases",
]  # fmt: skip
"""Kinds of notation: f(x), a + b, −x, a over b, aᵇ, eˣ, √x, |x|, [a > b], and "a if c else b"."""
Algebra = Literal[
    "", "sum", "difference", "product", "quotient", "negation", "reciprocal", "power", "square", "identity",
    "complement",
]  # fmt: skip
Cost = Literal["free", "addition", "multiplication", "function"]


class Notation:
    """The signs of an operation, in formulas, as one types it and in graphs, and the words of its derivative.

    By default it is a function that goes by its name: `tanh(x)`.

    `form` is the kind of notation, one of those below, and `sign` what is written there: the sign between two
    operands or before one, both sides of a fence, the name of a function or the base of an exponential in text.
    `strength` tells how strongly the whole holds together, `operands` how strongly its parts have to; `typed` is the
    template of what one types, where that is no call (`typed_with` the one for static arguments, given by name), and `symbol`
    what stands in the ellipse of a graph.

    `algebra` says which simplifications apply (see `explanation/formulas/symbols.py`). `rule` is the school's name of the
    differentiation rule, or of one for each input, "derivative of …" by default, and "" where numbers only move; in the inputs
    at the positions `linear` others that are constant are a constant factor. `cost` says how a single number is counted.
    """

    def __init__(
        self,
        form: Form = "function",
        sign: str = "",
        strength: int = ATOM,
        operands: tuple[int, ...] = (),
        typed: str = "",
        symbol: str = "",
        algebra: Algebra = "",
        rule: str | tuple[str, ...] | None = None,
        linear: tuple[int, ...] = (),
        cost: Cost = "function",
        typed_with: Callable[..., str] | None = None,
        opposite: str = "",
    ) -> None:
        self.form, self.sign, self.strength, self.operands = form, sign, strength, operands
        self.typed, self.symbol, self.algebra, self.rule = typed, symbol, algebra, rule
        self.linear, self.cost, self.typed_with, self.opposite = linear, cost, typed_with, opposite

    @property
    def compares(self) -> bool:
        """Whether what it writes is true or false."""
        return self.form == "infix" and self.strength == COMPARISON

    def rule_by(self, position: int) -> str | None:
        """The rule of the derivative by one input."""
        return self.rule[position] if isinstance(self.rule, tuple) else self.rule


def infix(sign: str, typed: str, strength: int, operands: tuple[int, int], **more: Any) -> Notation:
    """A sign between two operands, another where it is typed; "" where one types a call."""
    return Notation("infix", sign, strength, operands, typed and f"{{0}}{typed}{{1}}", **more)


def relation(sign: str, typed: str = "", opposite: str = "") -> Notation:
    """A comparison, and how one types the one that holds where this does not."""
    return infix(sign, f" {typed or sign} ", COMPARISON, (SUM, SUM), opposite=opposite)


def named(sign: str, **more: Any) -> Notation:
    """A function by another name than the operation's."""
    return Notation(sign=sign, **more)


class Textbook(NamedTuple):
    """What textbooks print: the value and the partial derivatives without what keeps numbers finite.

    Written as in the declaration, over `m`; explanations show these in place of what is computed. `None`, or a partial
    that is left out, where what is computed is what textbooks print. The numbers shown are always those computed.
    `differential` is the rule for all inputs at once, of them and then their derivatives, where that is no sum of partials times
    these: (b·da − a·db)/b².
    """

    value: Callable[..., Any] | None = None
    partials: tuple[Callable[..., Any] | None, ...] = ()
    differential: Callable[..., Any] | None = None

    def partial(self, position: int) -> Callable[..., Any] | None:
        """The partial derivative by the input at a position."""
        return self.partials[position] if position < len(self.partials) else None

    def given(self, **static: Any) -> Textbook:
        """The same for static arguments that are known."""
        value, differential, *partials = (
            rule and partial(rule, **static) for rule in (self.value, self.differential, *self.partials)
        )
        return Textbook(value, tuple(partials), differential)


class Accuracy(NamedTuple):
    """The error that engines are held to, in units in the last place of the value.

    Half a unit is the nearest number: the bits of NumPy. Where `composed`, the value is written in other operations
    and is as exact as its formula: the unit is that of the largest of value and inputs. `either_zero`: the sign of a
    zero is not told, as of max(0, −0).

    Sums and contractions are as exact as NumPy's, which adds up in pairs what lies side by side in memory, and one by one what
    does not: a sum along the first or a middle axis has an error that grows with its length. A contraction that sums over nothing,
    which `np.outer` is, gives either zero.
    """

    ulps: float = 0.5
    composed: bool = False
    either_zero: bool = False


EXACT, EITHER_ZERO = Accuracy(), Accuracy(either_zero=True)
"""To the bit, or but for the sign of a zero."""
CLOSE, NEAR, COMPOSED = Accuracy(2.0), Accuracy(4.0), Accuracy(4.0, composed=True)
"""To two and to four units in the last place; as exact as its formula."""

Bounds = tuple[int | None, ...]


def typed_places(start: Bounds, stop: Bounds, step: tuple[int, ...], drop: tuple[int, ...] = ()) -> str:
    """The places of a slice as one types them, `[1:, 0]`."""

    def spelled(i: int) -> str:
        first, last = ("" if x is None else str(x) for x in (start[i], stop[i]))
        return first if i in drop else f"{first}:{last}" + f":{step[i]}" * (step[i] != 1)

    places = [spelled(i) for i in range(len(step))]
    while len(places) > 1 and places[-1] == ":":
        places.pop()
    return f"[{', '.join(places)}]"


def typed_transpose(axes: tuple[int, ...]) -> str:
    """A transposition as one types it, with {0} for what is transposed."""
    return "{0}.T" if axes == tuple(reversed(range(len(axes)))) else f"transpose({{0}}, {', '.join(map(str, axes))})"
