"""Whatever holds a table is taken as one, and the same one."""

import datetime
import gzip
import io
import json
import sys
from collections import namedtuple
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from chainrule.errors import SettingError
from chainrule.tables import Preparation, Table, TableError, as_table, read, sample, stream
from chainrule.tables.numbers import read_numbers

NAMES = ("name", "age", "size", "fine", "born")
ROWS = [
    ("Ada", 36, 1.63, True, datetime.datetime(1815, 12, 10)),
    (None, 41, None, False, datetime.datetime(1912, 6, 23)),
    ("Grace", None, 1.52, None, None),
]
COLUMNS = {name: [row[i] for row in ROWS] for i, name in enumerate(NAMES)}
FRAME = pl.DataFrame(ROWS, schema=list(NAMES), orient="row")


def pandas_frame():
    return pd.DataFrame(COLUMNS)


def arrow():
    return pytest.importorskip("pyarrow").table(COLUMNS)


class Stream:
    """What has Arrow's protocol and nothing else."""

    def __init__(self, frame):
        self.__arrow_c_stream__ = frame.__arrow_c_stream__


IN_MEMORY = {
    "table": lambda: Table(FRAME),
    "polars": lambda: FRAME,
    "lazy": FRAME.lazy,
    "dict of lists": lambda: COLUMNS,
    "dict of arrays": lambda: {name: np.array(values, dtype=object) for name, values in COLUMNS.items()},
    "dict of columns": lambda: {name: FRAME[name] for name in NAMES},
    "list of dicts": lambda: [{key: x for key, x in zip(NAMES, row, strict=True) if x is not None} for row in ROWS],
    "named tuples": lambda: list(map(namedtuple("Row", NAMES)._make, ROWS)),
    "pandas": pandas_frame,
    "pandas objects": lambda: pandas_frame().astype(object),
    "pandas best": lambda: pandas_frame().convert_dtypes(),
    "pandas arrow": lambda: pytest.importorskip("pyarrow") and pandas_frame().convert_dtypes(dtype_backend="pyarrow"),
    "pandas chosen rows": lambda: pd.concat([pandas_frame(), pandas_frame()]).iloc[[3, 1, 5]],
    "pandas category": lambda: pandas_frame().astype({"name": "category"}),
    "arrow": arrow,
    "arrow stream": lambda: Stream(FRAME),
}


@pytest.mark.parametrize("source", IN_MEMORY.values(), ids=IN_MEMORY)
def test_every_kind_of_table_in_memory(source):
    table = as_table(source())
    assert table.names == NAMES
    assert table.frame.select(pl.col("name").cast(pl.String), pl.exclude("name")).rows() == ROWS
    assert (table.lines, table.notes, table.line(2)) == (None, (), "row 3")


FILES = {
    "data.parquet": FRAME.write_parquet,
    "data": FRAME.write_parquet,
    "data.feather": FRAME.write_ipc,
    "data.jsonl": FRAME.write_ndjson,
    "data.json": FRAME.write_json,
    "data.ndjson.gz": lambda path: path.write_bytes(gzip.compress(FRAME.write_ndjson().encode())),
}


@pytest.mark.parametrize(("name", "write"), FILES.items(), ids=FILES)
def test_every_kind_of_file_with_types(name, write, tmp_path):
    write(tmp_path / name)
    table = as_table(tmp_path / name)
    assert table.source == name
    assert table.frame.drop("born").rows() == FRAME.drop("born").rows()
    assert as_table(str(tmp_path / name)).frame.equals(table.frame)


