"""`chainrule train`, `evaluate` and `predict` on files as people have them."""

import csv
import io
import math
import os
import random
import re
import signal
import subprocess
import sys
import textwrap
import time
import weakref
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from typer.main import get_command
from typer.testing import CliRunner

import chainrule as cr
from chainrule.cli.app import app
from chainrule.cli.kept_back import keep_back
from chainrule.tables import as_table, spell
from chainrule.tables import options as messages
from chainrule.tabular import TableModel
from waiting import LONG

SMALL = ["--fast", "--hidden", "3", "--curves", "0", "--dropout", "0", "--epochs", "3"]
"""One plain network, made at once."""


def run(*arguments, **more):
    return CliRunner().invoke(app, [str(argument) for argument in arguments], **more)


def passengers(rows=240):
    """Rows of a table with numbers, text, gaps, names and a label."""
    draw = random.Random(0)
    for i in range(rows):
        sex, pay, age = draw.choice(["male", "female"]), draw.choice([1, 2, 3]), draw.randint(1, 80)
        survived = "yes" if (sex == "female") == (pay < 3) else "no"
        yield [i + 1, f"Person {i}", sex, pay, "" if i % 17 == 5 else age, survived]


NAMES = ["Id", "Name", "Sex", "Class", "Age", "Survived"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two tables, one of them with semicolons and decimal commas, and small models of the first."""
    folder = tmp_path_factory.mktemp("tables")
    with (folder / "passengers.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([NAMES, *passengers()])
    draw = random.Random(1)
    lines = ["area;floor;city;price"]
    for _ in range(200):
        area, floor, city = draw.uniform(30, 200), draw.randint(0, 9), draw.choice(["Oslo", "Rom"])
        price = 3.5 * area + 10 * floor + (100 if city == "Oslo" else 0)
        lines.append(f"{area:.1f};{floor};{city};{price:.2f}".replace(".", ","))
    (folder / "houses.csv").write_text("\n".join(lines))
    for name, more in (("small", []), ("complete", ["--missing", "drop"])):
        done = run("train", folder / "passengers.csv", "--target", "Survived", *SMALL, *more, "--save", folder / name)
        assert done.exit_code == 0, done.output
    return folder


@pytest.fixture
def labels(folder):
    return folder / "passengers.csv"


def test_classification_from_file_to_predictions(labels, tmp_path, monkeypatch):
    model, curve = tmp_path / "model.safetensors", tmp_path / "curve.png"
    page = tmp_path / "report.html"
    monkeypatch.setitem(sys.modules, "sklearn", None)  # whose boosting takes seconds
    options = ["--fast", "--hidden", "32", "--epochs", "60", "--learning-rate", "0.01", "--test", "0.2"]
    options += ["--save", model, "--plot", curve, "--report", page]
    result = run("train", labels, "--target", "Survived", *options)
    assert result.exit_code == 0, result.output
    assert "target  Survived, classification into 2 classes: no, yes" in result.output
    assert "inputs  5 from 3 columns" in result.output
    assert "· Id left out: " in result.output
    assert "· Name left out: 192 different values in 192 rows: it identifies the rows" in result.output
    assert "1 network 5 → 32 → 2, 60 epochs, in " in result.output
    assert re.search(r"Survived: 2 classes, 3\d rows held out", result.output)
    assert "Test: 48 rows held out" in result.output
    assert "precision" in result.output
    assert curve.read_bytes().startswith(b"\x89PNG")
    assert "passengers.csv, rows held out" in page.read_text()

    result = run("evaluate", model, labels)
    assert result.exit_code == 0, result.output
    assert "240 rows, target Survived" in result.output
    accuracy = float(result.output.split("accuracy ")[1].split()[0])
    assert accuracy > 0.95
    assert "only rows it has never seen show how good it is" in result.output

    result = run("predict", model, labels, "--probabilities")
    assert result.exit_code == 0
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    truth = [row[-1] for row in passengers()]
    assert len(rows) == 240
    assert np.mean([row["Survived"] == label for row, label in zip(rows, truth, strict=True)]) == pytest.approx(
        accuracy, abs=6e-5
    )
    for row in rows:
        assert float(row["P(no)"]) + float(row["P(yes)"]) == pytest.approx(1, abs=2e-6)
        assert (float(row["P(yes)"]) > 0.5) == (row["Survived"] == "yes")


def test_regression_from_file_to_predictions(folder, tmp_path):
    amounts, model, written = folder / "houses.csv", tmp_path / "model.safetensors", tmp_path / "predictions.csv"
    options = ["--hidden", "32", "--folds", "2", "--epochs", "60", "--learning-rate", "0.02", "--save", model]
    result = run("train", amounts, "--target", "price", *options)
    assert result.exit_code == 0, result.output
    assert "target  price, regression" in result.output
    assert "--task classification" in result.output
    assert result.output.count("decimal commas") == 1
    assert re.search(r"metric +the model +± over folds +mean +linear model", result.output)
    assert "4 networks 4 → 32 → 1, 60 epochs each, in " in result.output
    assert float(result.output.split("R² ")[1].split()[0]) > 0.98
    assert "RMSE" in result.output

    result = run("predict", model, amounts, "--output", written)
    assert result.exit_code == 0
    assert "Wrote 200 predictions of price" in result.output
    with written.open() as stream:
        predicted = [float(row["price"]) for row in csv.DictReader(stream)]
    truth = [float(line.split(";")[-1].replace(",", ".")) for line in amounts.read_text().splitlines()[1:]]
    rmse = math.sqrt(np.mean((np.array(predicted) - truth) ** 2))
    assert float(run("evaluate", model, amounts).output.split("RMSE ")[1].split()[0]) == pytest.approx(rmse, rel=1e-3)
    for option in (["--probabilities"], ["--threshold", 0.2]):
        assert f"leave out {option[0]}" in run("predict", model, amounts, *option).stderr


def test_the_model_file_is_that_of_python(folder, labels):
    model = cr.load(folder / "small")
    assert isinstance(model, TableModel)
    assert model.columns == ("Sex", "Class", "Age")
    assert model.facts["source"] == "passengers.csv"
    assert 0 <= model.facts["held out"]["accuracy"] <= 1
    told = list(csv.reader(io.StringIO(run("predict", folder / "small", labels).stdout)))[1:]
    assert [row[0] for row in told] == model.predict(labels).tolist()


def test_the_same_seed_gives_the_same_model(folder, labels, tmp_path):
    models = [tmp_path / "one", tmp_path / "other"]
    for model, seed in zip(models, (0, 1), strict=True):
        assert run("train", labels, "--target", "Survived", *SMALL, "--seed", seed, "--save", model).exit_code == 0
    assert models[0].read_bytes() == (folder / "small").read_bytes() != models[1].read_bytes()


def test_choices(labels):
    result = run("train", labels, "--target", "Survived", *SMALL, "--hidden", "none", "--epochs", 2)
    assert "1 network 5 → 2, 2 epochs" in result.output
    assert "--save model.safetensors saves it" in result.output
    result = run("train", labels, "--target", "Survived", *SMALL, "--column", "Class=category", "--drop", "Age")
    assert "1 network 5 → 3 → 2" in result.output
    assert "Age left out" not in result.output
    result = run("train", labels, "--target", "Class", *SMALL, "--task", "regression")
    assert "target  Class, regression" in result.output
    result = run("train", labels, "--target", "Survived", *SMALL, "--class-weight", "balanced")
    assert result.exit_code == 0


@pytest.mark.parametrize("asked", [["--scaling", "quantile"], ["--column", "Age=number:quantile"]])
def test_a_scaling_is_heard(labels, tmp_path, asked):
    result = run("train", labels, "--target", "Survived", *SMALL, *asked, "--save", tmp_path / "model")
    assert result.exit_code == 0, result.output
    columns = {column.name: column for column in cr.load(tmp_path / "model").preparation.columns}
    assert "normal scores" in columns["Age"].told


def test_choices_about_learning_are_heard(labels, tmp_path):
    saved = []
    for more in ([], ["--schedule", "constant"], ["--l2", "0.5"], ["--metric", "roc_auc", "--epochs", "9"]):
        result = run("train", labels, "--target", "Survived", *SMALL, *more, "--save", tmp_path / "model")
        assert result.exit_code == 0, result.output
        saved.append(cr.load(tmp_path / "model").network.parameters["dense_0"]["weight"].tobytes())
    assert len(set(saved)) == 4
    for wrong in (["--metric", "mae"], ["--schedule", "cosin"], ["--encoding", "utf-9"]):
        result = run("train", labels, "--target", "Survived", *SMALL, *wrong)
        assert (result.exit_code, f"named '{wrong[1]}'" in result.output) == (1, True)


def test_a_decimal_mark_is_told_to_every_command(tmp_path):
    """1,250 is a thousand and more or one and a quarter: nothing in such a file tells."""
    table, model = tmp_path / "data.csv", tmp_path / "model"
    rows = [f"{1 + i % 7},{(i * 37) % 1000:03};{'a' if i % 7 < 3 else 'b'}" for i in range(60)]
    table.write_text("\n".join(["x;y", *rows]))
    assert run("train", table, "--target", "y", *SMALL, "--decimal", "point", "--save", model).exit_code == 0
    for command in (["predict"], ["evaluate"], ["explain", "--row", "1"], ["diagnose"]):
        said = [run(command[0], model, table, *command[1:], *more).output for more in ([], ["--decimal", "comma"])]
        assert said[0] != said[1] or command == ["predict"]
        assert "is read with" not in said[1]


@pytest.mark.parametrize("encoding", ["cp850", "utf-16-be", "mac-roman"])
def test_an_encoding_is_told_to_every_command(encoding, tmp_path):
    table, model = tmp_path / "data.csv", tmp_path / "model"
    rows = [f"{'Köln' if i % 3 else 'Zürich'},{i % 7},{'größer' if i % 3 else 'kleiner'}" for i in range(60)]
    table.write_bytes("\n".join(["ort,größe,was", *rows]).encode(encoding))
    given = ["--encoding", encoding]
    result = run("train", table, "--target", "was", *SMALL, *given, "--save", model, "--test-file", table)
    assert result.exit_code == 0, result.output
    assert "größer, kleiner" in result.output
    said = run("predict", model, table, *given).stdout.split()
    assert (said[0], len(said), set(said[1:]) <= {"größer", "kleiner"}) == ("was", 61, True)
    for command in (["evaluate"], ["explain", "--row", "1"], ["diagnose"]):
        result = run(command[0], model, table, *command[1:], *given)
        assert result.exit_code == 0, result.output
        assert "did not occur" not in result.output


def test_the_table_that_comes_along(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = [*SMALL, "--test", "0.2", "--save", "model.safetensors"]
    result = run("train", "penguins", "--target", "species", *options)
    assert result.exit_code == 0, result.output
    assert "penguins.csv: 275 rows, 17 columns" in result.output
    assert "region left out: the same value in every row" in result.output
    assert len(run("predict", "model.safetensors", "penguins").stdout.splitlines()) == 345
    (tmp_path / "penguins").write_text("a,b\n1,2\n")
    assert "'species'" in run("train", "penguins", "--target", "species").stderr


def test_very_few_rows(tmp_path):
    path, model = tmp_path / "xor.csv", tmp_path / "model.safetensors"
    path.write_text("a,b,y\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n")
    result = run("train", path, "--target", "y", "--fast", "--save", model)
    assert result.exit_code == 0, result.output
    assert "with so few rows none were held out" in result.output
    assert "accuracy 1" in " ".join(run("evaluate", model, path).output.split())


def test_a_file_without_header(tmp_path):
    path, model = tmp_path / "plain.data", tmp_path / "model.safetensors"
    path.write_text("".join(f"{i % 10}.5,{i % 7},{'low' if i % 10 < 5 else 'high'}\n" for i in range(80)))
    result = run("train", path, "--target", "kind")
    assert result.exit_code == 1
    assert "--no-header" in result.stderr
    options = ["--no-header", "--target", "column_3", "--fast", "--hidden", "16", "--epochs", "40", "--save", model]
    assert run("train", path, *options).exit_code == 0
    new = tmp_path / "new.data"
    new.write_text("1.5,3\n8.5,2\n")
    assert run("predict", model, new).stdout.split() == ["column_3", "low", "high"]


def test_rows_left_out_keep_their_place_in_the_predictions(folder, labels, tmp_path):
    path = tmp_path / "complete.csv"
    result = run("predict", folder / "complete", labels, "--missing", "drop", "--output", path)
    assert "14 rows left out: no value in 'Age'" in result.stderr
    assert "Wrote 226 predictions of Survived" in result.stdout
    assert "14 rows were left out" in result.stdout
    rows = list(csv.reader(io.StringIO(path.read_text())))
    assert len(rows) == 241
    assert [i for i, row in enumerate(rows[1:]) if row == [""]] == [i for i in range(240) if i % 17 == 5]
    assert [] not in list(csv.reader(io.StringIO(run("predict", folder / "complete", labels).stdout)))


def test_a_table_without_a_complete_row(folder, tmp_path):
    model, new = folder / "complete", tmp_path / "new.csv"
    new.write_text("Sex,Class,Age,Survived\nmale,1,,yes\n")
    assert run("predict", model, new, "--probabilities", "--missing", "drop").stdout == "Survived,P(no),P(yes)\n,,\n"
    told = run("evaluate", model, new, "--missing", "drop").stderr
    assert "no row of new.csv is left to evaluate; 1 row left out: no value in 'Age'." in told


def test_blank_rows_have_no_prediction_and_other_rows_keep_theirs(folder, tmp_path):
    new = tmp_path / "new.csv"
    new.write_text("Sex,Class,Age\nmale,1,30\n\nfemale,2,40\n")
    result = run("predict", folder / "small", new)
    assert "blank" in result.stderr
    assert len(result.stdout.splitlines()) == 3


def test_columns_beside_predictions_and_thresholds(folder, labels):
    asked = ["predict", folder / "small", labels, "--keep", "Id", "--keep", "Age", "--probabilities"]
    for threshold in (0, 0.3, 1):
        rows = list(csv.DictReader(io.StringIO(run(*asked, "--threshold", threshold).stdout)))
        assert [row["Id"] for row in rows] == [str(i + 1) for i in range(240)]
        assert rows[5]["Age"] == ""
        assert all((row["Survived"] == "yes") == (float(row["P(yes)"]) >= threshold) for row in rows)

    told = run("predict", folder / "small", labels, "--keep", "Survived").stdout
    assert told.startswith("Survived,Survived predicted\n")


def test_standard_input(folder, labels):
    text = labels.read_text()
    assert run("predict", folder / "small", "-", input=text).stdout == run("predict", folder / "small", labels).stdout
    assert run("train", "-", "--target", "Survived", *SMALL, input=text).exit_code == 0


def test_rows_that_are_tested_on(labels, tmp_path):
    rows = list(passengers())
    for name, part in (("one", rows[:180]), ("two", rows[180:])):
        with (tmp_path / f"{name}.csv").open("w", newline="") as stream:
            csv.writer(stream).writerows([NAMES, *part])
    result = run("train", tmp_path / "one.csv", "--target", "Survived", *SMALL, "--test-file", tmp_path / "two.csv")
    assert "one.csv: 180 rows" in result.output
    assert "Test: 60 rows of two.csv" in result.output
    (tmp_path / "three.csv").write_text("Sex,Class,Age\nmale,1,3\n")
    result = run("train", labels, "--target", "Survived", *SMALL, "--test-file", tmp_path / "three.csv")
    assert "no column named 'Survived'" in result.stderr
    assert "network" not in result.output
    for option in (["--split-by", "Id"], ["--group", "Age"], ["--split-by", "Id", "--group", "Name"]):
        result = run("train", labels, "--target", "Survived", *SMALL, "--test", 0.25, *option)
        assert result.exit_code == 0, result.output
        assert "rows held out" in result.output
    rows = "".join(f"{row},{row % 40},{'yes' if row % 3 else 'no'}\n" for row in range(100))
    (tmp_path / "visits.csv").write_text("day,who,well\n" + rows)
    both = ["--test", 0.2, "--split-by", "day", "--group", "who"]
    result = run("train", tmp_path / "visits.csv", "--target", "well", *SMALL, *both)
    assert "40 earlier rows of held-out groups left out" in result.output, result.output


def test_a_column_of_weights_and_marks_in_the_order(tmp_path):
    lines = [f"{row if row % 10 else '-'},{row % 7},{row % 4},{'yes' if row % 7 > 3 else 'no'}" for row in range(200)]
    (tmp_path / "visits.csv").write_text("\n".join(["day,x,count,well", *lines]))
    command = ["train", tmp_path / "visits.csv", "--target", "well", *SMALL, "--test", 0.2, "--split-by", "day"]
    refused = run(*command)
    assert "column 'day' of visits.csv is to order the rows" in refused.stderr
    assert "--missing-mark" in refused.stderr
    result = run(*command, "--missing-mark", "-", "--weights", "count")
    assert result.exit_code == 0, result.output
    assert "Test: 36 rows of" in result.output or "Test: 40 rows" in result.output


@pytest.mark.parametrize("options", [{"order": "Id"}, {"group": "Age"}, {}])
def test_the_rows_kept_back_are_the_latest_whole_groups_or_a_share_of_every_class(labels, options):
    parts = keep_back(as_table(labels), "Survived", 0.25, **options, seed=2)
    learned, kept = ([dict(zip(NAMES, row, strict=True)) for row in part.frame.rows()] for part in parts)
    assert len(learned) + len(kept) == 240
    if "order" in options:
        assert {int(row["Id"]) for row in kept} == set(range(181, 241))
    elif "group" in options:
        assert not {row["Age"] for row in kept} & {row["Age"] for row in learned}
    else:
        yes = [sum(row["Survived"] == "yes" for row in part) for part in (learned, kept)]
        assert yes[1] == pytest.approx(sum(yes) / 4, abs=1)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_training_that_is_ended_keeps_what_was_learned_and_saves_it(labels, tmp_path, monkeypatch, name):
    fit, numbers = cr.Network.fit, [signal.Signals[name]]

    def interrupted(self, *arguments, callbacks=(), **settings):
        def interrupt(end):
            if end.epoch == 2 and numbers:
                signal.raise_signal(numbers.pop())

        return fit(self, *arguments, callbacks=[*callbacks, interrupt], **settings)

    monkeypatch.setattr(cr.Network, "fit", interrupted)
    model = tmp_path / "model.safetensors"
    heard = signal.signal(signal.SIGINT, signal.default_int_handler)  # where tests run in the background it is not
    try:
        result = run("train", labels, "--target", "Survived", *SMALL, "--epochs", 100_000, "--save", model)
    finally:
        signal.signal(signal.SIGINT, heard)
    assert result.exit_code == 128 + signal.Signals[name]
    assert "stopped after 1 network" in result.output
    assert run("predict", model, labels).exit_code == 0


def test_a_terminal_that_is_closed_loses_nothing(labels, tmp_path):
    """What was learned is saved, though nothing can be printed; the exit code is the signal's."""
    pty = pytest.importorskip("pty", reason="terminals of this kind are Unix's")
    ours, theirs = pty.openpty()
    model, page = tmp_path / "model.safetensors", tmp_path / "page.html"
    command = [
        sys.executable,
        "-m",
        "chainrule",
        "train",
        labels,
        "--target",
        "Survived",
        "--save",
        model,
        "--report",
        page,
    ]
    behind = """
        import fcntl, os, sys, termios
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        os.execv(sys.argv[1], sys.argv[1:])
    """
    more = ["--time", "1h", "--epochs", "100000", "--checkpoint", tmp_path / "run.ckpt"]
    words = [sys.executable, "-c", textwrap.dedent(behind), *map(str, [*command, *more])]
    training = subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    try:
        while b"percent" not in os.read(ours, 100_000):
            assert training.poll() is None
        time.sleep(0.3)
        os.close(ours)
        assert training.wait(LONG) == 128 + signal.SIGHUP
    finally:
        training.kill()
    assert cr.load(model).predict(as_table(labels)).shape == (240,)
    assert "</html>" in page.read_text()
    assert (tmp_path / "run.ckpt").exists()


def test_the_table_is_let_go_of_before_the_training(labels, monkeypatch):
    train, model = (import_module(f"chainrule.{name}") for name in ("cli.train", "tabular.model"))
    read, learn, tables, there = train.sample, model.learn, [], []

    def sampled(*arguments):
        table = read(*arguments)
        tables.append(weakref.ref(table.frame))
        return table

    def learned(*arguments, **settings):
        there.append(tables[0]() is not None)
        return learn(*arguments, **settings)

    monkeypatch.setattr(train, "sample", sampled)
    monkeypatch.setattr(model, "learn", learned)
    assert run("train", labels, "--target", "Survived", *SMALL).exit_code == 0
    assert there == [False]


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_what_is_ended_before_the_training_exits_by_the_signal(labels, monkeypatch, name):
    def interrupted(*arguments, **settings):
        signal.raise_signal(signal.Signals[name])

    monkeypatch.setattr("chainrule.tabular.model.made_ready", interrupted)
    heard = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        result = run("train", labels, "--target", "Survived", *SMALL)
    finally:
        signal.signal(signal.SIGINT, heard)
    assert result.exit_code == 128 + signal.Signals[name]
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


USUAL = ["--target", "Survived"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([*USUAL, "--missing", "error"], "--missing fill"),
        ([*USUAL, *(part for name in NAMES[:-1] for part in ("--drop", name))], "no column"),
        ([*USUAL, "--drop", "Survived"], "is the target, which inputs are to predict; leave out --drop Survived"),
        (["--target", "survived"], "no column named 'survived' (did you mean 'Survived'?)"),
        ([*USUAL, "--drop", "Pclass"], "no column named 'Pclass' (did you mean 'Class'?)"),
        ([*USUAL, "--group", "Pclass"], "no column named 'Pclass' (did you mean 'Class'?)"),
        ([*USUAL, "--split-by", "Sex"], "Sex"),
        ([*USUAL, "--activation", "rleu"], "no activation named 'rleu' (did you mean 'relu'?)"),
        ([*USUAL, "--column", "Sex"], "--column was given 'Sex'; write it as NAME=KIND"),
        ([*USUAL, "--column", "Sex=catgory"], "category"),
        ([*USUAL, "--hidden", "3,x"], "--hidden was given '3,x'; give positive whole numbers such as 64,32"),
        ([*USUAL, "--hidden", "-3"], "--hidden was given '-3'"),
        ([*USUAL, "--time", "soon"], "--time was given 'soon'; give a time such as 10s, 2m or 1h"),
        ([*USUAL, "--task", "regression"], "--task classification"),
        ([*USUAL, "--separator", "ab"], "must be a single character"),
        ([*USUAL, "--separator", ";"], "no column named 'Survived'"),
        ([*USUAL, "--save", "no/such/model"], "there is no folder no/such; make it first"),
        ([*USUAL, "--plot", "."], "is a folder; give the name of a file"),
        ([*USUAL, "--plot", "curve.xyz"], "curve.xyz"),
        ([*USUAL, "--report", "report.pdf"], "give a name that ends in .html"),
        ([*USUAL, "--save", "a.png", "--plot", "a.png"], "and would overwrite it; give another name"),
        ([*USUAL, "--save", "a.html", "--report", "a.html"], "and would overwrite it; give another name"),
    ],
)
def test_what_goes_wrong_is_told_in_one_message(labels, arguments, message):
    result = run("train", labels, *arguments)
    assert result.exit_code == 1, result.output
    assert result.stderr.startswith("Error: ")
    assert message in result.stderr
    assert "Training" not in result.stdout
    assert result.exception is None or isinstance(result.exception, SystemExit)


