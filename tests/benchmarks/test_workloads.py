"""The benchmarks check what they time: right results pass, wrong ones are refused, and figures add up."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.contenders import Chainrule, WrongResultError, check_against_numpy, checked_epochs
from benchmarks.report import shortfalls
from benchmarks.spread import Measured, told
from benchmarks.training import Result, measure
from benchmarks.workloads import WORKLOADS

SMALL = ("xor", "play", "digits")


@pytest.mark.parametrize("name", SMALL)
def test_chainrule_trains_the_small_workloads_as_numpy_does(name):
    workload = WORKLOADS[name]
    contender = Chainrule(workload)
    contender.check()
    losses = contender.losses(checked_epochs(workload) + 1)
    assert losses.shape == (checked_epochs(workload) + 1,)
    contender.train(2)


@pytest.mark.parametrize("name", SMALL)
def test_a_wrong_result_is_refused(name):
    workload = WORKLOADS[name]
    too_fast = Chainrule(workload.with_rate(1.1 * workload.rate))
    with pytest.raises(WrongResultError, match=name):
        check_against_numpy(too_fast, workload)


@pytest.mark.parametrize("workload", WORKLOADS.values(), ids=WORKLOADS)
def test_workloads_have_whole_batches(workload):
    assert workload.rows % workload.batch == 0
    assert workload.whole == (workload.steps_per_epoch == 1)


@pytest.mark.parametrize("name", ["xor", "play", "digits", "tab"])
def test_data_fit_the_network_and_are_the_same_every_time(name):
    workload = WORKLOADS[name]
    X, y = workload.data
    assert X.shape == (workload.rows, workload.sizes[0])
    assert X.dtype == np.float32
    assert len(y) == workload.rows
    again = workload.with_rate(workload.rate).data
    assert np.array_equal(again[0], X)
    assert np.array_equal(again[1], y)
    shapes = [layer["weight"].shape for layer in workload.parameters]
    assert shapes == list(zip(workload.sizes, workload.sizes[1:], strict=False))


def test_the_arithmetic_of_a_step():
    assert WORKLOADS["xor"].flops == 2 * 4 * (6 + 6 + 2)
    assert WORKLOADS["wide"].flops / 242e9 == pytest.approx(98e-3, rel=0.01)  # 242 GFLOP/s take 98 ms


def test_times_are_times_of_steps():
    result = measure(WORKLOADS["play"], rounds=1, aim=0.05, peers=[])
    assert result.peers == []
    assert 0 < result.best("chainrule") <= result.median("chainrule") < 1e5
    assert result.first_call["chainrule"] > 0


def test_what_falls_short_says_by_how_much():
    xor = WORKLOADS["xor"]
    slow = Result(xor, {"chainrule": [2.0, 2.0, 2.0], "JAX": [1.0, 2.0, 3.0]})
    fast = Result(xor, {"chainrule": [1.0, 1.0, 1.0], "JAX": [3.0, 3.0, 3.0]})
    assert slow.ratio("JAX") == 1.0
    (line,) = (line for line in shortfalls([slow], {}, {}) if line.startswith("- "))
    assert "1.00 × JAX instead of 2" in line
    assert "would have to take 1 µs" in line
    beaten = Result(xor, {"chainrule": [1.0, 1.0], "JAX": [3.0, 3.0], "PyTorch": [0.5, 0.5]})
    assert any("0.50 × PyTorch instead of 2" in line for line in shortfalls([beaten], {}, {}))
    assert "Nothing." in shortfalls([fast], {"chainrule, no cache": 1.0}, {"xor": {"in a fresh process": 1.0}})
    assert any("900 ms instead of 450" in line for line in shortfalls([], {"chainrule, no cache": 900.0}, {}))


def test_how_far_processes_are_apart_is_told():
    assert told([Measured(100.0, 0.0)] * 9 + [Measured(150.0, 0.5)]) == ("10", "100", "100", "150", "±0%", "0.00")
    assert told([Measured(x, 0.2) for x in (90.0, 100.0, 110.0)]) == ("3", "100", "90", "110", "±10%", "0.20")
    assert told([])[0] == "0"
