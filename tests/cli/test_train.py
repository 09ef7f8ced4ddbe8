"""`chainrule train`, `evaluate` and `predict` on files as people have them."""

import csv
import io
import math
import random

import numpy as np
import pytest
from typer.testing import CliRunner

import chainrule as cr
from chainrule.cli.app import app
from chainrule.tables import Preparation


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def passengers(rows=240):
    """Rows of a table with numbers, text, gaps, names and a label."""
    draw = random.Random(0)
    for i in range(rows):
        sex, pay, age = draw.choice(["male", "female"]), draw.choice([1, 2, 3]), draw.randint(1, 80)
        survived = "yes" if (sex == "female") == (pay < 3) else "no"
        yield [i + 1, f"Person {i}", sex, pay, "" if i % 17 == 5 else age, survived]


NAMES = ["Id", "Name", "Sex", "Class", "Age", "Survived"]


@pytest.fixture
def labels(tmp_path):
    path = tmp_path / "passengers.csv"
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows([NAMES, *passengers()])
    return path


@pytest.fixture
def amounts(tmp_path):
    """A table with semicolons and decimal commas."""
    path = tmp_path / "houses.csv"
    draw = random.Random(1)
    lines = ["area;floor;city;price"]
    for _ in range(200):
        area, floor, city = draw.uniform(30, 200), draw.randint(0, 9), draw.choice(["Oslo", "Rom"])
        price = 3.5 * area + 10 * floor + (100 if city == "Oslo" else 0)
        lines.append(f"{area:.1f};{floor};{city};{price:.2f}".replace(".", ","))
    path.write_text("\n".join(lines))
    return path


USUAL = ["--target", "Survived", "--drop", "Id", "--drop", "Name", "--missing", "median"]


def test_classification_from_file_to_predictions(labels, tmp_path):
    model, curve = tmp_path / "model.safetensors", tmp_path / "curve.png"
    result = run("train", labels, *USUAL, "--save", model, "--plot", curve)
    assert result.exit_code == 0, result.output
    assert "target  Survived, classification into 2 classes: no, yes" in result.output
    assert "inputs  4 from 3 columns" in result.output
    assert "14 missing values replaced by the training median" in result.output
    assert "Training a network 4 → 64 → 32 → 2" in result.output
    assert "Test: 48 rows the network never saw" in result.output
    assert "most frequent class alone" in result.output
    assert "precision" in result.output
    assert "stopped since it got no better" in result.output
    assert curve.read_bytes().startswith(b"\x89PNG")

    result = run("evaluate", model, labels)
    assert result.exit_code == 0, result.output
    assert "240 rows, target Survived" in result.output
    accuracy = float(result.output.split("accuracy  ")[1].split("%")[0])
    assert accuracy > 95
    assert "only rows it never saw tell how good it is" in result.output

    result = run("predict", model, labels, "--probabilities")
    assert result.exit_code == 0
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    truth = [row[-1] for row in passengers()]
    assert len(rows) == 240
    assert np.mean([row["Survived"] == label for row, label in zip(rows, truth, strict=True)]) * 100 == pytest.approx(
        accuracy, abs=0.06
    )
    for row in rows:
        assert float(row["P(no)"]) + float(row["P(yes)"]) == pytest.approx(1, abs=2e-6)
        assert (float(row["P(yes)"]) > 0.5) == (row["Survived"] == "yes")
    assert "replaced by the training median" in result.stderr


def test_regression_from_file_to_predictions(amounts, tmp_path):
    model, written = tmp_path / "model.safetensors", tmp_path / "predictions.csv"
    result = run("train", amounts, "--target", "price", "--save", model, "--epochs", 150, "--learning-rate", 0.01)
    assert result.exit_code == 0, result.output
    assert "target  price, regression" in result.output
    assert "--task classification" in result.output
    assert float(result.output.split("R²    ")[1].split()[0]) > 0.98
    assert "RMSE" in result.output

    result = run("predict", model, amounts, "--output", written)
    assert result.exit_code == 0
    assert "Wrote 200 predictions of price" in result.output
    with written.open() as stream:
        predicted = [float(row["price"]) for row in csv.DictReader(stream)]
    truth = [float(line.split(";")[-1].replace(",", ".")) for line in amounts.read_text().splitlines()[1:]]
    rmse = math.sqrt(np.mean((np.array(predicted) - truth) ** 2))
    assert float(run("evaluate", model, amounts).output.split("RMSE  ")[1].split()[0]) == pytest.approx(rmse, rel=1e-3)
    assert run("predict", model, amounts, "--probabilities").exit_code == 1