def test_files_that_would_be_lost(folder, labels, tmp_path):
    own = tmp_path / "own.csv"
    own.write_text(labels.read_text())
    refused = [
        (["train", labels, *USUAL, "--save", labels], "is the file of the data and would overwrite it"),
        (["train", labels, *USUAL, "--save", own], "already exists and is not a model"),
        (["train", labels, *USUAL, "--plot", labels], "is the file of the data and would overwrite it"),
        (["predict", folder / "small", labels, "--output", labels], "is the file of the data and would overwrite it"),
        (["predict", folder / "small", labels, "--output", folder / "small"], "is the file of the model and would"),
    ]
    for arguments, message in refused:
        result = run(*arguments)
        assert result.exit_code == 1
        assert message in result.stderr
    assert own.read_text() == labels.read_text()


def test_files_that_are_not_there_or_not_models(labels, tmp_path):
    result = run("train", labels.with_name("pasengers.csv"), "--target", "y")
    assert result.exit_code == 1
    assert "pasengers.csv (did you mean 'passengers.csv'?)" in result.stderr
    assert "(did you mean 'penguins'?)" in run("train", "pengins", "--target", "y").stderr
    assert str(tmp_path) in run("train", tmp_path, "--target", "y").stderr
    assert "there is no folder" in run("predict", tmp_path / "no" / "model", labels).stderr
    assert "cannot be read as a safetensors file" in run("evaluate", labels, labels).stderr
    plain = tmp_path / "plain.safetensors"
    cr.Network([cr.Dense(2)]).build(3).save(plain)
    result = run("predict", plain, labels)
    assert result.exit_code == 1
    assert "it was not saved by `chainrule train`" in result.stderr


