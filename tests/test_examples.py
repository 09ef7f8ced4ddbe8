"""Every file in examples/ runs as it stands, without warnings, and shows what it says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from waiting import LONG

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))
SHOWN = {  # words that an example's output must have
    "arbitrary_network": ["14 parameters", "by the chain rule", "by nudging"],
    "perceptron": ["AND", "separates the classes", "No line separates", "2-2-1 network: [0, 1, 1, 0]"],
    "two_three_two": [
        "∂L/∂u_ij = (y_j − t_j)·y_j(1 − y_j)·h_i",
        "∂L/∂w_ij = [Σ_k (y_k − t_k)·y_k(1 − y_k)·u_jk]·h_j(1 − h_j)·x_i",
        "and +0.000000000 by way of output.a[1]",
    ],
    "mazur": [
        "+0.000668396021144, -0.000229828286670",
        "0.291027924  0.29102777369359",
        "0.291027924  differs",
        "0.015912196  0.0159136204",
    ],
    "numerical_derivative": ["14.003000", "smallest error", "exp, central"],
    "xor_by_nudging": ["60,000 forward", "6,000 backward"],
    "from_scikit_learn": ["the two loss curves: ", "accuracy there", "network__hidden__units"],
    "tuning": [
        "the grid, 120 trainings",
        "the descent, 12 trainings",
        "the descent found a smaller loss",
        "reverse mode",
    ],
    "uncertainty": ["an ensemble of 32", "100 passes with dropout", "in the gap", "uncertainty.png"],
    "own_pieces": ["10% of the points", "90% of the points", "agrees with finite differences"],
}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_runs(path: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", str(path)],
        cwd=tmp_path, capture_output=True, text=True, timeout=LONG, env={"PYTHONIOENCODING": "utf-8"}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for words in SHOWN.get(path.stem, [""]):
        assert words in done.stdout


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_is_short_and_says_what_it_shows(path: Path) -> None:
    text = path.read_text()
    assert text.startswith('"""')
    assert len(text.splitlines()) < 90


def test_the_formula_is_under_sixty_lines() -> None:
    (path,) = [path for path in EXAMPLES if path.stem == "arbitrary_network"]
    assert len(path.read_text().splitlines()) < 60
