"""What tests try by day, the same in every run, and what only by night: random examples, engines that take long to make functions."""

import os

from hypothesis import settings

from chainrule import engines

BY_DAY, BY_NIGHT, IN_SHORT = 100, 2000, 20
"""What a test tries that says nothing, by the profiles of `conftest.py`; those that say a number try as much more or less."""

QUICKLY = 0.15
"""Seconds within which an engine makes a function that tests try by day, thousands of times; `make nightly` tries all."""

ENGINES = {
    name: engine
    for name, engine in engines.ENGINES.items()
    if engine.preparing <= QUICKLY or "CHAINRULE_ENGINES" in os.environ
}
"""The engines that tests loop over."""


def examples(by_day: int) -> settings:
    """So many by day, for a test whose examples each take long."""
    return settings(max_examples=max(1, by_day * settings.default.max_examples // BY_DAY), deadline=None)
