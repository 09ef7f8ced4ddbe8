"""Work on blocks of rows, shared out to threads: NumPy and Polars let others run while they compute."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from chainrule.engines import cores
from chainrule.engines.threads import Threads

Item = TypeVar("Item")
Result = TypeVar("Result")


def side_by_side(work: Callable[[Item], Result], items: Sequence[Item], long: bool = True) -> list[Result]:
    """What is made of every item, in their order; the first error that any of them raises.

    Where the work on one is not `long`, so that a thread for it would take longer, it is done one after the other.

    Examples
    --------
    >>> side_by_side(abs, [-1, 2, -3])
    [1, 2, 3]
    """
    threads = min(cores.most(), len(items))
    if threads < 2 or not long:
        return [work(item) for item in items]
    with Threads(threads) as pool:
        return list(pool.map(work, items))
