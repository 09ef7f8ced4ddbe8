"""How many random examples a test tries: few by day, the same in every run, and twenty times as many by `make nightly`."""

from hypothesis import settings

BY_DAY, BY_NIGHT, IN_SHORT = 100, 2000, 20
"""What a test tries that says nothing, by the profiles of `conftest.py`; those that say a number try as much more or less."""


def examples(by_day: int) -> settings:
    """So many by day, for a test whose examples each take long."""
    return settings(max_examples=max(1, by_day * settings.default.max_examples // BY_DAY), deadline=None)
