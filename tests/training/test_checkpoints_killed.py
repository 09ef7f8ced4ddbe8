"""Trainings killed at random instants, by a signal that no process hears: nothing is lost, and they end with the same bits."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from killing import KINDS
from trying import ENGINES

KILLS = int(os.environ.get("CHAINRULE_KILLS", "20"))
"""How many, over all kinds of training and the engines that are tried; 2,000 in `make nightly`."""

BY_DAY = ("plain", "dropout", "watched", "within", "told")
"""Those that take no longer than some seconds."""

THERE = [name for name, engine in ENGINES.items() if engine.missing is None]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="copies of a process are a matter of Unix")
@pytest.mark.parametrize("kind", BY_DAY if KILLS <= 20 else KINDS)
def test_a_training_that_is_killed_is_gone_on_with_to_the_same_bits(kind: str) -> None:
    kills = max(2, KILLS // (len(THERE) * len(KINDS)))
    command = [str(Path(__file__).parents[1] / "killing.py"), kind, ",".join(THERE), str(kills), str(KILLS)]
    run = subprocess.run([sys.executable, *command], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-3000:]
    killed, kept = map(int, run.stdout.split())
    assert killed >= kills * len(THERE)
    assert kept >= kills  # files that were there after the kills, all of which could be read