def test_tables_that_do_not_fit_the_model(folder, tmp_path):
    model, other = folder / "small", tmp_path / "other.csv"
    other.write_text("Sex,Age\nmale,3\n")
    assert "lacks 1 column the model was trained with: 'Class'" in run("predict", model, other).stderr
    other.write_text("Sex,Class,Age\nunknown,1,3\n")
    result = run("predict", model, other)
    assert result.exit_code == 0
    assert "'unknown'" in result.stderr
    result = run("evaluate", model, other)
    assert result.exit_code == 1
    assert "'Survived'" in result.stderr
    other.write_text("Sex,Class,Age,Survived\nmale,1,old,yes\n")
    told = run("predict", model, other).stderr
    assert "'old' in 1 row counts as missing" in told
    assert "--column" not in told
    other.write_text("Sex,Class,Age,Survived\nmale,1,3,perhaps\n")
    assert "'perhaps'" in run("evaluate", model, other).stderr
    other.write_text("Age,Class,Sex\n3,1,male\n")
    other_order = run("predict", model, other, "--probabilities").stdout
    other.write_text("Sex,Class,Age\nmale,1,3\n")
    assert run("predict", model, other, "--probabilities").stdout == other_order


def test_a_command_line_that_cannot_be_understood(labels):
    assert run("train", labels).exit_code == 2
    assert run("train", labels, *USUAL, "--epochs", 0).exit_code == 2
    assert run("train", labels, *USUAL, "--task", "guess").exit_code == 2
    assert run("train", labels, *USUAL, "--class-weight", "rare").exit_code == 2
    assert run("fly").exit_code == 2


