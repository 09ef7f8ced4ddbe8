"""Every step of docs/scaling.md is carried out: by day what needs no cluster, by night in clusters and processes too."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from waiting import LONG

CODE = re.findall(r"```python\n(.*?)```", (Path(__file__).parents[1] / "docs" / "scaling.md").read_text(), re.DOTALL)
BEGINNING, SEARCH, DASK, RAY, SHARED = CODE


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("library", "code"), [("joblib", ""), ("distributed", DASK), ("ray", RAY)])
def test_searches(library: str, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip(library)
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "__main__"}
    exec(compile("\n".join([BEGINNING, SEARCH, code]), "scaling.md", "exec"), names)
    assert names["search"].best_score_ > 0.5  # type: ignore[attr-defined]


@pytest.mark.skipif("CHAINRULE_ENGINES" not in os.environ, reason="several processes that load JAX take long")
def test_a_training_in_processes_is_one_in_one(tmp_path: Path) -> None:
    pytest.importorskip("jax")
    (tmp_path / "train.py").write_text(SHARED + "print(network.history['loss'])\n")
    losses = []
    for start in ([], ["-m", "chainrule", "launch", "--processes", "2"]):
        folder = tmp_path / str(len(start))
        folder.mkdir()
        run = [sys.executable, *start, str(tmp_path / "train.py")]
        printed = subprocess.run(run, cwd=folder, capture_output=True, text=True, check=True, timeout=LONG).stdout
        losses.append([float(x) for x in re.findall(r"\d+\.\d+", printed)[:3]])
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
