"""Partial dependence: beside functions that are known and scikit-learn, for every kind of column, and its pictures."""

import json
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.inspection import partial_dependence
from stand_ins import model

from chainrule.errors import DataError, SettingError, UnknownNameError
from chainrule.explanation.drawing.pieces import SMALL_SIZE
from chainrule.explanation.drawing.scene import text_width
from chainrule.notebooks import FORMS
from chainrule.tables.preparing.preparation import Preparation
from chainrule.tables.table import Table
from chainrule.tabular.charts import WIDTH
from chainrule.tabular.explaining.dependence import dependence
from chainrule.tabular.explaining.dependence_charts import texts_along
from chainrule.tabular.explaining.levels import Level


def everything(rows=300):
    random = np.random.default_rng(0)
    x, on = random.normal(size=rows), random.integers(0, 2, rows).astype(bool)
    day = [date(2020, 1, 1) + timedelta(days=int(d)) for d in random.integers(0, 900, rows)]
    kind = random.choice(["a", "b", "<c>"], rows)
    money = [f"${1000 * (i % 50):,}.00" if i % 10 else None for i in range(rows)]
    y = 3 * x + on + (kind == "a") + random.normal(size=rows)
    return Table(pl.DataFrame({"x": x, "on": on, "day": day, "kind": kind, "money": money, "y": y}))


@pytest.fixture(scope="module")
def linear():
    """A table of every kind of column, its preparation, and a linear function of what is prepared."""
    given = everything()
    preparation = Preparation.learn(given, "y")
    weights = np.random.default_rng(1).normal(size=len(preparation.features))
    return given, preparation, weights, lambda X: X @ weights


def test_of_a_linear_function_it_is_the_column_alone(linear):
    given, preparation, weights, raw = linear
    X = preparation.apply(given).X
    for column in ("x", "on", "day", "kind", "money"):
        found = dependence(raw, preparation, given, column, rows=10_000)
        places = [i for i, feature in enumerate(preparation.features) if feature.column == column]
        others = raw(X).mean() - (X[:, places] @ weights[places]).mean()
        texts = [
            "missing" if x is None else f"{x:.6g}".replace("-", "−") if isinstance(x, float) else str(x)
            for x in given.frame[column]
        ]
        for level in [*found.levels, *([found.missing] if found.missing else [])]:
            row = texts.index(level.text)
            assert level.means[0] == pytest.approx(others + X[row, places] @ weights[places], abs=1e-4), (column, level)
        assert found.average[0] == pytest.approx(raw(X).mean())
        assert found.ordered == (column in ("x", "day", "money"))
        assert (found.missing is not None) == (column == "money")
        assert "<svg" in found.draw().svg
        assert "<c>" not in found.draw().svg


def test_every_row_is_counted_at_the_value_nearest_to_it():
    rating = np.repeat([1.0, 2.0, 3.0, np.nan], [50, 20, 10, 20])
    size = np.random.default_rng(2).normal(size=100)
    given = Table(pl.DataFrame({"rating": rating, "size": size, "y": size + np.nan_to_num(rating)}))
    preparation = Preparation.learn(given, "y")
    found = dependence(lambda X: X.sum(axis=1), preparation, given, "rating")
    assert [level.share for level in found.levels] == [0.5, 0.2, 0.1]
    assert found.missing.share == 0.2
    found = dependence(lambda X: X.sum(axis=1), preparation, given, "size", points=7)
    places = np.array([level.place for level in found.levels])
    nearest = np.abs(size[:, None] - places).argmin(axis=1)
    assert [level.share for level in found.levels] == pytest.approx(np.bincount(nearest) / 100)


def test_it_is_scikit_learns(linear):
    given, preparation, _, _ = linear

    class Bent(RegressorMixin, BaseEstimator):
        def fit(self, X, y):
            self.fitted_ = True
            return self

        def predict(self, X):
            return np.tanh(X[:, 0]) * X[:, 2] + X[:, 1] ** 2

    X = preparation.apply(given).X.astype(float)
    found = dependence(Bent().predict, preparation, given, "x", rows=10_000, points=9)
    place = next(i for i, feature in enumerate(preparation.features) if feature.name == "x")
    grid = np.array([X[np.argmin(np.abs(given.frame["x"].to_numpy() - level.place)), place] for level in found.levels])
    expected = partial_dependence(Bent().fit(X, None), X, [place], custom_values={place: grid}, kind="average")
    assert [x.means[0] for x in found.levels] == pytest.approx(expected["average"][0], abs=1e-5)


def test_values_are_spelled_as_in_the_table(linear):
    given, preparation, _, raw = linear
    assert all(x.text.startswith("$") for x in dependence(raw, preparation, given, "money").levels)
    assert any(text in dependence(raw, preparation, given, "day").draw().svg for text in ("2020-", "2021-", "2022-"))


def test_of_classes_and_many_categories():
    trained, given = model("classification", epochs=5)
    found = dependence(trained.raw, trained.preparation, given, "town")
    assert found.curves == ("dear",)
    assert len(found.levels) == 12
    assert found.rows == 400
    both = dependence(trained.raw, trained.preparation, given, "age", labels=["cheap", "dear"], rows=50)
    assert np.array([x.means for x in both.levels]).sum(axis=1) == pytest.approx(np.ones(len(both.levels)))
    assert both.rows == 50
    data = json.loads(both.to("json"))
    assert data["levels"][0]["means"] == list(both.levels[0].means)
    assert {"text/html", "text/plain"} <= set(both._repr_mimebundle_()) <= set(FORMS)
    assert "means over 50 rows" in str(both)
    assert both.span > 0
    with pytest.raises(UnknownNameError, match="no class named 'deer'"):
        dependence(trained.raw, trained.preparation, given, "age", labels=["deer"])


def test_what_is_refused(linear):
    given, preparation, _, raw = linear
    with pytest.raises(UnknownNameError, match="no column in use named 'y'"):
        dependence(raw, preparation, given, "y")
    with pytest.raises(SettingError, match="points=1"):
        dependence(raw, preparation, given, "x", points=1)
    without = Table(given.frame.with_columns(pl.lit(None, pl.String).alias("money")))
    with pytest.raises(DataError, match="no row has a value in 'money'"):
        dependence(raw, preparation, without, "money")


def test_texts_along_the_axis_stand_apart():
    days = [date(year, 11, day) for year in (2007, 2008, 2009) for day in (9, 12, 15, 18)]
    for few in (days, days[:2], days[:1], days[4:9]):
        levels = [Level(float(day.toordinal()), str(day), 1 / len(few), (0.0,)) for day in few]
        ticks = texts_along(levels)
        assert ticks[0][1] == str(few[0])
        span = max(ticks[-1][0] - ticks[0][0], 1.0)
        for (here, text), (there, _) in pairwise(ticks):
            assert WIDTH * (there - here) / span > text_width(text, SMALL_SIZE)
    assert [
        text for _, text in texts_along([Level(float(day.toordinal()), str(day), 0.1, (0.0,)) for day in days])
    ] == [
        "2007-11-09",
        "2008-11-09",
        "2009-11-18",
    ]
