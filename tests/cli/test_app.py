"""The command itself: version, help, errors of the system, and what importing the package loads."""

import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

import chainrule as cr
from chainrule.cli import main, train
from chainrule.cli.app import app


def run(*arguments):
    return CliRunner().invoke(app, list(arguments))


def test_version():
    result = run("--version")
    assert result.exit_code == 0
    assert result.output == f"chainrule {cr.__version__}\n"


@pytest.mark.parametrize(
    "command", [[], ["demo"], ["train"], ["evaluate"], ["predict"], ["export"], ["explain"], ["view"], ["diagnose"]]
)
def test_help(command):
    result = run(*command, "--help")
    assert result.exit_code == 0
    assert "Usage: " in result.output


def test_main_is_the_entry_point(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["chainrule", "--version"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("chainrule ")


def test_ctrl_c_while_it_is_loaded(monkeypatch, capsys):
    class Interrupts:
        def find_spec(self, name, path=None, target=None):
            if name == "chainrule.cli.app":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "chainrule.cli.app")
    monkeypatch.delattr("chainrule.cli.app")
    monkeypatch.setattr(sys, "meta_path", [Interrupts(), *sys.meta_path])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 130
    assert capsys.readouterr().err == "Error: stopped by Ctrl-C.\n"


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (PermissionError(13, "Permission denied", "data.csv"), 1, "Error: data.csv: Permission denied.\n"),
        (KeyboardInterrupt(), 130, "Error: stopped by Ctrl-C.\n"),
    ],
)
def test_errors_of_the_system(tmp_path, monkeypatch, error, code, message):
    path = tmp_path / "data.csv"
    path.write_text("a,b\n1,2\n")

    def fail(*_, **__):
        raise error

    monkeypatch.setattr(train, "sample", fail)
    result = run("train", str(path), "--target", "b")
    assert result.exit_code == code
    assert result.stderr == message


def test_files_and_pipes_are_given_utf_8(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text("a,y\n" + "".join(f"{i},{'øé'[i % 2]}\n" for i in range(12)), encoding="utf-8")
    code = "from chainrule.cli import main; main()"
    arguments = [
        sys.executable,
        "-c",
        code,
        "train",
        str(path),
        "--target",
        "y",
        "--fast",
        "--hidden",
        "2",
        "--epochs",
        "2",
    ]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    result = subprocess.run(arguments, capture_output=True, env=environment, check=True)
    assert "2 classes: é, ø" in result.stdout.decode("utf-8")


def test_importing_the_package_loads_neither_rich_nor_typer_nor_matplotlib():
    code = "import sys, chainrule; print([m for m in ('rich', 'typer', 'click', 'matplotlib') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
