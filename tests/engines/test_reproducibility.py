"""The same seed gives the same bits: twice in a process, in another process, with and without the cache on disk."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines import TrainingLoop, make_runner
from chainrule.engines.llvm.machine import machine
from chainrule.engines.llvm.runs import training

random = np.random.default_rng(0)
X = random.normal(size=(150, 12))
LABELS = np.argmax(X[:, :3], axis=1)

TRAININGS: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "without loops": ([cr.Dense(2, "sigmoid"), cr.Dense(1)], X[:, 0], {"batch_size": 4}),
    "with loops": ([cr.Dense(40, "relu"), cr.Dense(33, "gelu"), cr.Dense(3)], LABELS, {}),
    "dropout": ([cr.Dense(20, "tanh"), cr.Dropout(0.4), cr.Dense(3)], LABELS, {"batch_size": 64}),
    "validated": ([cr.Dense(9, "tanh"), cr.Dense(3)], LABELS, {"validation_split": 0.2, "early_stopping": 2}),
    "clipped": ([cr.Dense(9, "softplus"), cr.Dense(3)], LABELS, {"clip_norm": 0.1, "l2": 0.1, "optimizer": "rmsprop"}),
    "large": (
        [cr.Dense(600, "relu"), cr.Dense(600, "relu"), cr.Dense(3)],
        LABELS,
        {"batch_size": 75, "epochs": 2, "validation_split": 0.2},
    ),
}


def digest(name: str, engine: str = "llvm") -> str:
    """A fingerprint of everything that a training leaves behind."""
    layers, y, options = TRAININGS[name]
    network = cr.Network(layers, seed=3)
    history = network.fit(X, y, **{"epochs": 5, "seed": 7, "progress": False, "engine": engine, **options})
    found = hashlib.sha256()
    for own in network.parameters.values():
        for value in own.values():
            found.update(value.tobytes())
    for figure in history:
        if figure != "seconds":
            found.update(np.array(history[figure]).tobytes())
    for answer in (network.predict(X), network(X[:1], engine=engine), network.compiled()(X)):
        found.update(answer.tobytes())
    return found.hexdigest()


def code_of_every_training() -> str:
    """A fingerprint of the code of all trainings, made anew, and of what it is found again by."""
    found = hashlib.sha256()
    training.compile_loop.cache_clear()
    texts: list[str] = []
    made = machine.CompiledFunction.__init__

    def noted(self: Any, write: Any, name: str, target: Any, identity: str | None) -> None:
        assert identity is not None
        texts.extend((write(), identity))
        made(self, write, name, target, identity)

    machine.CompiledFunction.__init__ = noted  # type: ignore[method-assign]
    try:
        for name in TRAININGS:
            digest(name)
    finally:
        machine.CompiledFunction.__init__ = made  # type: ignore[method-assign]
    found.update("".join(texts).encode())
    assert texts
    return found.hexdigest()


@pytest.fixture(scope="module")
def digests() -> dict[str, str]:
    return {name: digest(name) for name in TRAININGS}


@pytest.fixture(scope="module")
def code() -> str:
    return code_of_every_training()


@pytest.fixture
def nothing_remembered() -> Iterator[None]:
    training.compile_loop.cache_clear()
    yield
    training.compile_loop.cache_clear()


@pytest.mark.parametrize("name", TRAININGS)
def test_twice_in_a_process(name: str, digests: dict[str, str]) -> None:
    assert digest(name) == digests[name]


@pytest.mark.usefixtures("nothing_remembered")
@pytest.mark.parametrize("name", TRAININGS)
def test_compiled_anew(name: str, digests: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for cache in ("off", str(tmp_path), str(tmp_path)):
        monkeypatch.setenv("CHAINRULE_CACHE", cache)
        training.compile_loop.cache_clear()
        assert digest(name) == digests[name]
    assert any(tmp_path.iterdir())  # the third time the code came from there:
    training.compile_loop.cache_clear()
    with mock.patch.object(training._Writer, "write", side_effect=AssertionError("written again")):
        assert digest(name) == digests[name]


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_any_number_of_threads(threads: int, digests: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", str(threads))
    assert digest("large") == digests["large"]


@pytest.mark.parametrize(
    "environment",
    [{"CHAINRULE_CACHE": "off", "PYTHONHASHSEED": "1"}, {"PYTHONHASHSEED": "2", "OMP_NUM_THREADS": "1"}],
    ids=str,
)
def test_in_another_process(environment: dict[str, str], digests: dict[str, str], code: str) -> None:
    program = (
        "import test_reproducibility as t\n"
        "for name in t.TRAININGS: print(t.digest(name))\n"
        "print(t.code_of_every_training())"
    )
    path = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env={**os.environ, "PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    *found, text = run.stdout.split()
    assert found == list(digests.values())
    assert text == code  # so that object code on disk is found again


@pytest.mark.parametrize("name", TRAININGS)
def test_on_numpy_as_well(name: str) -> None:
    assert digest(name, "numpy") == digest(name, "numpy")


def test_reported_arrays_are_the_same_for_any_number_of_threads() -> None:
    """A step large enough to be shared, which reports its new state and a row of its gradient."""

    def step(w: Any, x: Any, rate: Any) -> Any:
        value, slope = cr.value_and_grad(lambda w: np.mean((np.tanh(x @ w) @ w.T - x) ** 2))(w)
        new = w - rate * slope
        return [new, new, value, slope[0]]

    random, n = np.random.default_rng(0), 256
    first, data = (random.normal(size=(rows, n)).astype(np.float32) / 16 for rows in (n, 256))
    program = cr.simplify(cr.trace(step, first, data[:128], np.float32(1.0)))
    found = []
    for threads in (1, 2):
        runner = make_runner(TrainingLoop(program, None, state=1, batch_size=128), [data], "llvm", threads)
        runner.load([first])
        found.append(runner.run(np.arange(256, dtype=np.int32)[None], 0, 2, [np.full(2, 0.5, np.float32)]))
        assert (found[-1][-1, : n * n].reshape(n, n) == runner.state[0]).all()
    assert (found[0] == found[1]).all()
