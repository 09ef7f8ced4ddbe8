"""`chainrule view`: a stored model, a classic set of points or a lesson, to look into in the browser or in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

import chainrule as cr
from chainrule.cli.console import note, say
from chainrule.cli.files import to_write
from chainrule.cli.options import Decimal, DecimalChoice, Encoding, MissingChoice, Separator
from chainrule.cli.rows import chosen, item, some
from chainrule.errors import SettingError, UnknownNameError
from chainrule.viewer import View, lesson
from chainrule.viewer.datasets import PLANE, in_the_plane
from chainrule.viewer.hosts.documents import place_of_file
from chainrule.viewer.lessons import LESSONS

EPOCHS = 200
MODEL: Any = {"rich_help_panel": "A saved model"}


def view(
    model: Annotated[
        Path | None,
        typer.Argument(help="A model saved by `chainrule train --save`.", metavar="MODEL", show_default=False),
    ] = None,
    data: Annotated[
        str | None,
        typer.Argument(help="A table with the columns of the training data.", metavar="DATA", show_default=False),
    ] = None,
    demo: Annotated[
        str | None,
        typer.Option(
            help=f"Train a 2-8-8-2 network to separate points in the plane: {', '.join(PLANE)}.", metavar="POINTS"
        ),
    ] = None,
    teach: Annotated[
        str | None,
        typer.Option("--lesson", help=f"Open a lesson: {', '.join(LESSONS)}.", metavar="LESSON"),
    ] = None,
    loss: Annotated[
        str | None, typer.Option(help="The loss. By default that of the training.", **MODEL, metavar="NAME")
    ] = None,
    missing: Annotated[
        MissingChoice | None,
        typer.Option(help="Missing values: fill, drop or error. By default as in training.", **MODEL, metavar="WHAT"),
    ] = None,
    separator: Separator = None,
    encoding: Encoding = None,
    decimal: Decimal = None,
    epochs: Annotated[
        int | None,
        typer.Option(
            min=1, help=f"The number of epochs of a training in the view. By default {EPOCHS}.", show_default=False
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            min=0, help="The seed of initial weights and of the order of rows. By default 0.", show_default=False
        ),
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(
            help="Write a file that replays the training anywhere, instead of opening a page.", metavar="FILE.html"
        ),
    ] = None,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open a browser, or only print the address.")
    ] = True,
) -> None:
    """Look into a network: click its numbers, change them, train it, and step back and forth.

    chainrule view model.safetensors data.csv

    chainrule view --demo spiral

    chainrule view --lesson xor
    """  # fmt: skip
    if save is not None:
        to_write(save, "--save")
        place_of_file(save)
    if [model is not None, demo is not None, teach is not None].count(True) != 1 or (model is None) != (data is None):
        raise SettingError(
            f"give one of: a model and a table; --demo {', '.join(PLANE)}; --lesson {', '.join(LESSONS)}."
        )
    of_model, of_training = (
        {"--loss": loss, "--missing": missing, "--separator": separator, "--encoding": encoding, "--decimal": decimal},
        {"--epochs": epochs, "--seed": seed},
    )
    _unless_heard("a saved model", {} if model is not None else of_model)
    _unless_heard("a saved model and for --demo", {} if teach is None else of_training)
    training = {"epochs": epochs or EPOCHS, "seed": seed or 0}
    if model is not None and data is not None:
        shown = _of_model(model, data, loss, missing, separator, encoding, decimal, **training)
    elif demo is not None:
        shown = _of_points(demo, **training)
    else:
        assert teach is not None
        shown = lesson(teach)
    _write(shown, save, train=demo is not None) if save else _show(shown, browser, train=demo is not None)


def _unless_heard(use: str, given: dict[str, Any]) -> None:
    """Refuse options that nobody would hear."""
    for option, value in given.items():
        if value is not None:
            raise SettingError(f"{option} is for {use}; leave it out.")


def _of_points(name: str, epochs: int, seed: int) -> View:
    if name not in PLANE:
        raise UnknownNameError.among("set of points", name, PLANE)
    X, y = in_the_plane(name)
    hidden = [cr.Dense(8, "tanh", name="first"), cr.Dense(8, "tanh", name="second")]
    network = cr.Network([*hidden, cr.Dense(2, "softmax", name="output")], seed=seed)
    return cr.view(network, X, y, optimizer=cr.Adam(0.05), epochs=epochs, seed=seed)


def _of_model(
    model: Path,
    data: str,
    loss: str | None,
    missing: MissingChoice | None,
    separator: str | None,
    encoding: str | None,
    decimal: DecimalChoice | None,
    epochs: int,
    seed: int,
) -> View:
    rows = chosen(model, data, [], missing, separator, encoding, decimal)
    features = rows.preparation.features
    say(f"{rows.model} on {rows.table.source}: {len(rows.X):,} rows, target {rows.preparation.target.name}", "bold")
    item("inputs", some([f"x[{i}] {feature.name}" for i, feature in enumerate(features)]))
    return cr.view(rows.network, rows.X, rows.y, loss=loss, epochs=epochs, seed=seed)


def _write(shown: View, path: Path, train: bool) -> None:
    if train:
        shown.do("train", wait=True)
    say(f"Wrote {shown.save(path)} ({path.stat().st_size / 1e6:.1f} MB). Open it in any browser.")


def _show(shown: View, browser: bool, train: bool) -> None:
    try:
        address = shown.open(browser=browser)
        say(f"The page is at {address}" if browser else f"Open {address} in a browser on this machine.")
        note("the address works once, in one browser; Ctrl-C closes the page")
        if train:
            shown.do("train")
        shown.wait()
    except KeyboardInterrupt:
        shown.close()
