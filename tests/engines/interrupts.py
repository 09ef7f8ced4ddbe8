"""Exceptions raised by signals at random instants, over everything that takes long: `interrupts.py COUNT SEED SITUATION …`.

A script for a process of its own, since what it looks for ends processes or keeps them for ever. After every exception
it asks whether the network has the weights of a finished step, to the bit, and whether memory taken since was written
to; at the end, whether threads were lost and whether the same work, left alone, still gives the same numbers.
"""

from __future__ import annotations

import _thread
import faulthandler
import io
import os
import signal
import sys
import tempfile
import threading
import time
import timeit
import warnings
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np

import chainrule as cr

random = np.random.default_rng(0)
X = random.normal(size=(256, 64))
VALUES = np.tanh(X[:, :3] * X[:, 3:6])
LABELS = np.array(["a", "b", "c"])[np.argmax(X[:, :3], axis=1)]
SEVERAL = 4
"""Threads that may be added by all that is done here: the one that hires, two that train, one for whoever comes next."""


class Limit(BaseException):
    """What a program of the user's may raise when its time is over."""


KINDS: list[type[BaseException]] = [KeyboardInterrupt, SystemExit, TimeoutError, Limit]


class Interrupts:
    """Raises exceptions in the main thread after a random time, once or several times."""

    def __init__(self) -> None:
        self.kind: type[BaseException] = KeyboardInterrupt
        self.left = 0
        self.raised = 0
        signal.signal(signal.SIGALRM, self._raise)
        signal.signal(signal.SIGINT, self._raise)

    def _raise(self, *_: Any) -> None:
        if self.left > 0:
            self.left -= 1
            self.raised += 1
            raise self.kind("raised by a signal")

    def during(self, action: Callable[[], Any], most: float) -> BaseException | None:
        """Carry something out, and have it interrupted within so many seconds; gives what came out of it."""
        self.kind = KINDS[random.integers(len(KINDS))] if random.random() < 0.5 else KeyboardInterrupt
        self.left = int(random.choice([1, 1, 1, 2, 5]))
        delay, again = random.uniform(1e-4, most), random.uniform(2e-4, 5e-3)
        way = random.integers(3)
        came: BaseException | None = None
        over = threading.Event()

        def send() -> None:
            while not over.wait(delay) and self.left:
                os.kill(os.getpid(), signal.SIGINT) if way == 1 else _thread.interrupt_main()

        other = threading.Thread(target=send)
        try:
            if way:
                other.start()
            else:
                signal.setitimer(signal.ITIMER_REAL, delay, again)
            action()
        except BaseException as error:
            came = error
        while True:  # whatever is still on its way may come anywhere here
            try:
                self.left = 0
                signal.setitimer(signal.ITIMER_REAL, 0)
                break
            except BaseException as error:
                came = error
        over.set()
        if other.ident is not None:
            other.join()
        if came is not None and not isinstance(came, (*KINDS, cr.errors.ChainruleError)):
            raise came
        return came


def network() -> cr.Network:
    return cr.Network([cr.Dense(96, "tanh"), cr.Dense(64, "relu"), cr.Dense(3)], seed=3)


def weights(network: cr.Network) -> bytes:
    return b"".join(array.tobytes() for own in network.parameters.values() for array in own.values())


def trajectory(steps: int, **options: Any) -> dict[bytes, int]:
    """The weights before the first step and after every one, of a training that nobody interrupts."""
    net = network()
    net.build(X.shape[1])
    seen = {weights(net): 0}

    def note(end: Any) -> None:
        seen[b"".join(array.tobytes() for own in end.parameters.values() for array in own.values())] = end.epoch + 1

    net.fit(X, VALUES, epochs=steps, batch_size=None, progress=False, callbacks=[note], **options)
    assert len(seen) == steps + 1
    return seen


class Fits:
    """`fit`, with options; the weights must be those of a finished step."""

    def __init__(self, epochs: int = 200, **options: Any) -> None:
        self.options, self.epochs = options, epochs
        self.steps = trajectory(epochs, **options)
        self.seconds = min(timeit.repeat(lambda: self.fit(network()), number=1, repeat=3))
        self.found: list[int] = []

    def fit(self, net: cr.Network) -> None:
        net.fit(X, VALUES, epochs=self.epochs, batch_size=None, progress=False, **self.options)

    def once(self, interrupts: Interrupts) -> None:
        net = network()
        came = interrupts.during(lambda: self.fit(net), self.seconds)
        if net._model is None:
            net.build(X.shape[1])
        now = weights(net)
        assert now in self.steps, f"weights of no finished step after {came!r}"
        self.found.append(self.steps[now])
        if net.history is not None:
            assert net.history.epochs <= self.steps[now], "the history is ahead of the weights"
            assert {len(values) for values in net.history.metrics.values()} <= {net.history.epochs}

    def end(self) -> None:
        assert trajectory(self.epochs, **self.options) == self.steps
        middle = sum(0 < step < self.epochs for step in self.found)
        assert len(self.found) < 20 or middle > len(self.found) / 5, f"only {middle} of {len(self.found)} hit the steps"