def test_the_model_file_says_how_it_was_made(labels, tmp_path):
    model = tmp_path / "model.safetensors"
    run("train", labels, *USUAL, "--save", model, "--epochs", 3)
    notes = cr.load(model).notes
    preparation = Preparation.from_json(notes["preparation"])
    assert [column.name for column in preparation.columns] == ["Sex", "Class", "Age"]
    assert notes["test"]["unseen"] is True
    assert notes["test"]["rows"] == 48
    assert 0 <= notes["test"]["accuracy"] <= 1


def test_the_same_seed_gives_the_same_model(labels, tmp_path):
    for name in ("one", "two"):
        assert run("train", labels, *USUAL, "--epochs", 2, "--seed", 5, "--save", tmp_path / name).exit_code == 0
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_choices(labels):
    result = run("train", labels, *USUAL, "--hidden", "none", "--epochs", 2, "--test", 0, "--patience", 0)
    assert "Training a network 4 → 2 (10 parameters)" in result.output
    assert "On its 240 training rows (no test)" in result.output
    assert "240 rows to learn from, 0 kept back" in result.output
    assert "--save model.safetensors keeps it" in result.output
    result = run(
        "train", labels, *USUAL, "--categorical", "Class", "--epochs", 2, "--optimizer", "sgd", "--hidden", "5"
    )
    assert "Training a network 6 → 5 → 2" in result.output
    result = run("train", labels, *USUAL, "--target", "Class", "--task", "regression", "--epochs", 2)
    assert "target  Class, regression" in result.output


def test_very_few_rows(tmp_path):
    path = tmp_path / "xor.csv"
    path.write_text("a,b,y\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n")
    result = run("train", path, "--target", "y", "--test", 0, "--epochs", 300, "--learning-rate", 0.01)
    assert result.exit_code == 0, result.output
    assert "accuracy  100.0%" in result.output


def test_a_file_without_header(tmp_path):
    path, model = tmp_path / "plain.data", tmp_path / "model.safetensors"
    path.write_text("".join(f"{i % 10}.5,{i % 7},{'low' if i % 10 < 5 else 'high'}\n" for i in range(80)))
    result = run("train", path, "--target", "kind")
    assert result.exit_code == 1
    assert "--no-header" in result.stderr
    assert run("train", path, "--no-header", "--target", "column_3", "--save", model, "--epochs", 40).exit_code == 0
    new = tmp_path / "new.data"
    new.write_text("1.5,3\n8.5,2\n")
    assert run("predict", model, new).stdout.split() == ["column_3", "low", "high"]


def test_rows_left_out_keep_their_place_in_the_predictions(labels, tmp_path):
    model = tmp_path / "model.safetensors"
    run("train", labels, *USUAL[:-1], "drop", "--save", model, "--epochs", 2)
    result = run("predict", model, labels)
    assert "14 of 240 rows left out: no value in 'Age'" in result.stderr
    rows = list(csv.reader(io.StringIO(result.stdout)))
    assert len(rows) == 241
    assert [i for i, row in enumerate(rows[1:]) if row == [""]] == [i for i in range(240) if i % 17 == 5]
    assert [] not in list(csv.reader(io.StringIO(run("predict", model, labels, "--missing", "mean").stdout)))


def test_a_table_without_a_complete_row(labels, tmp_path):
    model, new = tmp_path / "model.safetensors", tmp_path / "new.csv"
    run("train", labels, *USUAL[:-1], "drop", "--save", model, "--epochs", 2)
    new.write_text("Sex,Class,Age,Survived\nmale,1,,yes\n")
    assert run("predict", model, new, "--probabilities").stdout == "Survived,P(no),P(yes)\n,,\n"
    assert "has no row left to evaluate" in run("evaluate", model, new).stderr


