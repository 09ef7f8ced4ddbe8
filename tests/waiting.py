"""How long tests wait for what is to come: minutes, as a loaded machine may take them, so that only what never comes fails."""

import time
from collections.abc import Callable

LONG = 300.0
"""Seconds until something that has not ended counts as without an end; no test is to show by them how fast something is."""


def until(condition: Callable[[], object]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < end, f"it is still not so after {LONG:.0f} s"
        time.sleep(0.005)