@pytest.mark.parametrize(
    "content",
    [
        [{"a": 1, "b": "x"}, {"b": 2.5}],
        {"a": [1, None], "b": ["x", 2.5]},
        {"columns": ["a", "b"], "index": [0, 1], "data": [[1, "x"], [None, 2.5]]},
        {"a": {"0": 1, "1": None}, "b": {"0": "x", "1": 2.5}},
        {"0": {"a": 1, "b": "x"}, "1": {"a": None, "b": 2.5}},
        {
            "schema": {"fields": [], "primaryKey": ["index"]},
            "data": [{"index": 0, "a": 1, "b": "x"}, {"index": 4, "b": 2.5}],
        },
        {"results": [{"a": 1, "b": "x"}, {"b": 2.5}]},
    ],
    ids=["records", "lists", "split", "columns", "index", "table", "nested"],
)
def test_json_as_pandas_and_others_write_it(content, tmp_path):
    path = tmp_path / "data.json"
    path.write_text(json.dumps(content, indent=1))
    assert as_table(path).frame.rows() == [(1, "x"), (None, "2.5")]


LABELLED = pd.DataFrame({"age": [36, 41, 85], "town": ["Rome", "Bath", "Oslo"]}, index=["Ada", "Alan", "Grace"])


@pytest.mark.parametrize("counted", [False, True])
@pytest.mark.parametrize("form", ["records", "columns", "index", "split", "table"])
def test_json_that_pandas_writes(form, counted, tmp_path):
    frame = LABELLED.reset_index(drop=True) if counted else LABELLED
    frame.to_json(tmp_path / "data.json", orient=form)
    table = as_table(tmp_path / "data.json")
    assert table.names == ("age", "town")
    assert table.frame.rows() == [(36, "Rome"), (41, "Bath"), (85, "Oslo")]
    assert len(table.notes) == (form in ("columns", "index") and not counted)  # what decides by the cells is told


def test_json_that_is_nearly_what_pandas_writes(tmp_path):
    path = tmp_path / "data.json"
    path.write_text('{"columns": ["a", "a"], "data": [[1, 2], [3, 4]]}')
    assert as_table(path).frame.rows(named=True) == [{"a": 1, "a_2": 2}, {"a": 3, "a_2": 4}]
    for content, rows in (
        ('{"columns": [1, 2], "data": [3, 4]}', [(1, 3), (2, 4)]),
        ('{"schema": 1, "data": 5}', [(1, 5)]),
        ('{"schema": [1, 2], "data": [{"a": 3}]}', [(3,)]),
    ):
        path.write_text(content)
        assert as_table(path).frame.rows() == rows


def test_json_in_other_encodings(tmp_path):
    (tmp_path / "data.json").write_bytes('[{"größe": 1, "ort": "Köln"}]'.encode("utf-16"))
    assert as_table(tmp_path / "data.json").frame.rows(named=True) == [{"größe": 1, "ort": "Köln"}]
    (tmp_path / "data.json").write_bytes('{"meta": 1, "rows": [{"ort": "Köln"}]}'.encode("latin-1"))
    table = as_table(tmp_path / "data.json", encoding="latin-1")
    assert (table.frame.rows(), table.notes) == ([("Köln",)], ("the table is 'rows'; 'meta' beside it left out",))


@pytest.mark.parametrize(
    "made",
    [dict, pl.DataFrame, pd.DataFrame, lambda columns: pl.DataFrame(columns, schema={"Zu\u0308": pl.Categorical})],
)
def test_accents_typed_in_two_ways_are_one_in_frames(made):
    table = as_table(made({"Zu\u0308": ["Zürich", "Zu\u0308rich", "Rom"]}))
    assert table.column("Zü").to_list() == table.column("Zu\u0308").to_list() == ["Zürich", "Zürich", "Rom"]
    assert table.notes == (
        "accents that are characters of their own are put together with their letters (Unicode's NFC), as in 'Zürich'",
    )


def test_names_that_are_one_when_composed_are_two_columns_still():
    table = as_table(pl.DataFrame({"Zü": [1, 2], "Zu\u0308": [3, 4]}))
    assert (table.names, table.column("Zü").to_list(), table.column("Zü_2").to_list()) == (
        ("Zü", "Zü_2"),
        [1, 2],
        [3, 4],
    )
    assert "column 2 is another 'Zü'; called 'Zü_2' here" in table.notes


@pytest.mark.parametrize("largest", [2**63, 2**64, 10**30])
def test_whole_numbers_beyond_64_bits_keep_their_digits(largest):
    assert as_table({"x": [largest, -1, None]}).frame.rows() == [(str(largest),), ("-1",), (None,)]