def test_predictions_overwrite_predictions_alone(folder, tmp_path):
    notes, listed = tmp_path / "notes.txt", tmp_path / "listed.csv"
    notes.write_text("do not lose this\n")
    asked = ["predict", folder / "small", folder / "passengers.csv", "--output"]
    result = run(*asked, notes)
    assert result.exit_code == 1
    assert "already exists" in result.stderr
    assert notes.read_text() == "do not lose this\n"
    for _ in range(2):
        assert run(*asked, listed).exit_code == 0
    assert len(listed.read_text().splitlines()) == 241
    assert run(*asked, listed, "--probabilities").exit_code == 1


def test_options_that_messages_name_are_there():
    """Those of learning at `train`; others, of reading and applying, at every command that reads a table."""
    package = Path(cr.__file__).parent
    found = {
        (name, file.relative_to(package).as_posix())
        for folder in ("tables", "tabular")
        for file in (package / folder).rglob("*.py")
        for name in re.findall(r"""\boption\(["'](\w+)["']""", file.read_text(encoding="utf-8"))
    }
    found = {(name, file) for name, file in found if name != "columns"}  # which are --drop and --column
    assert {"separator", "decimal", "encoding", "missing", "seconds"} <= {name for name, _ in found}
    typed = {name: spell(messages.option(name, "1"), command_line=True).split()[0] for name, _ in found}
    commands = {name: {x for p in command.params for x in (*p.opts, *p.secondary_opts)} for name, command in
                get_command(app).commands.items()}  # fmt: skip
    reading = [name for name, options in commands.items() if "--separator" in options]
    assert {"train", "evaluate", "predict", "explain"} <= set(reading)
    for name, file in found:
        places = ["train"] if file in LEARNING else reading
        if name == "missing":
            places = ["train", "evaluate", "predict"]
        assert all(typed[name] in commands[place] for place in places), (name, file)
    assert all(typed_option in commands["train"] for typed_option in ("--drop", "--column"))


LEARNING = {
    "tables/columns/number.py",
    "tables/preparing/learning.py",
    "tables/order.py",
    "tables/preparing/target.py",
    "tables/preparing/remarks.py",
    "tabular/learning/shortfall.py",
}
"""What tells options while a model is learned."""
