"""The options of `chainrule train`, in the order in which its help tells them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from chainrule.cli.options import TABLE, WRITTEN, MissingChoice
from chainrule.tabular.learning.rates import SCHEDULES
from chainrule.training.metrics import METRICS

USUAL, LONG = 10.0, 60.0
"""Seconds of a training, and of one with --best."""

CHOOSING = [metric.name for metric in METRICS.values() if metric.compares]

HELD: Any = {"rich_help_panel": "Rows held out"}
NETWORK: Any = {"rich_help_panel": "The networks"}
TRAINING: Any = {"rich_help_panel": "Training"}
RESULTS: Any = {"rich_help_panel": "Results"}


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


DataSource = Annotated[
    str,
    typer.Argument(
        help="A table with a header row: CSV and similar text, Parquet, JSON; a folder or a pattern such as 'part-*.csv'; "
        "- for standard input.",
        metavar="DATA",
    ),
]
TargetColumn = Annotated[str, typer.Option(help="The column to predict.", metavar="COLUMN")]
TargetTask = Annotated[
    TaskChoice | None,
    typer.Option(help="classification or regression; by default recognised from the target.", **TABLE, metavar="TASK"),
]
LeftOutColumns = Annotated[
    list[str] | None, typer.Option(help="A column to leave out. May be repeated.", **TABLE, metavar="COLUMN")
]
ColumnKinds = Annotated[
    list[str] | None,
    typer.Option(
        help="The kind of a column that was recognised wrongly: number (number:quantile), category, boolean, time, text. May "
        "be repeated.",
        **TABLE,
        metavar="COLUMN=KIND",
    ),
]
NumberScaling = Annotated[
    ScalingChoice | None,
    typer.Option(
        help="How numbers are scaled: robust, by median and quartiles, or quantile, to normal scores. By default robust, and "
        "quantile where that is clearly better.",
        **TABLE,
        metavar="HOW",
    ),
]
MissingValues = Annotated[
    MissingChoice,
    typer.Option(
        help="Missing values: fill replaces them by the usual value and marks them for the network; drop leaves their rows out; "
        "error stops.",
        **TABLE,
        metavar="WHAT",
    ),
]
MissingMark = Annotated[
    list[str] | None,
    typer.Option(
        help="A text that stands for a missing value, such as -999, besides NA and the like. May be repeated.",
        **WRITTEN,
        metavar="TEXT",
    ),
]
ValueMark = Annotated[
    list[str] | None,
    typer.Option(
        help="A text that is a value although it looks like a missing one, such as NA for Namibia. May be repeated.",
        **WRITTEN,
        metavar="TEXT",
    ),
]
NoHeader = Annotated[
    bool, typer.Option("--no-header", help="The file has no header row; its columns are called column_1, ….", **WRITTEN)
]
TestShare = Annotated[
    float, typer.Option(min=0, max=0.9, help="The share of rows to hold out for a final test.", **HELD, metavar="SHARE")
]
TestFile = Annotated[str | None, typer.Option(help="A separate table to test on.", **HELD, metavar="DATA")]
SplitBy = Annotated[
    str | None,
    typer.Option(
        help="A column of times or numbers: the latest rows are held out. With --group, no earlier row of their groups is "
        "trained on.",
        **HELD,
        metavar="COLUMN",
    ),
]
Groups = Annotated[
    str | None,
    typer.Option(
        help="A column that names groups: rows with the same value are held out together.",
        **HELD,
        metavar="COLUMN",
    ),
]
Weights = Annotated[
    str | None,
    typer.Option(help="A column of row weights; it is not an input.", **TRAINING, metavar="COLUMN"),
]
HiddenLayers = Annotated[
    str | None,
    typer.Option(
        help="Neurons in each hidden layer, or none for a linear model. By default 256,256; 128,128 for few rows; 96,64 for so "
        "many rows that there is time for few epochs.",
        **NETWORK,
        metavar="SIZES",
    ),
]
ActivationName = Annotated[str, typer.Option(help="Activation of the hidden layers.", **NETWORK, metavar="NAME")]
Curves = Annotated[
    int,
    typer.Option(
        min=0,
        help="Piecewise linear curves to learn for each number; 0 for the number alone.",
        **NETWORK,
        metavar="N",
    ),
]
Dropout = Annotated[
    float | None,
    typer.Option(
        min=0,
        max=0.99,
        help="The share of neurons dropped in each step. By default 0.15, and 0 in trainings of fewer than 20 epochs.",
        **NETWORK,
        metavar="SHARE",
    ),
]
Seconds = Annotated[
    str | None,
    typer.Option(
        "--time",
        help=f"How long training may take: 10s, 2m, 1h. By default {USUAL:g}s; with --resume, as before.",
        show_default=False,
        **TRAINING,
        metavar="TIME",
    ),
]
Fast = Annotated[bool, typer.Option("--fast", help="Train a single network, without trying variants.", **TRAINING)]
Best = Annotated[bool, typer.Option("--best", help=f"Short for --time {LONG:g}s.", **TRAINING)]
Folds = Annotated[
    int,
    typer.Option(
        min=1, help="The number of folds; each is held out from some of the networks.", **TRAINING, metavar="N"
    ),
]
Epochs = Annotated[
    int | None,
    typer.Option(
        min=1, help="Passes over the rows. By default chosen to suit the table and the time.", **TRAINING, metavar="N"
    ),
]
BatchSize = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Rows in each step. By default 128, or 64 for so many rows that there is time for few epochs.",
        **TRAINING,
        metavar="N",
    ),
]
LearningRate = Annotated[
    float,
    typer.Option(min=0, help="The initial learning rate, from which the schedule starts.", **TRAINING, metavar="RATE"),
]
ScheduleName = Annotated[
    str,
    typer.Option(
        help=f"How the learning rate changes over the epochs: {', '.join(SCHEDULES)}.", **TRAINING, metavar="NAME"
    ),
]
WeightDecay = Annotated[float, typer.Option(min=0, help="The decoupled weight decay.", **TRAINING, metavar="RATE")]
L2 = Annotated[
    float,
    typer.Option(
        "--l2", min=0, help="An L2 penalty on the weights, in addition to weight decay.", **TRAINING, metavar="RATE"
    ),
]
ChosenBy = Annotated[
    str | None,
    typer.Option(
        help=f"The metric that chooses the best epoch and variant: {', '.join(CHOOSING)}. By default the loss.",
        **TRAINING,
        metavar="NAME",
    ),
]
ClassWeights = Annotated[
    WeightChoice | None,
    typer.Option(help="balanced: rare classes count as much as common ones do.", **TRAINING, metavar="WHAT"),
]
Seed = Annotated[
    int,
    typer.Option(
        min=0,
        help="The same seed gives the same model, unless time ran out, in which case a message says so.",
        **TRAINING,
        metavar="N",
    ),
]
Processes = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Train in this many processes instead of in threads of one; the model is the same to the bit.",
        **TRAINING,
        metavar="N",
    ),
]
Checkpoint = Annotated[
    Path | None,
    typer.Option(
        help="Keep the networks in a file while they are trained, to continue from with --resume.",
        **TRAINING,
        metavar="FILE",
    ),
]
Resume = Annotated[
    Path | None,
    typer.Option(
        help="Continue a training that was stopped or killed, from its --checkpoint file. Give the other options as before.",
        **TRAINING,
        metavar="FILE",
    ),
]
SavedModel = Annotated[
    Path | None, typer.Option(help="Save the model to this file, such as model.safetensors.", **RESULTS, metavar="FILE")
]
Picture = Annotated[
    Path | None,
    typer.Option(help="Draw the learning curve of the first network, such as curve.png.", **RESULTS, metavar="PICTURE"),
]
Page = Annotated[
    Path | None,
    typer.Option(
        help="Write a report, such as report.html: scores compared with simpler models, the importance of columns, explained "
        "predictions.",
        **RESULTS,
        metavar="PAGE",
    ),
]
