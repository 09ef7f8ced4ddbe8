"""`chainrule train`: a model of a table of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from chainrule.cli.console import heading, note, say
from chainrule.cli.exits import SIGNALLED
from chainrule.cli.files import table_to_read, to_draw, to_report, to_save, to_write
from chainrule.cli.kept_back import keep_back
from chainrule.cli.options import TABLE, WRITTEN, Decimal, Encoding, MissingChoice, Separator, mark_of
from chainrule.cli.told import plain, tell_columns, tell_networks, tell_notes
from chainrule.errors import SettingError
from chainrule.tables import as_table, sample
from chainrule.tables.options import counted
from chainrule.tabular import Recipe, TableModel
from chainrule.tabular.metrics import METRICS
from chainrule.tabular.rates import SCHEDULES
from chainrule.training.checkpoints import seconds_of
from chainrule.training.signals import heard_as_interrupt

USUAL, LONG = 10.0, 60.0
"""Seconds of a training, and of one with --best."""

CHOOSING = [metric.name for metric in METRICS.values() if metric.compares]

LITTLE = 2_000_000
"""Cells of a table for which simpler models take no time to speak of."""


class ScalingChoice(StrEnum):
    """How numbers are scaled."""

    robust = "robust"
    quantile = "quantile"


class TaskChoice(StrEnum):
    """What the target holds."""

    classification = "classification"
    regression = "regression"


class WeightChoice(StrEnum):
    """How classes count."""

    balanced = "balanced"


HELD: Any = {"rich_help_panel": "Rows held out"}
NETWORK: Any = {"rich_help_panel": "The networks"}
TRAINING: Any = {"rich_help_panel": "Training"}
RESULTS: Any = {"rich_help_panel": "Results"}


def train(
    data: Annotated[
        str,
        typer.Argument(
            help="A table with a row of column names: CSV and its relatives, Parquet, JSON; a folder or 'part-*.csv' of them; "
            "- for standard input.",
            metavar="DATA",
        ),
    ],
    target: Annotated[str, typer.Option(help="The column to predict.", metavar="COLUMN")],
    task: Annotated[
        TaskChoice | None,
        typer.Option(
            help="classification or regression; told from the target when not given.", **TABLE, metavar="TASK"
        ),
    ] = None,
    drop: Annotated[
        list[str] | None, typer.Option(help="A column to leave out; may be repeated.", **TABLE, metavar="COLUMN")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            help="What a column is, if it is told wrongly: number (number:quantile), category, boolean, time, text; may be "
            "repeated.",
            **TABLE,
            metavar="COLUMN=KIND",
        ),
    ] = None,
    scaling: Annotated[
        ScalingChoice | None,
        typer.Option(
            help="How numbers are scaled: robust, by median and quartiles, or quantile, to normal scores; robust when not given, "
            "and quantile where that is surely better.",
            **TABLE,
            metavar="HOW",
        ),
    ] = None,
    missing: Annotated[
        MissingChoice,
        typer.Option(
            help="Missing values: fill puts in the usual value and tells the network; drop leaves their rows out; error stops.",
            **TABLE,
            metavar="WHAT",
        ),
    ] = MissingChoice.fill,
    missing_mark: Annotated[
        list[str] | None,
        typer.Option(help="A text that means a missing value, besides NA and the like.", **WRITTEN, metavar="TEXT"),
    ] = None,
    value_mark: Annotated[
        list[str] | None,
        typer.Option(help="A text that means none, such as NA for Namibia.", **WRITTEN, metavar="TEXT"),
    ] = None,
    separator: Separator = None,
    decimal: Decimal = None,
    encoding: Encoding = None,
    no_header: Annotated[
        bool, typer.Option("--no-header", help="The first row holds values: call them column_1, ….", **WRITTEN)
    ] = False,
    test: Annotated[
        float, typer.Option(min=0, max=0.9, help="The share of rows kept back for a test.", **HELD, metavar="SHARE")
    ] = 0.0,
    test_file: Annotated[
        str | None, typer.Option(help="Rows for the test, in a file of their own.", **HELD, metavar="DATA")
    ] = None,
    split_by: Annotated[
        str | None,
        typer.Option(
            help="A column of times or numbers: the latest rows are held out; with --group, earlier rows of theirs teach nothing.",
            **HELD,
            metavar="COLUMN",
        ),
    ] = None,
    group: Annotated[
        str | None,
        typer.Option(
            help="A column whose rows of one value belong together, and are held out together.",
            **HELD,
            metavar="COLUMN",
        ),
    ] = None,
    hidden: Annotated[
        str | None,
        typer.Option(
            help="Neurons in each hidden layer, none for a linear model; by default 256,256, or 128,128 where rows are few, or "
            "96,64 where they are many and seldom seen.",
            **NETWORK,
            metavar="SIZES",
        ),
    ] = None,
    activation: Annotated[
        str, typer.Option(help="Activation of the hidden layers.", **NETWORK, metavar="NAME")
    ] = "relu",
    curves: Annotated[
        int,
        typer.Option(
            min=0,
            help="Piecewise linear curves that are learned of every number; 0 for the number alone.",
            **NETWORK,
            metavar="N",
        ),
    ] = Recipe.width,
    dropout: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=0.99,
            help="The share of neurons left out in a step; by default 0.15, and none in fewer than 20 epochs.",
            **NETWORK,
            metavar="SHARE",
        ),
    ] = None,
    seconds: Annotated[
        str, typer.Option("--time", help="How long training may take: 10s, 2m, 1h.", **TRAINING, metavar="TIME")
    ] = f"{USUAL:g}s",
    fast: Annotated[bool, typer.Option("--fast", help="One network, and nothing is tried.", **TRAINING)] = False,
    best: Annotated[bool, typer.Option("--best", help=f"The same as --time {LONG:g}s.", **TRAINING)] = False,
    folds: Annotated[
        int,
        typer.Option(min=1, help="Parts of the rows, each held out by networks of its own.", **TRAINING, metavar="N"),
    ] = 5,
    epochs: Annotated[
        int | None,
        typer.Option(
            min=1, help="Passes over the rows; by default what suits them and the time.", **TRAINING, metavar="N"
        ),
    ] = None,
    batch_size: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Rows in a step; by default 128, or 64 where they are many and seldom seen.",
            **TRAINING,
            metavar="N",
        ),
    ] = None,
    learning_rate: Annotated[
        float,
        typer.Option(
            min=0, help="At the beginning; from there on it goes by the schedule.", **TRAINING, metavar="RATE"
        ),
    ] = Recipe.learning_rate,
    schedule: Annotated[
        str,
        typer.Option(help=f"How the rate goes over the epochs: {', '.join(SCHEDULES)}.", **TRAINING, metavar="NAME"),
    ] = Recipe.schedule,
    weight_decay: Annotated[
        float, typer.Option(min=0, help="How much weights are drawn towards 0.", **TRAINING, metavar="RATE")
    ] = Recipe.weight_decay,
    l2: Annotated[
        float,
        typer.Option("--l2", min=0, help="A penalty on the squares of weights, besides.", **TRAINING, metavar="RATE"),
    ] = Recipe.l2,
    metric: Annotated[
        str | None,
        typer.Option(
            help=f"What the best epoch and network are chosen by: {', '.join(CHOOSING)}; the loss when not given.",
            **TRAINING,
            metavar="NAME",
        ),
    ] = None,
    class_weight: Annotated[
        WeightChoice | None,
        typer.Option(help="balanced: rare classes count as much as common ones.", **TRAINING, metavar="WHAT"),
    ] = None,
    seed: Annotated[
        int,
        typer.Option(
            min=0,
            help="The same seed gives the same model, unless the time was up before all was done, which is then said.",
            **TRAINING,
            metavar="N",
        ),
    ] = 0,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            help="Keep every network in a file while it is learned, and when it is.", **TRAINING, metavar="FILE"
        ),
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(
            help="Go on with what a training kept by --checkpoint, which was ended or killed; the other options as they were.",
            **TRAINING,
            metavar="FILE",
        ),
    ] = None,
    save: Annotated[
        Path | None, typer.Option(help="Save the model, such as model.safetensors.", **RESULTS, metavar="FILE")
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(help="Draw the first network's learning curve, such as curve.png.", **RESULTS, metavar="PICTURE"),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            help="Write a page with all that is known of the model, such as report.html: scores beside simpler models, what "
            "columns are worth, predictions explained.",
            **RESULTS,
            metavar="PAGE",
        ),
    ] = None,
) -> None:
    """Learn to predict a column of a table: networks on parts of its rows, averaged, and how good they are on rows they never saw.

    chainrule train data.csv --target price --save model.safetensors

    Ctrl-C ends the training and keeps what was learned.
    """  # fmt: skip
    to_save(save, data=data, test=test_file)
    to_draw(plot, data=data, test=test_file, model=save)
    to_report(report, data=data, test=test_file, model=save)
    to_write(checkpoint, "--checkpoint", data=data, test=test_file, model=save, picture=plot, page=report)
    to_write(resume, "--resume", data=data, test=test_file, model=save, picture=plot, page=report)
    recipe = Recipe(
        hidden=None if hidden is None else layer_sizes(hidden), activation=activation, dropout=dropout, width=curves,
        batch_size=batch_size, learning_rate=learning_rate, weight_decay=weight_decay,
        schedule=schedule, l2=l2,
    )  # fmt: skip
    model = TableModel(
        task=None if task is None else task.value,
        columns=_kinds(drop or [], column or []),
        scaling=None if scaling is None else scaling.value,
        missing=missing.value,
        missing_mark=missing_mark or (),
        value_mark=value_mark or (),
        seconds=LONG if best else duration(seconds),
        folds=1 if fast else folds,
        search=not fast,
        recipe=recipe,
        metric=metric,
        epochs=epochs,
        seed=seed,
    )
    mark = mark_of(decimal)
    table = sample(table_to_read(data), separator, not no_header, mark, seed, encoding)
    rest = None if test_file is None else as_table(table_to_read(test_file), separator, not no_header, mark, encoding)
    if test and rest is None:
        table, rest = keep_back(table, target, test, order=split_by, group=group, seed=seed)
    if rest is not None:
        rest.column(target)  # what is not there is told before the training
    say(f"{table.source}: {counted(len(table), 'row')}, {counted(len(table.names), 'column')}", "bold")
    tell_notes(table.notes)
    told = table.notes
    found: dict[str, Any] = {"source": table.source}
    at_hand = table if report is not None else None
    compare = at_hand is not None or len(table) * len(table.names) <= LITTLE
    given = [table]
    del table  # `fit` lets go of its text before the training, which needs the room
    with heard_as_interrupt():
        model.fit(  # without ** or *, whose call would keep the table as long as it lasts
            given.pop(), target, balanced=class_weight is not None, groups=group, order=split_by, checkpoint=checkpoint,
            resume=resume,
        )  # fmt: skip
        if save is not None:
            model.save(save, notes=found)
    tell_columns(model, told=told, asked={*(drop or []), group}, recognised=task is None)
    tell_networks(model, compare)
    if model.has_scores:
        found["held out"] = plain(model.scores.metrics)
    if rest is not None:
        heading(f"Test: {len(rest):,} rows " + ("kept back" if test_file is None else f"of {rest.source}"))
        scores = model.evaluate(rest)
        say(str(scores))
        found["test"] = plain(scores.metrics)
    if save is not None:
        model.save(save, notes=found)
        say()
        say(f"Saved to {save}. Use it: chainrule predict {save} NEW.csv", "bold")
    if plot is not None:
        model.learned.histories[0].plot(plot)  # type: ignore[union-attr]
        say(f"Learning curve drawn in {plot}.")
    if report is not None:
        model.report(at_hand, test=rest).save(report)
        say(f"All that is known of the model is in {report}.")
    if save is None:
        note("the model was not kept; --save model.safetensors keeps it")
    if model.learned is not None and model.interrupted:
        if file := resume or checkpoint:
            note(f"the networks that are done are in {file}; the same with --resume {file} goes on")
        raise typer.Exit(SIGNALLED + model.learned.ended_by)


def layer_sizes(text: str) -> tuple[int, ...]:
    """The sizes of hidden layers as typed: `64,32`, or `none`.

    Examples
    --------
    >>> layer_sizes("64, 32"), layer_sizes("none")
    ((64, 32), ())
    """
    if text.strip().lower() in ("none", "0", ""):
        return ()
    try:
        sizes = tuple(int(part) for part in text.split(","))
    except ValueError:
        sizes = (0,)
    if min(sizes) < 1:
        raise SettingError(f"--hidden was given {text!r}; give positive whole numbers such as 64,32, or none.")
    return sizes


def duration(text: str) -> float:
    """A time in seconds, as typed: `10s`, `1.5m`, `2h`, `90`.

    Examples
    --------
    >>> duration("10s"), duration("1.5m"), duration("90")
    (10.0, 90.0, 90.0)
    """
    seconds = seconds_of(text)
    if seconds is None:
        raise SettingError(f"--time was given {text!r}; give a time such as 10s, 2m or 1h.")
    return seconds


def _kinds(drop: Sequence[str], given: Sequence[str]) -> dict[str, str]:
    """The kinds of columns that are not to be recognised."""
    kinds = dict.fromkeys(drop, "drop")
    for text in given:
        name, sign, kind = text.rpartition("=")
        if not sign or not name:
            raise SettingError(f"--column was given {text!r}; write it as NAME=KIND, such as zip=category.")
        kinds[name] = kind
    return kinds
