"""Whatever a signal's handler raises, and whenever: nothing hangs, no thread is lost, weights are those of a finished step.

`CHAINRULE_INTERRUPTS` is how many are raised in every situation; `make nightly` takes 1,000.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import interrupts
import pytest

COUNT = int(os.environ.get("CHAINRULE_INTERRUPTS", "5"))
TOGETHER = [[name] for name in interrupts.SITUATIONS] if COUNT >= 100 else [[*interrupts.SITUATIONS]]
"""Situations tried in one process: by day all."""

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="signals come in another way here")


@pytest.mark.parametrize("situations", TOGETHER, ids=", ".join)
def test_interrupts_at_random_instants(situations: list[str]) -> None:
    limit = 600 + 3 * COUNT  # for what never ends; a busy machine takes ten times as long as an idle one
    run = subprocess.run(
        [sys.executable, interrupts.__file__, str(COUNT), "1", *situations],
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "LIMIT": str(limit)},
        capture_output=True,
        text=True,
        timeout=limit + 30,
    )
    assert run.returncode == 0, run.stdout + run.stderr[-4000:]
    raised = [int(n) for n in re.findall(r": (\d+) raised", run.stdout)]
    assert len(raised) == len(situations), run.stdout
    assert min(raised) >= COUNT


def output(code: str, **environment: str) -> str:
    """What a process of its own prints."""
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=600,  # for what never ends; a busy machine takes minutes
    )
    assert not run.returncode, run.stderr
    return run.stdout.strip()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no copies of processes here")
@pytest.mark.parametrize("name", ["jit", "scan", "Network"])
def test_a_fork_while_another_thread_loads(name: str) -> None:
    code = f"""
        import os, signal, threading, warnings
        import chainrule as cr
        warnings.simplefilter("ignore")  # Python itself warns of forks in processes with threads
        signal.alarm(300)
        threading.Thread(target=lambda: cr.{name}).start()
        child = os.fork()
        if not child:
            signal.alarm(300)
            os._exit(7 if callable(cr.{name}) else 1)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """
    assert output(code) == "7"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no copies of processes here")
def test_a_fork_while_another_thread_compiles() -> None:
    code = """
        import os, threading, time, warnings
        import numpy as np, chainrule as cr
        warnings.simplefilter("ignore")  # Python itself warns of forks in processes with threads

        def compile_for_ever():
            for i in range(10_000):
                cr.jit(lambda x: np.sum(np.tanh(x) ** 2))(np.ones(i + 2))

        threading.Thread(target=compile_for_ever, daemon=True).start()
        ends = []
        for i in range(3):
            time.sleep(0.026 * i)
            child = os.fork()
            if not child:
                import gc
                value = cr.jit(lambda x: np.sum(x * x))(np.ones(3))
                net = cr.Network([cr.Dense(4, "tanh"), cr.Dense(1)])
                net.fit(np.eye(4), np.ones(4), epochs=2, progress=False, engine="llvm")
                os._exit(7 if value == 3 and gc.isenabled() else 1)
            ends.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        print(set(ends), flush=True)
        os._exit(0)
    """
    assert output(code, CHAINRULE_CACHE="off") == "{7}"


def test_a_process_may_end_while_another_thread_trains() -> None:
    code = """
        import threading, time
        import numpy as np, chainrule as cr
        X = np.ones((256, 64))
        net = cr.Network([cr.Dense(128, "tanh"), cr.Dense(1)])
        fit = dict(epochs=10**6, batch_size=None, progress=False, engine="llvm")
        threading.Thread(target=net.fit, args=(X, X[:, 0]), kwargs=fit, daemon=True).start()
        time.sleep(1.0)
        print("ends")
    """
    assert output(code) == "ends"


def test_the_command_line_ends_in_time_and_says_why(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("a,b\n" + "".join(f"{i * 37 % 101},{i * i}\n" for i in range(400)))
    code = "from chainrule.cli.app import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "train", str(table), "--target", "b", "--epochs", "1000000", "--time", "1h"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        text=True,
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    said, complaint = process.communicate(timeout=600)
    assert process.returncode == 130, first + said + complaint
