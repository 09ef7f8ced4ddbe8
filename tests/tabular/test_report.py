"""The report: one file that asks for nothing, with all of it in it, and nothing of the table's taken for HTML."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import polars as pl
import pytest
from stand_ins import model, table

import chainrule as cr
from chainrule.errors import DataError, NotBuiltError, SettingError
from chainrule.explanation.drawing import palette
from chainrule.tables.table import Table
from chainrule.tabular.reporting import page
from chainrule.tabular.reporting.gathering import LEARNED_FROM, report_of
from chainrule.tabular.reporting.report import Report

EVIL = "<script>alert(\"1\")</script> & 'rooms'"
VOID = {"meta", "br"}


def spoilt(rows, seed=0):
    frame = table(rows, seed).frame.rename({"town": EVIL})
    return Table(
        frame.with_columns(pl.col("class").replace("dear", "<b>dear</b>")), source="<i>.csv", notes=("<u>read</u>",)
    )


@pytest.fixture(scope="module", params=["regression", "classification"])
def report(request):
    trained, given = model(request.param, epochs=10, given=spoilt(200), folds=2)
    return report_of(
        trained,
        given,
        test=spoilt(60, seed=1),
        beside=["majority class", "mean", "linear model"],
        seconds=0.5,
    )


class Tags(HTMLParser):
    """Which tags there are, each closed, and what they point at."""

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.links, self.text = [], set(), [], []

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        self.links += [value for name, value in attrs if name in ("href", "src")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.add(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def test_the_page_is_whole_and_asks_for_nothing(report):
    found = Tags()
    found.feed(report.html)
    assert not found.open
    assert not {"script", "link", "img", "iframe", "b1", "i", "u", "tt"} & found.seen
    assert all(link.startswith("#") for link in found.links)
    assert not re.search(r"url\(|@import|https?://(?!www\.w3\.org/2000/svg)", report.html)
    ids = set(re.findall(r'<section id="(\w+)"', report.html))
    assert {link[1:] for link in found.links} == ids == {"scores", "columns", "dependence", "rows", "table", "settings"}


def test_all_of_it_is_there(report):
    found = Tags()
    found.feed(report.html)
    text = " ".join(" ".join(found.text).split())
    for words in (
        "Out of fold",
        "On test rows",
        "linear model",
        "are closely related",
        "by age",
        "<tt>",
        "NumPy",
        "<u>read</u>",
        EVIL,
    ):
        assert words in text, words
    if report.preparation.target.classes:
        assert {"Confusion matrix", "Calibration", "<b>dear</b>"} <= {x.strip() for x in found.text}
    else:
        assert "Predicted and true" in text
    assert report.html.count("<svg") >= 2 * 1 + 1 + 4 + 2
    assert len(report.dependences) == 4
    assert 2 <= len(report.attributions) <= 4


def test_rows_explained_are_named_as_people_count_them():
    """From 1, in the table that was given, also where rows without a target are left out before them."""
    trained, given = model("regression", epochs=2, given=spoilt(60), folds=2)
    gaps = given.frame.with_columns(pl.Series(trained.preparation.target.name, [None] * 7 + [1.0] * 53))
    apart = replace(given, frame=pl.concat([gaps[:7], given.frame], how="vertical_relaxed"))
    names = list(report_of(trained, apart, beside=[], seconds=0.1).attributions)
    rows = [int(re.search(r"\(row (\d+);", name)[1]) for name in names]
    truth = apart.frame[trained.preparation.target.name].to_list()
    said = [float(re.search(r"the truth is ([-\d.]+)", name)[1].rstrip(".")) for name in names]
    assert said == pytest.approx([truth[row - 1] for row in rows], rel=1e-3)


def test_scores_beside_simpler_models_on_the_same_rows(report):
    for scores, rows in zip(report.scores.values(), (200, 60), strict=True):
        assert len(scores.truth) == rows
        assert "linear model" in scores.others
    assert next(iter(report.scores.values())).spread


def test_colours_of_pictures_have_others_on_a_dark_page(report):
    used = set(re.findall(r' (fill|stroke)="(#[0-9a-f]{6})"', report.html))
    dark = set(re.findall(r'figure \[(fill|stroke)="(#[0-9a-f]{6})"\]', report.html))
    assert {part for part, _ in used} == {part for part, _ in dark} == {"fill", "stroke"}
    assert {colour for _, colour in used - dark} <= {palette.ZERO, palette.PAPER}


def test_cells_on_a_dark_page_have_the_same_order_and_words_that_can_be_read(report):
    found = dict(re.findall(r'figure \[fill="(#[0-9a-f]{6})"\] { fill: (#[0-9a-f]{6}); }', report.html))
    dark = {depth: found[palette.SHADES[depth]] for depth in range(-8, 9)}
    assert dark[0] == page.DARK_PAPER
    for depth, colour in dark.items():
        words = "#ffffff" if palette.is_dark(palette.SHADES[depth]) else page.DARK[palette.INK]
        assert contrast(words, colour) > 4.5, depth
    for sign in (-1, 1):
        deeper = [contrast(dark[sign * depth], page.DARK_PAPER) for depth in range(9)]
        assert deeper == sorted(set(deeper))


def contrast(a, b):
    def light(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((light(a), light(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_words_on_a_dark_page_can_be_read():
    for name in ("INK", "MUTED", "POSITIVE_TEXT", "NEGATIVE_TEXT", "RESULT_STROKE"):
        assert contrast(page.DARK[getattr(palette, name)], page.DARK_PAPER) > 4.5, name


def test_saving(report, tmp_path):
    path = report.save(tmp_path / "report.html")
    assert path.read_text(encoding="utf-8") == report.html
    assert repr(report).startswith("Report(")
    with pytest.raises(SettingError, match=r"must end in \.html"):
        report.save(tmp_path / "report.pdf")


def test_a_model_without_folds_or_test_rows_says_so():
    trained, given = model("regression", rows=60, epochs=3)
    found = report_of(trained, given, seconds=0.1)
    assert found.scores == {}
    assert LEARNED_FROM in found.importance.remarks
    assert 'id="scores"' not in found.html


def test_an_empty_report():
    trained, _ = model("classification", rows=60, epochs=1)
    assert "<h1>" in Report(trained.preparation, "a table", {}).html


def test_many_columns_are_folded():
    random = np.random.default_rng(0)
    wide = Table(
        pl.DataFrame(
            {**{f"c{i}": random.normal(size=30) for i in range(50)}, "price": random.normal(size=30), "class": "a"}
        )
    )
    trained, given = model("regression", epochs=1, given=wide)
    text = report_of(trained, given, seconds=0.1).html
    assert "20 more columns" in text
    assert text.count(">c49</td>") == 1


def test_other_rows_than_those_trained_on_are_refused():
    trained, given = model("regression", rows=60, epochs=1, folds=2)
    for other in (table(60, seed=5), given.rows(slice(0, 40))):
        with pytest.raises(DataError, match="not the table that the model was trained on"):
            report_of(trained, other, seconds=0.1)


@pytest.mark.parametrize("target", ["price", "class"])
def test_a_table_model_reports(target):
    given = table(120).without(["class" if target == "price" else "price"])
    trained = cr.TableModel(
        seconds=None, search=False, folds=2, recipe=cr.Recipe(hidden=(16,), width=2), progress=False
    )
    trained.fit(given, target)
    found = trained.report(given, beside=["linear model"], seconds=0.3)
    assert LEARNED_FROM not in found.importance.remarks
    assert found.importance.rows == len(found.scores["out of fold"].truth)
    assert "linear model" in found.html
    assert trained.importance(given, repeats=1, seconds=0.2).score <= 1.0
    assert trained.dependence("age", given).column == "age"
    assert found.settings["hidden"] == (16,)
    assert trained.compare(given, beside=["linear model"]).others == found.scores["out of fold"].others
    assert trained.compare(beside=["linear model"]).others == found.scores["out of fold"].others


def test_a_model_that_was_loaded_has_no_rows_to_compare_by(tmp_path):
    given = table(60).without(["class"])
    trained = cr.TableModel(epochs=2, search=False, folds=1, recipe=cr.Recipe(hidden=(4,), width=0), progress=False)
    trained.fit(given, "price").save(tmp_path / "model.safetensors")
    with pytest.raises(NotBuiltError, match="give those"):
        cr.load(tmp_path / "model.safetensors").compare()


def test_the_report_says_which_rows_are_scored_and_that_time_was_short():
    given = table(120).without(["class"])
    small = {"search": False, "folds": 1, "recipe": cr.Recipe(hidden=(16,), width=2), "progress": False}
    short = cr.TableModel(seconds=1e-3, epochs=100_000, **small).fit(given, "price")
    found = short.report(given, beside=["mean"], seconds=0.1)
    assert f"each of {len(short.held_rows)} of the 120 rows is predicted" in found.html
    assert re.search(r"time ran out after [\d,]+ of 100,000 epochs.*seconds=\d+", found.html)
    whole = cr.TableModel(seconds=None, epochs=2, **{**small, "folds": 2}).fit(given, "price")
    page_of_whole = whole.report(given, beside=["mean"], seconds=0.1).html
    assert "every row is predicted" in page_of_whole
    assert "time ran out" not in page_of_whole
