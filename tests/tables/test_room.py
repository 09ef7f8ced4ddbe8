"""Memory that is free is the system's again."""

import subprocess
import sys
from pathlib import Path

import pytest

HELD = """
import numpy as np
from chainrule.tables.sources.room import keep_little
keep_little()

def held():
    return int(open("/proc/self/statm").read().split()[1]) * 4096

before = held()
first = np.ones(24_000_000, np.uint8)
del first  # by default as much is small from here on
large = [np.ones(12_000_000, np.uint8) for _ in range(3)]
behind = [np.ones(1000) for _ in range(1000)]
del large
print((held() - before) // 1_000_000)
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the system tells no process what it holds")
def test_large_arrays_that_are_gone_are_given_back() -> None:
    found = subprocess.run([sys.executable, "-c", HELD], capture_output=True, text=True, check=True)
    assert int(found.stdout) < 24
