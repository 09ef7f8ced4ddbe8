"""Threads that are kept: used again, waited for through an interrupt, and not looked for in a copy of the process."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading

import pytest

from chainrule.engines import workers


def test_the_same_threads_serve_again() -> None:
    seen: list[set[int]] = []
    for _ in range(3):
        names: set[int] = set()
        together = threading.Barrier(3)
        works = [lambda: (names.add(threading.get_ident()), together.wait(5))] * 3  # noqa: B023
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
            workers.together([lambda: both.wait(5) and None] * 2, done.append)  # noqa: B023

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
    run = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=60)
    assert not run.stderr, run.stderr
    return run.stdout.strip()


@pytest.mark.skipif(os.name == "nt", reason="interrupts are sent in another way")
def test_an_interrupt_waits_for_all() -> None:
    code = """
        import os, signal, threading, time
        from chainrule.engines import workers
        done = []
        def work():
            time.sleep(0.5)
            done.append(1)
        threading.Timer(0.2, os.kill, [os.getpid(), signal.SIGINT]).start()
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
