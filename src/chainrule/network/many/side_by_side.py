"""Trainings carried out at the same time: by a crew where steps are short, and else in threads of Python, one thread each."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, wait
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


class _Share:
    """What a training tells how far it is, and by which it is ended."""

    def __init__(self, epochs: int, whole: _Trainings) -> None:
        self.done = 0.0
        self._epochs, self._whole = epochs, whole

    def update(self, epochs: float, metrics: Mapping[str, float]) -> None:
        """Note it; where all are to end, this one does as by Ctrl-C."""
        self.done = epochs / self._epochs
        if self._whole.ending:
            raise KeyboardInterrupt


class _Trainings:
    """All that are carried out together: how far each is, what has become of it, and whether they are to end.

    That has no lock, which the handler of a signal might wait for that came while it was held.
    """

    def __init__(self, jobs: Sequence[Job]) -> None:
        self.jobs = jobs
        self.found: dict[int, Outcome] = {}
        self.ending = False
        self._shares = [_Share(job.given["epochs"], self) for job in jobs]

    def end(self) -> None:
        """All are to end."""
        self.ending = True

    def tell(self, shown: Display) -> None:
        """Show how far all are together."""
        try:
            shown.update(sum(share.done for share in self._shares), {})
        except KeyboardInterrupt:
            self.end()

    def course(self, place: int) -> Course:
        """The training at a place, gone through call by call."""
        job = self.jobs[place]
        return job.kind.course(job.network, job.seed, job.given, self._shares[place])

    def fit(self, place: int) -> None:
        """Carry out the training at a place."""
        job = self.jobs[place]
        self.note(place, job.kind.fit(job.network, job.seed, job.given, self._shares[place]))

    def note(self, place: int, outcome: Outcome) -> None:
        """What has become of the training at a place."""
        self.found[place], self._shares[place].done = outcome, 1.0


def trained(jobs: Sequence[Job], threads: int, progress: bool | Display | None) -> dict[int, Outcome]:
    """What has become of each, by its place; those that were not begun when all were ended are not there."""
    whole = _Trainings(jobs)
    kinds: dict[Kind, list[int]] = {}
    for place, job in enumerate(jobs):
        kinds.setdefault(job.kind, []).append(place)
    with told(whole.end), display(len(jobs), progress, "network") as shown:
        left: list[int] = []
        hands = cores.most(threads)
        for kind, places in kinds.items():
            if whole.ending:
                break
            most = min(len(places), AHEAD + 2 * hands)
            crew = kind.crew(jobs[places[0]].given, hands, most) if len(places) >= SEVERAL else None
            if crew is None:
                left += places
            else:
                with among_new_ones():
                    _by_crew(whole, deque(places), crew, most, shown)
        if left and not whole.ending:
            _in_threads(whole, deque(left), min(threads, len(left)), shown)
        whole.tell(shown)
    return whole.found


def _by_crew(whole: _Trainings, left: deque[int], crew: Crew, most: int, shown: Display) -> None:
    """This thread goes through all trainings by turns, so many at the same time, and their calls are the crew's."""
    under_way: dict[Work, tuple[int, Course]] = {}

    def go_on(place: int, course: Course) -> None:
        try:
            work = next(course).begun()
        except StopIteration as ended:
            whole.note(place, ended.value)
        else:
            under_way[work] = place, course
            crew.put(work)

    told = time.perf_counter()
    try:
        while (left or under_way) and not whole.ending:
            if left and len(under_way) < most:
                place = left.popleft()
                go_on(place, whole.course(place))
            else:
                for work in crew.ended():
                    go_on(*under_way.pop(work))
            if time.perf_counter() > told + HEARD:
                whole.tell(shown)
                told = time.perf_counter()
    except KeyboardInterrupt:  # of a handler of the user's
        whole.end()
    finally:
        crew.close()
    for place, course in under_way.values():
        try:
            course.throw(KeyboardInterrupt)
        except StopIteration as ended:
            whole.found[place] = ended.value  # as far as it came


def _in_threads(whole: _Trainings, left: deque[int], count: int, shown: Display) -> None:
    """Each carried out by one thread from beginning to end."""

    def work() -> None:
        while not whole.ending:
            try:
                place = left.popleft()
            except IndexError:
                return  # another thread has taken the last
            whole.fit(place)

    with Threads(count) as pool:
        try:
            futures = [pool.submit(work) for _ in range(count)]
            at_work = set(futures)
            while at_work:
                try:
                    ended, at_work = wait(at_work, HEARD, FIRST_EXCEPTION)
                    if any(future.exception() for future in ended):
                        whole.end()
                    whole.tell(shown)
                except KeyboardInterrupt:
                    whole.end()
            for future in futures:
                future.result()
        finally:
            whole.end()  # whatever was raised here, nobody waits for what is still to be trained