class Repeats:
    """Anything that gives the same every time, also after it was interrupted."""

    def __init__(self, action: Callable[[], Any], seconds: float) -> None:
        self.action, self.seconds = action, seconds
        self.expected = action()

    def once(self, interrupts: Interrupts) -> None:
        interrupts.during(self.action, self.seconds)

    def end(self) -> None:
        found: list[Any] = []
        other = threading.Thread(target=lambda: found.append(self.action()))  # a lock that was left shut would show
        other.start()
        other.join()
        np.testing.assert_equal(self.action(), self.expected)
        np.testing.assert_equal(found, [self.expected])


def grid_search() -> Any:
    from sklearn.model_selection import GridSearchCV

    from chainrule.sklearn import MLPClassifier

    search = GridSearchCV(
        MLPClassifier((64,), max_iter=5, tol=0, n_iter_no_change=100, batch_size=128, random_state=1),
        {"alpha": [1e-4, 1e-2]},
        cv=2,
        error_score="raise",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return search.fit(X, LABELS).cv_results_["mean_test_score"]


def one_step() -> Any:
    net = network()
    step = net.step_by_step(X, VALUES, optimizer=cr.SGD(0.5))
    return step.update.after["dense_0"]["weight"] if "dense_0" in step.update.after else str(step)[:200]


compiled = cr.jit(cr.grad(lambda x: np.sum(np.tanh(x @ x.T) ** 2)))


def calls() -> Any:
    return [compiled(X * k) for k in (1.0, 0.5, 0.1) for _ in range(8)][-1]


def compilation() -> Any:
    """A function that was never compiled before, trained and asked as machine code."""
    from chainrule.engines.llvm.runs import training

    training.compile_loop.cache_clear()
    slow = cr.jit(lambda x: np.sum(np.exp(-(x**2)), axis=1))
    net = network()
    net.fit(X, VALUES, epochs=2, batch_size=50, progress=False, engine="llvm")
    return slow(X), weights(net)


def command_lines() -> Repeats:
    """`chainrule train`, in this process."""
    from chainrule.cli.app import app

    folder = (
        tempfile.TemporaryDirectory()
    )  # taken away at the end of the process: Python's own code for that bears no interrupts
    kept.append(folder)
    table = Path(folder.name) / "table.csv"
    rows = [",".join(f"{v:.4f}" for v in row) + f",{label}" for row, label in zip(X[:, :6], LABELS, strict=True)]
    table.write_text("a,b,c,d,e,f,label\n" + "\n".join(rows) + "\n")

    def command_line() -> Any:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            return app(["train", str(table), "--target", "label", "--epochs", "40"], standalone_mode=False)

    return Repeats(command_line, 0.3)


kept: list[Any] = []
"""What is there until the process ends."""


def compilations() -> Repeats:
    """Compiling; from here on nothing is found on disk."""
    os.environ["CHAINRULE_CACHE"] = "off"
    return Repeats(compilation, 0.3)


SITUATIONS: dict[str, Callable[[], Any]] = {
    "fit, one thread": lambda: Fits(engine="llvm", threads=1),
    "fit, several threads": lambda: Fits(engine="llvm", threads=2),
    "fit, chosen by itself": Fits,
    "fit, numpy": lambda: Fits(epochs=40, engine="numpy"),
    "fit, jax": lambda: Fits(engine="jax"),
    "grid search": lambda: Repeats(grid_search, 0.1),
    "step by step": lambda: Repeats(one_step, 0.05),
    "jit": lambda: Repeats(calls, 0.03),
    "command line": command_lines,
    "compilation": compilations,
}


def threads() -> int:
    """How many threads this process has, those that Python does not know included."""
    tasks = Path("/proc/self/task")
    return len(list(tasks.iterdir())) if tasks.exists() else threading.active_count()


def interrupt(name: str, count: int, seed: int) -> None:
    """Interrupt a situation until so many exceptions were raised."""
    global random
    situation = SITUATIONS[name]()
    before = threads()
    random = np.random.default_rng(seed)
    interrupts = Interrupts()
    canaries: list[Any] = []
    most, longest = 0, 0.0
    while interrupts.raised < count:
        began = time.perf_counter()
        situation.once(interrupts)
        longest = max(longest, time.perf_counter() - began)
        for canary in canaries:
            assert (canary == 7).all(), "memory was written to after it had been given back"
        canaries = [np.full(size, 7, np.uint8) for size in (2**14, 2**17, 2**19, 2**21)]
        most = max(most, threads())
    situation.end()
    assert most <= before + SEVERAL, f"{before} threads became {most}"
    said = f"{name}: {interrupts.raised} raised, {most - before} threads more at most, {longest:.2f} s the longest"
    print(said, file=sys.__stdout__)  # an exception may have come before what had redirected `sys.stdout` put it back


if __name__ == "__main__":
    faulthandler.dump_traceback_later(float(os.environ.get("LIMIT", "600")), exit=True)
    for situation in sys.argv[3:]:
        interrupt(situation, int(sys.argv[1]), int(sys.argv[2]))
