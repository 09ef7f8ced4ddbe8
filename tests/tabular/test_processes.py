"""Networks of a table learned by several processes: the model of one, to the byte; a lost process ends all; none is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr

by_night = pytest.mark.skipif("CHAINRULE_ENGINES" not in os.environ, reason="processes take long to begin")
pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked for in /proc")


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    random = np.random.default_rng(0)
    a, b = random.normal(size=(2, 150))
    path = tmp_path_factory.mktemp("table") / "table.csv"
    rows = zip(a, b, np.where(a * b + 0.1 * random.normal(size=150) > 0, "yes", "no"), strict=True)
    path.write_text("a,b,c\n" + "".join(f"{x:.3f},{y:.3f},{label}\n" for x, y, label in rows))
    return path


def started(table: Path, *options: str) -> subprocess.Popen[str]:
    """`chainrule train`, begun."""
    command = [sys.executable, "-m", "chainrule", "train", str(table), "--target", "c", "--folds", "2", *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def learning(training: subprocess.Popen[str]) -> Iterator[int]:
    """The processes that a training has begun to learn networks, once there is one."""
    found: list[int] = []
    while not found and training.poll() is None:
        for folder in Path("/proc").iterdir():
            try:
                parent = folder.name.isdecimal() and (folder / "stat").read_text().rpartition(")")[2].split()[1]
                if parent == str(training.pid) and b"spawn_main" in (folder / "cmdline").read_bytes():
                    found.append(int(folder.name))
            except OSError:  # it has just ended
                continue
        time.sleep(0.01)
    yield from found


def test_the_model_is_that_of_one_process(table: Path) -> None:
    """With a recipe that is tried too, and a metric that judges."""
    given = {"epochs": 4, "folds": 2, "metric": "f1", "progress": False, "seconds": None}
    one, several = (cr.TableModel(processes=count, **given).fit(table, "c") for count in (None, 2))  # type: ignore[arg-type]
    assert (one.predict_proba(table) == several.predict_proba(table)).all()
    assert str(one.scores) == str(several.scores)
    assert several.learned is not None
    assert one.learned is not None
    assert one.learned.tried == several.learned.tried
    with pytest.raises(cr.errors.SettingError, match="processes=0"):
        cr.TableModel(processes=0)


def test_a_lost_process_ends_all_and_another_number_goes_on(table: Path, tmp_path: Path) -> None:
    kept, options = str(tmp_path / "run.ckpt"), ("--epochs", "4", "--time", "1h", "--save")
    lost = started(table, *options, str(tmp_path / "lost"), "--processes", "2", "--checkpoint", kept)
    os.kill(next(learning(lost)), signal.SIGKILL)
    said = lost.communicate()[1]
    assert lost.returncode == 1
    assert "one of the 2 processes that learn networks is gone; the others are ended" in said
    again = started(table, *options, str(tmp_path / "again"), "--processes", "3", "--resume", kept)
    whole = started(table, *options, str(tmp_path / "whole"))
    for training in (again, whole):
        said = training.communicate()[1]
        assert training.returncode == 0, said
    assert (tmp_path / "again").read_bytes() == (tmp_path / "whole").read_bytes()


@by_night
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_none_is_left_behind(number: signal.Signals, table: Path, tmp_path: Path) -> None:
    """After Ctrl-C there is a model of what was learned; of a training that is killed nothing goes on."""
    model = tmp_path / "model"
    training = started(table, "--epochs", "10000000", "--time", "10h", "--processes", "2", "--save", str(model))
    own = list(learning(training))
    training.send_signal(number)
    training.communicate()
    assert training.returncode == (130 if number == signal.SIGINT else -signal.SIGKILL)
    assert model.exists() == (number == signal.SIGINT)
    while any(Path(f"/proc/{one}").exists() for one in own):
        time.sleep(0.01)
