"""What is said of a training that did less than suits its rows, since there was little time, it was up, or somebody ended it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from chainrule.tables.options import option
from chainrule.tabular.learning.plan import FEWEST_EPOCHS, Plan


def shortfall(plan: Plan, epochs: Sequence[int], took: float, interrupted: bool) -> tuple[str, ...]:
    """One remark, or none where all was done that suits the rows.

    Parameters
    ----------
    plan : Plan
        What was to be done.
    epochs : sequence of int
        How many each network has made.
    took : float
        Seconds.
    interrupted : bool
        Whether somebody ended it.

    Examples
    --------
    >>> from chainrule.tables import spell
    >>> plan = Plan(folds=5, repeats=1, epochs=120)
    >>> shortfall(plan, [120] * 5, 9.0, False)
    ()
    >>> print(spell(shortfall(plan, [120, 60], 3.0, False)[0], command_line=True))
    time ran out when 2 of 5 networks were trained, the shortest for 60 of 120 epochs; another training with the same seed may \
give another model; about 10 s would be enough (--time 10s)
    >>> print(spell(shortfall(Plan(folds=1, repeats=1, epochs=3, wanted=100), [3], 0.9, False)[0], command_line=True))
    there was time for 3 of the 100 epochs that would suit this table; about 30 s would be enough (--time 30s)
    """
    least, few = min(epochs), len(epochs) < plan.members
    if least >= plan.epochs and not few:
        if plan.epochs >= min(plan.wanted, FEWEST_EPOCHS):
            return ()
        needed = math.ceil(took * plan.wanted / plan.epochs)
        return (
            f"there was time for {plan.epochs} of the {plan.wanted} epochs that would suit this table; {_enough(needed)}",
        )
    shortest = f"{least:,} of {plan.epochs:,} epochs"
    done = f"after {shortest}"
    if few:
        done = f"when {len(epochs)} of {plan.members} networks were trained"
        done += f", the shortest for {shortest}" if least < plan.epochs else ""
    again = "another training with the same seed may give another model"
    if interrupted:
        return (f"training was stopped {done}; {again}",)
    needed = math.ceil(took * plan.members * plan.epochs / sum(epochs))
    return (f"time ran out {done}; {again}; {_enough(needed)}",)


def _enough(seconds: int) -> str:
    """The time that would do, and how it is given."""
    return f"about {seconds} s would be enough ({option('seconds', str(seconds))})"