def test_ctrl_c_keeps_what_was_learned_and_saves_it(labels, tmp_path, monkeypatch):
    fit = cr.Network.fit

    def interrupted(self, *arguments, **settings):
        def interrupt(end):
            if end.epoch == 2:
                raise KeyboardInterrupt

        return fit(self, *arguments, callbacks=[interrupt], **settings)

    monkeypatch.setattr(cr.Network, "fit", interrupted)
    model = tmp_path / "model.safetensors"
    result = run("train", labels, *USUAL, "--save", model)
    assert result.exit_code == 130
    assert "stopped by Ctrl-C after 3 epochs" in result.output
    assert run("predict", model, labels).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--target", "Survived"], "--missing drop leaves those rows out; --missing median (or mean)"),
        (["--target", "Survived", "--missing", "drop"], "Leave it out: --drop Name, or take every value as a category"),
        (["--target", "survived"], "no column named 'survived' (did you mean 'Survived'?)"),
        ([*USUAL, "--drop", "Pclass"], "no column named 'Pclass' (did you mean 'Class'?)"),
        ([*USUAL, "--optimizer", "adm"], "no optimizer named 'adm' (did you mean 'adam'?)"),
        ([*USUAL, "--activation", "rleu"], "no activation named 'rleu' (did you mean 'relu'?)"),
        ([*USUAL, "--hidden", "3,x"], "--hidden was given '3,x'; give positive whole numbers such as 64,32"),
        ([*USUAL, "--hidden", "-3"], "--hidden was given '-3'"),
        (
            [*USUAL, "--task", "regression"],
            "regression predicts numbers. Choose another column, or --task classification",
        ),
        ([*USUAL, "--separator", "ab"], "must be a single character"),
        ([*USUAL, "--separator", ";"], "no column named 'Survived'"),
        ([*USUAL, "--save", "no/such/model"], "there is no folder no/such; make it first"),
        ([*USUAL, "--plot", "."], "is a folder; give the name of a file"),
        ([*USUAL, "--optimizer", "sgd", "--learning-rate", "1e9"], "training left the finite numbers"),
    ],
)
def test_what_goes_wrong_is_told_in_one_message(labels, arguments, message):
    result = run("train", labels, *arguments)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    assert message in result.stderr
    assert result.exception is None or isinstance(result.exception, SystemExit)


def test_files_that_are_not_there_or_not_models(labels, tmp_path):
    result = run("train", labels.with_name("pasengers.csv"), "--target", "y")
    assert result.exit_code == 1
    assert "pasengers.csv (did you mean 'passengers.csv'?)" in result.stderr
    assert "is a folder; a file is needed" in run("train", tmp_path, "--target", "y").stderr
    assert "there is no folder" in run("predict", tmp_path / "no" / "model", labels).stderr
    assert "cannot be read as a safetensors file" in run("evaluate", labels, labels).stderr
    plain = tmp_path / "plain.safetensors"
    cr.Network([cr.Dense(2)]).build(3).save(plain)
    result = run("predict", plain, labels)
    assert result.exit_code == 1
    assert "it was not saved by `chainrule train`" in result.stderr


def test_tables_that_do_not_fit_the_model(labels, tmp_path):
    model, other = tmp_path / "model.safetensors", tmp_path / "other.csv"
    run("train", labels, *USUAL, "--save", model, "--epochs", 2)
    other.write_text("Sex,Age\nmale,3\n")
    assert "lacks 1 column the model was trained with: 'Class'" in run("predict", model, other).stderr
    other.write_text("Sex,Class,Age\nunknown,1,3\n")
    result = run("predict", model, other)
    assert result.exit_code == 0
    assert "'unknown' in 1 row did not occur in training" in result.stderr
    result = run("evaluate", model, other)
    assert result.exit_code == 1
    assert "'Survived'" in result.stderr
    other.write_text("Sex,Class,Age,Survived\nmale,1,old,yes\n")
    result = run("evaluate", model, other)
    assert "1 cell is none: 'old' in line 2. Correct them; the model learned numbers there" in result.stderr
    other.write_text("Sex,Class,Age,Survived\nmale,1,3,perhaps\n")
    assert "holds 'perhaps' in 1 row, which did not occur in training" in run("evaluate", model, other).stderr


def test_a_command_line_that_cannot_be_understood(labels):
    assert run("train", labels).exit_code == 2
    assert run("train", labels, *USUAL, "--epochs", 0).exit_code == 2
    assert run("train", labels, *USUAL, "--task", "guess").exit_code == 2
    assert run("fly").exit_code == 2