def test_records_within_records_and_lists():
    table = as_table([{"a": {"b": 1, "c": {"d": 2}}, "e": [1, 2]}, {"a": {"b": 3, "c": {"d": 4}}, "e": [3]}])
    assert table.frame.rows(named=True) == [{"a.b": 1, "a.c.d": 2}, {"a.b": 3, "a.c.d": 4}]
    assert table.notes == ("'e' left out: lists or binary data",)


def test_a_field_of_a_record_may_be_called_as_a_column_is():
    table = as_table([{"a": {"b": 1}, "a.b": 2}, {"a": {"b": 3}, "a.b": 4}])
    assert table.frame.rows(named=True) == [{"a.b": 1, "a.b_2": 2}, {"a.b": 3, "a.b_2": 4}]
    assert table.notes == ("column 2 is another 'a.b'; called 'a.b_2' here",)


@pytest.mark.parametrize(
    "made",
    [
        lambda rows: pd.DataFrame(rows),
        lambda rows: pl.DataFrame(rows),
        lambda rows: np.array([(x["t"], x["n"]) for x in rows], [("t", "S2"), ("n", "f8")]),
    ],
)
def test_bytes_that_are_text_are_text(made):
    rows = [{"t": "ü".encode(), "n": 1.0}, {"t": b"b", "n": 2.0}] * 20  # as WEKA's files have it, read by SciPy
    table = as_table(made(rows))
    assert table.frame.rows() == [("ü", 1.0), ("b", 2.0)] * 20
    preparation = Preparation.learn(table, "n", task="regression")
    assert preparation.apply_row({"t": "ü".encode()}).tolist() == preparation.apply_row({"t": "ü"}).tolist()
    assert preparation.apply_row({"t": b"b"}).tolist() != preparation.apply_row({"t": "ü"}).tolist()


@pytest.mark.parametrize("unit", ["ns", "us", "s", "D"])
def test_moments_and_spans_of_numpy_are_what_they_are_in_arrays(unit):
    moments = np.array(["2020-01-01", "2021-03-04"], f"M8[{unit}]")
    spans = moments - moments[0]
    whole = as_table({"when": moments, "span": spans}).frame
    lists = as_table({"when": list(moments), "span": np.array([*spans, None], object)[:2]}).frame
    records = as_table([{"when": np.array(x), "span": y} for x, y in zip(moments, spans, strict=True)]).frame
    for frame in (lists, records):
        assert frame.cast({"when": pl.Datetime("us"), "span": pl.Duration("us")}).equals(
            whole.cast({"when": pl.Datetime("us"), "span": pl.Duration("us")})
        )


def test_dates_beside_moments_are_moments():
    mixed = [datetime.date(2020, 1, 2), datetime.datetime(2020, 1, 3, 4), None]
    assert as_table({"when": mixed}).frame["when"].to_list() == [datetime.datetime(2020, 1, 2), mixed[1], None]


def test_what_is_masked_is_missing():
    hidden = np.ma.masked_greater(np.arange(6.0).reshape(3, 2), 3.0)
    assert as_table(hidden).frame.rows() == [(0.0, 1.0), (2.0, 3.0), (None, None)]
    assert as_table({"a": hidden[:, 0]}).frame.rows() == [(0.0,), (2.0,), (None,)]
    moments, none = np.array(["2020-01-02", "2021-03-04"], "M8[us]"), np.array([False, True])
    for values in (moments, moments - moments[0], np.array(["a", "b"]), np.array([True, False]), np.array([3, 4], "u1"),
                   np.array(["a", 2.0], object)):  # fmt: skip
        own = as_table({"a": np.ma.masked_array(values, none)}).frame["a"].to_list()
        assert own == [as_table({"a": values[:1]}).frame["a"][0], None]
    assert as_table({"a": np.ma.masked_array(moments)}).frame.equals(as_table({"a": moments}).frame)


