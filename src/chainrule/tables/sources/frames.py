"""Tables in memory, of other libraries or of Python's own containers, as Polars frames."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from chainrule.tables.columns.texts import of_numpy
from chainrule.tables.composed import composed, composed_frame
from chainrule.tables.names import spelled, unique_names
from chainrule.tables.options import TableError, quoted
from chainrule.tables.wide import each

if TYPE_CHECKING:
    import polars as pl

_NUMBERS = frozenset({"b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8"})
"""Kinds and sizes of NumPy's numbers that Polars knows."""


class Frame(NamedTuple):
    """What `frame_of` gives: a Polars frame, notes, names that were given more than once, and those of columns left out."""

    frame: pl.DataFrame
    notes: list[str]
    repeated: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def frame_of(source: Any) -> Frame:
    """A Polars frame of `source`, notes, names that were given more than once, and those of columns left out.

    Parameters
    ----------
    source : pandas, Polars or Arrow table; dict of columns, or of one row; list of dicts or of rows; structured or 2-D array
        What has `__arrow_c_stream__` or `__dataframe__`, Arrow's and the data frames' protocols, is taken by these.

    Raises
    ------
    TableError
        When it is none of them, or its columns have different lengths.

    Examples
    --------
    >>> frame_of([{"name": "Ada", "age": 36}, {"name": "Alan"}])[0].rows()
    [('Ada', 36), ('Alan', None)]
    """
    import polars as pl

    if isinstance(source, pl.LazyFrame):
        return _plain(source.collect())
    if isinstance(source, pl.DataFrame):
        return _plain(source)
    if isinstance(source, pl.Series):
        return _plain(source.to_frame())
    if type(source).__module__.partition(".")[0] == "pandas" and hasattr(source, "to_frame"):
        source = source.to_frame()
    if type(source).__module__.partition(".")[0] == "pandas" and hasattr(source, "columns"):
        return _of_columns(*_pandas(source))
    if hasattr(source, "__arrow_c_stream__"):
        return _plain(pl.DataFrame(source))
    if hasattr(source, "__dataframe__"):
        return _plain(pl.from_dataframe(source))
    if isinstance(source, np.ndarray) and source.dtype.names:
        return _of_columns([(name, source[name]) for name in source.dtype.names], [])
    if isinstance(source, np.ndarray) and source.ndim == 2:
        return _of_columns([(f"column_{i + 1}", column) for i, column in enumerate(_columns(source))], [])
    if isinstance(source, Mapping) and source and not any(_is_column(value) for value in source.values()):
        source = [source]
    if isinstance(source, Mapping):
        return _of_columns(list(source.items()), [])
    if isinstance(source, Sequence) and source and all(hasattr(row, "_asdict") for row in source):
        source = [row._asdict() for row in source]  # tuples with names, as of pandas' itertuples
    if isinstance(source, Sequence) and source and all(isinstance(row, Mapping) for row in source):
        names = dict.fromkeys(name for row in source for name in row)
        return _of_columns([(name, [row.get(name) for row in source]) for name in names], [])
    rows = isinstance(source, Sequence) and source and all(isinstance(row, (list, tuple)) for row in source)
    if rows and len({len(row) for row in source}) == 1:
        return _of_columns([(f"column_{i + 1}", values) for i, values in enumerate(zip(*source, strict=True))], [])
    shape = f" of shape {source.shape}" if isinstance(source, np.ndarray) else ""
    given = ("an empty " if isinstance(source, Sequence) and not source else "") + type(source).__name__ + shape
    raise TableError(
        f"a table was expected, but {given} was given; give the path of a file, a data frame of pandas or "
        "Polars, an Arrow table, a dict of columns, a list of dicts or of rows, or a 2-D array."
    )


def row_of(source: Any, columns: Sequence[str]) -> Mapping[str, Any] | None:
    """The cells of a single row by column: a dict of single values, or a row of a pandas frame, as `frame.iloc[3]` is one.

    Cells of a record have names such as `record.field`, as in a table. None for anything else: a dict that has lists for
    `columns`, or a pandas Series that is labelled by none of them, is columns.

    Examples
    --------
    >>> row_of({"age": 36, "name": "Ada"}, ["age"]), row_of({"age": [36]}, ["age"])
    ({'age': 36, 'name': 'Ada'}, None)
    >>> row_of({"born": {"year": 1815}, "tags": ["first", "poet"]}, ["born.year"])
    {'born.year': 1815, 'tags': ['first', 'poet']}
    """
    if isinstance(source, Mapping):
        row = _by_name(source)
        read = [row[name] for name in columns if name in row] or row.values()
        return None if any(map(_is_column, read)) else row
    if type(source).__module__.partition(".")[0] != "pandas" or getattr(source, "ndim", 2) != 1:
        return None
    row = _flat(zip(source.index, source.tolist(), strict=True))
    return None if row.keys().isdisjoint(columns) else row


