"""BLAS computes short answers in one thread, and has its own number of threads again afterwards, whoever asks at the same time."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines import blas
from chainrule.engines.blas import MANY, SEVERAL, SOME, OneThread, libraries, quiet

random = np.random.default_rng(0)
X, Y = random.normal(size=(600, 20)).astype(np.float32), random.normal(size=(600, 40)).astype(np.float32)


def blas_threads() -> list[int]:
    """Of the libraries that are kept to one thread; one that another package loads later is not among them."""
    with OneThread():
        known = libraries.known
    return [pool["num_threads"] for pool in known.info()]


def test_many_callers_leave_blas_as_it_was() -> None:
    network = cr.Network([cr.Dense(40, "tanh"), cr.Dense(40)])
    network.fit(X, Y, epochs=1, progress=False)
    before, expected = blas_threads(), network.predict(X)
    found: list[np.ndarray] = []
    callers = [threading.Thread(target=lambda: found.extend(network.predict(X) for _ in range(20))) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len(found) == 80
    assert all(np.array_equal(x, expected) for x in found)
    assert blas_threads() == before


@pytest.mark.parametrize("ask", [lambda n: n.predict(X), lambda n: n.evaluate(X, Y), lambda n: n(X)])
def test_networks_answer_by_numpy_in_one_thread(ask: Callable[[cr.Network], Any]) -> None:
    blas_threads()
    dense, seen = cr.Dense(40), list[int]()

    def model(x: Any) -> Any:
        seen.append(max(pool["num_threads"] for pool in libraries.known.info()))
        return dense(x)

    network = cr.Network(model)
    network.fit(X, Y, epochs=1, engine="numpy", progress=False)
    seen.clear()
    ask(network)
    assert set(seen) == {1}


def test_long_answers_and_tiny_ones_have_all_threads() -> None:
    assert isinstance(quiet(SEVERAL, SOME), OneThread)
    for rows, numbers in [(SEVERAL, SOME // SEVERAL), (SEVERAL, MANY // SEVERAL), (SEVERAL - 1, SOME)]:
        assert not isinstance(quiet(rows, numbers), OneThread)


class Stop(BaseException):
    """What a signal's handler raises."""


@pytest.mark.parametrize("asks", [False, True])
def test_whatever_comes_between_two_lines(asks: bool) -> None:
    """Something that asks as well, or an exception: BLAS has its own threads again when nobody is left."""
    before, at, events, earlier = blas_threads(), 0, 0, sys.gettrace()

    def between(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal events
        if frame.f_code.co_filename != blas.__file__:
            return None
        events += 1
        if events == at and asks:
            with OneThread():
                pass
        elif events == at:
            raise Stop
        return between

    while events >= at:
        at, events = at + 1, 0
        sys.settrace(between)
        try:
            with OneThread():
                pass
        except Stop:
            pass
        finally:
            sys.settrace(earlier)
        while libraries.lock._is_owned():
            libraries.lock.release()  # a tracer raises at the end of a `with` too, where no signal's handler is carried out
        assert not libraries.callers, f"after event {at}"
        assert [pool["num_threads"] for pool in libraries.known.info()] == before, f"after event {at}"
    assert at > 20
