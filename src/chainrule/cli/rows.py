"""The rows of a table that a stored model is asked about, and what the names in the answer stand for."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap
from typing import Any

import numpy as np

from chainrule.cli.console import note, say
from chainrule.cli.files import load_model, table_to_read
from chainrule.cli.options import DecimalChoice, MissingChoice, mark_of
from chainrule.errors import SettingError
from chainrule.explanation.rendering.numerals import readable as number
from chainrule.tables import Preparation, Table, TableError, spell
from chainrule.tabular import TableModel

LISTED = 12
"""Inputs, classes and cells that are listed by name."""

_SCALES = {"plain": "standardised", "log": "its logarithm, standardised"}


@dataclass(frozen=True)
class Chosen:
    """The rows to be explained: in the file, as the network takes them, and their numbers."""

    model: str
    network: Any
    preparation: Preparation
    table: Table
    X: Any
    y: Any
    numbers: tuple[int, ...]


def one_row(
    model: Path,
    data: str,
    number: int | None,
    separator: str | None,
    encoding: str | None,
    decimal: DecimalChoice | None,
) -> tuple[TableModel, Table, int]:
    """A stored model, and the row with this number, which may be left out where there is only one."""
    found = load_model(model)
    table = found.preparation.read(table_to_read(data), separator, mark_of(decimal), encoding)
    for remark in table.notes:
        note(spell(remark, command_line=True), to_errors=True)
    if number is None and len(table) != 1:
        raise SettingError(
            f"{table.source} has {len(table):,} rows; choose the one whose prediction to explain, such as --row 3, or ask for the "
            f"gradient with respect to a weight: --weight {_weights(found)}."
        )
    row = _checked([number or 1], table)[0]
    return found, table.rows(np.array([row - 1])), row


def _weights(model: TableModel) -> str:
    """The weights there are, with their shapes."""
    parts = [f"{k}.{n} {list(a.shape)}" for k, own in model.network.parameters.items() for n, a in own.items()]
    return some(parts)


def _checked(wanted: Sequence[int], table: Table) -> Sequence[int]:
    last = max(wanted, default=0)
    if last > len(table):
        raise TableError(f"--row {last} does not exist: {table.source} has {len(table):,} rows, counted from 1.")
    return wanted


def chosen(
    model: Path,
    data: str,
    wanted: Sequence[int],
    missing: MissingChoice | None,
    separator: str | None,
    encoding: str | None,
    decimal: DecimalChoice | None,
) -> Chosen:
    """The rows with these numbers, by default all, as the stored model takes them."""
    found = load_model(model)
    table = found.preparation.read(table_to_read(data), separator, mark_of(decimal), encoding)
    numbers = list(dict.fromkeys(_checked(wanted, table))) or list(range(1, len(table) + 1))
    notes = table.notes
    if wanted:
        table = table.rows(np.array(numbers) - 1)
    inputs, y = found.preparation.apply_with_target(table, None if missing is None else missing.value)
    for remark in (*notes, *inputs.notes):
        note(spell(remark, command_line=True), to_errors=True)
    if not len(inputs.X):
        raise TableError(f"{table.source} has no row left to explain.")
    truth = np.array(found.classes)[y] if found.classes else y
    kept = tuple(numbers[i] for i in inputs.rows)
    return Chosen(model.name, found.network, found.preparation, table.rows(inputs.rows), inputs.X, truth, kept)


def tell(rows: Chosen) -> None:
    """Which rows are explained, and what the names in formulas stand for."""
    target, columns = rows.preparation.target, rows.preparation.used
    batch = len(rows.numbers) > 1
    say(
        f"{rows.model} on {rows.table.source}, "
        + (f"{len(rows.numbers):,} rows as one batch" if batch else f"row {rows.numbers[0]}"),
        "bold",
    )
    if batch:
        item("rows", some([f"n = {n}: row {place}" for n, place in enumerate(rows.numbers)], 5))
    else:
        cells = [f"{column.name} {rows.table.column(column.name)[0]}" for column in columns]
        item(f"row {rows.numbers[0]}", f"{some(cells)} → {target.name} {rows.table.column(target.name)[0]}")
    item("inputs", some([f"x[{i}] {name}" for i, name in enumerate(f.name for f in rows.preparation.features)]))
    outputs = _outputs(rows)
    loss = number(rows.network.evaluate(rows.X, rows.y)["loss"])
    mean = "mean over rows of " * batch
    if target.task == "classification":
        shares = np.asarray(rows.network.predict_proba(rows.X)).mean(axis=0)
        classes = [f"[{i}] {label} {p:.1%}" for i, (label, p) in enumerate(zip(target.classes, shares, strict=True))]
        item("outputs", f"{outputs}, {'mean ' * batch}probabilities: {some(classes)}")
        item("loss", f"L = {mean}−log(probability of the true class) = {loss}")
    else:
        item("output", f"{outputs}: {target.name}, {_SCALES[target.scale]}")
        item("loss", f"L = {mean}squared error of that = {loss}")
    say()


def _outputs(rows: Chosen) -> str:
    """What the network's scores are called in formulas."""
    names = [name for name in rows.network.evaluation(rows.X[:1]).known if "." in name]
    layer = names[-1].rpartition(".")[0]
    return f"{layer}.z" if f"{layer}.z" in names else names[-1]


def item(head: str, text: str) -> None:
    """A line of the description, broken between words under its own beginning."""
    pieces = wrap(text, max(shutil.get_terminal_size((88, 24)).columns - 12, 24), break_long_words=False)
    say("\n".join(f"{'' if i else f'  {head}':<12}{piece}" for i, piece in enumerate(pieces)))


def some(names: Sequence[str], most: int = LISTED) -> str:
    """Names in a row, of many the first ones and the last."""
    return ", ".join(names if len(names) <= most else [*names[: most - 1], "…", names[-1]])
