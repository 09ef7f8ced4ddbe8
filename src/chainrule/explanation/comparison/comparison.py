"""A comparison: which gradients are right, and in which way the others differ."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from chainrule.errors import UnknownNameError
from chainrule.explanation.comparison.compared import Compared, Difference, GradientPair
from chainrule.explanation.comparison.mistake import Given, Hypothesis
from chainrule.explanation.comparison.of_numbers import known_factors, nearest, undone
from chainrule.explanation.comparison.registry import MISTAKES
from chainrule.explanation.comparison.writing import FORMS, as_data
from chainrule.explanation.derivations.derivation import Derivation
from chainrule.explanation.rendering.written import Written
from chainrule.explanation.sentences import told


class Comparison(Compared, Written):
    """Gradients of one's own beside the right ones.

    `gradients` has one entry for each, from the output to the input, as in the backward pass; `differences` the ways in which they
    are wrong, `first_wrong` the first one that is, `explanation` how that comes about where no known mistake explains it.
    `tolerance` is the relative difference up to which two gradients are the same, which is rounding of `dtype`,
    or to the digits that were `typed`.
    Printing gives text; `to("markdown")`, "html" and "json" other forms.
    """

    def __getitem__(self, name: str) -> GradientPair:
        for entry in self.gradients:
            if entry.name == name:
                return entry
        raise UnknownNameError.among("gradient", name, [x.name for x in self.gradients])

    def forms(self) -> Mapping[str, Callable[[Compared], str]]:
        """What writes it as text, Markdown, HTML and JSON."""
        return FORMS

    def data(self) -> dict[str, Any]:
        """The same as nested dicts and lists, every number with all its digits."""
        return as_data(self)


def told_apart(
    given: Given, explain: Callable[[str, tuple[int, ...]], Derivation | None], digits: int = 6
) -> Comparison:
    """In which ways gradients differ from the right ones; `explain` derives the right number at a place."""
    entries = tuple(_compared(given, name) for name in given.names)
    with np.errstate(all="ignore"):  # a mistake may well leave the numbers there are
        differences, left = _explained(given)
    explanation = None
    if left:
        entry = next(x for x in entries if x.name == left[0])
        differences.append(_unknown(entry, left))
        if entry.place is not None:
            explanation = explain(entry.name, entry.place)
    tolerance, dtype, typed = given.precision
    return Comparison(entries, tuple(differences), explanation, tolerance, dtype, digits, typed)


def _unknown(entry: GradientPair, names: list[str]) -> Difference:
    """What is said where no mistake that is known gives these numbers."""
    if entry.place is None:
        says = f"shape {entry.shape} instead of {entry.right_shape}, and its numbers match no known mistake"
        return Difference("", tuple(names), says, f"Give {entry.name} the shape {entry.right_shape}")
    where = f"{entry.name}[{', '.join(map(str, entry.place))}]" if entry.place else entry.name
    return Difference(
        "", tuple(names), f"wrong in no way that is known, most in {where}", f"See below how {where} comes about"
    )


def _explained(given: Given) -> tuple[list[Difference], list[str]]:
    """The mistakes that explain most of the wrong gradients, one after the other, and the names that none explains."""
    left, found = list(given.wrong), []
    if not left:
        return [], []
    fitting = []
    known = known_factors(given)
    for order, (kind, mistake) in enumerate(MISTAKES.items()):
        for single in mistake.hypotheses(given):
            for several, hypothesis in enumerate(_alone_and_scaled(given, single, known)):
                fits, elsewhere = _fits(given, hypothesis)
                if fits:
                    fitting.append((kind, hypothesis, fits, (-several, elsewhere, -hypothesis.unknowns, -order)))
                    break
    while left and fitting:
        kind, hypothesis, fits, _ = max(fitting, key=lambda x: (len(x[2].intersection(left)), *x[3]))
        names = [name for name in left if name in fits]
        if not names:
            break
        found.append(Difference(kind, tuple(names), hypothesis.says, hypothesis.remedy, hypothesis.evidence))
        left = [name for name in left if name not in fits]
    return found, left


SURE = 2
"""How many more numbers than unknowns two mistakes together must explain, since there are many pairs of them."""


def _alone_and_scaled(given: Given, hypothesis: Hypothesis, known: Mapping[float, list[str]]) -> Iterator[Hypothesis]:
    """A mistake, and the same together with a known factor, where the first wrong gradient that it is about has one."""
    yield hypothesis
    for name in given.wrong:
        wanted, mine = hypothesis.gives(name), given.mine[name]
        if wanted is None or np.shape(wanted) != mine.shape or not np.any(wanted):
            continue
        if not np.isfinite([wanted, mine]).all() or given.same(name, wanted, given.right(name)):
            continue
        c = nearest(known, float(np.vdot(wanted, mine) / np.vdot(wanted, wanted)), given)
        if c and c in known:
            yield _scaled(hypothesis, c, known[c])
        return


def _scaled(hypothesis: Hypothesis, c: float, reasons: list[str]) -> Hypothesis:
    """A mistake together with a factor."""

    def gives(name: str) -> Any:
        own = hypothesis.gives(name)
        return None if own is None else c * own

    return Hypothesis(
        f"{hypothesis.says}; and that multiplied by {told(c, 6)}: {', or '.join(reasons)}",
        f"{hypothesis.remedy}. {undone(c)}",
        gives,
        hypothesis.unknowns + SURE,
        {**hypothesis.evidence, "factor": c},
    )


def _fits(given: Given, hypothesis: Hypothesis) -> tuple[set[str], int]:
    """The wrong gradients that a hypothesis explains, and how many of the right ones it leaves right."""
    fits, numbers, elsewhere = set(), 0, 0
    for name in given.names:
        wanted = hypothesis.gives(name)
        if wanted is None:
            continue
        mine, right = given.mine[name], given.right(name)
        if name not in given.wrong:
            elsewhere += given.same(name, wanted, right)
        elif given.same(name, mine, wanted) or (
            not np.isfinite(mine).all() and np.array_equal(mine, wanted, equal_nan=True)
        ):
            fits.add(name)
            numbers += np.size(mine) if np.shape(wanted) != np.shape(right) else int(np.sum(np.asarray(right) != 0))
    return (fits, elsewhere) if numbers > hypothesis.unknowns or (fits and not hypothesis.unknowns) else (set(), 0)


def _compared(given: Given, name: str) -> GradientPair:
    mine, right = given.mine[name], given.right(name)
    known = name, given.is_right(name), tuple(mine.shape), tuple(right.shape)
    if mine.shape != right.shape:
        return GradientPair(*known, None, None, None, None, None)
    with np.errstate(all="ignore"):
        apart = np.abs(mine - right)
    apart = np.where(np.isfinite(apart), apart, math.inf)
    place = tuple(int(i) for i in np.unravel_index(int(np.argmax(apart)), apart.shape)) if apart.ndim else ()
    difference, scale = float(apart[place]), given.scale(name)
    error = difference / scale if scale else math.inf if difference else 0.0
    return GradientPair(*known, difference, error, place, float(mine[place]), float(right[place]))