def only_row(source: Any) -> Mapping[str, Any] | None:
    """The cells by column of a table of one row: a frame of pandas or Polars, a list of one dict, a dict of columns of one cell.

    None for anything else, and where what the columns are is to be looked at more closely.

    Examples
    --------
    >>> only_row([{"age": 36, "name": "Ada"}]), only_row({"age": [36]}), only_row({"age": [36, 41]})
    ({'age': 36, 'name': 'Ada'}, {'age': 36}, None)
    """
    library = type(source).__module__.partition(".")[0]
    if library == "polars" and getattr(source, "height", 0) == 1 and hasattr(source, "row"):
        names, cells = source.columns, source.row(0)
    elif (
        library == "pandas"
        and getattr(source, "ndim", 0) == 2
        and len(source) == 1
        and list(source.index.names) == [None]
    ):
        names, cells = source.columns.tolist(), source.to_numpy(object)[0].tolist()
    elif isinstance(source, list) and len(source) == 1 and isinstance(source[0], Mapping):
        names, cells = list(source[0]), tuple(source[0].values())
    elif isinstance(source, Mapping) and all(isinstance(cell, list) and len(cell) == 1 for cell in source.values()):
        names, cells = list(source), tuple(cell for (cell,) in source.values())
    else:
        return None
    row = _by_name(dict(zip(names, cells, strict=True)))
    return row if len(row) == len(names) and all(type(name) is str for name in names) else None


def _flat(cells: Iterable[tuple[Any, Any]]) -> dict[str, Any]:
    """The cells by names that occur once, those of records with names such as `record.field`."""

    def each(of: Iterable[tuple[Any, Any]]) -> Iterator[tuple[str, Any]]:
        for name, cell in of:
            if isinstance(cell, Mapping):
                yield from each((f"{name}.{field}", own) for field, own in cell.items())
            else:
                yield composed(str(name)), cell

    found = list(each(cells))
    names, _, _ = unique_names([name for name, _ in found])
    return dict(zip(names, (cell for _, cell in found), strict=True))