def test_text_from_standard_input(monkeypatch):
    for content, rows in [
        ("a;b\n1;x\n", [("1", "x")]),
        (FRAME.select("age", "name").write_parquet, FRAME.select("age", "name").rows()),
    ]:
        raw = io.BytesIO(content.encode()) if isinstance(content, str) else io.BytesIO()
        if not isinstance(content, str):
            content(raw)
            raw.seek(0)
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(raw))
        table = as_table("-")
        assert (table.source, table.frame.rows()) == ("standard input", rows)


def test_options_of_text_reach_it(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text("1:2,5\n3:4\n")
    table = as_table(path, separator=":", header=False, decimal=".")
    assert (table.names, table.decimal, len(table)) == (("column_1", "column_2"), ".", 2)
    with pytest.raises(SettingError, match="decimal=';'"):
        as_table(FRAME, decimal=";")


# Several files


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "part-1.csv").write_text("a,b\n1,x\n2,y\n")
    (tmp_path / "part-2.csv").write_text("b,a\nz,3\n")
    (tmp_path / "README.md").write_text("Not a table.\n")
    (tmp_path / "_SUCCESS").write_text("")
    return tmp_path


def test_columns_of_several_files_go_together_by_name(folder):
    expected = [("1", "x"), ("2", "y"), ("3", "z")]
    for source in (folder, str(folder), str(folder / "part-*.csv"), [folder / "part-1.csv", folder / "part-2.csv"]):
        table = as_table(source)
        assert (table.names, table.frame.rows(), table.lines) == (("a", "b"), expected, None)


def test_files_with_other_columns_are_named(folder):
    (folder / "part-3.csv").write_text("a,c\n1,2\n")
    with pytest.raises(TableError, match=r"same columns, but part-3\.csv lacks 'b'; part-1\.csv has 'a', 'b'"):
        as_table(folder)
    with pytest.raises(TableError, match=r"no file is found at .*\.xls"):
        as_table(str(folder / "*.xls"))
    with pytest.raises(FileNotFoundError):
        as_table(folder / "absent.csv")


def test_several_files_have_one_decimal_mark(folder):
    (folder / "part-2.csv").write_text('b,a\nz,"0,5"\nz,"1,5"\n')
    table = as_table(folder)
    assert table.decimal == ","


def test_files_whose_decimal_marks_differ_are_each_read_by_their_own(tmp_path, monkeypatch):
    (tmp_path / "1.csv").write_text("size;price;day\n1,5;1.234,5;31.12.2024\n2,25;7;1.1.2024\n")
    (tmp_path / "2.csv").write_text('size,price,day\n3.5,"2,000.25",31.12.2023\n4.125,8,1.1.2023\n')
    (tmp_path / "3.csv").write_text("size,price,day\n6,9,2.1.2023\n")  # nothing tells its mark
    expected = [[1.5, 2.25, 3.5, 4.125, 6.0], [1234.5, 7.0, 2000.25, 8.0, 9.0]]
    monkeypatch.setattr("chainrule.tables.sources.sampling.MOST_CELLS", 15)  # the files have about as many more
    for table in (as_table(tmp_path), as_table([tmp_path / f"{n}.csv" for n in (2, 1, 3)]), sample(tmp_path)):
        read = [read_numbers(table.column(name), table.decimal).values for name in ("size", "price")]
        assert [sorted(values) for values in read] == [sorted(values) for values in expected]
        assert table.column("day")[0] in ("31.12.2024", "31.12.2023")
    assert "1.csv: numbers have decimal commas, as '1,5'" in as_table(tmp_path).notes[0]


def test_folders_that_hold_one_value_of_a_column(tmp_path):
    for year in (2023, 2024):
        folder = tmp_path / f"year={year}"
        folder.mkdir()
        pl.DataFrame({"x": [year, 1]}).write_parquet(folder / "part.parquet")
    assert as_table(tmp_path).frame.rows() == [(2023, "2023"), (1, "2023"), (2024, "2024"), (1, "2024")]
    assert [part.frame.rows() for part in stream(tmp_path)] == [
        [(2023, "2023"), (1, "2023")],
        [(2024, "2024"), (1, "2024")],
    ]


