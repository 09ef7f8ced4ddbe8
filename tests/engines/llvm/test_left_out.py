"""Steps of LLVM's code generator that are left out: the numbers are the same to the bit, and the process's settings as before."""

from __future__ import annotations

from typing import Any

import llvmlite.binding as llvm
import numpy as np
import pytest

import chainrule as cr
from chainrule.engines.llvm.machine import cache, machine
from chainrule.engines.llvm.runs import training

X = np.random.default_rng(0).normal(size=(90, 12))
LABELS = np.argmax(X[:, :3], axis=1)


@pytest.mark.parametrize("layers", [[2], [40, 33]], ids=str)
def test_numbers_are_the_same_to_the_bit(layers: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    def trained() -> tuple[Any, str]:
        training.compile_loop.cache_clear()
        network = cr.Network([*(cr.Dense(n, "tanh") for n in layers), cr.Dense(3)], seed=1)
        history = network.fit(X, LABELS, epochs=4, validation_split=0.2, engine="llvm", progress=False)
        code = cr.jit(lambda x: np.tanh(x @ x.T)).inspect("assembly", X)
        return [history["loss"], history["val_loss"]], code

    monkeypatch.setenv(cache.VARIABLE, "off")
    without, shorter = trained()
    monkeypatch.setattr(machine, "LEFT_OUT", ())
    whole, longer = trained()
    assert without == whole
    assert llvm.llvm_version_info[0] not in machine.VERSIONS or shorter != longer
    training.compile_loop.cache_clear()


def test_settings_of_the_process_are_as_before() -> None:
    machine.target()
    module = llvm.parse_assembly(cr.jit(lambda x: np.tanh(x @ x.T)).inspect("llvm", X))

    def assembly() -> str:
        return str(machine.code_generator(machine.target()).emit_assembly(module))

    before = assembly()
    with machine.without_what_is_left_out():
        during = assembly()
    assert assembly() == before
    assert llvm.llvm_version_info[0] not in machine.VERSIONS or during != before
