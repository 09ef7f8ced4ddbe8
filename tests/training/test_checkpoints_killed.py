"""Trainings killed at random instants, by a signal that no process hears: nothing is lost, and they end with the same bits.

`make nightly` kills 200 of every kind on every engine, by `CHAINRULE_KILLS`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from killing import KINDS

KILLS = int(os.environ.get("CHAINRULE_KILLS", "20"))
"""About how many of them, over all kinds; each kind is tried on two engines, and killed twice in a row."""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="copies of a process are a matter of Unix")
@pytest.mark.parametrize("kind", KINDS)
def test_a_training_that_is_killed_is_gone_on_with_to_the_same_bits(kind: str) -> None:
    times = max(1, KILLS // (4 * (len(KINDS) if KILLS == 20 else 1)))
    run = subprocess.run(
        [sys.executable, str(Path(__file__).parents[1] / "killing.py"), kind, str(times), str(KILLS)],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    killed, kept = map(int, run.stdout.split())
    assert killed >= times
    assert kept >= killed
