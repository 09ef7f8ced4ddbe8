"""Pictures made of characters, and messages printed as they are."""

import subprocess
import sys

import numpy as np
import pytest
from chainrule.cli.reports import metrics, per_class, percent

from chainrule.cli.console import complain, note, say, shaded, sparkline
from chainrule.tables import Target


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


def test_metrics_of_a_target_that_does_not_vary():
    found = metrics(Target("y", "regression"), np.ones(3), np.array([1.0, 1, 2]))
    assert np.isnan(found["r2"])


def test_a_class_that_never_occurs():
    a, b = per_class(np.array([1, 1]), np.array([1, 1]), (1, 2))
    assert (a.precision, a.recall) == (1, 1)
    assert percent(b.precision) == percent(b.recall) == "–"


def test_the_package_can_be_run() -> None:
    """Where `chainrule` is not on the path: `python -m chainrule`."""
    command = [sys.executable, "-m", "chainrule", "explain", "--expression", "a*b", "a=2", "b=3"]
    found = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=60, check=True)
    assert "∂L/∂a" in found.stdout
