"""An evaluation without the shift that keeps a softmax's powers finite: exp(x)/Σ exp(x) for exp(x − c)/Σ exp(x − c).

Both are the same quotient. Powers and their sums are those of x itself then, and derivatives by them as much smaller as these
are larger, so that all factors multiply as before. Where powers of x itself are no finite numbers the shift stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from chainrule.explanation.evaluations.evaluation import Evaluation
from chainrule.ops import Elementwise, Reduction
from chainrule.ops.kinds.reduction import Uniform
from chainrule.tracing.program import Atom, Equation, Variable


@dataclass(frozen=True)
class _Shifted:
    """Powers of a shifted value, the sums of them, and by how much larger they are without the shift."""

    power: Equation
    unshifted: Variable
    sums: tuple[Equation, ...]
    larger: Any


def without_shifts(evaluation: Evaluation) -> Evaluation:
    """The same evaluation with quotients of powers as textbooks have them."""
    found = [x for e in evaluation.program.equations if (x := _shifted(evaluation, e)) is not None]
    if not found:
        return evaluation
    values, cotangents = dict(evaluation.values), dict(evaluation.cotangents)
    powers: dict[Variable, Equation] = {}
    for x in found:
        powers[x.power.output] = x.power.replace(inputs=(x.unshifted,))
        for changed in (x.power.output, *(e.output for e in x.sums)):
            values[changed] = evaluation.precise(changed) * x.larger
            if changed in cotangents:
                cotangents[changed] = cotangents[changed] / x.larger
    equations = tuple(powers.get(e.output, e) for e in evaluation.program.equations)
    return replace(
        evaluation, program=replace(evaluation.program, equations=equations), values=values, cotangents=cotangents
    )


def _shifted(evaluation: Evaluation, equation: Equation) -> _Shifted | None:
    """What is to be changed of an equation exp(x − c), if its quotients are the same without c."""
    (shifted, *_) = equation.inputs
    maker = evaluation.makers.get(shifted) if isinstance(shifted, Variable) else None
    if equation.op.notation.form != "exponential" or maker is None or maker.op.notation.algebra != "difference":
        return None
    x, c = maker.inputs
    power = equation.output
    hidden = (power, maker.output)
    if not isinstance(x, Variable) or not _is_held(evaluation, c) or any(y in evaluation.names for y in hidden):
        return None
    uses = [own for own, _ in evaluation.uses[power]]
    sums = tuple(own for own in uses if _adds_up(own) and all(c.shape[i] == 1 for i in own.attributes["axis"]))
    quotients = [own for own in uses if own not in sums]
    totals = {own.output for own in sums}
    below = [use for total in totals for use in evaluation.uses[total]]
    if not totals or any(total in evaluation.names for total in totals) or evaluation.value(x) is None:
        return None
    if not all(_is_quotient(own, power, totals) for own in (*quotients, *(own for own, _ in below))):
        return None
    with np.errstate(all="ignore"):
        larger = equation.op.evaluate(evaluation.precise(c))
        all_powers = evaluation.precise(power) * larger
    return _Shifted(equation, x, sums, larger) if _is_usable(all_powers, larger) else None


def _is_held(evaluation: Evaluation, c: Atom) -> bool:
    """Whether a value is kept from derivatives by the operation that makes it."""
    maker = evaluation.makers.get(c) if isinstance(c, Variable) else None
    return maker is not None and isinstance(maker.op, Elementwise) and not any(maker.op.partials)


def _adds_up(equation: Equation) -> bool:
    partial = getattr(equation.op, "partial", None)
    return isinstance(equation.op, Reduction) and isinstance(partial, Uniform) and partial.of_count(2) == 1.0


def _is_quotient(equation: Equation, power: Variable, totals: set[Variable]) -> bool:
    """Whether an equation is powers over a sum of them."""
    top_and_bottom: Sequence[Atom] = equation.inputs
    return equation.op.notation.algebra == "quotient" and top_and_bottom[0] is power and top_and_bottom[1] in totals


def _is_usable(*arrays: Any) -> bool:
    return all(np.isfinite(x).all() and np.all(x) for x in arrays)
