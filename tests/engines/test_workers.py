"""Threads that are kept: used again, waited for through an interrupt, and not looked for in a copy of the process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import weakref

import pytest

from chainrule.engines import workers
from waiting import LONG


def test_the_same_threads_serve_again() -> None:
    seen: list[set[int]] = []
    for _ in range(3):
        names: set[int] = set()
        together = threading.Barrier(3)
        works = [lambda: (names.add(threading.get_ident()), together.wait(LONG))] * 3  # noqa: B023
        assert workers.together(works, lambda count: None)
        seen.append(names)
    assert len(seen[0]) == 3
    assert seen[0] == seen[1] == seen[2]
    assert threading.get_ident() not in seen[0]


def test_several_calls_at_the_same_time() -> None:
    done: list[int] = []

    def call() -> None:
        for _ in range(50):
            both = threading.Barrier(2)
            workers.together([lambda: both.wait(LONG) and None] * 2, done.append)  # noqa: B023

    callers = [threading.Thread(target=call) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert done == [2] * 200


def test_nothing_is_done_where_gathering_fails() -> None:
    done: list[int] = []

    def fail(count: int) -> None:
        raise ValueError(str(count))

    with pytest.raises(ValueError, match="2"):
        workers.together([lambda: done.append(1)] * 2, fail)
    assert done == []
    assert workers.together([lambda: done.append(1)] * 2, lambda count: None)
    assert done == [1, 1]


def output(code: str) -> str:
    """What a process of its own prints."""
    run = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=LONG)
    assert not run.stderr, run.stderr
    return run.stdout.strip()


@pytest.mark.skipif(os.name == "nt", reason="interrupts are sent in another way")
def test_an_interrupt_waits_for_all() -> None:
    code = """
        import os, signal, time
        from chainrule.engines import workers
        done = []
        def work():
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.2)
            done.append(1)
        try:
            workers.together([work] * 2, lambda count: None)
        except KeyboardInterrupt:
            print("interrupted after", done)
    """
    assert output(code) == "interrupted after [1, 1]"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no copies of processes here")
def test_a_copy_of_the_process_makes_threads_of_its_own() -> None:
    code = """
        import os
        from chainrule.engines import workers
        def both(): assert workers.together([lambda: None] * 2, lambda count: None)
        both()
        child = os.fork()
        if not child:
            both()
            os._exit(7)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """
    assert output(code) == "7"


def test_what_a_work_raises_is_raised_when_all_are_done() -> None:
    done: list[int] = []

    def fail() -> None:
        raise ValueError("of a work")

    with pytest.raises(ValueError, match="of a work"):
        workers.together([fail, lambda: done.append(1)], lambda count: None)
    assert done == [1]
    with pytest.raises(ValueError, match="of a work"):
        workers.uninterrupted(fail)
    assert workers.uninterrupted(lambda x: x + 1, 2) == 3


def test_works_may_have_works_carried_out_themselves() -> None:
    found: list[int] = []
    inner = [lambda: found.append(1)] * 2
    assert workers.together([lambda: workers.together(inner, lambda count: None) and None] * 3, lambda count: None)
    assert found == [1] * 6


@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="signals come in another way here")
def test_whatever_a_handler_raises_waits_for_all_and_what_they_use_is_kept() -> None:
    class Kept:
        """Something machine code would write to."""

    class Over(BaseException):
        """Raised by a handler."""

    def handler(*_: object) -> None:
        raise Over

    kept, here, before = Kept(), threading.get_ident(), threading.active_count()
    watched, ended = weakref.ref(kept), []

    def work() -> None:
        os.kill(os.getpid(), signal.SIGALRM)
        time.sleep(0.1)
        ended.append(watched() is not None and threading.get_ident() != here)

    earlier = signal.signal(signal.SIGALRM, handler)
    try:
        with pytest.raises(Over):
            workers.together([work] * 2, lambda count: None, keeping=kept)
    finally:
        signal.signal(signal.SIGALRM, earlier)
    assert ended == [True, True]
    del kept
    assert watched() is None
    assert threading.active_count() <= before + 2


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores are not chosen here")
def test_only_as_many_as_there_are_cores_are_put_on_one_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_cores", lambda: [0, 1, 2])
    chosen: list[set[int]] = []
    monkeypatch.setattr(
        workers.Worker, "give", lambda worker, job, work, cores: chosen.append(cores) or job.ended(worker, None)
    )
    workers.together([lambda: None] * 3, lambda count: None)
    workers.together([lambda: None] * 2, lambda count: None)
    assert chosen == [{0}, {1}, {2}, {0, 1, 2}, {0, 1, 2}]


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores are not chosen here")
def test_a_worker_is_moved_to_its_core_by_whoever_gives_it_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """By itself it could not as long as another one is at work on the core it comes from."""
    moved: list[tuple[int, int, set[int]]] = []
    at_work: list[int] = []
    monkeypatch.setattr(
        os, "sched_setaffinity", lambda who, where: moved.append((threading.get_native_id(), who, where))
    )
    monkeypatch.setattr(workers, "_cores", lambda: [0, 1])
    monkeypatch.setattr(workers, "_idle", [])
    assert workers.together([lambda: at_work.append(threading.get_native_id())] * 2, lambda count: None)
    assert [cores for _, _, cores in moved] == [{0}, {1}]
    assert sorted(worker for _, worker, _ in moved) == sorted(at_work)
    assert not {mover for mover, _, _ in moved} & set(at_work)