def test_a_single_file_is_no_part_of_others(tmp_path, monkeypatch):
    folder = tmp_path / "run=5"
    folder.mkdir()
    (folder / "data.csv").write_text("a\n1\n2\n")
    monkeypatch.setenv("HOME", str(folder))
    for source in (folder / "data.csv", str(folder / "data.csv"), "~/data.csv", folder):
        assert as_table(source).names == ("a",)
        assert [part.names for part in stream(source)] == [("a",)]


# Frames of pandas


def test_an_index_without_a_name_is_no_column_and_one_with_a_name_is():
    frame = pd.DataFrame({"x": [1, 2, 3]}, index=[5, 9, 11])
    assert as_table(frame).names == ("x",)
    table = as_table(frame.rename_axis("when"))
    assert table.frame.rows() == [(5, 1), (9, 2), (11, 3)]
    assert table.notes == ("the index 'when' is taken as a column",)


def test_types_of_pandas():
    moments = pd.date_range("2024-03-30", periods=2, tz="Europe/Berlin")
    frame = pd.DataFrame(
        {
            "category": pd.Categorical([3, 1], categories=[1, 2, 3]),
            "zone": moments,
            "length": pd.to_timedelta([1, None], unit="h"),
            "period": pd.period_range("2024-01", periods=2, freq="M"),
            "mixed": [1, "x"],
            "sparse": pd.arrays.SparseArray([0.0, 1.0]),
            "whole": pd.array([2**62, None], dtype="Int64"),
            "nan": [np.nan, np.inf],
            7: [1, 2],
            ("a", "b"): [b"x", b"\xff"],
        }
    )
    table = as_table(frame)
    assert table.frame.drop("zone").rows() == [
        ("3", datetime.timedelta(hours=1), "2024-01", "1", 0.0, 2**62, None, 1),
        ("1", None, "2024-02", "x", 1.0, None, np.inf, 2),
    ]
    assert table.frame["category"].dtype == pl.Categorical
    assert table.frame["zone"].to_list() == [moment.to_pydatetime() for moment in moments]
    assert table.notes == ("'a_b' left out: lists or binary data",)
    with pytest.raises(TableError, match="column 'a_b' of the table holds lists or binary data; give one value for"):
        table.column(("a", "b"))


def test_one_column_of_pandas():
    assert as_table(pd.Series([1, 2], name="x")).frame.rows(named=True) == [{"x": 1}, {"x": 2}]


def test_columns_of_pandas_with_the_same_name():
    table = as_table(pd.DataFrame([[1, 2]], columns=["x", "x"]))
    assert table.frame.rows(named=True) == [{"x": 1, "x_2": 2}]


def test_arrays():
    assert as_table(np.array([[1.0, np.nan]])).frame.rows(named=True) == [{"column_1": 1.0, "column_2": None}]
    assert as_table(np.array([["a", 1]], dtype=object)).frame.rows() == [("a", 1)]
    assert as_table(np.array([(1, "x")], dtype=[("n", "i2"), ("s", "U3")])).frame.rows(named=True) == [
        {"n": 1, "s": "x"}
    ]
    assert as_table(np.ones((2, 1), dtype=np.float16)).frame.rows() == [(1.0,), (1.0,)]
    assert as_table([[1, "x"], [2, "y"]]).frame.rows() == [(1, "x"), (2, "y")]


def test_a_dict_of_single_values_is_a_row():
    assert as_table({"name": "Ada", "age": np.int64(36), "size": None}).frame.rows() == [("Ada", 36, None)]


def test_columns_of_a_wide_frame_are_taken_in_time_proportional_to_their_number():
    assert len(as_table(np.zeros((3, 5000))).names) == 5000


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (np.ones(3), r"ndarray of shape \(3,\) was given"),
        ("https://example.org/data.csv", "is an address; download the file"),
        (5, "but int was given; give the path of a file"),
        (None, "but NoneType was given"),
        ({}, "holds no values"),
        ([], "but an empty list was given"),
        (pl.DataFrame({"a": []}), "holds no values"),
        ({"a": [1, 2], "b": [1]}, "'a' has 2 values and 'b' 1"),
        ({"a": 5, "b": [1]}, "column 'a' is 5; give one value for every row"),
        ({"a": {5, 6}, "b": [1, 2]}, "column 'a' is {5, 6}; give one value for every row: a list or an array"),
    ],
)
def test_what_holds_no_table_says_so(source, message):
    with pytest.raises(TableError, match=message):
        as_table(source)


