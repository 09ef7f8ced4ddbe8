"""What a tape leaves behind: no pages to be asked for anew, and nothing for the garbage collector; and who stands where on it."""

from __future__ import annotations

import gc
import platform
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.tracing.traces.tape import Tape

FAULTS = """
import resource, numpy as np, chainrule as cr
x = np.ones((500, 500))
gradient = cr.grad(lambda x: np.sum(np.tanh(x) * x))
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        gradient(x)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults()
print(faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="about the C library of Linux")
def test_gradients_use_the_same_pages_again() -> None:
    run = subprocess.run([sys.executable, "-c", FAULTS], capture_output=True, text=True, check=True)
    assert int(run.stdout) < 500  # one array of them has 488 pages, and a gradient makes five


@pytest.mark.usefixtures("own_garbage")
@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.sum(np.abs(x) ** 2),
        lambda x: np.linalg.norm(x[1:] * 2.0) ** 2,
        lambda x: np.std(x) + np.sum(x.reshape(-1)[::2]),
        lambda x: np.sum(np.sort(x) @ x),
    ],
)
def test_nothing_waits_for_the_garbage_collector(function: Any) -> None:
    x = np.array([1.0, -2.0, 3.0])
    for derivative in (cr.grad(function), lambda x: cr.jvp(function, (x,), (x,)), cr.hessian(function)):
        derivative(x)
        gc.collect()
        gc.disable()
        try:
            derivative(x)
            assert gc.collect() == 0
        finally:
            gc.enable()


class Crowded(list[Any]):
    """Nodes of a tape, where another thread always puts one down first."""

    def append(self, node: Any) -> None:
        super().append(self[-1])
        super().append(node)


def test_values_know_their_own_places_among_those_of_other_threads() -> None:
    with Tape() as tape:
        tape.nodes = Crowded([None])
        x = tape.variable(np.array(2.0))
        y = np.sin(x) * 3.0
        (slope,) = tape.pull([y], [np.float64(1.0)], [x.index])
    assert slope == pytest.approx(3.0 * np.cos(2.0))


def test_attributes_that_numpy_has_are_refused_by_name_and_others_are_not_there() -> None:
    def asked(name: str) -> Any:
        return cr.grad(lambda x: np.sum(getattr(x, name)))

    with pytest.raises(cr.errors.UnsupportedMethodError, match=r"x\.compress of a traced value x.*np\.compress"):
        asked("compress")(np.ones(3))
    with pytest.raises(AttributeError, match="compres"):
        asked("compres")(np.ones(3))
    assert cr.grad(lambda x: np.sum(x) * (2.0 if hasattr(x, "compress") else 3.0))(np.ones(2)).tolist() == [3.0, 3.0]
