"""Models of tables as ONNX models: onnxruntime predicts of the columns what chainrule predicts of the table."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import chainrule as cr
from chainrule.errors import SettingError
from chainrule.tables import TableError

onnxruntime = pytest.importorskip("onnxruntime")
PLAIN = onnxruntime.SessionOptions()
PLAIN.log_severity_level = 3
ROWS = 120
RANDOM = np.random.default_rng(0)


def with_gaps(values: Any) -> list[Any]:
    """Every ninth value missing."""
    return [None if i % 9 == 4 else x for i, x in enumerate(values)]


HEIGHT = RANDOM.normal(170.0, 10.0, ROWS).round(1).tolist()
TABLE = pl.DataFrame(
    {
        "height": with_gaps(HEIGHT),
        "count": RANDOM.integers(0, 9, ROWS),
        "price": [f"{x:.2f} €" for x in RANDOM.uniform(1, 100, ROWS)],
        "town": with_gaps(RANDOM.choice(["Rome", "Oslo", "Köln"], ROWS).tolist()),
        "code": RANDOM.choice([f"c{i:02d}" for i in range(20)], ROWS),
        "member": with_gaps(RANDOM.choice(["yes", "no"], ROWS).tolist()),
        "born": with_gaps([date(1960, 1, 1) + timedelta(days=int(x)) for x in RANDOM.integers(0, 15000, ROWS)]),
        "kind": RANDOM.choice(["a", "b", "c"], ROWS),
        "amount": np.abs(np.array(HEIGHT) ** 2 - 28000.0) + 1.0,
    }
)
COLUMNS = [name for name in TABLE.columns if name not in ("kind", "amount")]


def trained(target: str, **settings: Any) -> cr.TableModel:
    table = TABLE.select(*COLUMNS, target)
    return cr.TableModel(epochs=4, folds=2, search=False, progress=False, **settings).fit(table, target=target)


def cells(table: pl.DataFrame, name: str) -> Any:
    """A column as the model takes it, made without chainrule."""
    column = table.get_column(name)
    if name == "born":
        column = column.cast(pl.Int32).cast(pl.Float64) * 86400.0
    elif name == "price":
        column = column.str.strip_suffix(" €").cast(pl.Float64)
    if column.dtype == pl.String:
        return np.array(column.fill_null("").to_list(), object)
    return column.cast(pl.Float64).fill_null(np.nan).to_numpy()


def predicted(model: cr.TableModel, table: pl.DataFrame) -> list[Any]:
    """What onnxruntime says of a table."""
    model.export("model.onnx")
    session = onnxruntime.InferenceSession("model.onnx", PLAIN)
    assert [x.name for x in session.get_inputs()] == list(model.columns)
    return list(session.run(None, {x.name: cells(table, x.name) for x in session.get_inputs()}))


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("scaling", ["robust", "quantile"])
def test_classes(scaling: Any) -> None:
    model = trained("kind", scaling=scaling)
    labels, shares = predicted(model, TABLE)
    assert labels.tolist() == model.predict(TABLE).tolist()
    np.testing.assert_allclose(shares, model.predict_proba(TABLE), atol=1e-6)


def test_amounts() -> None:
    model = trained("amount")
    np.testing.assert_allclose(predicted(model, TABLE)[0], model.predict(TABLE), rtol=1e-5)


@pytest.mark.filterwarnings("default::UserWarning")
def test_rows_unlike_those_of_training() -> None:
    """New categories, missing values in all columns, numbers far away, marks of missing values."""
    model = trained("amount")
    strange = pl.DataFrame(
        {
            "height": [None, 1e9, 150.0, -3.0],
            "count": [3.0, None, 2.0, 1.0],
            "price": ["5.00 €", None, "1000000.00 €", "0.00 €"],
            "town": ["Paris", "NA", None, "Rome"],
            "code": ["c01", "c99", "", None],
            "member": ["YES", "no", None, "maybe"],
            "born": [date(1800, 2, 28), date(2096, 12, 31), None, date(2000, 2, 29)],
        }
    )
    with pytest.warns(UserWarning, match="did not occur|counts? as missing"):  # each is told of
        expected = model.predict(strange)
    np.testing.assert_allclose(predicted(model, strange)[0], expected, rtol=1e-5)


def test_numbers_that_mean_no_value_mean_it_in_the_graph_too() -> None:
    coded = TABLE.with_columns(pl.col("height").fill_null(-999.0))
    table = coded.select("height", "town", "amount")
    model = cr.TableModel(epochs=4, folds=2, search=False, progress=False, missing_mark=-999).fit(
        table, target="amount"
    )
    expected = model.predict(TABLE.select("height", "town"))
    np.testing.assert_allclose(model.predict(coded), expected)
    np.testing.assert_allclose(predicted(model, coded)[0], expected, rtol=1e-5)


def test_one_row() -> None:
    model = trained("kind")
    labels, shares = predicted(model, TABLE.head(1))
    assert labels.tolist() == model.predict(TABLE.head(1)).tolist()
    assert shares.shape == (1, 3)


def test_what_inputs_are_is_in_the_file() -> None:
    import onnx

    trained("kind").export("model.onnx")
    told = {x.name: x.doc_string for x in onnx.load("model.onnx").graph.input}
    assert told["price"] == "number in €, NaN where missing"
    assert told["town"] == "category: text as the table spells it, empty where missing"
    assert "seconds since 1970" in told["born"]


def test_longer_texts_are_refused_with_what_to_do() -> None:
    words = RANDOM.choice(["red", "green", "blue", "small", "large"], (ROWS, 5))
    table = TABLE.select("height", "amount").with_columns(note=pl.Series([" ".join(own) for own in words]))
    model = cr.TableModel(epochs=1, folds=1, search=False, progress=False, columns={"note": "text"}).fit(
        table, "amount"
    )
    with pytest.raises(TableError, match=r"'note'.*drop"):
        model.export("model.onnx")


def test_a_model_is_not_saved_as_what_it_is_not() -> None:
    with pytest.raises(SettingError, match="Call export"):
        trained("kind").save("model.onnx")
