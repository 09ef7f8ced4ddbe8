"""`chainrule evaluate` and `chainrule predict`: a stored model on further tables."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from chainrule.cli.console import note, say
from chainrule.cli.files import load_model, to_read, to_write
from chainrule.cli.options import MissingChoice, Separator
from chainrule.cli.reports import report
from chainrule.tables import TableError, spell

ModelPath = Annotated[Path, typer.Argument(help="A model that `chainrule train --save` made.", metavar="MODEL")]
DataPath = Annotated[Path, typer.Argument(help="A CSV file with the columns of the training data.", metavar="DATA")]
AsTrained = Annotated[
    MissingChoice | None,
    typer.Option(
        help="Missing values: error, drop, mean or median; by default as in training.",
        metavar="WHAT",
        rich_help_panel="The table",
    ),
]


def evaluate(model: ModelPath, data: DataPath, missing: AsTrained = None, separator: Separator = None) -> None:
    """Say how good a stored model is on a table that holds the right answers."""
    network, preparation = load_model(model)
    table = preparation.read(to_read(data), separator)
    inputs, truth = preparation.apply_with_target(table, None if missing is None else missing.value)
    for remark in (*table.notes, *inputs.notes):
        note(spell(remark, command_line=True))
    if not len(inputs.X):
        raise TableError(f"{table.source} has no row left to evaluate.")
    target = preparation.target
    say(f"{model.name} on {table.source}: {len(inputs.X):,} rows, target {target.name}", "bold")
    predicted = target.restored(np.asarray(network.predict(inputs.X)))
    loss = network.evaluate(inputs.X, target.standardised(truth))["loss"]
    report(target, truth, predicted, float(loss))
    if network.notes.get("source") == table.source:
        note("the model was trained on rows of a file of this name; only rows it never saw tell how good it is")


def predict(
    model: ModelPath,
    data: DataPath,
    output: Annotated[
        Path | None, typer.Option(help="Write the predictions to this CSV file, not to the terminal.", metavar="FILE")
    ] = None,
    probabilities: Annotated[bool, typer.Option("--probabilities", help="Add a column for each class.")] = False,
    missing: AsTrained = None,
    separator: Separator = None,
) -> None:
    """Print a stored model's predictions for the rows of a table, as CSV with one line per row."""
    to_write(output, "--output")
    network, preparation = load_model(model)
    target = preparation.target
    if probabilities and target.task == "regression":
        raise TableError(f"{model.name} predicts the amount {target.name!r}, not classes; leave out --probabilities.")
    table = preparation.read(to_read(data), separator)
    inputs = preparation.apply(table, None if missing is None else missing.value)
    for remark in (*table.notes, *inputs.notes):
        note(spell(remark, command_line=True), to_errors=True)
    header = [target.name]
    rows = [[""] for _ in range(len(table))]
    if len(inputs.X):
        values = target.restored(np.asarray(network.predict(inputs.X)))
        for row, value in zip(inputs.rows, values, strict=True):
            rows[row] = [f"{value:.7g}" if target.task == "regression" else str(value)]
    if probabilities:
        header += [f"P({label})" for label in network.classes]
        shares = network.predict_proba(inputs.X) if len(inputs.X) else np.zeros((0, len(network.classes)))
        blank = [""] * len(network.classes)
        for row in rows:
            row += blank
        for row, values in zip(inputs.rows, shares, strict=True):
            rows[row][1:] = [f"{value:.6f}" for value in values]
    with _opened(output) as stream:
        csv.writer(stream, lineterminator="\n").writerows([header, *rows])
    if output is not None:
        say(f"Wrote {len(rows):,} predictions of {target.name} to {output}.")


@contextmanager
def _opened(path: Path | None) -> Iterator[Any]:
    """The file to write to, or standard output."""
    if path is None:
        yield sys.stdout
    else:
        with path.open("w", encoding="utf-8", newline="") as stream:
            yield stream
