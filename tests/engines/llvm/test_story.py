"""The compiler's README shows what the compiler does, and every stage can be had as a file."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from story import BLOCK, README, rewritten, stages

import chainrule as cr
from chainrule.engines.llvm import inspection
from chainrule.engines.llvm.machine import cache
from chainrule.engines.llvm.runs import training


def test_the_readme_is_true() -> None:
    text = README.read_text(encoding="utf-8")
    assert {m[1] for m in BLOCK.finditer(text)} == set(stages())
    assert rewritten(text) == text, "run `make documents`"


def test_the_readme_names_every_module() -> None:
    folder = README.parent
    modules = {path.name for path in (*folder.glob("*.py"), *folder.glob("contractions/*.py"))} - {"__init__.py"}
    assert modules <= set(re.findall(r"`(\w+\.py)`", README.read_text(encoding="utf-8")))


def test_every_stage_of_a_fit_and_of_a_function(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    training.compile_loop.cache_clear()
    X = np.random.default_rng(0).normal(size=(21, 3))
    network = cr.Network([cr.Dense(5, "tanh"), cr.Dense(1)])
    plain = network.fit(X, X[:, 0], epochs=2, batch_size=8, engine="llvm", progress=False)
    training.compile_loop.cache_clear()
    monkeypatch.setenv(inspection.VARIABLE, str(tmp_path / "stages"))
    monkeypatch.setenv(cache.VARIABLE, "off")
    network = cr.Network([cr.Dense(5, "tanh"), cr.Dense(1)])
    seen = network.fit(X, X[:, 0], epochs=2, batch_size=8, engine="llvm", progress=False)
    assert seen["loss"] == plain["loss"]
    cr.jit(lambda x: np.exp(x) @ X.T)(X)
    folders = sorted((tmp_path / "stages").iterdir())
    assert len(folders) == 2
    for folder in folders:
        contents = {file.name: file.read_text(encoding="utf-8") for file in folder.iterdir()}
        assert len(contents) == 6
        assert "return" in contents["1-program.txt"]
        assert "return" in contents["2-lowered.txt"]
        assert "contraction over" in contents["3-groups.txt"]
        assert "offset" in contents["4-memory.txt"]
        assert "define void" in contents["5-code.ll"]
        assert "run:" in contents["6-assembly.s"]
    assert "dense_0 / activation" in (folders[0] / "1-program.txt").read_text()
