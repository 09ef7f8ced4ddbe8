"""How elements are called in a derivation: a name and the places in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import accumulate

from chainrule.explanation.evaluations.evaluation import Evaluation
from chainrule.explanation.evaluations.labels import with_signs
from chainrule.explanation.formulas.symbols import Element

_PLAIN = re.compile(r"([^\W²³]|[.#′])+(\[\d+(, \d+)*\])*(\(.*\))?")


_FENCE = re.compile(r"(?<![\w.])abs\(([^()|]*)\)")

ARROW = " → "
"""Between the stations of a path."""


@dataclass(frozen=True)
class Spelled:
    """An element's name and places; `short` names are single letters, `plain` ones need no parentheses."""

    name: str
    places: tuple[str, ...]

    @property
    def short(self) -> bool:
        """Whether the name is one letter, as in mathematics."""
        return len(self.name) == 1

    @property
    def plain(self) -> bool:
        """Whether the name is a word or one call, and no formula of several."""
        inner = self.name.partition("(")[2].removesuffix(")")
        open_after = accumulate((c == "(") - (c == ")") for c in inner)
        return _PLAIN.fullmatch(self.name) is not None and min(open_after, default=0) >= 0

    @property
    def compact(self) -> bool:
        """Whether the places can follow as `w_ij`."""
        return self.short and all(len(p) == 1 and p.isalpha() for p in self.places)

    @property
    def text(self) -> str:
        """As plain text: `w_ij`, `hidden.weight[0, 1]`."""
        if not self.places:
            return self.name
        if self.compact:
            return f"{self.name}_{''.join(self.places)}"
        name = self.name if self.plain else f"({self.name})"
        return f"{name}[{', '.join(self.places)}]"


def spelled(evaluation: Evaluation, element: Element, symbols: Mapping[str, str]) -> Spelled:
    """The name and places of an element; a single sample's place is left out."""
    index = element.index
    if element.variable in evaluation.samples and element.variable.shape[0] == 1:
        index = index[1:]
    if element.variable not in evaluation.names:  # axes kept for broadcasting are no places
        index = tuple(i for i, n in zip(element.index, element.variable.shape, strict=True) if n != 1)
    label = evaluation.label(element.variable)
    name = symbols.get(label) or (label if element.variable in evaluation.names else in_signs(label))
    return Spelled(name, tuple(map(str, index)))


def in_signs(formula: str) -> str:
    """A formula as one types it, in the signs of mathematics."""
    for typed, sign in (("**2", "²"), ("**3", "³"), ("**", "^"), ("*", "·"), ("-", "−"), (">=", "≥"), ("<=", "≤")):
        formula = formula.replace(typed, sign)
    return _FENCE.sub(r"|\1|", with_signs(formula))


def wrapped(name: str, room: float, width: Callable[[str], float] = len) -> list[str]:
    """A name on as many lines as it takes, broken before the arrows of a path; `width` measures a line."""
    first, *stations = name.split(ARROW)
    lines = [first]
    for station in stations:
        longer = f"{lines[-1]}{ARROW}{station}"
        if width(longer) <= room:
            lines[-1] = longer
        else:
            lines.append(f"{ARROW.lstrip()}{station}")
    return lines
