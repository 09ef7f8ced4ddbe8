"""The benchmark of tables: the same rows every time, answers that are none refused, figures kept and added up."""

from __future__ import annotations

import json
import sys

import numpy as np
import pandas as pd
import pytest
from benchmarks.table_peers import CONTENDERS, installed, quiet
from benchmarks.table_sources import SOURCES
from sklearn.metrics import accuracy_score, r2_score

import chainrule as cr
from benchmarks import table_sources, tables


def patients(rows=120):
    random = np.random.default_rng(0)
    dose = random.normal(size=rows)
    return pd.DataFrame(
        {
            "dose": [f"{each:.3f}" if n % 9 else "NA" for n, each in enumerate(dose)],
            "ward": random.choice(["a", "b"], rows),
            "day": [f"2020-{1 + n % 12:02}-{1 + n % 28:02}" for n in range(rows)],
            "amount": [f"{3 * each + 1:.4f}" for each in dose],
            "class": [("01" if each > 0 else "1") if n else "" for n, each in enumerate(dose)],
        }
    )


def split_of(task, target):
    return tables.divided("patients", task, target, "work", patients())


CLASSES, AMOUNTS = ("classification", "class"), ("regression", "amount")


def test_rows_are_divided_alike_every_time_with_cells_as_they_stand():
    split, again = split_of(*CLASSES), split_of(*CLASSES)
    other = tables.divided("patients", *CLASSES, "work", patients(), seed=1)
    assert split.train.equals(again.train)
    assert not split.train.equals(other.train)
    assert sorted([*split.train.index, *split.test.index]) == list(range(119)), "one has no class"
    assert set(split.train["class"]) == set(split.test["class"]) == {"01", "1"}
    assert list(split.typed_train["class"]) == list(split.train["class"])
    assert split.typed_train["dose"].dtype == float
    assert split.typed_train["dose"].isna().sum() == (split.train["dose"] == "NA").sum() > 0


def test_scores_are_those_of_scikit_learn():
    split = split_of(*CLASSES)
    guessed = np.where(np.arange(len(split.test)) % 3, "01", "1")
    assert split.score(guessed) == pytest.approx(accuracy_score(split.test["class"], guessed))
    split = split_of(*AMOUNTS)
    guessed = split.typed_test["amount"] ** 2
    assert split.score(guessed) == pytest.approx(r2_score(split.typed_test["amount"], guessed))


@pytest.mark.parametrize(
    ("task", "answers", "told"),
    [
        (CLASSES, ["01"], "1 answers"),
        (CLASSES, ["01"] * 23 + ["2"], "'2'"),
        (AMOUNTS, [1.0] * 23 + [np.nan], "no numbers"),
    ],
)
def test_answers_that_are_none_are_refused(task, answers, told):
    with pytest.raises(AssertionError, match=told):
        split_of(*task).score(np.array(answers))


@pytest.mark.parametrize("task", [CLASSES, AMOUNTS], ids=["classes", "amounts"])
@pytest.mark.parametrize("name", [name for name in CONTENDERS if name in installed()])
def test_every_contender_learns_from_columns_of_all_kinds(name, task):
    split = split_of(*task)
    figures = tables.theirs(split, name)
    if name != "commonest":
        assert figures["score"] > tables.theirs(split, "commonest")["score"]
    assert figures["seconds"] > 0


@pytest.mark.parametrize("name", ["HGB", "MLP"])
def test_days_that_were_not_seen_keep_their_place_among_the_others(name):
    days = pd.Series(pd.date_range("2019-01-01", periods=600).strftime("%Y-%m-%d"))
    frame = pd.DataFrame({"day": days, "y": np.sin(np.arange(600) / 60)}).astype(str)
    frame.loc[::50, "day"] = ""
    split = tables.divided("days", "regression", "y", "work", frame)
    assert tables.theirs(split, name)["score"] > 0.5


def test_quiet_is_over_afterwards(caplog):
    import logging

    with quiet():
        logging.getLogger("x").warning("greetings")
    logging.getLogger("x").warning("heard")
    assert caplog.messages == ["heard"]


