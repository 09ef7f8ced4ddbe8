"""Machine code for less than this CPU has: it has no more, computes the same, and owes nothing to the CPU that runs it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines.choice import COMPILER
from chainrule.engines.llvm.machine import cache, caches, machine, target
from chainrule.engines.llvm.machine.target import SETTINGS, Target, narrowed, whole
from chainrule.engines.llvm.runs import training

NAMES = machine.settings()

WIDTHS = {64: "zmm", 32: "ymm", 16: "xmm"}
"""What registers of so many bytes are called on x86."""

A, B = np.random.default_rng(0).normal(size=(2, 48, 48)).astype(np.float32)


@pytest.fixture(params=NAMES)
def setting(request: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv(target.VARIABLE, request.param)
    training.compile_loop.cache_clear()
    yield request.param
    training.compile_loop.cache_clear()


def function(x: Any, y: Any) -> Any:
    """Products, a function with exact steps, and sums."""
    return np.sum(np.tanh(x @ y) * np.exp(y) + np.sin(x), axis=0)


def history(engine: str = COMPILER) -> Any:
    network = cr.Network([cr.Dense(20, "tanh"), cr.Dense(3)])
    return network.fit(A, B[:, :3], epochs=3, batch_size=16, seed=1, engine=engine, progress=False)["loss"]


@pytest.mark.skipif(not target.X86, reason="these names of registers are x86's")
def test_there_are_no_wider_registers_and_no_more(setting: str) -> None:
    compiled = cr.jit(function)
    assembly, chosen = compiled.inspect("assembly", A, B), machine.target()
    registers = {(name, int(number)) for name, number in re.findall(r"%?\b([xyz]mm)(\d+)", assembly)}
    used = {name for name, _ in registers}
    assert WIDTHS[chosen.vector_bytes] in used
    assert not {name for size, name in WIDTHS.items() if size > chosen.vector_bytes} & used
    assert max(number for _, number in registers) < chosen.registers
    assert bool(re.search(r"\bvfn?m(add|sub)\d", assembly)) == chosen.fused
    np.testing.assert_allclose(compiled(A, B), function(A, B), rtol=1e-4, atol=1e-5)


def test_a_training_is_the_same_to_rounding(setting: str) -> None:
    np.testing.assert_allclose(history(), history("numpy"), rtol=1e-5)


def test_code_is_the_same_whatever_cpu_makes_it(setting: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another host of the same setting: another name, more features, other caches."""
    host, features = machine.host()
    before, key = cr.jit(function).inspect("assembly", A, B), _keys(monkeypatch)
    other = replace(host, cpu="znver5", features=f"{host.features},+xop", first_cache=2**14, second_cache=2**23)
    monkeypatch.setattr(machine, "host", lambda: (other, {**features, "xop": True}))
    assert _keys(monkeypatch) == key
    assert cr.jit(function).inspect("assembly", A, B) == before


def _keys(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the code of a function and of a training is found again by."""
    found: list[str] = []
    with monkeypatch.context() as patch:
        patch.setattr(cache, "read", lambda name: found.append(name))
        patch.setattr(cache, "write", lambda name, code: None)
        training.compile_loop.cache_clear()
        cr.jit(function)(A, B)
        history()
    assert len(found) == 2
    return found


@pytest.mark.skipif(len(NAMES) < 2, reason="there is only one setting")
def test_what_is_remembered_is_remembered_by_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    network, keys, found = cr.Network([cr.Dense(21, "tanh"), cr.Dense(3)]), {}, []
    monkeypatch.setattr(cache, "read", lambda name: found.append(name))
    for name in (*NAMES, "", *NAMES):
        monkeypatch.setenv(target.VARIABLE, name)
        network.fit(A, B[:, :3], epochs=3, batch_size=16, seed=1, engine=COMPILER, progress=False)
        network.predict(A, engine=COMPILER)
        network.evaluate(A, B[:, :3], engine=COMPILER)
        assert name not in keys or not found  # the second time nothing is made
        keys.setdefault(name, set(found))
        found.clear()
    assert all(keys.values())
    assert len(set.union(*keys.values())) == sum(map(len, keys.values()))


def test_names_that_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(target.VARIABLE, "generik")
    with pytest.raises(
        cr.errors.UnknownNameError, match=r"no CPU .*CHAINRULE_CPU.* 'generik' \(did you mean 'generic'"
    ):
        cr.jit(function)(A, B)
    monkeypatch.setenv(target.VARIABLE, " Generic ")
    assert machine.target() == SETTINGS["generic"].target
    monkeypatch.setenv(target.VARIABLE, "")
    assert machine.target() == machine.host()[0]


@pytest.mark.skipif(not target.X86, reason="elsewhere there is one setting, which every CPU has")
def test_a_setting_that_has_more_than_the_cpu() -> None:
    features = {name: name != "avx512vl" for name in SETTINGS["avx512"].needs}
    host = whole("this", features, 2**15, 2**20)
    assert narrowed(host, features, "avx2") == SETTINGS["avx2"].target
    with pytest.raises(
        cr.errors.SettingError, match=r"'avx512', and this CPU \(this\) has no avx512vl; .*'generic', 'sse4', 'avx2'"
    ):
        narrowed(host, features, "avx512")


@pytest.mark.skipif(not target.X86, reason="CPUs of x86 differ in these")
@pytest.mark.parametrize("name", SETTINGS)
def test_a_cpu_that_has_no_more_than_a_setting_is_taken_for_the_like(name: str) -> None:
    """Vectors, registers and multiply-add are read off the features in the same way."""
    setting = SETTINGS[name]
    host = whole(setting.target.cpu, dict.fromkeys(setting.needs, True), *_caches(setting.target))
    assert replace(host, features=setting.target.features) == setting.target


def _caches(chosen: Target) -> tuple[int, int]:
    return chosen.first_cache, chosen.second_cache


@pytest.mark.skipif(not Path("/sys/devices").exists(), reason="as Linux says it")
def test_caches_are_read_from_the_system(tmp_path: Path) -> None:
    assert caches.sizes(str(tmp_path)) == (caches.FIRST, caches.SECOND)
    sizes = {0: ("48K", "32K", "2048K", "32M"), 1: ("32K", "64K", "1M", "32M"), 2: ("none", "", "0K", "")}
    for cpu, texts in sizes.items():
        for i, (level, kind) in enumerate(((1, "Data"), (1, "Instruction"), (2, "Unified"), (3, "Unified"))):
            folder = tmp_path / f"sys/devices/system/cpu/cpu{cpu}/cache/index{i}"
            folder.mkdir(parents=True)
            for file, text in (("level", level), ("type", kind), ("size", texts[i])):
                (folder / file).write_text(f"{text}\n")
    assert caches.sizes(str(tmp_path)) == (2**15, 2**20)
