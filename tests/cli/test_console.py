"""Pictures made of characters, and messages printed as they are."""

import io
import subprocess
import sys

import numpy as np
import pytest
from rich.console import Console

from chainrule.cli.console import complain, note, say, shaded, sparkline
from waiting import LONG


@pytest.mark.parametrize(
    ("values", "line"),
    [([], ""), ([2.0], "▁"), ([5, 5, 5], "▁▁▁"), ([0, 7], "▁█"), ([1, np.nan, 0], "█▁"), ([np.inf], "")],
)
def test_sparkline(values, line):
    assert sparkline(values) == line


def test_long_curves_are_squeezed():
    line = sparkline(np.linspace(1, 0, 1000), width=20)
    assert len(line) == 20
    assert (line[0], line[-1]) == ("█", "▁")


def test_images_stand_side_by_side():
    lines = shaded(np.full((3, 8, 8), 16), gap="|")
    assert lines == ["|".join(["█" * 16] * 3)] * 8


def test_brackets_are_printed_as_they_are(capsys):
    say("[bold]a[/bold] [1]")
    note("[red]")
    complain("[x] " + "long " * 40)
    captured = capsys.readouterr()
    assert captured.out == "[bold]a[/bold] [1]\n· [red]\n"
    assert captured.err.startswith("Error: [x] long")
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize("width", [40, 60, 80])
def test_at_a_terminal_lines_go_on_below_their_beginning(width, monkeypatch):
    """Words stay whole, options too; the lines of a list keep their own indent."""
    shown = io.StringIO()
    terminal = Console(file=shown, force_terminal=True, width=width, color_system=None, highlight=False)
    for name in ("output", "errors"):
        monkeypatch.setattr(f"chainrule.cli.console.{name}", lambda: terminal)
    note("column 'rooms' holds numbers; '-' in 1 row counts as missing (to take all: --column rooms=category)")
    complain(
        "it cannot be learned from:\n  1. column 'id' was to be taken as a number, but holds others\nMended by: --drop id"
    )
    lines = shown.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    ends = [i for i, line in enumerate(lines) if line.startswith(("· ", "Error: ", "  1. ", "Mended by"))]
    hangs = {"· ": "  ", "Er": " " * 7, "  ": " " * 5, "Me": "   "}
    for begin, end in zip(ends, [*ends[1:], len(lines)], strict=True):
        assert all(line.startswith(hangs[lines[begin][:2]]) and line.strip() for line in lines[begin + 1 : end])
    words = " ".join(line.strip() for line in lines).split()
    assert {"--column", "rooms=category)", "--drop"} <= set(words)


def test_the_package_can_be_run() -> None:
    """Where `chainrule` is not on the path: `python -m chainrule`."""
    command = [sys.executable, "-m", "chainrule", "explain", "--expression", "a*b", "a=2", "b=3"]
    found = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=LONG, check=True)
    assert "∂L/∂a" in found.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="pipes are closed otherwise on Windows")
def test_a_training_goes_on_when_nobody_reads_what_it_tells(tmp_path) -> None:
    """As with `| head -1`, when there is a model to save."""
    table, model = tmp_path / "data.csv", tmp_path / "model.safetensors"
    table.write_text("a;y\n" + "".join(f"{i},5;{i % 3}\n" for i in range(30)))
    train = [sys.executable, "-m", "chainrule", "train", str(table), "--target", "y", "--save", str(model)]
    small = ["--fast", "--hidden", "2", "--epochs", "2"]
    with subprocess.Popen([*train, *small], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as training:
        training.stdout.close()
        assert training.stderr.read() == b""
    assert training.returncode == 0
    assert model.exists()
