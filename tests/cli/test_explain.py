"""`chainrule explain` on stored models and on typed expressions: right numbers, every form, clear errors."""

import csv
import json
import os
import random
import re
import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pytest
from typer.testing import CliRunner

import chainrule as cr
from chainrule.cli.app import app
from chainrule.cli.files import load_model


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A table with a label and an amount, and a model of each."""
    folder = tmp_path_factory.mktemp("models")
    draw = random.Random(0)
    with (folder / "data.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["sex", "age", "size", "label"])
        for i in range(60):
            sex, age = draw.choice(["male", "female"]), draw.randint(1, 80)
            size = 1.2 * age + 10 * (sex == "male") + draw.random()
            writer.writerow([sex, "" if i == 9 else age, f"{size:.1f}", "yes" if age > 40 else "no"])
    for target, other, name in (("label", "size", "labels"), ("size", "label", "sizes")):
        settings = [
            "--hidden",
            "4",
            "--activation",
            "tanh",
            "--fast",
            "--curves",
            "0",
            "--dropout",
            "0",
            "--epochs",
            "3",
        ]
        done = run("train", folder / "data.csv", "--target", target, "--drop", other, *settings,
                   "--missing", "drop", "--save", folder / f"{name}.safetensors")  # fmt: skip
        assert done.exit_code == 0, done.output
    return folder


def gradient(folder, name, numbers, layer, place):
    """The gradient by `grad`, from the model's function and the prepared rows alone."""
    model = load_model(folder / f"{name}.safetensors")
    network, preparation = model.network, model.preparation
    table = preparation.read(folder / "data.csv", None).rows(np.array(numbers) - 1)
    inputs, y = preparation.apply_with_target(table)
    X = inputs.X.astype(np.float64)
    double = {k: {n: np.asarray(a, np.float64) for n, a in v.items()} for k, v in network.parameters.items()}

    def loss(parameters):
        outputs = network.model.apply(parameters, [X]).outputs
        if name == "sizes":
            return np.mean((outputs[:, 0] - np.ravel(y)) ** 2)
        return -np.mean(cr.log_softmax(outputs)[np.arange(len(X)), y])

    return cr.grad(loss)(double)[layer]["weight"][place]


@pytest.mark.parametrize("name", ["labels", "sizes"])
@pytest.mark.parametrize("rows", [[3], [3, 7, 20], list(range(11, 31))])
def test_the_gradient_is_that_of_the_model_on_these_rows(folder, name, rows):
    chosen = [argument for row in rows for argument in ("--row", row)]
    result = run("explain", folder / f"{name}.safetensors", folder / "data.csv", *chosen,
                 "--weight", "dense_0.weight[0, 1]", "--format", "json")  # fmt: skip
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["by"]["key"] == "dense_0.weight[0, 1]"
    assert found["value"] == pytest.approx(gradient(folder, name, rows, "dense_0", (0, 1)), rel=1e-4, abs=1e-9)


def test_a_prediction_is_split_by_column(folder):
    model, data = folder / "labels.safetensors", folder / "data.csv"
    found = json.loads(run("explain", model, data, "--row", 3, "--format", "json").stdout)
    assert {part["column"] for part in found["parts"]} == {"sex", "age"}
    assert sum(part["added"] for part in found["parts"]) == pytest.approx(found["prediction"] - found["baseline"])
    told = list(csv.DictReader(run("predict", model, data, "--probabilities").stdout.splitlines()))[2]
    assert found["label"] == told["label"]
    share = float(told[f"P({found['label']})"])
    assert found["prediction"] == pytest.approx(np.log(share / (1 - share)), abs=1e-4)
    text = run("explain", model, data, "--row", 3).stdout
    assert text.startswith("labels.safetensors on data.csv, row 3\n\n")
    assert "age = " in text
    assert max(map(len, text.splitlines())) <= 80
    other = {"yes": "no", "no": "yes"}[found["label"]]
    assert json.loads(run("explain", model, data, "--row", 3, "--class", other, "--format", "json").stdout)[
        "prediction"
    ] == pytest.approx(-found["prediction"])
    assert "<table>" in run("explain", model, data, "--row", 3, "--format", "html").stdout
    amount = json.loads(run("explain", folder / "sizes.safetensors", data, "--row", 3, "--format", "json").stdout)
    told = list(csv.DictReader(run("predict", folder / "sizes.safetensors", data).stdout.splitlines()))[2]
    assert amount["prediction"] == pytest.approx(float(told["size"]), rel=1e-4)