def _by_name(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The cells of a row by names as tables have them."""
    if any(isinstance(cell, Mapping) for cell in row.values()):
        return _flat(row.items())
    known = all(type(name) is str and name.isascii() for name in row)
    return row if known else {composed(str(name)): cell for name, cell in row.items()}


def _columns(array: Any) -> Iterator[Any]:
    """The columns of a 2-D array; those of numbers are parts of one, for to make a column costs more than a cell."""
    import polars as pl

    if array.dtype.str[1:] not in _NUMBERS or np.ma.isMaskedArray(array):
        yield from array.T
        return
    cells = pl.Series(np.ascontiguousarray(array.T).reshape(-1))
    yield from (cells.slice(i * len(array), len(array)) for i in range(array.shape[1]))


def _of_columns(columns: Sequence[tuple[Any, Any]], notes: list[str]) -> Frame:
    import polars as pl

    names, repeated, remarks = unique_names([composed(str(name)) for name, _ in columns])
    series = [_series(name, values) for name, (_, values) in zip(names, columns, strict=True)]
    if len({len(column) for column in series}) > 1:
        longest, shortest = max(series, key=len), min(series, key=len)
        raise TableError(
            f"the columns of a table have one length, but {longest.name!r} has {len(longest):,} values and "
            f"{shortest.name!r} {len(shortest):,}; give as many values in each."
        )
    frame, more, _, left_out = _plain(pl.DataFrame(series))
    return Frame(frame, [*notes, *remarks, *more], repeated, left_out)


def _series(name: str, values: Any) -> pl.Series:
    """A column of values of any kinds: numbers, dates or truth values where all are, otherwise text."""
    import polars as pl

    if isinstance(values, pl.Series):
        return values.alias(name)
    if np.ma.isMaskedArray(values):  # of which not every release of Polars asks
        hidden = np.ma.getmaskarray(values)
        column = _series(
            name, np.where(hidden, np.array(None), values.data) if values.dtype.kind == "O" else values.data
        )
        return column.zip_with(pl.Series(~hidden), column.clear(len(column)))
    if isinstance(values, np.ndarray) and values.dtype.kind in "mM":
        return pl.Series(name, values.astype(f"{values.dtype.kind}8[us]"))
    if isinstance(values, np.ndarray) and (values.dtype.kind == "U" or values.dtype.str[1:] in _NUMBERS):
        return pl.Series(name, values)
    if not _is_column(values):
        raise TableError(f"column {name!r} is {values!r:.60}; give one value for every row: a list or an array.")
    items = [None if _is_missing(value) else of_numpy(value) for value in values]
    kinds = {type(value) for value in items if value is not None}
    if kinds == {date, datetime}:
        items = [datetime(*x.timetuple()[:3]) if type(x) is date else x for x in items]
        kinds = {datetime}
    huge = int in kinds and any(type(item) is int and not -(2**63) <= item < 2**63 for item in items)
    if huge or (len(kinds) > 1 and not kinds <= {bool, int, float}):
        items = [None if value is None else str(value) for value in items]
    try:
        column = pl.Series(name, items, strict=False)
        if column.dtype != pl.Object:
            return column
    except (TypeError, OverflowError, pl.exceptions.PolarsError):  # whole numbers beyond 64 bits, for one
        pass
    return pl.Series(name, [None if value is None else str(value) for value in items])


def _is_column(values: Any) -> bool:
    return (
        isinstance(values, Iterable)
        and not isinstance(values, (str, bytes, Mapping, set, frozenset))  # sets have no order
        and getattr(values, "ndim", 1) > 0
    )


def _is_missing(value: Any) -> bool:
    """None, a number that is none, and the marks of pandas, which equal nothing or refuse to be asked."""
    if value is None:
        return True
    try:
        return bool(value != value)
    except (TypeError, ValueError):
        return type(value).__name__ == "NAType"


def _pandas(frame: Any) -> tuple[list[tuple[str, Any]], list[str]]:
    """The columns of a pandas frame, after those of its index that have names: rows without a name are only counted."""
    notes, columns = [], []
    named = [name for name in frame.index.names if name is not None and name not in frame.columns]
    if named:
        notes.append(f"the index {quoted([str(name) for name in named])} is taken as a column")
        columns += [(str(name), _pandas_column(frame.index.get_level_values(name).to_series())) for name in named]
    for i, name in enumerate(frame.columns):
        columns.append((spelled(name) if isinstance(name, tuple) else name, _pandas_column(frame.iloc[:, i])))
    return columns, notes


def _pandas_column(column: Any) -> Any:
    """A column of pandas as an array or a Polars column; PyArrow, which Polars would ask for, may not be there."""
    import polars as pl

    dtype = column.dtype
    if isinstance(dtype, np.dtype):
        return column.to_numpy()
    match type(dtype).__name__:
        case "CategoricalDtype":
            categories = [str(value) for value in dtype.categories]
            ordered = dtype.ordered and len(set(categories)) == len(categories)
            cells = [*categories, None]  # the code of no value is -1
            kind = pl.Enum(categories) if ordered else pl.Categorical
            return pl.Series([cells[code] for code in column.cat.codes], dtype=kind)
        case "DatetimeTZDtype":
            moments = pl.Series(column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy().astype("M8[us]"))
            zone = getattr(dtype.tz, "key", None) or getattr(
                dtype.tz, "zone", None
            )  # a fixed distance to UTC has no name
            return moments.dt.replace_time_zone("UTC").dt.convert_time_zone(zone or "UTC")
        case "ArrowDtype":
            return pl.Series(column.array.__arrow_array__())
    if dtype.kind in "biuf" and hasattr(dtype, "numpy_dtype"):
        filled = column.to_numpy(dtype=dtype.numpy_dtype, na_value=0)
        return pl.Series(filled).set(pl.Series(column.isna().to_numpy()), None)
    return column.tolist()


def _plain(frame: pl.DataFrame) -> Frame:
    """The frame with nulls where numbers are none, records as columns of their own, and without what no cell can hold."""
    import polars as pl

    notes: list[str] = []
    if pl.Struct in frame.dtypes:
        fields = list(_fields(frame.get_columns()))
        once, _, notes = unique_names([field.name for field in fields])
        frame = pl.DataFrame([field.alias(name) for field, name in zip(fields, once, strict=True)])
    types = frame.schema
    changed = {name: text for name, kind in types.items() if kind == pl.Binary for text in _decoded(frame[name])}
    lists = [
        name
        for name, kind in types.items()
        if kind.is_nested() or kind == pl.Object or (kind == pl.Binary and name not in changed)
    ]
    for kind in set(types.values()):
        change = _CHANGES.get(kind.base_type().__name__)
        if change is not None:
            columns = [frame.get_column(name) for name, its in types.items() if its == kind]
            changed.update((column.name, column) for column in each(columns, change))
    if lists or changed:
        frame = pl.DataFrame([changed.get(name, frame.get_column(name)) for name in types if name not in lists])
    frame, names, more = composed_frame(frame)
    notes += more
    if names != frame.columns:
        once, _, again = unique_names(names)
        frame, notes = frame.rename(dict(zip(frame.columns, once, strict=True))), [*notes, *again]
    notes += [f"{quoted(lists)} left out: lists or binary data"] * bool(lists)
    return Frame(frame, notes, left_out=tuple(map(composed, lists)))


def _decoded(column: pl.Series) -> Iterator[pl.Series]:
    """A column of bytes as text, which they are in files of WEKA and old Parquet files; none where they are no UTF-8."""
    import polars as pl

    with suppress(pl.exceptions.PolarsError):
        yield column.cast(pl.String)


_CHANGES: dict[str, Callable[[pl.Series], pl.Series]] = {
    "Float64": lambda column: column.fill_nan(None),
    "Float32": lambda column: column.fill_nan(None),
    "Decimal": lambda column: column.cast(float),
    "Int128": lambda column: column.cast(float),
    "UInt128": lambda column: column.cast(float),
    "Null": lambda column: column.cast(str),
}
"""What is done to columns of a type."""


def _fields(columns: Iterable[pl.Series]) -> Iterator[pl.Series]:
    """The columns, each record's fields as `record.field`."""
    import polars as pl

    for column in columns:
        if column.dtype == pl.Struct:
            yield from _fields(
                part.alias(f"{column.name}.{part.name}") for part in column.struct.unnest().get_columns()
            )
        else:
            yield column
