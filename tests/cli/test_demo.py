"""The demonstrations: they learn, keep what they learned, and are honest about what does not work."""

import importlib.util
import re

import pytest
from typer.testing import CliRunner

import chainrule as cr
from chainrule.cli.app import app


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_digits(tmp_path):
    result = run("demo", "--output", tmp_path / "new" / "folder")
    assert result.exit_code == 0, result.output
    accuracy = float(re.search(r"accuracy  ([\d.]+)%", result.output)[1])
    assert accuracy >= 97
    assert "359 images the network never saw" in result.output
    assert "its predictions are the same" in result.output
    _, X, y = cr.datasets.digits()
    network = cr.load(tmp_path / "new" / "folder" / "digits.safetensors")
    assert (network.predict(X) == y).mean() > 0.97
    assert (tmp_path / "new" / "folder" / "digits-learning-curve.png").read_bytes().startswith(b"\x89PNG")


def test_without_matplotlib_the_demo_says_how_to_get_it(tmp_path, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "matplotlib" else find(name, *rest)
    )
    result = run("demo", "xor", "--output", tmp_path)
    assert result.exit_code == 0
    assert 'pip install "chainrule[plot]"' in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["xor.safetensors"]


@pytest.mark.parametrize(("seed", "right"), [(1, 4), (6, 2)])
def test_xor_is_honest(tmp_path, seed, right):
    result = run("demo", "xor", "--output", tmp_path, "--seed", seed)
    assert result.exit_code == 0
    assert result.output.count("✓") == right
    assert result.output.count("✗") == 4 - right
    assert (f"Seed {seed} got stuck" in result.output) == (right < 4)
    assert "Of the seeds" in result.output


def test_a_file_in_the_folders_place(tmp_path):
    taken = tmp_path / "taken"
    taken.write_text("")
    result = run("demo", "--output", taken)
    assert result.exit_code == 1
    assert "is a file; give the name of a folder" in result.stderr


def test_an_unknown_subject():
    assert run("demo", "mnist").exit_code == 2


def test_ctrl_c_keeps_what_was_learned(tmp_path, monkeypatch):
    fit = cr.Network.fit

    def interrupted(self, *arguments, **settings):
        def interrupt(end):
            if end.epoch == 4:
                raise KeyboardInterrupt

        return fit(self, *arguments, callbacks=[interrupt], **settings)

    monkeypatch.setattr(cr.Network, "fit", interrupted)
    result = run("demo", "--output", tmp_path)
    assert result.exit_code == 130
    assert "stopped by Ctrl-C after 5 epochs" in result.output
    assert (tmp_path / "digits.safetensors").exists()
