"""Trainings killed at random instants, by a signal that no process hears: nothing is lost, and they end with the same bits."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from killing import KINDS

KILLS = int(os.environ.get("CHAINRULE_KILLS", "20"))
"""How many, over all kinds of training and two engines; 2,000 in `make nightly`."""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="copies of a process are a matter of Unix")
@pytest.mark.parametrize("kind", KINDS)
def test_a_training_that_is_killed_is_gone_on_with_to_the_same_bits(kind: str) -> None:
    kills = max(2, KILLS // (2 * len(KINDS)))
    run = subprocess.run(
        [sys.executable, str(Path(__file__).parents[1] / "killing.py"), kind, str(kills), str(KILLS)],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    assert int(run.stdout) >= kills  # files that were there after the kills, all of which could be read
