"""What a training tells at the terminal: what became of the columns, what was trained, and how good it is."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping

from chainrule.cli.console import heading, note, say
from chainrule.tables import spell
from chainrule.tabular import TableModel
from chainrule.tabular.scoring.comparing import remarks_beside

LABELS = 10
"""Labels that are listed."""

LEFT_OUT = 12
"""Columns left out that are listed, each with the reason."""

SIMPLER = ("majority class", "mean", "linear model")
"""Models that scores are shown beside."""


def tell_notes(notes: Iterable[str], to_errors: bool = False) -> None:
    """Remarks, with options as they are typed here."""
    for remark in notes:
        note(spell(remark, command_line=True), to_errors)


def tell_columns(model: TableModel, told: Collection[str], asked: Collection[str | None], recognised: bool) -> None:
    """What is predicted, and from what; besides the remarks that were told, and the columns that were asked to be left out."""
    target = model.preparation.target
    what: str = target.task
    if target.task == "classification":
        labels = [str(label) for label in target.classes]
        what += f" into {len(labels)} classes: " + ", ".join(labels[:LABELS]) + ", …" * (len(labels) > LABELS)
    elif target.unit:
        what += f" in {target.unit}"
    other = "regression" if target.task == "classification" else "classification"
    say(f"  target  {target.name}, {what}")
    if recognised and len(target.classes) <= 2 and not any(isinstance(label, str) for label in target.classes):
        say(f"          recognised from its values; if that is wrong: --task {other}", "dim")
    used = len(model.columns)
    say(f"  inputs  {len(model.preparation.features):,} from {used:,} column{'s' * (used != 1)}")
    without = [c for c in model.preparation.columns if not c.features and c.name not in asked]
    tell_notes(f"{column.name} left out: {column.why}" for column in without[:LEFT_OUT])
    if len(without) > LEFT_OUT:
        note(f"{len(without) - LEFT_OUT:,} further columns left out for such reasons")
    tell_notes(remark for remark in model.preparation.remarks if remark not in told)


def tell_networks(model: TableModel, compare: bool) -> None:
    """What was trained, and how good it is, beside simpler models where that is asked for."""
    learned = model.learned
    assert learned is not None
    target, recipe = model.preparation.target, learned.recipe
    widths = " → ".join(
        map(str, [len(model.preparation.features), *(recipe.hidden or ()), max(len(target.classes), 1)])
    )
    count, made = len(learned.epochs), sorted(set(learned.epochs))
    epochs = f"{made[0]:,}" if len(made) == 1 else f"{made[0]:,} to {made[-1]:,}"
    ended = "stopped after " * learned.interrupted
    heading(
        f"{ended}{count} network{'s' * (count != 1)} {widths}, {epochs} epoch{'s' * (made[-1] != 1)}{' each' * (count > 1)}, "
        f"in {learned.seconds:.1f} s"
    )
    if len(learned.tried) > 1:
        say(f"  tried: {', '.join(learned.tried[1:])}; taken: {learned.tried[0]}")
    tell_notes(model.remarks)
    if model.has_scores:
        scores = model.compare(beside=SIMPLER) if compare else model.scores
        say(str(scores))
        tell_notes(remarks_beside(scores))
    else:
        note("with so few rows none were held out, so how good it is on new ones is not known")


def plain(metrics: Mapping[str, float]) -> dict[str, float | None]:
    """Metrics as a file can hold them."""
    return {name: float(value) if math.isfinite(value) else None for name, value in metrics.items()}
