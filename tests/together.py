"""Many small cases as one test for every name: a test of its own costs more than most of them take."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest


def together(cases: Iterable[tuple[Any, ...]], name: Callable[..., str]) -> Callable[[Callable[..., None]], Any]:
    """Call the test with the arguments of every case, those of one name in one test, which says at which it failed."""
    named: dict[str, list[tuple[Any, ...]]] = {}
    for case in cases:
        named.setdefault(name(*case), []).append(case)

    def decorate(test: Callable[..., None]) -> Any:
        def of_one_name(cases: list[tuple[Any, ...]]) -> None:
            for case in cases:
                try:
                    test(*case)
                except BaseException as error:
                    error.add_note(f"with {', '.join(map(repr, case))}")
                    raise

        for said in ("__name__", "__qualname__", "__module__", "__doc__", "pytestmark"):
            if hasattr(test, said):
                setattr(of_one_name, said, getattr(test, said))
        return pytest.mark.parametrize("cases", named.values(), ids=named)(of_one_name)

    return decorate