@pytest.mark.parametrize(
    ("name", "content"), [("a.parquet", b"PAR1 and so on"), ("a.arrow", b"ARROW1 ??"), ("a.json", b"{,")]
)
def test_damaged_files_are_named(name, content, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(TableError, match=name):
        as_table(tmp_path / name)


# In parts


@pytest.mark.parametrize("write", [FRAME.write_parquet, FRAME.write_ipc, FRAME.write_csv, FRAME.write_ndjson])
@pytest.mark.parametrize("rows", [1, 2, 100])
def test_parts_are_the_whole(write, rows, tmp_path):
    path = tmp_path / f"data.{write.__name__.removeprefix('write_')}".replace("ndjson", "jsonl")
    write(path)
    parts = list(stream(path, rows=rows))
    assert max(map(len, parts)) <= rows
    assert pl.concat([part.frame for part in parts]).equals(as_table(path).frame)
    (chosen,) = {part.names for part in stream(path, ["size", "name"], rows=rows)}
    assert chosen == ("size", "name")


@pytest.mark.parametrize("pack", [lambda data: data, gzip.compress])
def test_text_in_parts(pack, tmp_path, monkeypatch):
    monkeypatch.setattr("chainrule.tables.sources.streaming._BLOCK", 50)
    path = tmp_path / "data.csv"
    rows = [f'{i},"é{i}\n","{"x" * (i % 70)}"\n' for i in range(60)] + ["60,, 1\n"]
    path.write_bytes(pack(("# made by hand\nn,a,\n" + "".join(rows)).encode()))
    whole = read(path)
    parts = list(stream(path, rows=7))
    assert len(parts) > 9
    assert pl.concat([part.frame for part in parts]).equals(whole.frame.select(parts[0].names))
    assert np.concatenate([part.lines for part in parts]).tolist() == whole.lines.tolist()


@pytest.mark.parametrize("block", range(40, 60))
def test_parts_end_between_rows_wherever_cells_hold_line_feeds(block, tmp_path, monkeypatch):
    monkeypatch.setattr("chainrule.tables.sources.streaming._BLOCK", block)
    path = tmp_path / "data.csv"
    path.write_text("n,a,b\n" + "".join(f'{i},"a\nb","c\n""d""\n{i}"\n' for i in range(30)), newline="")
    parts = list(stream(path, rows=7))
    assert pl.concat([part.frame for part in parts]).equals(read(path).frame)


def test_the_memory_of_parts_is_that_of_parts(tmp_path):
    """Only one part is alive at a time, however many rows there are."""
    pl.DataFrame({"x": range(10)}).write_parquet(tmp_path / "data.parquet")
    parts = stream(Path(tmp_path) / "data.parquet", rows=4)
    assert [next(parts).frame.rows()[0], next(parts).frame.rows()[0]] == [(0,), (4,)]


def test_what_stands_above_a_table_is_told_of_parts_too(tmp_path):
    path = tmp_path / "sales.csv"
    path.write_text("Sales 2024,,\n\ntown,day,units\nRome,1,2\n")
    (part,) = stream(path)
    assert (part.names, part.line(0)) == (("town", "day", "units"), "row 1, line 4")
    assert part.notes == as_table(path).notes == ("1 title above the table left out: 'Sales 2024'",)


def test_times_of_pandas_at_a_fixed_distance_to_utc_are_read():
    moments = pd.date_range("2024-01-01 01:00", periods=2, tz=datetime.timezone(datetime.timedelta(hours=2)))
    read = as_table(pd.DataFrame({"t": moments})).frame["t"].to_list()
    assert read == [moment.to_pydatetime() for moment in moments]
