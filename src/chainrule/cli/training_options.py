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
        help="A table with a row of column names: CSV and its relatives, Parquet, JSON; a folder or 'part-*.csv' of them; "
        "- for standard input.",
        metavar="DATA",
    ),
]
TargetColumn = Annotated[str, typer.Option(help="The column to predict.", metavar="COLUMN")]
TargetTask = Annotated[
    TaskChoice | None,
    typer.Option(help="classification or regression; told from the target when not given.", **TABLE, metavar="TASK"),
]
LeftOutColumns = Annotated[
    list[str] | None, typer.Option(help="A column to leave out; may be repeated.", **TABLE, metavar="COLUMN")
]
ColumnKinds = Annotated[
    list[str] | None,
    typer.Option(
        help="What a column is, if it is told wrongly: number (number:quantile), category, boolean, time, text; may be "
        "repeated.",
        **TABLE,
        metavar="COLUMN=KIND",
    ),
]
NumberScaling = Annotated[
    ScalingChoice | None,
    typer.Option(
        help="How numbers are scaled: robust, by median and quartiles, or quantile, to normal scores; robust when not given, "
        "and quantile where that is surely better.",
        **TABLE,
        metavar="HOW",
    ),
]
MissingValues = Annotated[
    MissingChoice,
    typer.Option(
        help="Missing values: fill puts in the usual value and tells the network; drop leaves their rows out; error stops.",
        **TABLE,
        metavar="WHAT",
    ),
]
MissingMark = Annotated[
    list[str] | None,
    typer.Option(help="What means a missing value, such as -999, besides NA and the like.", **WRITTEN, metavar="TEXT"),
]
ValueMark = Annotated[
    list[str] | None,
    typer.Option(help="A text that means none, such as NA for Namibia.", **WRITTEN, metavar="TEXT"),
]
NoHeader = Annotated[
    bool, typer.Option("--no-header", help="The first row holds values: call them column_1, ….", **WRITTEN)
]
TestShare = Annotated[
    float, typer.Option(min=0, max=0.9, help="The share of rows kept back for a test.", **HELD, metavar="SHARE")
]
TestFile = Annotated[
    str | None, typer.Option(help="Rows for the test, in a file of their own.", **HELD, metavar="DATA")
]
SplitBy = Annotated[
    str | None,
    typer.Option(
        help="A column of times or numbers: the latest rows are held out; with --group, earlier rows of theirs teach nothing.",
        **HELD,
        metavar="COLUMN",
    ),
]
Groups = Annotated[
    str | None,
    typer.Option(
        help="A column whose rows of one value belong together, and are held out together.",
        **HELD,
        metavar="COLUMN",
    ),
]
Weights = Annotated[
    str | None,
    typer.Option(
        help="A column that says how much each row counts; it is not learned from.", **TRAINING, metavar="COLUMN"
    ),
]
HiddenLayers = Annotated[
    str | None,
    typer.Option(
        help="Neurons in each hidden layer, none for a linear model; by default 256,256, or 128,128 where rows are few, or "
        "96,64 where they are many and seldom seen.",
        **NETWORK,
        metavar="SIZES",
    ),
]
ActivationName = Annotated[str, typer.Option(help="Activation of the hidden layers.", **NETWORK, metavar="NAME")]
Curves = Annotated[
    int,
    typer.Option(
        min=0,
        help="Piecewise linear curves that are learned of every number; 0 for the number alone.",
        **NETWORK,
        metavar="N",
    ),
]
Dropout = Annotated[
    float | None,
    typer.Option(
        min=0,
        max=0.99,
        help="The share of neurons left out in a step; by default 0.15, and none in fewer than 20 epochs.",
        **NETWORK,
        metavar="SHARE",
    ),
]
Seconds = Annotated[
    str | None,
    typer.Option(
        "--time",
        help=f"How long training may take: 10s, 2m, 1h; by default {USUAL:g}s, with --resume as long as it was.",
        show_default=False,
        **TRAINING,
        metavar="TIME",
    ),
]
Fast = Annotated[bool, typer.Option("--fast", help="One network, and nothing is tried.", **TRAINING)]
Best = Annotated[bool, typer.Option("--best", help=f"The same as --time {LONG:g}s.", **TRAINING)]
Folds = Annotated[
    int,
    typer.Option(min=1, help="Parts of the rows, each held out by networks of its own.", **TRAINING, metavar="N"),
]
Epochs = Annotated[
    int | None,
    typer.Option(min=1, help="Passes over the rows; by default what suits them and the time.", **TRAINING, metavar="N"),
]
BatchSize = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Rows in a step; by default 128, or 64 where they are many and seldom seen.",
        **TRAINING,
        metavar="N",
    ),
]
LearningRate = Annotated[
    float,
    typer.Option(min=0, help="At the beginning; from there on it goes by the schedule.", **TRAINING, metavar="RATE"),
]
ScheduleName = Annotated[
    str,
    typer.Option(help=f"How the rate goes over the epochs: {', '.join(SCHEDULES)}.", **TRAINING, metavar="NAME"),
]
WeightDecay = Annotated[
    float, typer.Option(min=0, help="How much weights are drawn towards 0.", **TRAINING, metavar="RATE")
]
L2 = Annotated[
    float,
    typer.Option("--l2", min=0, help="A penalty on the squares of weights, besides.", **TRAINING, metavar="RATE"),
]
ChosenBy = Annotated[
    str | None,
    typer.Option(
        help=f"What the best epoch and network are chosen by: {', '.join(CHOOSING)}; the loss when not given.",
        **TRAINING,
        metavar="NAME",
    ),
]
ClassWeights = Annotated[
    WeightChoice | None,
    typer.Option(help="balanced: rare classes count as much as common ones.", **TRAINING, metavar="WHAT"),
]
Seed = Annotated[
    int,
    typer.Option(
        min=0,
        help="The same seed gives the same model, unless the time was up before all was done, which is then said.",
        **TRAINING,
        metavar="N",
    ),
]
Processes = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Train the networks in so many processes of this machine, with the same model to the bit; without it in threads of one.",
        **TRAINING,
        metavar="N",
    ),
]
Checkpoint = Annotated[
    Path | None,
    typer.Option(help="Keep every network in a file while it is learned, and when it is.", **TRAINING, metavar="FILE"),
]
Resume = Annotated[
    Path | None,
    typer.Option(
        help="Go on with what a training kept by --checkpoint, which was ended or killed; the other options as they were.",
        **TRAINING,
        metavar="FILE",
    ),
]
SavedModel = Annotated[
    Path | None, typer.Option(help="Save the model, such as model.safetensors.", **RESULTS, metavar="FILE")
]
Picture = Annotated[
    Path | None,
    typer.Option(help="Draw the first network's learning curve, such as curve.png.", **RESULTS, metavar="PICTURE"),
]
Page = Annotated[
    Path | None,
    typer.Option(
        help="Write a page with all that is known of the model, such as report.html: scores beside simpler models, what "
        "columns are worth, predictions explained.",
        **RESULTS,
        metavar="PAGE",
    ),
]
