"""Streams of programs that have no terminal: none at all, closed ones, and such as cannot say what they are."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from waiting import LONG


class Dumb:
    """A stream that only writes."""

    def write(self, text: str) -> None:
        pass

    def flush(self) -> None:
        pass


def closed() -> Any:
    import io

    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize("progress", [None, True, False])
@pytest.mark.parametrize("stream", [None, closed(), Dumb()], ids=["none", "closed", "dumb"])
def test_fit_needs_no_stream(stream: Any, progress: bool | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    history = cr.Network([cr.Dense(1)]).fit(np.ones((4, 1)), [0.5] * 4, epochs=2, progress=progress)
    assert history.epochs == 2


def test_a_bar_that_nobody_reads_any_longer_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    begin, end = os.pipe()
    os.close(begin)
    with open(end, "w") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        history = cr.Network([cr.Dense(1)]).fit(np.ones((4, 1)), [0.5] * 4, epochs=2, progress=True)
        assert history.epochs == 2
        print("this goes nowhere, and is no error", file=stream, flush=True)


@pytest.mark.parametrize(
    ("loss", "said"),
    [
        ("sys.stderr = None", "there is no file"),
        ("sys.stderr.close()", "there is no file"),
        ("sys.stdout = sys.stderr = None", ""),
    ],
)
def test_the_command_line_says_its_errors_where_it_can(loss: str, said: str) -> None:
    code = f"import sys; {loss}; sys.argv = ['chainrule', 'predict', 'no', 'such.csv']\n"
    code += "from chainrule.cli.app import main\nmain()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=LONG)
    assert done.returncode == 1
    assert said in done.stdout


def test_whoever_is_given_is_told_within_epochs_too() -> None:
    """Metrics on the way are means of the steps of the epoch so far, and the parameters those that the training goes on with."""

    class Seen:
        def __init__(self) -> None:
            self.told: list[tuple[float, float]] = []

        def update(self, epochs: float, metrics: Any) -> None:
            self.told.append((epochs, metrics["loss"]))

    seen, X = Seen(), np.linspace(-1, 1, 4000)[:, None]
    network = cr.Network([cr.Dense(2, "tanh"), cr.Dense(1)])
    history = network.fit(X, X**2, epochs=2, batch_size=4, engine="numpy", progress=seen, record=True)
    ends = dict(seen.told)
    assert [ends[1.0], ends[2.0]] == history["loss"]
    within = [(epochs, loss) for epochs, loss in seen.told if epochs < 1.0]
    assert within
    for epochs, loss in within:
        assert loss == pytest.approx(float(np.mean(network.recording.losses[: round(epochs * 1000)])), rel=1e-6)
