"""What a derivation says, as data: its equations in order, every number in full, every symbol with the element it stands for.

All forms are written from this, and nothing else of a derivation is needed to write them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from chainrule.explanation.evaluations.finite_differences import Check
from chainrule.explanation.evaluations.keys import key_of, slope_key
from chainrule.explanation.formulas.symbols import Numeral, Place, Product, Series, Sum
from chainrule.explanation.rendering.names import Spelled
from chainrule.ops.notation import ATOM
from chainrule.ops.operation import Operation


@dataclass(frozen=True)
class Signs:
    """How an operation is written: see `chainrule.ops.notation`; `operands` are how strongly its inputs have to hold together."""

    name: str
    form: str
    sign: str
    latex: str
    strength: int
    operands: tuple[int, ...]

    @classmethod
    def of(cls, op: Operation) -> Signs:
        """Those that an operation declares."""
        notation = op.notation
        return cls(op.name, notation.form, notation.sign, op.latex, notation.strength, tuple(notation.operands))


@dataclass(frozen=True)
class Applied:
    """An operation applied, of which only the signs matter."""

    signs: Signs
    arguments: tuple[Told, ...]


@dataclass(frozen=True)
class Name:
    """A number by its name. `variable` and `index` say which it is, whatever it is called here; `value` what it is, and is
    `None` where letters stand in the index."""

    spelled: Spelled
    strength: int = ATOM
    bracketed: bool = False
    variable: str = ""
    index: tuple[int | str, ...] = ()
    value: float | None = None

    @property
    def key(self) -> str:
        """The text by which `explain` knows it; empty for a value without name."""
        return key_of(self.variable, self.index)


@dataclass(frozen=True)
class Derivative:
    """∂of/∂by, which goes by its name; either is a formula where that says it shorter, and `d` "d" where there is one variable."""

    of: Told
    by: Told
    variable: str = ""
    index: tuple[int | str, ...] = ()
    value: float | None = None
    d: str = "∂"

    @property
    def key(self) -> str:
        """`∂L/∂` and the text by which `explain` knows what it is by."""
        of = self.of.key or self.of.spelled.text if isinstance(self.of, Name) else ""
        return slope_key(of, key_of(self.variable, self.index))


Told = Numeral | Place | Sum | Product | Series | Applied | Name | Derivative
"""A formula whose symbols tell themselves what they are."""


@dataclass(frozen=True)
class Term:
    """A term of a sum or a factor of a product, and its number where it is put in."""

    formula: Told
    value: float | None = None


@dataclass(frozen=True)
class Passage:
    """One right side of an equation.

    `kind` is "formula" (symbols stay), "numbers" (numbers are put in for them) or "values" (of every term its number), `digits` how
    many of them are printed, `joined` the sign between values, "+" or "*". `more` terms are left out, `rest` together.
    """

    kind: str
    terms: tuple[Term, ...]
    digits: int = 6
    joined: str = "+"
    more: int = 0
    rest: float = 0.0


@dataclass(frozen=True)
class Definition:
    """What a value without name is computed from."""

    left: Name
    right: Told


@dataclass(frozen=True)
class Statement:
    """One equation of a derivation: a left side, right sides one below the other, and a result.

    `left` is a gradient, or `None` for an instance of the equation above, which is for these `places`; `rules` are named beside it.
    """

    left: Derivative | None
    places: tuple[tuple[str, int], ...]
    rights: tuple[Passage, ...]
    value: float | None
    rules: tuple[str, ...] = ()
    check: Check | None = None
    definition: Definition | None = None
    key: str = ""
    """Of an instance: the key of its gradient."""
    made: tuple[tuple[str, Told], ...] = ()
    """What each rule made of the formula."""


@dataclass(frozen=True)
class Block:
    """An equation, instances of it in numbers, and how many more elements there are like these."""

    statement: Statement
    instances: tuple[Statement, ...] = ()
    more: int = 0


@dataclass(frozen=True)
class Story:
    """A derivation: the whole gradient in one equation, the lines that lead to it from the output, and what is to be known."""

    output: Name
    element: Name
    whole: Statement
    lines: tuple[Block, ...]
    notes: tuple[str, ...]
    digits: int

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The lines that say more than the whole does."""
        return self.lines if len(self.lines) > 1 else ()


@dataclass(frozen=True)
class RuleApplied:
    """One application of a rule of differentiation."""

    slope: Derivative
    result: Told
    rules: tuple[str, ...]


@dataclass(frozen=True)
class ArgumentStory:
    """The derivative of a formula by one argument: the lines that lead to it, and the result."""

    argument: str
    slope: Derivative
    lines: tuple[RuleApplied, ...]
    result: Told


@dataclass(frozen=True)
class KinkTold:
    """A part that is not differentiable where this holds, with {0}, {1} for its inputs."""

    of: Told
    where: str
    inputs: tuple[Told, ...]


@dataclass(frozen=True)
class FormulaStory:
    """The derivatives of a formula by all its arguments; `parts` are names for parts of a very long one."""

    name: Name
    arguments: tuple[Name, ...]
    formula: Told
    parts: tuple[Definition, ...]
    partials: tuple[ArgumentStory, ...]
    kinks: tuple[KinkTold, ...]


def names_in(x: Told) -> Iterator[Name | Derivative]:
    """The numbers that a formula speaks of, from left to right, each as often as it occurs."""
    if isinstance(x, Name | Derivative):
        yield x
    elif isinstance(x, Sum | Product | Applied):
        inner = x.terms if isinstance(x, Sum) else x.factors if isinstance(x, Product) else x.arguments
        for part in inner:
            yield from names_in(part)  # type: ignore[arg-type]
    elif isinstance(x, Series):
        yield from names_in(x.body)  # type: ignore[arg-type]
