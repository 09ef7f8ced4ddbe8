"""The benchmark of many networks refuses trainings that are other than ours, and takes medians of turns."""

from types import SimpleNamespace

import numpy as np
import pytest
from benchmarks.contenders import WrongResultError

from benchmarks import many


def test_other_losses_are_refused(monkeypatch):
    for name, value in {"ROWS": 70, "EPOCHS": 3, "LOOKED_AT": 2}.items():
        monkeypatch.setattr(many, name, value)
    losses = np.array([one.history["loss"] for one in many.fitted(2)])
    assert losses.shape == (2, 3)
    many.check(SimpleNamespace(losses=lambda count: losses * 1.0001))
    with pytest.raises(WrongResultError, match=r"by 9\.90e-03"):
        many.check(SimpleNamespace(losses=lambda count: losses * 1.01))


def test_times_are_medians_of_turns():
    turns = []
    found = many.timed({"one": lambda: turns.append(1), "two": lambda: turns.append(2)}, 3)
    assert turns == [1, 2] * 3
    assert set(found) == {"one", "two"}
    assert all(passed >= 0 and worked >= 0 for passed, worked in found.values())
