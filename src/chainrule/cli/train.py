"""`chainrule train`: a network on a table of one's own."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

import chainrule as cr
from chainrule.cli.console import heading, note, say, sparkline
from chainrule.cli.exits import INTERRUPTED
from chainrule.cli.files import to_draw, to_read, to_write
from chainrule.cli.options import MissingChoice, Separator
from chainrule.cli.reports import report
from chainrule.errors import SettingError
from chainrule.tables import Prepared, Table, prepare, read, spell
from chainrule.training import as_optimizer

FEWEST_TO_WATCH = 50
WATCHED = 0.15
STEPS = 10_000
"""Steps of the optimizer that a training without `--epochs` may take at least."""


class TaskChoice(StrEnum):
    """What the target holds."""

    classification = "classification"
    regression = "regression"


TABLE: Any = {"rich_help_panel": "The table"}
NETWORK: Any = {"rich_help_panel": "The network"}
TRAINING: Any = {"rich_help_panel": "Training"}
RESULTS: Any = {"rich_help_panel": "Results"}


def train(
    data: Annotated[Path, typer.Argument(help="A CSV file with a row of column names.", metavar="DATA")],
    target: Annotated[str, typer.Option(help="The column to predict.", metavar="COLUMN")],
    task: Annotated[
        TaskChoice | None,
        typer.Option(
            help="classification or regression; told from the target when not given.", **TABLE, metavar="TASK"
        ),
    ] = None,
    missing: Annotated[
        MissingChoice,
        typer.Option(
            help="Missing values: error refuses them, drop leaves their rows out, mean and median put in the training "
            "rows' (for text, the most frequent value).",
            **TABLE,
            metavar="WHAT",
        ),
    ] = MissingChoice.error,
    missing_mark: Annotated[
        list[str] | None,
        typer.Option(help="A text that means a missing value, besides NA and the like.", **TABLE, metavar="TEXT"),
    ] = None,
    drop: Annotated[
        list[str] | None, typer.Option(help="A column to leave out; may be repeated.", **TABLE, metavar="COLUMN")
    ] = None,
    categorical: Annotated[
        list[str] | None,
        typer.Option(help="A column of numbers that are categories; may be repeated.", **TABLE, metavar="COLUMN"),
    ] = None,
    separator: Separator = None,
    no_header: Annotated[
        bool, typer.Option("--no-header", help="The first row holds values: call them column_1, ….", **TABLE)
    ] = False,
    test: Annotated[
        float, typer.Option(min=0, max=0.9, help="The share of rows kept back for the test.", **TABLE, metavar="SHARE")
    ] = 0.2,
    hidden: Annotated[
        str,
        typer.Option(help="Neurons in each hidden layer; none for a linear model.", **NETWORK, metavar="SIZES"),
    ] = "64,32",
    activation: Annotated[
        str, typer.Option(help="Activation of the hidden layers.", **NETWORK, metavar="NAME")
    ] = "relu",
    epochs: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Passes over the training rows, at most; by default 200, where rows are few up to 2,000.",
            **TRAINING,
            metavar="N",
        ),
    ] = None,
    patience: Annotated[
        int,
        typer.Option(
            min=0,
            help="Stop after so many epochs without progress on rows set aside, and keep the best epoch's weights. "
            "0 sets no rows aside.",
            **TRAINING,
            metavar="N",
        ),
    ] = 20,
    batch_size: Annotated[int, typer.Option(min=1, help="Rows in a batch.", **TRAINING, metavar="N")] = 32,
    optimizer: Annotated[str, typer.Option(help="adam, sgd, rmsprop, ….", **TRAINING, metavar="NAME")] = "adam",
    learning_rate: Annotated[
        float | None, typer.Option(help="By default the optimizer's own.", **TRAINING, metavar="RATE")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same model.", **TRAINING, metavar="N")] = 0,
    save: Annotated[
        Path | None, typer.Option(help="Save the model, such as model.safetensors.", **RESULTS, metavar="FILE")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Draw the learning curve, such as curve.png.", **RESULTS, metavar="PICTURE")
    ] = None,
) -> None:
    """Train a network on a CSV file and test it on rows it never saw.

    Numbers are standardised, text becomes one input per category. Ctrl-C ends the training and keeps what was learned.
    """
    to_write(save, "--save")
    to_draw(plot)
    sizes = layer_sizes(hidden)
    chosen = as_optimizer(optimizer)
    if learning_rate is not None:
        chosen = replace(chosen, learning_rate=learning_rate)
    table = read(to_read(data), separator, header=not no_header)
    prepared = prepare(
        table,
        target,
        task=None if task is None else task.value,
        missing=missing.value,
        drop=drop or (),
        categorical=categorical or (),
        missing_mark=missing_mark or (),
        test=test,
        seed=seed,
    )
    _describe(table, prepared, recognised=task is None)
    network, history = _fit(prepared, sizes, activation, chosen, epochs, patience, batch_size, seed)
    found = _test(network, prepared)
    if save is not None:
        network.save(save, notes={"preparation": prepared.preparation.to_json(), "test": found, "source": data.name})
        say()
        say(f"Saved to {save}. Use it: chainrule predict {save} NEW.csv", "bold")
    if plot is not None:
        history.plot(plot)
        say(f"Learning curve drawn in {plot}.")
    if save is None:
        note("the model was not kept; --save model.safetensors keeps it")
    if history.interrupted:
        raise typer.Exit(INTERRUPTED)


def layer_sizes(text: str) -> list[int]:
    """The sizes of hidden layers as typed: `64,32`, or `none`.

    Examples
    --------
    >>> layer_sizes("64, 32"), layer_sizes("none")
    ([64, 32], [])
    """
    if text.strip().lower() in ("none", "0", ""):
        return []
    try:
        sizes = [int(part) for part in text.split(",")]
    except ValueError:
        sizes = [0]
    if min(sizes) < 1:
        raise SettingError(f"--hidden was given {text!r}; give positive whole numbers such as 64,32, or none.")
    return sizes


def _describe(table: Table, prepared: Prepared, recognised: bool) -> None:
    """Say what is in the table and what is done with it."""
    target = prepared.preparation.target
    inputs = prepared.preparation.columns
    say(f"{table.source}: {len(table):,} rows, {len(table.names)} columns", "bold")
    what: str = target.task
    if target.task == "classification":
        labels = [str(label) for label in target.classes]
        what += f" into {len(labels)} classes: " + ", ".join(labels[:10]) + (", …" if len(labels) > 10 else "")
    other = "regression" if target.task == "classification" else "classification"
    say(f"  target  {target.name}, {what}")
    if recognised and not any(isinstance(label, str) for label in target.classes):
        say(f"          told from its values; if that is wrong: --task {other}", "dim")
    say(f"  inputs  {len(prepared.preparation.features)} from {len(inputs)} columns")
    for remark in prepared.notes:
        note(spell(remark, command_line=True))


def _fit(
    prepared: Prepared,
    sizes: list[int],
    activation: str,
    optimizer: Any,
    epochs: int | None,
    patience: int,
    batch_size: int,
    seed: int,
) -> tuple[Any, Any]:
    """The trained network and its history."""
    target = prepared.preparation.target
    X, y = prepared.X_train, target.standardised(prepared.y_train)
    watch = patience > 0 and len(X) >= FEWEST_TO_WATCH
    learned, watched = cr.datasets.split_rows(y, WATCHED, seed) if watch else (np.arange(len(X)), np.arange(0))
    layers = [cr.Dense(size, activation) for size in sizes]
    network = cr.Network([*layers, cr.Dense(max(len(target.classes), 1))], seed=seed)
    network.build(X.shape[1])
    widths = " → ".join(map(str, [X.shape[1], *sizes, max(len(target.classes), 1)]))
    count = sum(array.size for layer in network.parameters.values() for array in layer.values())
    heading(f"Training a network {widths} ({count:,} parameters)")
    aside = f", {len(watched):,} watched to stop in time" if watch else ""
    say(f"  {len(learned):,} rows to learn from{aside}, {len(prepared.X_test):,} kept back for the test")
    if epochs is None:
        epochs = min(max(200, STEPS // -(-len(learned) // batch_size)), 2000)
    history = network.fit(
        X[learned],
        y[learned],
        loss="cross_entropy" if target.task == "classification" else "squared_error",
        optimizer=optimizer,
        epochs=epochs,
        batch_size=batch_size,
        seed=seed,
        validation_data=(X[watched], y[watched]) if watch else None,
        early_stopping=cr.EarlyStopping(patience=patience) if watch else None,
    )
    say(f"  {_ending(history)}")
    curve = history["val_loss" if watch else "loss"] if history.epochs else []
    if len(curve) > 1:
        say(f"  loss{' on the rows watched' * watch} {curve[0]:.4f} {sparkline(curve)} {curve[-1]:.4f}")
    return network, history


def _ending(history: Any) -> str:
    """How the training ended."""
    done = f"{history.epochs} epoch{'s' * (history.epochs != 1)} in {sum(history['seconds']):.1f} s"
    if history.interrupted:
        done = f"stopped by Ctrl-C after {done}" + "; what was learned is kept" * (history.best_epoch is None)
    elif history.stopped == "early stopping":
        done += ", stopped since it got no better"
    if history.best_epoch is not None:
        done += f"; the weights of epoch {history.best_epoch + 1}, the best, are kept"
    return done


def _test(network: Any, prepared: Prepared) -> dict[str, Any]:
    """Report the metrics on the test rows, or the training rows where there are none."""
    target = prepared.preparation.target
    kept = len(prepared.X_test) > 0
    X, truth = (prepared.X_test, prepared.y_test) if kept else (prepared.X_train, prepared.y_train)
    heading(f"Test: {len(X):,} rows the network never saw" if kept else f"On its {len(X):,} training rows (no test)")
    predicted = target.restored(np.asarray(network.predict(X)))
    loss = network.evaluate(X, target.standardised(truth))["loss"]
    found = report(target, truth, predicted, float(loss))
    metrics = {name: value if np.isfinite(value) else None for name, value in found.items()}
    return {"rows": len(X), "unseen": kept, **metrics}
