"""What derivations consist of, before they are written in any form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from chainrule.explanation.evaluations.elements import Formulas
from chainrule.explanation.evaluations.evaluation import Evaluation
from chainrule.explanation.evaluations.finite_differences import Check
from chainrule.explanation.formulas.indices import Letter
from chainrule.explanation.formulas.symbols import Element, Expression, Slope


@dataclass(frozen=True)
class Part:
    """One term of a sum with its number; the symbols of `expression` have no letters left but those of inner sums."""

    expression: Expression
    value: float


@dataclass(frozen=True)
class Instance:
    """A line's formula for one element, in numbers: parts, how many more there are and what they are together."""

    element: Element
    places: Mapping[Letter, int]
    parts: tuple[Part, ...]
    more: int
    rest: float
    value: float
    check: Check | None = None


@dataclass(frozen=True)
class Line:
    """The gradient of a family of elements: its formula, the rules used, and instances in numbers."""

    element: Element
    formula: Expression
    rules: tuple[str, ...]
    instances: tuple[Instance, ...]
    more: int = 0
    made: tuple[tuple[str, Expression], ...] = ()
    """What each rule made of the formula."""


@dataclass(frozen=True, repr=False)
class Derived:
    """Why ∂output/∂element is what it is: the whole gradient in one formula, and the lines that lead to it."""

    evaluation: Evaluation
    output: Element
    element: Element
    formula: Expression
    factors: tuple[Part, ...]
    terms: tuple[Part, ...]
    value: float | None
    lines: tuple[Line, ...]
    value_of: Callable[[Any, Mapping[Letter, Any]], Any]
    formulas: Formulas
    definitions: Mapping[Element, Expression] = field(default_factory=dict)
    symbols: Mapping[str, str] = field(default_factory=dict)
    digits: int = 6
    check: Check | None = None
    further: int = 0
    """Lines left out before the last one."""
    most: int = 3
    """Terms of a long sum that are shown one by one."""
    family: tuple[Check, ...] = ()
    """Of an element with letters: checks of elements that it stands for."""
    kinks: tuple[str, ...] = ()
    """What is to be told of values on the way that have no derivative."""


@dataclass(frozen=True)
class RuleLine:
    """One application of a rule: the derivative of a part of the formula, in terms of derivatives of smaller parts."""

    slope: Slope
    result: Expression
    rules: tuple[str, ...]


@dataclass(frozen=True)
class PartialDerivative:
    """The derivative by one argument: the lines that lead to it, the outermost first, and the result."""

    argument: str
    slope: Slope
    lines: tuple[RuleLine, ...]
    result: Expression


@dataclass(frozen=True)
class Kink:
    """A part of a formula that has no derivative at some places: which, and where, with {0}, {1} for its inputs."""

    of: Element
    where: str
    inputs: tuple[Expression, ...]


@dataclass(frozen=True, repr=False)
class DerivedFormula:
    """The derivatives of a formula by all its arguments."""

    name: str
    formulas: Formulas
    output: Element
    partials: tuple[PartialDerivative, ...]
    kinks: tuple[Kink, ...] = ()
