"""`chainrule demo`: handwritten digits, or exclusive or, from data to a stored model; and a tour of the chain rule."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

import chainrule as cr
from chainrule.cli.console import heading, note, say, shaded, sparkline
from chainrule.cli.exits import INTERRUPTED
from chainrule.cli.files import FileError, can_draw
from chainrule.cli.tour import tour

XOR_EPOCHS = 1000
XOR_STARTS = 20
SHOWN = 4


class Subject(StrEnum):
    """What to demonstrate."""

    digits = "digits"
    xor = "xor"
    chain_rule = "chain-rule"


def demo(
    subject: Annotated[
        Subject,
        typer.Argument(
            help="digits: reading handwriting. xor: why hidden layers are needed. chain-rule: a guided tour of gradients."
        ),
    ] = Subject.digits,
    output: Annotated[Path, typer.Option(help="The folder for the model and the picture.", metavar="FOLDER")] = Path(
        "demo-output"
    ),
    seed: Annotated[
        int, typer.Option(min=0, help="The seed of initial weights, of the order of rows and of the test rows.")
    ] = 1,
) -> None:
    """Train a network on built-in data, test it, save it, load it, and draw how it learned.

    Or take a guided tour of the chain rule, from one number to a network: chainrule demo chain-rule
    """
    if subject is Subject.chain_rule:
        tour(seed)
        return
    if output.exists() and not output.is_dir():
        raise FileError(f"--output {output} is a file; give the name of a folder.")
    output.mkdir(parents=True, exist_ok=True)
    history = _digits(output, seed) if subject is Subject.digits else _xor(output, seed)
    if history.interrupted:
        raise typer.Exit(INTERRUPTED)


def _digits(output: Path, seed: int) -> Any:
    """A 64-64-10 network learns to read digits."""
    images, X, y = cr.datasets.digits()
    learned, kept = cr.datasets.split_rows(y, test=0.2, seed=seed)
    say("Handwritten digits", "bold")
    say(f"  {len(X):,} images of 8×8 pixels, such as these (UCI; Alpaydin, Kaynak 1998):")
    say()
    for line in shaded(images[1 : 1 + SHOWN]):
        say(f"    {line}".rstrip())
    heading("Training a network 64 → 64 → 10")
    say(f"  {len(learned):,} images to learn from, {len(kept):,} held out for the test")
    network = cr.Network([cr.Dense(64, "relu"), cr.Dense(10)], seed=seed)
    history = network.fit(
        X[learned], y[learned], optimizer=cr.Adam(2e-3), epochs=40, batch_size=32, seed=seed, validation_split=0.1
    )
    _tell(history, "loss")
    heading(f"Test: {len(kept):,} images the network never saw")
    predicted = network.predict(X[kept])
    right = predicted == y[kept]
    say(f"  accuracy  {right.mean():.1%}  ({right.sum():,} of {len(kept):,} right)")
    wrong = np.flatnonzero(~right)[:SHOWN]
    if len(wrong):
        say("  some it misread:")
        say()
        for line in shaded(images[kept[wrong]]):
            say(f"    {line}".rstrip())
        captions = [f"a {y[kept[i]]}, read as {predicted[i]}" for i in wrong]
        say("    " + "    ".join(caption.ljust(16) for caption in captions).rstrip())
    _keep(network, history, X[kept], output, "digits")
    return history


def _xor(output: Path, seed: int) -> Any:
    """A 2-2-1 network of sigmoid neurons learns exclusive or, or gets stuck."""
    X, y = cr.datasets.xor()
    say("Exclusive or: 1 where exactly one of two inputs is 1", "bold")
    say("  No straight line separates the ones from the zeros, so a hidden layer is needed.")
    heading(f"Training a network 2 → 2 → 1 of sigmoid neurons (seed {seed})")
    network, history = _learn_xor(X, y, seed, progress=None)
    _tell(history, "loss")
    heading("What it learned")
    outputs = np.asarray(network(X)).ravel()
    for row, label, value in zip(X, y, outputs, strict=True):
        mark = "✓" if (value > 0.5) == (label == 1) else "✗"
        say(f"  {row[0]:.0f} xor {row[1]:.0f} = {label}    output {value:.3f}  {mark}")
    if history.interrupted:
        return history
    if not _solved(outputs, y):
        say(f"  Seed {seed} got stuck in a local minimum of the loss.")
    solved = [_solved(np.asarray(_learn_xor(X, y, start, False)[0](X)).ravel(), y) for start in range(XOR_STARTS)]
    stuck = ", ".join(str(start) for start in range(XOR_STARTS) if not solved[start])
    say()
    say("  Two hidden neurons are barely enough, and much depends on the initial weights. Of the seeds")
    say(f"  0 to {XOR_STARTS - 1}, {sum(solved)} learn it" + (f"; {stuck} get stuck." if stuck else "."))
    _keep(network, history, X, output, "xor")
    return history


def _learn_xor(X: Any, y: Any, seed: int, progress: bool | None) -> tuple[Any, Any]:
    network = cr.Network([cr.Dense(2, "sigmoid"), cr.Dense(1, "sigmoid")], seed=seed)
    history = network.fit(
        X,
        y,
        loss="binary_cross_entropy",
        optimizer=cr.SGD(1.0, momentum=0.9),
        epochs=XOR_EPOCHS,
        batch_size=4,
        seed=seed,
        progress=progress,
    )
    return network, history


def _solved(outputs: Any, y: Any) -> bool:
    return bool(((outputs > 0.5) == (y == 1)).all())


def _tell(history: Any, figure: str) -> None:
    """How long training took, and its curve."""
    ending = "stopped by Ctrl-C after" if history.interrupted else "done:"
    say(f"  {ending} {history.epochs:,} epochs in {sum(history['seconds']):.2g} s")
    curve = history[figure]
    if len(curve) > 1:
        say(f"  {figure} {curve[0]:.3f} {sparkline(curve)} {curve[-1]:.3f}")


def _keep(network: Any, history: Any, X: Any, output: Path, name: str) -> None:
    """Save the model, load it again, compare, and draw the learning curve."""
    heading("Saved")
    path = output / f"{name}.safetensors"
    network.save(path)
    same = np.array_equal(cr.load(path)(X), network(X))
    say(f"  {path}: saved and loaded again; its predictions are {'the same' if same else 'DIFFERENT'}")
    picture = output / f"{name}-learning-curve.png"
    if can_draw():
        history.plot(picture)
        say(f"  {picture}: the learning curve")
    else:
        note('drawing the learning curve needs matplotlib: pip install "chainrule[plot]"')
