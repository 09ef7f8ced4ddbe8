"""`chainrule train`: a model of a table of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from chainrule.cli.console import heading, note, say
from chainrule.cli.exits import SIGNALLED
from chainrule.cli.files import table_to_read, to_draw, to_report, to_save, to_write
from chainrule.cli.kept_back import keep_back
from chainrule.cli.options import Decimal, Encoding, MissingChoice, Separator, mark_of
from chainrule.cli.told import plain, tell_columns, tell_networks, tell_notes
from chainrule.cli.training_options import (
    L2,
    LONG,
    USUAL,
    ActivationName,
    BatchSize,
    Best,
    Checkpoint,
    ChosenBy,
    ClassWeights,
    ColumnKinds,
    Curves,
    DataSource,
    Dropout,
    Epochs,
    Fast,
    Folds,
    Groups,
    HiddenLayers,
    LearningRate,
    LeftOutColumns,
    MissingMark,
    MissingValues,
    NoHeader,
    NumberScaling,
    Page,
    Picture,
    Processes,
    Resume,
    SavedModel,
    ScheduleName,
    Seconds,
    Seed,
    SplitBy,
    TargetColumn,
    TargetTask,
    TestFile,
    TestShare,
    ValueMark,
    WeightDecay,
    Weights,
)
from chainrule.errors import SettingError
from chainrule.tables import Spelling, Table, as_table, sample
from chainrule.tables.options import counted
from chainrule.tabular import Recipe, TableModel
from chainrule.tabular.learning.checkpoints import seconds_kept
from chainrule.training.between_epochs.checkpoints import seconds_of
from chainrule.training.between_epochs.signals import heard_as_interrupt

LITTLE = 2_000_000
"""Cells of a table for which simpler models take no time to speak of."""


def train(
    data: DataSource,
    target: TargetColumn,
    task: TargetTask = None,
    drop: LeftOutColumns = None,
    column: ColumnKinds = None,
    scaling: NumberScaling = None,
    missing: MissingValues = MissingChoice.fill,
    missing_mark: MissingMark = None,
    value_mark: ValueMark = None,
    separator: Separator = None,
    decimal: Decimal = None,
    encoding: Encoding = None,
    no_header: NoHeader = False,
    test: TestShare = 0.0,
    test_file: TestFile = None,
    split_by: SplitBy = None,
    group: Groups = None,
    hidden: HiddenLayers = None,
    activation: ActivationName = "relu",
    curves: Curves = Recipe.width,
    dropout: Dropout = None,
    seconds: Seconds = None,
    fast: Fast = False,
    best: Best = False,
    folds: Folds = 5,
    epochs: Epochs = None,
    batch_size: BatchSize = None,
    learning_rate: LearningRate = Recipe.learning_rate,
    schedule: ScheduleName = Recipe.schedule,
    weight_decay: WeightDecay = Recipe.weight_decay,
    l2: L2 = Recipe.l2,
    metric: ChosenBy = None,
    class_weight: ClassWeights = None,
    weights: Weights = None,
    seed: Seed = 0,
    processes: Processes = None,
    checkpoint: Checkpoint = None,
    resume: Resume = None,
    save: SavedModel = None,
    plot: Picture = None,
    report: Page = None,
) -> None:
    """Train networks to predict a column of a table, and score them on rows held out from training.

    chainrule train data.csv --target price --save model.safetensors

    Ctrl-C ends the training and keeps what was learned so far.
    """  # fmt: skip
    files = Files(data, test_file, save, plot, report, checkpoint, resume)
    files.check()
    model = TableModel(
        task=None if task is None else task.value,
        columns=_kinds(drop or [], column or []),
        scaling=None if scaling is None else scaling.value,
        missing=missing.value,
        missing_mark=missing_mark or (),
        value_mark=value_mark or (),
        seconds=_time(seconds, best, resume),
        folds=1 if fast else folds,
        search=not fast,
        recipe=Recipe(
            hidden=None if hidden is None else layer_sizes(hidden), activation=activation, dropout=dropout, width=curves,
            batch_size=batch_size, learning_rate=learning_rate, weight_decay=weight_decay, schedule=schedule, l2=l2,
        ),
        metric=metric,
        epochs=epochs,
        seed=seed,
        processes=processes,
    )  # fmt: skip
    mark = mark_of(decimal)
    table = sample(table_to_read(data), separator, not no_header, mark, seed, encoding)
    rest = None if test_file is None else as_table(table_to_read(test_file), separator, not no_header, mark, encoding)
    if test and rest is None:
        spelling = Spelling.of(missing_mark or (), value_mark or ())
        table, rest = keep_back(table, target, test, order=split_by, group=group, seed=seed, spelling=spelling)
    if rest is not None:
        rest.column(target)  # what is not there is told before the training
    say(f"{table.source}: {counted(len(table), 'row')}, {counted(len(table.names), 'column')}", "bold")
    tell_notes(told := table.notes)
    found: dict[str, Any] = {"source": table.source}
    at_hand = table if report is not None else None
    compare = at_hand is not None or len(table) * len(table.names) <= LITTLE
    given = [table]
    del table  # `fit` lets go of its text before the training, which needs the room
    with heard_as_interrupt():
        model.fit(  # without ** or *, whose call would keep the table as long as it lasts
            given.pop(), target, weights=weights, balanced=class_weight is not None, groups=group, order=split_by,
            checkpoint=checkpoint, resume=resume,
        )  # fmt: skip
        if save is not None:
            model.save(save, notes=found)
    tell_columns(model, told=told, asked={*(drop or []), group}, recognised=task is None)
    tell_networks(model, compare)
    if model.has_scores:
        found["held out"] = plain(model.scores.metrics)
    if rest is not None:
        found["test"] = _tested(model, rest, weights, "held out" if test_file is None else f"of {rest.source}")
    files.write(model, found, at_hand, rest)


def _tested(model: TableModel, rest: Table, weights: str | None, whose: str) -> dict[str, float | None]:
    """How good the model is for rows that it was not trained on, told and as values."""
    heading(f"Test: {len(rest):,} rows {whose}")
    scores = model.evaluate(rest, weights=weights)
    say(str(scores))
    return plain(scores.metrics)


@dataclass(frozen=True)
class Files:
    """What a training reads, and what it writes."""

    data: str
    test: str | None
    save: Path | None
    plot: Path | None
    report: Path | None
    checkpoint: Path | None
    resume: Path | None

    def check(self) -> None:
        """Raise where one could not be written, or would take the place of another."""
        data, test = self.data, self.test
        to_save(self.save, data=data, test=test)
        to_draw(self.plot, data=data, test=test, model=self.save)
        to_report(self.report, data=data, test=test, model=self.save)
        for path, option in ((self.checkpoint, "--checkpoint"), (self.resume, "--resume")):
            to_write(path, option, data=data, test=test, model=self.save, picture=self.plot, page=self.report)

    def write(self, model: TableModel, found: dict[str, Any], table: Table | None, rest: Table | None) -> None:
        """Write what was asked for, and say where it is; exit as interrupted where the training was."""
        if self.save is not None:
            model.save(self.save, notes=found)
            say()
            say(f"Saved the model to {self.save}. To use it: chainrule predict {self.save} NEW.csv", "bold")
        if self.plot is not None:
            model.learned.histories[0].plot(self.plot)  # type: ignore[union-attr]
            say(f"Drew the learning curve to {self.plot}.")
        if self.report is not None:
            model.report(table, test=rest).save(self.report)
            say(f"Wrote the report to {self.report}.")
        if self.save is None:
            note("the model was not saved; --save model.safetensors saves it")
        if model.learned is not None and model.interrupted:
            if file := self.resume or self.checkpoint:
                note(f"what was learned is in {file}; to continue, add --resume {file} to the same command")
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


def _time(given: str | None, best: bool, resume: Path | None) -> float | None:
    """Seconds that training may take: as is said, or as it was said for the training that is gone on with."""
    if given is not None or best:
        return LONG if best else duration(given or "")
    return USUAL if resume is None else seconds_kept(resume)


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