def test_the_gradient_of_several_networks_on_average(tmp_path):
    model, data = tmp_path / "model.safetensors", tmp_path / "data.csv"
    data.write_text("a,b,y\n" + "".join(f"{i % 7},{i % 5},{i % 7 + i % 3}\n" for i in range(60)))
    settings = ["--hidden", "2", "--curves", "0", "--dropout", "0", "--folds", "2", "--epochs", "2"]
    assert run("train", data, "--target", "y", "--task", "regression", *settings, "--save", model).exit_code == 0
    told = run("explain", model, data, "--row", 3, "--weight", "dense_0.weight[0,1]")
    assert told.exit_code == 0, told.output
    assert "average_0.a: y, standardised" in told.stdout


def test_what_is_explained_is_said_first(folder):
    model, data = folder / "labels.safetensors", folder / "data.csv"
    with data.open() as stream:
        third = list(csv.DictReader(stream))[2]
    result = run("explain", model, data, "--row", 3, "--weight", "dense_0.weight[0,1]")
    assert result.exit_code == 0, result.output
    head = result.stdout.split("\n\n")[0]
    assert head.startswith("labels.safetensors on data.csv, row 3\n")
    assert f"sex {third['sex']}, age {third['age']} → label {third['label']}" in head
    assert "x[0] age, x[1] sex=female, x[2] sex=male, x[3] age is missing" in head
    assert re.search(r"dense_1.z, probabilities: \[0\] no [\d.]+%, \[1\] yes [\d.]+%", head)
    assert "L = −log(probability of the true class) = " in head
    assert "\n∂L/∂dense_0.weight[0, 1] = " in result.stdout
    assert "row 3" not in result.stdout.split("\n\n", 1)[1]
    batch = run("explain", model, data, "--row", 3, "--row", 8, "--weight", "dense_1.bias[1]").stdout
    assert "2 rows as one batch\n  rows      n = 0: row 3, n = 1: row 8\n" in batch
    assert "mean over the batch" in batch
    sizes = run("explain", folder / "sizes.safetensors", data, "--row", 3, "--weight", "dense_1.bias[0]").stdout
    assert "dense_1.z: size, standardised" in sizes


def test_rows_are_all_when_none_is_chosen_and_missing_values_are_treated_as_in_training(folder):
    model, data = folder / "labels.safetensors", folder / "data.csv"
    result = run("explain", model, data, "--weight", "dense_1.bias[0]")
    assert "59 rows as one batch" in result.stdout
    assert "n = 58: row 60" in " ".join(result.stdout.split())
    assert "1 row left out: no value in 'age'" in result.stderr
    result = run("explain", model, data, "--row", 10, "--weight", "dense_1.bias[0]")
    assert result.exit_code == 1
    assert "has no row left to explain" in result.stderr
    assert run("explain", model, data, "--row", 10, "--missing", "fill", "--weight", "x[2]").exit_code == 0
    twice = run("explain", model, data, "--row", 3, "--row", 3, "--weight", "dense_1.bias[0]").stdout
    assert twice == run("explain", model, data, "--row", 3, "--weight", "dense_1.bias[0]").stdout


def test_depths_and_digits(folder):
    asked = [
        "explain",
        folder / "labels.safetensors",
        folder / "data.csv",
        "--row",
        3,
        "--weight",
        "dense_0.weight[2,1]",
    ]
    lines = {depth: run(*asked, "--depth", depth).stdout.count("\n") for depth in ("layers", "factors", "terms")}
    assert lines["layers"] < lines["factors"] < lines["terms"]
    long = run(*asked, "--digits", 12, "--format", "text").stdout
    assert re.search(r"= −?\d+\.\d{10,}", long)