def test_settings_are_keyword_arguments_of_the_model():
    assert tables.settings_of("default") == {"default": {}}
    assert tables.settings_of("default; folds=5, seconds=None")["folds=5, seconds=None"] == {
        "folds": 5,
        "seconds": None,
    }
    for settings in tables.settings_of(";".join(tables.MEANS)).values():
        cr.TableModel(**settings)


def test_several_splits_count_by_their_means():
    first = {"a": {"score": 0.5, "seconds": 1.0}, "b": {"score": 0.5, "seconds": 1.0}}
    assert tables.averaged([first, {"a": {"score": 0.7, "seconds": 3.0}}]) == {"a": {"score": 0.6, "seconds": 2.0}}


def test_wins_losses_and_differences():
    rows = {
        name: {"a": {"score": ours, "seconds": 1.0}, "b": {"score": theirs, "seconds": 2.0}}
        for name, ours, theirs in [("x", 0.5, 0.4), ("y", 0.2, 0.4), ("z", 0.9, 0.9)]
    }
    told = tables.summary(rows, "a", "b")
    assert told == "a beside b: 1 wins, 1 losses of 3, mean -0.0333, median +0.0000; 3 s and 6 s."
    assert tables.summary(rows, "a", "c") == ""


def test_sources_have_names_of_their_own_and_a_third_is_held_back():
    assert len({source.name for source in SOURCES}) == len(SOURCES)
    assert all(source.target not in source.drop for source in SOURCES)
    assert 0.25 < np.mean([source.part == "kept" for source in SOURCES]) < 0.45


def test_tables_of_installed_packages_are_text_and_gathered_as_they_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(table_sources, "SOURCES", [source for source in SOURCES if source.package == "sklearn"])
    table_sources.gather(tmp_path)
    found = list(tables.tables(None, "", None, 1))
    assert [split.name for (split,) in found] == [source.name for source in table_sources.SOURCES]
    for (split,), (again,) in zip(found, tables.tables(tmp_path, "", None, 1), strict=True):
        assert split.train.equals(again.train)
        assert split.typed_test.equals(again.typed_test)
        assert all(isinstance(cell, str) for cell in split.train.iloc[0])


class Halved:
    """Stands for a model: the class by the sign of the dose."""

    def __init__(self, at=0.0):
        self.at = at

    def fit(self, path, target):
        assert target in pd.read_csv(path)
        return self

    def predict(self, path):
        frame = pd.read_csv(path)
        assert "class" not in frame
        return np.where(frame["amount"] > 3 * self.at + 1, "01", "1")


def test_a_run_prints_and_keeps_what_it_found(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(cr, "TableModel", Halved)
    entry = {"name": "patients", "package": "", "file": "", "target": "class", "task": "classification", "drop": []}
    (tmp_path / "index.json").write_text(json.dumps([{**entry, "rows": 120, "columns": 5}]))
    patients().to_csv(tmp_path / "patients.csv", index=False)
    asked = ["tables", "--folder", str(tmp_path), "--peers", "commonest", "--means", "default; at=9.0; at='x'"]
    monkeypatch.setattr(sys, "argv", [*asked, "--write", str(tmp_path / "told.md")])
    tables.main()
    told = (tmp_path / "told.md").read_text()
    assert "| patients | accuracy | 119 | 1.000 | " in told
    assert "default beside at=9.0: 1 wins, 0 losses" in told
    assert "patients, at='x': " in told, "what failed is told, and the rest is measured"
    assert capsys.readouterr().out.strip().split("\n")[0] == told.split("\n")[0]
    assert set(tables.Baselines(tmp_path).all()["patients"]) == {"commonest"}
    for wrong, told in [
        (("--only", "nurses"), "nurses: no such table; there are patients"),
        (("--peers", "XGB"), "XGB: "),
    ]:
        monkeypatch.setattr(sys, "argv", [*asked[:3], *wrong])
        with pytest.raises(SystemExit, match=told):
            tables.main()
    monkeypatch.setattr(sys, "argv", asked)
    monkeypatch.setattr(tables, "theirs", None)
    tables.main()
    monkeypatch.undo()
    monkeypatch.setattr(sys, "argv", [*asked[:5], "--baselines", "--splits", "2"])
    tables.main()
    assert set(tables.Baselines(tmp_path).all()) == {"patients", "patients#1"}
