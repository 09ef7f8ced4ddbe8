"""Mistakes that the numbers alone show: another factor, another order, another shape."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from chainrule.explanation.comparison.mistake import Given, Hypothesis, Mistake
from chainrule.explanation.sentences import told

LARGEST = 1000
"""Rows or columns up to which an order among them is looked for."""


@dataclass(frozen=True)
class NotFiniteGiven(Mistake):
    """NaN or infinity among the numbers given."""

    def hypotheses(self, given: Given) -> Iterator[Hypothesis]:
        """That what was given is what was given, for it is no gradient."""

        def gives(name: str) -> Any:
            return None if np.isfinite(given.mine[name]).all() else given.mine[name]

        yield Hypothesis(
            "there is NaN or infinity in it",
            "Look for the first operation that gives one: a division, a log, an overflow",
            gives,
        )


@dataclass(frozen=True)
class Transposed(Mistake):
    """rightᵀ."""

    def hypotheses(self, given: Given) -> Iterator[Hypothesis]:
        """Of matrices."""

        def gives(name: str) -> Any:
            return given.right(name).T if given.right(name).ndim == 2 and 1 not in given.right(name).shape else None

        yield Hypothesis(
            "the right gradient transposed",
            "Take the factors the other way round: inputs.T @ delta for weights of shape (inputs, units)",
            gives,
        )


@dataclass(frozen=True)
class Reshaped(Mistake):
    """The right numbers in the right order, in an array of another shape."""

    def hypotheses(self, given: Given) -> Iterator[Hypothesis]:
        """Where there are as many numbers."""

        def gives(name: str) -> Any:
            mine, right = given.mine[name], given.right(name)
            return right.reshape(mine.shape) if mine.size == right.size and mine.shape != right.shape else None

        yield Hypothesis("the right numbers in another shape", "Use reshape, or keepdims in sums", gives)


@dataclass(frozen=True)
class BiasMean(Mistake):
    """right/N for the biases only: their mean over the samples was taken, where δ has the mean in it already."""

    def hypotheses(self, given: Given) -> Iterator[Hypothesis]:
        """Where there are several samples, and something else is right."""
        if given.rows > 1 and any(name not in given.wrong for name in given.names if name not in given.biases):
            yield Hypothesis(
                f"1/{given.rows} of the right gradient, where no other parameter is: the mean over the {given.rows} rows was taken, "
                "where ∂L/∂z has been divided by that already",
                "Take the sum, delta.sum(axis=0)",
                lambda name: given.right(name) / given.rows if name in given.biases else None,
                evidence={"factor": 1 / given.rows},
            )


@dataclass(frozen=True)
class Factor(Mistake):
    """c·right, with a c that is told where it is known: −1, 2, ½, 0, the numbers of rows and of outputs, the learning rate."""

    def hypotheses(self, given: Given) -> Iterator[Hypothesis]:
        """Every factor that some gradient differs by."""
        known = known_factors(given)
        seen: list[float] = []
        for name in given.wrong:
            mine, right = given.mine[name], given.right(name)
            if mine.shape != right.shape or not np.any(right) or not np.isfinite(mine).all():
                continue
            c = float(np.vdot(right, mine) / np.vdot(right, right))
            c = nearest(known, c, given)
            if not any(math.isclose(c, x, rel_tol=10 * given.tolerance) for x in seen):
                seen.append(c)
                yield _factor(given, c, known.get(c, []))


@dataclass(frozen=True)
class Permuted(Mistake):
    """The right rows, columns or elements in another order."""

    def hypotheses(self, given: Given) -> Iterator[Hypothesis]:
        """Along each axis, of every gradient by itself."""
        for name in given.wrong:
            mine, right = given.mine[name], given.right(name)
            if mine.shape != right.shape or not np.isfinite(mine).all():
                continue
            for axis, what in enumerate(("elements",) if right.ndim == 1 else ("rows", "columns")[: right.ndim]):
                order = _order(given, name, np.moveaxis(mine, axis, 0), np.moveaxis(right, axis, 0))
                if order is not None:
                    yield Hypothesis(
                        f"the right {what} in another order: {', '.join(map(str, order[:12]))}{', …' * (len(order) > 12)}",
                        f"Check what the {what} stand for",
                        {name: np.take(right, order, axis=axis)}.get,
                        evidence={"axis": axis, "order": order},
                    )


def _order(given: Given, name: str, mine: Any, right: Any) -> list[int] | None:
    """Which of the right rows stands at each place; `None` if they are not these rows, or in this order already."""
    count = len(right)
    if not 1 < count <= LARGEST:
        return None
    left = dict.fromkeys(range(count))
    order = []
    for row in mine:
        apart = {i: float(np.abs(right[i] - row).max()) for i in left}
        best = min(apart, key=lambda i: apart[i])
        if apart[best] > given.bound(name):
            return None
        del left[best]
        order.append(best)
    return order if order != list(range(count)) else None


def nearest(known: Iterable[float], c: float, given: Given) -> float:
    """The known factor that one is to rounding, or else the factor itself."""
    return next((x for x in known if math.isclose(x, c, rel_tol=10 * given.tolerance, abs_tol=1e-12)), c)


def _factor(given: Given, c: float, reasons: list[str]) -> Hypothesis:
    def gives(name: str) -> Any:
        return c * given.right(name)

    if not reasons:
        return Hypothesis(
            f"{told(c, 6)} times the right gradient",
            "Look at constants: of the loss, or a learning rate",
            gives,
            2,
            {"factor": c},
        )
    times = "0 everywhere" if c == 0 else "the wrong sign" if c == -1 else f"{told(c, 6)} times the right gradient"
    return Hypothesis(f"{times}: {', or '.join(reasons)}", undone(c), gives, 0, {"factor": c})


def undone(c: float) -> str:
    """What to do about a factor."""
    if c in (0, -1):
        return "Check what is assigned to it" if c == 0 else "Change the sign"
    return f"Divide it by {told(c, 6)}" if abs(c) > 1 else f"Multiply it by {told(1 / c, 6)}"


Part = tuple[float, str]
"""A number that may be a factor of a factor, and what it comes of; nothing of 1."""


def known_factors(given: Given) -> dict[float, list[str]]:
    """Factors that are known, each with the reasons there may be, those of fewest parts alone."""
    nothing: Part = (1.0, "")
    signs = [
        nothing,
        (-1.0, "−1 is a wrong sign: target − output instead of output − target, or a step instead of a gradient"),
    ]
    twos = [
        nothing,
        (2.0, "2 is the derivative of a square, 2d, where L has ½d²"),
        (0.5, "½ comes from ½d², where L has d²"),
    ]
    rates = [nothing]
    if given.rate is not None:
        rates.append((given.rate, f"{given.rate:g} is the learning rate, which belongs to the update"))
    found: dict[float, list[list[str]]] = {}
    for parts in product(signs, twos, [nothing, *_means(given)], rates):
        c, reasons = math.prod(x for x, _ in parts), [reason for _, reason in parts if reason]
        if reasons and c != 1.0:
            known = next((x for x in found if math.isclose(x, c, rel_tol=1e-12)), c)
            found.setdefault(known, []).append(reasons)
    named = {0.0: ["it was not computed, or multiplied by 0"]}
    for c, ways in found.items():
        fewest = min(map(len, ways))
        named[c] = [", and ".join(reasons) for reasons in ways if len(reasons) == fewest]
    return named


def _means(given: Given) -> list[Part]:
    """The numbers of rows and of outputs, and both, as what a mean was not divided by, or once too often."""
    outputs = next((x.shape[-1] for x in given.outputs if len(x.shape) > 1), 1)
    sizes = {"rows": given.rows, "outputs": outputs, "rows times outputs": given.rows * outputs}
    if 1 in (given.rows, outputs):
        del sizes["rows times outputs"]
    parts: list[Part] = []
    for what, size in sizes.items():
        if size > 1:
            parts += [
                (float(size), f"{size} is the number of {what}, over which the mean should have been taken"),
                (1.0 / size, f"1/{size} comes from the mean over {size} {what}, which was taken once too often"),
            ]
    return parts