@pytest.mark.parametrize("of", ["model", "expression"])
def test_every_form(folder, of):
    if of == "model":
        asked = ["explain", folder / "labels.safetensors", folder / "data.csv", "--row", 3,
                 "--weight", "dense_0.weight[2,1]", "--weight", "dense_1.bias[0]"]  # fmt: skip
    else:
        asked = ["explain", "--expression", "tanh(a*b)/b", "a=0.3", "b=-2"]
    json_form = run(*asked, "--format", "json")
    assert len(json.loads(json_form.stdout)) == 2
    latex = run(*asked, "--format", "latex").stdout
    assert latex.count("$$") % 2 == 0
    assert r"\frac{\partial L}" in latex
    markdown = run(*asked, "--format", "markdown").stdout
    assert markdown.count("**Why** $") == 2
    page = run(*asked, "--format", "html").stdout
    assert page.startswith('<!doctype html>\n<meta charset="utf-8">')
    for part in page.split("</title>\n")[1].split("\n<hr>\n"):
        ElementTree.fromstring(part)
    assert run(*asked, "--format", "pdf").exit_code == 2


def test_contributions_add_up(folder):
    asked = ["explain", folder / "labels.safetensors", folder / "data.csv", "--row", 3, "--row", 8,
             "--weight", "dense_0.weight[2,1]", "--contributions"]  # fmt: skip
    found = json.loads(run(*asked, "--format", "json").stdout)
    splits = {split["by"]: split["parts"] for split in found["splits"]}
    assert list(splits) == ["output", "sample", "path"]
    for parts in splits.values():
        assert sum(part["value"] for part in parts) == pytest.approx(found["value"], rel=1e-14)
    assert len(splits["sample"]) == 2
    text = run(*asked).stdout
    assert "by output" in text and "by sample" in text and "by path" in text  # noqa: PT018
    assert "<table>" in run(*asked, "--format", "html").stdout
    refused = run(*asked, "--format", "latex")
    assert refused.exit_code == 1
    assert "use --format text, json or html" in refused.stderr


def test_checks_stand_beside_gradients_and_fail_loudly(folder):
    result = run("explain", folder / "labels.safetensors", folder / "data.csv", "--row", 3,
                 "--weight", "dense_0.weight[2,1]", "--check")  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "relative error" in result.stdout
    at_a_kink = run("explain", "--expression", "relu(a)*b", "a=0", "b=3", "--of", "a", "--check")
    assert at_a_kink.exit_code == 1
    assert "DOES NOT AGREE" in at_a_kink.stdout
    assert "differ from their finite differences" in at_a_kink.stderr


def test_an_expression():
    result = run("explain", "--expression", "(a*b + c)*f", "a=2", "b=-3", "c=10", "f=-2")
    assert result.exit_code == 0, result.output
    rows = dict(re.findall(r"^  (\S.*?)  +(?:\S+)  +(\S+)$", result.stdout.split("\n\n")[1], re.MULTILINE))
    assert rows == {
        "value": "∂L/∂value", "a": "6", "b": "−4", "c": "−2", "f": "4", "a·b": "−2", "a·b + c": "−2",
        "L = (a·b + c)·f": "1",
    }  # fmt: skip
    assert result.stdout.count("From L back to") >= 3
    only = run("explain", "--expression", "(a*b + c)*f", "a=2", "b=-3", "c=10", "f=-2", "--of", "b").stdout
    assert only.count("From L back to") == 1
    assert "∂L/∂b = f·a\n      = −2·2 = −4" in only


