"""`chainrule diagnose` on stored models: the diagnosis of the same rows in Python, in every form."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from chainrule.cli.app import app
from chainrule.cli.files import load_model


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A table with a label and an amount, and a deep model of each."""
    folder = tmp_path_factory.mktemp("models")
    r = np.random.default_rng(0)
    a, b = r.normal(size=(2, 50))
    lines = [
        "a,b,label,amount",
        *(f"{x:.3f},{y:.3f},{'yes' if x > y else 'no'},{x - y:.3f}" for x, y in zip(a, b, strict=True)),
    ]
    (folder / "data.csv").write_text("\n".join(lines))
    for target, other in (("label", "amount"), ("amount", "label")):
        settings = ["--hidden", "6,6,6,6,6", "--activation", "sigmoid", "--fast", "--curves", "0", "--dropout", "0"]
        done = run("train", folder / "data.csv", "--target", target, "--drop", other, *settings,
                   "--epochs", "1", "--save", folder / f"{target}.safetensors")  # fmt: skip
        assert done.exit_code == 0, done.output
    return folder


@pytest.mark.parametrize("name", ["label", "amount"])
@pytest.mark.parametrize("rows", [[], [3], [3, 7, 20]])
def test_it_is_the_diagnosis_of_these_rows(folder, name, rows):
    model, data = folder / f"{name}.safetensors", folder / "data.csv"
    options = [argument for row in rows for argument in ("--row", row)] + [
        "--optimizer",
        "sgd",
        "--learning-rate",
        0.25,
    ]
    result = run("diagnose", model, data, *options, "--format", "json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["rows"] == (len(rows) or 50)
    assert (found["optimizer"], found["learning_rate"]) == ("SGD", 0.25)
    network = load_model(model).network
    assert [x["name"] for x in found["parameters"]] == [
        f"{k}.{n}" for k, own in network.parameters.items() for n in own
    ]
    text = run("diagnose", model, data, *options)
    assert "of the gradient of dense_4" in " ".join(text.stdout.split())
    assert max(map(len, text.stdout.partition("One step")[2].splitlines())) <= 80


@pytest.mark.parametrize(("form", "begins"), [("markdown", "**One step"), ("html", "<!doctype html>")])
def test_every_form_can_be_had(folder, form, begins):
    result = run("diagnose", folder / "label.safetensors", folder / "data.csv", "--format", form)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(begins)


def test_rows_that_are_not_there_are_told(folder):
    result = run("diagnose", folder / "label.safetensors", folder / "data.csv", "--row", 51)
    assert result.exit_code == 1
    assert "50 rows" in result.output
