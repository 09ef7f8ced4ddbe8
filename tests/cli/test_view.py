"""`chainrule view`: a stored model, points and lessons, on a page and as a file; clear errors."""

import re
import signal
import subprocess
import sys
from functools import partialmethod

import pytest
from typer.testing import CliRunner

from chainrule.cli.app import app
from chainrule.cli.view import _of_points
from chainrule.viewer.datasets import PLANE
from chainrule.viewer.hosts.hosted import Hosted
from chainrule.viewer.lessons import LESSONS
from waiting import LONG


def run(*arguments):
    return CliRunner().invoke(app, ["view", *map(str, arguments)])


@pytest.fixture(autouse=True)
def short_files(monkeypatch):
    """Saving takes its time for many moments."""
    monkeypatch.setattr(Hosted, "save", partialmethod(Hosted.save, frames=1, select=[]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A table, and a model that was trained on it."""
    folder = tmp_path_factory.mktemp("view")
    rows = [f"{i % 7},{i % 3},{'yes' if i % 7 > 3 else 'no'}" for i in range(40)]
    (folder / "data.csv").write_text("\n".join(["size,age,label", *rows]))
    small = ["--fast", "--hidden", "3", "--curves", "0", "--dropout", "0", "--epochs", "2"]
    train = ["train", folder / "data.csv", "--target", "label", *small, "--save", folder / "model.safetensors"]
    done = CliRunner().invoke(app, list(map(str, train)))
    assert done.exit_code == 0, done.output
    return folder


def test_a_model_as_a_file(folder):
    done = run(folder / "model.safetensors", folder / "data.csv", "--save", folder / "model.html")
    assert done.exit_code == 0, done.output
    assert "40 rows, target label" in done.output
    assert "x[0] size, x[1] age" in done.output
    assert 'data-chainrule="file"' in (folder / "model.html").read_text()


def test_points_are_learned_before_they_are_saved(folder):
    done = run("--demo", "plane", "--epochs", 2, "--save", folder / "plane.html")
    assert done.exit_code == 0, done.output
    assert "<title>2-8-8-2 network</title>" in (folder / "plane.html").read_text()


@pytest.mark.parametrize("name", PLANE)
def test_points_are_learned(name):
    shown = _of_points(name, 200, 0)
    shown.do("train", wait=True)
    shown.do("go", step=shown.parts["position"]["steps"])
    assert shown.parts["position"]["loss"] < 0.35


def test_a_lesson_as_a_file(folder):
    name = next(iter(LESSONS))
    assert run("--lesson", name, "--save", folder / "lesson.html").exit_code == 0


@pytest.mark.parametrize(
    "arguments",
    [(), ("model.safetensors",), ("--demo", "xor", "--lesson", "xor"), ("m.safetensors", "d.csv", "--demo", "xor")],
    ids=" ".join,
)
def test_one_thing_is_looked_at(arguments):
    done = run(*arguments)
    assert done.exit_code == 1
    assert "give one of: a model and a table; --demo circle" in done.output


@pytest.mark.parametrize("arguments", [("--demo", "spirral"), ("--lesson", "xorr")])
def test_names_are_known_or_the_nearest_is_told(arguments):
    done = run(*arguments)
    assert done.exit_code == 1
    assert f"did you mean {arguments[1].replace('rr', 'r')!r}" in done.output


def test_places_where_nothing_can_be_written_are_refused_first(folder):
    done = run("--demo", "xor", "--save", folder / "nowhere" / "x.html")
    assert done.exit_code == 1
    assert "there is no folder" in done.output


def test_a_model_is_not_replaced_by_a_page(folder):
    model = folder / "model.safetensors"
    before = model.read_bytes()
    done = run(model, folder / "data.csv", "--save", model)
    assert done.exit_code == 1
    assert "must end in .html" in done.output
    assert model.read_bytes() == before


@pytest.mark.parametrize("what", ["--demo xor", "--lesson xor"])
@pytest.mark.parametrize("option", ["--loss mse", "--missing drop", "--separator ;", "--epochs 3", "--seed 0"])
def test_options_that_nobody_would_hear_are_refused(what, option, tmp_path):
    done = run(*what.split(), *option.split(), "--save", tmp_path / "x.html")
    heard = what.startswith("--demo") and option.split()[0] in ("--epochs", "--seed")
    assert done.exit_code == (0 if heard else 1), done.output
    assert heard or f"{option.split()[0]} is for a saved model" in done.output


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent otherwise on Windows")
def test_the_page_is_there_until_ctrl_c():
    pytest.importorskip("starlette", reason="the extra `view` is not installed")
    command = [sys.executable, "-u", "-m", "chainrule", "view", "--demo", "gauss", "--epochs", "3", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as page:
        try:
            assert re.match(r"Open http://127\.0\.0\.1:\d+/\?token=\S+ in a browser", page.stdout.readline())
            page.stdout.readline()
            page.send_signal(signal.SIGINT)
            _, errors = page.communicate(timeout=LONG)
        finally:
            page.kill()
    assert page.returncode == 0
    assert errors == ""