def test_numbers_may_be_formulas_themselves():
    found = json.loads(run("explain", "--expression", "3*x", "x=-1/3", "--format", "json").stdout)
    assert found["value"] == 3
    assert run("explain", "--expression", "sin(x)", "x=pi/2").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give a model and a table"),
        (["a=2"], "give a model and a table"),
        (["--expression", "a*b", "a=2"], "'b' was given no number; write b=2, say\n    a*b\n      ^"),
        (["--expression", "a*b", "a=2", "b=3", "c=4"], "'c' does not occur"),
        (["--expression", "a*b", "a=2", "b"], "'b' was given as a number for the expression; write it as a=2"),
        (["--expression", "a*b", "a=2", "a=3"], "a was given two numbers"),
        (["--expression", "a", "a=two"], "'a=two' has no number after the equals sign"),
        (["--expression", "a", "a="], "the expression is empty"),
        (["--expression", "a", "a=nan"], "give a finite number"),
        (["--expression", "a*b", "a=2", "b=3", "--of", "x"], "no name in the expression named 'x'"),
        (["--expression", "__import__('os')"], "no function named '__import__'"),
        (["--expression", "9**9**9"], "this gives inf"),
        (["--expression", "a", "a=1", "--row", "3"], "leave them out with --expression"),
        (["--expression", "a", "a=1", "--contributions"], "leave them out with --expression"),
        (["--expression", "a", "a=1", "--class", "yes"], "leave them out with --expression"),
        (["MODEL", "DATA"], "choose the one whose prediction to explain, such as --row 3"),
        (["MODEL", "DATA", "--row", "1", "--row", "2"], "give one, because a prediction is explained one row at a time"),
        (["MODEL", "DATA", "--row", "61"], "has 60 rows, counted from 1"),
        (["MODEL", "DATA", "--row", "1", "--class", "Yes"], "no class named 'Yes' (did you mean 'yes'?)"),
        (["MODEL", "DATA", "--row", "1", "--format", "latex"], "use --format text, json or html"),
        (["MODEL", "DATA", "--weight", "dense_0.wieght[0]"], "did you mean 'dense_0.weight'?"),
        (["MODEL", "DATA", "--weight", "dense_0.weight[9,9]"], "is outside of it"),
        (["MODEL", "DATA", "--weight", "dense_0.bias[0]", "--row", "61"], "has 60 rows, counted from 1"),
        (["DATA", "MODEL", "--weight", "dense_0.bias[0]"], "cannot be read as a safetensors file"),
        (["MODEL", "none.csv", "--weight", "dense_0.bias[0]"], "there is no file none.csv"),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_told_in_one_message(folder, arguments, message):
    names = {"MODEL": folder / "labels.safetensors", "DATA": folder / "data.csv"}
    result = run("explain", *(names.get(argument, argument) for argument in arguments))
    assert result.exit_code == 1, result.output
    assert result.stderr.startswith("Error: ") or result.stderr.startswith("· ")
    assert message in result.stderr
    assert result.stdout == ""


def test_the_weights_there_are_when_none_is_named(folder):
    said = run("explain", folder / "labels.safetensors", folder / "data.csv").stderr
    assert "dense_0.weight [4, 4]" in said


@pytest.mark.parametrize("columns", [80, 120])
def test_screens_are_no_wider_than_they_may_be(columns):
    code = "from chainrule.cli import main; main()"
    asked = [
        "explain",
        "--expression",
        "tanh(a*b + c)/(1 + exp(-a*f))",
        "a=2",
        "b=-3",
        "c=7",
        "f=-2",
        "--depth",
        "layers",
    ]
    done = subprocess.run([sys.executable, "-c", code, *asked], capture_output=True, text=True, check=True,
                          env={**os.environ, "COLUMNS": str(columns)}, encoding="utf-8")  # fmt: skip
    assert max(map(len, done.stdout.splitlines())) <= columns


def test_text_that_is_no_unicode_is_refused_and_no_crash():
    code = "from chainrule.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code, "explain", "--expression", b"a*\x80"], capture_output=True)
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr


def test_what_is_for_gradients_is_not_ignored_by_predictions(folder):
    asked = ["explain", folder / "labels.safetensors", folder / "data.csv", "--row", 3]
    for option in (["--digits", 3], ["--depth", "terms"], ["--check"], ["--contributions"], ["--missing", "drop"]):
        done = run(*asked, *option)
        assert done.exit_code == 1
        assert f"{option[0]} was given for a prediction" in done.output
    done = run("explain", folder / "sizes.safetensors", folder / "data.csv", "--row", 3, "--class", "yes")
    assert done.exit_code == 1
    assert "'size' is a number; leave --class out" in " ".join(done.output.split())
