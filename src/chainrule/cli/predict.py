"""`chainrule evaluate` and `chainrule predict`: a stored model on further tables."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from chainrule.cli.console import note, say
from chainrule.cli.files import load_model, table_to_read, to_list, to_write
from chainrule.cli.options import TABLE, Decimal, Encoding, MissingChoice, Separator, mark_of
from chainrule.tables import TableError, spell

ModelPath = Annotated[Path, typer.Argument(help="A model saved by `chainrule train --save`.", metavar="MODEL")]
DataPath = Annotated[
    str, typer.Argument(help="A table with the columns of the training data, in any order.", metavar="DATA")
]
AsTrained = Annotated[
    MissingChoice | None,
    typer.Option(help="Missing values: fill, drop or error. By default as in training.", metavar="WHAT", **TABLE),
]


def evaluate(
    model: ModelPath,
    data: DataPath,
    missing: AsTrained = None,
    separator: Separator = None,
    encoding: Encoding = None,
    decimal: Decimal = None,
) -> None:
    """Score a saved model on a table that includes the target column."""
    found = load_model(model)
    table = found.preparation.read(table_to_read(data), separator, mark_of(decimal), encoding)
    for remark in table.notes:
        note(spell(remark, command_line=True))
    scores = found.evaluate(table, None if missing is None else missing.value)
    say(f"{model.name} on {table.source}: {len(scores.truth):,} rows, target {found.target}", "bold")
    say(str(scores))
    if found.facts.get("source") == table.source:
        note("the model was trained on a file of this name; only rows it has never seen show how good it is")


def predict(
    model: ModelPath,
    data: DataPath,
    output: Annotated[
        Path | None,
        typer.Option(help="Write the predictions to this CSV file instead of the terminal.", metavar="FILE"),
    ] = None,
    probabilities: Annotated[
        bool, typer.Option("--probabilities", help="Add a column with the probability of each class.")
    ] = False,
    keep: Annotated[
        list[str] | None,
        typer.Option(
            help="A column of DATA to copy next to the predictions, such as an ID. May be repeated.", metavar="COLUMN"
        ),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, help="With two classes, predict the second from this probability on.", metavar="SHARE"
        ),
    ] = None,
    missing: AsTrained = None,
    separator: Separator = None,
    encoding: Encoding = None,
    decimal: Decimal = None,
) -> None:
    """Print a saved model's predictions for the rows of a table, as CSV with one line per row."""
    to_write(output, "--output", model=model, data=data)
    found = load_model(model)
    if (probabilities or threshold is not None) and found.task == "regression":
        what = "--probabilities" if probabilities else "--threshold"
        raise TableError(f"{model.name} predicts the number {found.target!r}, not classes; leave out {what}.")
    if threshold is not None and len(found.classes) != 2:
        raise TableError(
            f"{model.name} has {len(found.classes)} classes, but a threshold needs exactly two; leave out --threshold."
        )
    called = f"{found.target} predicted" if found.target in (keep or []) else found.target
    header = [*(keep or []), called, *([f"P({label})" for label in found.classes] if probabilities else [])]
    to_list(output, header)
    table = found.preparation.read(table_to_read(data), separator, mark_of(decimal), encoding)
    beside = [table.column(name).cast(str).fill_null("").to_list() for name in keep or []]
    inputs = found.inputs(table, None if missing is None else missing.value)
    for remark in (*table.notes, *inputs.notes):
        note(spell(remark, command_line=True), to_errors=True)
    said = found.raw(inputs.X)
    values = [f"{value:.7g}" for value in said] if not found.classes else [
        str(found.classes[k]) for k in ((said[:, 1] >= threshold).astype(int) if threshold is not None else said.argmax(axis=1))
    ]  # fmt: skip
    shares = [[f"{share:.6f}" for share in row] for row in said] if probabilities else [[] for _ in values]
    answers = dict(zip(inputs.rows.tolist(), zip(values, shares, strict=True), strict=True))
    blank = ("", [""] * (len(header) - 1 - len(beside)))
    rows = [
        [*(column[row] for column in beside), value, *more]
        for row in range(len(table))
        for value, more in [answers.get(row, blank)]
    ]
    with _opened(output) as stream:
        csv.writer(stream, lineterminator="\n").writerows([header, *rows])
    if output is not None:
        left_out = len(table) - len(values)
        aside = f"; {left_out:,} rows were left out" if left_out else ""
        say(f"Wrote {len(values):,} predictions of {found.target} to {output}{aside}.")


@contextmanager
def _opened(path: Path | None) -> Iterator[Any]:
    """The file to write to, or standard output."""
    if path is None:
        yield sys.stdout
    else:
        with path.open("w", encoding="utf-8", newline="") as stream:
            yield stream
