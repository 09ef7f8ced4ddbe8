"""Trainings carried out at the same time: by a crew where steps are short, and else in threads of Python, one thread each."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, wait
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from chainrule.engines import Crew, Work, cores
from chainrule.engines.collection import among_new_ones
from chainrule.engines.threads import Threads
from chainrule.errors import DivergedError
from chainrule.network.many.kinds import Kind
from chainrule.network.network import Network
from chainrule.training.between_epochs.progress import Display, display
from chainrule.training.between_epochs.signals import told
from chainrule.training.steps.blocks import Call

HEARD = 0.1
"""Seconds between two looks at whether the user wants to stop, and at how far all are."""

SEVERAL = 4
"""Networks of a kind from which on a crew carries them out."""

AHEAD = 8
"""Networks of short steps that are under way besides two for each thread, so that nobody waits for what Python does of others."""

Outcome = tuple[Network, DivergedError | None]

Course = Generator[Call, None, Outcome]


@dataclass(frozen=True, eq=False)
class Job:
    """One network to be trained: its kind, the one it is like, its seed, the arguments of `fit`, and what is told of it."""

    kind: Kind
    network: Network
    seed: int | None
    given: Mapping[str, Any]
    told: Mapping[str, Any]


class _Ending:
    """Whether all are to end; without a lock, which the handler of a signal might wait for that came while it was held."""

    def __init__(self) -> None:
        self.asked = False

    def ask(self) -> None:
        """All are to end."""
        self.asked = True


class _Share:
    """What a training tells how far it is, and by which it is ended."""

    def __init__(self, epochs: int, ending: _Ending) -> None:
        self.done = 0.0
        self._epochs, self._ending = epochs, ending

    def update(self, epochs: float, metrics: Mapping[str, float]) -> None:
        """Note it; where all are to end, this one does as by Ctrl-C."""
        self.done = epochs / self._epochs
        if self._ending.asked:
            raise KeyboardInterrupt


def trained(jobs: Sequence[Job], threads: int, progress: bool | Display | None) -> dict[int, Outcome]:
    """What has become of each, by its place; those that were not begun when all were ended are not there."""
    ending, found = _Ending(), dict[int, Outcome]()
    shares = [_Share(job.given["epochs"], ending) for job in jobs]
    kinds: dict[Kind, list[int]] = {}
    for place, job in enumerate(jobs):
        kinds.setdefault(job.kind, []).append(place)
    with told(ending.ask), display(len(jobs), progress, "network") as shown:

        def tell() -> None:
            try:
                shown.update(sum(share.done for share in shares), {})
            except KeyboardInterrupt:
                ending.ask()

        left: list[int] = []
        hands = cores.most(threads)
        for kind, places in kinds.items():
            if ending.asked:
                break
            most = min(len(places), AHEAD + 2 * hands)
            crew = kind.crew(jobs[places[0]].given, hands, most) if len(places) >= SEVERAL else None
            if crew is None:
                left += places
            else:
                with among_new_ones():
                    _by_crew(crew, most, jobs, deque(places), shares, ending, tell, found)
        if left and not ending.asked:
            _in_threads(min(threads, len(left)), jobs, deque(left), shares, ending, tell, found)
        tell()
    return found


def _by_crew(
    crew: Crew,
    most: int,
    jobs: Sequence[Job],
    left: deque[int],
    shares: Sequence[_Share],
    ending: _Ending,
    tell: Callable[[], None],
    found: dict[int, Outcome],
) -> None:
    """This thread goes through all trainings by turns, so many at the same time, and their calls are the crew's."""
    under_way: dict[Work, tuple[int, Course]] = {}

    def go_on(place: int, course: Course) -> None:
        try:
            work = next(course).begun()
        except StopIteration as ended:
            found[place], shares[place].done = ended.value, 1.0
        else:
            under_way[work] = place, course
            crew.put(work)

    told = time.perf_counter()
    try:
        while (left or under_way) and not ending.asked:
            if left and len(under_way) < most:
                place = left.popleft()
                job = jobs[place]
                go_on(place, job.kind.course(job.network, job.seed, job.given, shares[place]))
            else:
                for work in crew.ended():
                    go_on(*under_way.pop(work))
            if time.perf_counter() > told + HEARD:
                tell()
                told = time.perf_counter()
    except KeyboardInterrupt:  # of a handler of the user's
        ending.ask()
    finally:
        crew.close()
    for place, course in under_way.values():
        try:
            course.throw(KeyboardInterrupt)
        except StopIteration as ended:
            found[place] = ended.value


def _in_threads(
    count: int,
    jobs: Sequence[Job],
    left: deque[int],
    shares: Sequence[_Share],
    ending: _Ending,
    tell: Callable[[], None],
    found: dict[int, Outcome],
) -> None:
    """Each carried out by one thread from beginning to end."""

    def work() -> None:
        while left and not ending.asked:
            with suppress(IndexError):  # another thread has taken the last
                place = left.popleft()
                job = jobs[place]
                found[place] = job.kind.fit(job.network, job.seed, job.given, shares[place])
                shares[place].done = 1.0

    with Threads(count) as pool:
        try:
            futures = [pool.submit(work) for _ in range(count)]
            at_work = set(futures)
            while at_work:
                try:
                    ended, at_work = wait(at_work, HEARD, FIRST_EXCEPTION)
                    if any(future.exception() for future in ended):
                        ending.ask()
                    tell()
                except KeyboardInterrupt:
                    ending.ask()
            for future in futures:
                future.result()
        finally:
            ending.ask()  # whatever was raised here, nobody waits for what is still to be trained
