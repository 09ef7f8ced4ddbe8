"""What is known to be wrong as yet, and how thoroughly programs with habits are tried."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings

EXAMPLES = int(os.environ.get("CHAINRULE_EXAMPLES", "200"))
"""About how many programs a run tries."""

BROKEN: dict[str, str] = {}
"""Habits whose numbers are known to be wrong, and why; empty when all is well. A test of one that is right again fails."""


def names(table: Iterable[str]) -> list[Any]:
    """The names for a parametrized test, those of broken habits expected to fail."""
    return [
        pytest.param(n, marks=pytest.mark.xfail(reason=BROKEN[n], raises=AssertionError)) if n in BROKEN else n
        for n in table
    ]


def thoroughness(name: str, examples: int) -> settings:
    """So many examples; those of a broken habit need not be made small."""
    phases = (Phase.generate,) if name in BROKEN else tuple(Phase)
    return settings(
        max_examples=max(1, examples),
        phases=phases,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
