"""The column to predict: whether it holds classes or amounts, and what the network learns of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import SettingError
from chainrule.tables.columns.column import checked
from chainrule.tables.columns.number import are_numbers
from chainrule.tables.columns.places import Places, in_order
from chainrule.tables.columns.texts import are_single, as_texts, mapped, occurrences
from chainrule.tables.columns.time import are_times
from chainrule.tables.missing import Spelling
from chainrule.tables.numbers import Numbers, are_whole, read_numbers
from chainrule.tables.options import TableError, counted, option, quoted
from chainrule.tables.preparing.scales import Scale, ScaleKind, scales_of
from chainrule.tables.table import Table

if TYPE_CHECKING:
    import polars as pl

Task = Literal["classification", "regression"]
TASKS = ("classification", "regression")
Label = str | int | float | bool

MOST_INTEGER_CLASSES = 20
MOST_CLASSES = 1000
MOST_SINGLE_CLASSES = 1
"""Of counts, unlike classes, several are seen in one row only."""


@dataclass(frozen=True)
class Target:
    """What is to be predicted.

    Attributes
    ----------
    name : str
        The column.
    task : {"classification", "regression"}
        Whether its values are classes or amounts.
    classes : tuple of str, int, float or bool
        The classes in order, as they are spelled: `01` stays text, whole numbers without leading zeros are ints. Empty for
        regression.
    scales : tuple of Scale
        For regression: how amounts can be made numbers of ordinary size, "plain", and "log" where that is less skewed.
    scale : {"plain", "log"}
        The one in use.
    unit : str
        What stands beside the amounts, such as `$` or `%`.
    why : str
        Why it is of this task, for the report.

    Examples
    --------
    >>> import polars as pl
    >>> target = learn_target(Table(pl.DataFrame({"kind": ["02", "01", "02"]})), "kind")
    >>> target.classes, target.encode(pl.Series(["01", "02"])), target.restored([1, 0])
    (('01', '02'), array([0, 1]), array(['02', '01'], dtype='<U2'))
    """

    name: str
    task: Task
    classes: tuple[Label, ...] = ()
    scales: tuple[Scale, ...] = ()
    scale: ScaleKind = "plain"
    unit: str = ""
    why: str = ""

    def known(self, column: pl.Series, spelling: Spelling = Spelling()) -> NDArray[np.float64]:  # noqa: B008 (frozen)
        """Class numbers, or amounts in the units of the table, as float64; NaN where there is none.

        Raises
        ------
        TableError
            When a label did not occur in training.
        """
        if self.task == "regression":
            read = read_numbers(column, spelling.decimal, spelling.marks, self.unit)
            if read is None:
                raise TableError(f"the target {self.name!r} holds {column.dtype}, but the model learned numbers there.")
            return read.values
        texts = as_texts(column)
        if texts is None:
            raise TableError(f"the target {self.name!r} holds {column.dtype}, but the model learned classes there.")
        places = Places([str(int(label) if isinstance(label, bool) else label) for label in self.classes])
        truth = {"false": "0", "true": "1"}  # files spell them True as well
        if isinstance(self.classes[0], str):  # learned from such a file, or no truth values
            spelled = {str(label).lower(): str(label) for label in self.classes}
            truth = spelled if spelled.keys() == truth.keys() else {}

        def place(text: str | None) -> float:
            if text is None:
                return np.nan
            text = text if text in places else truth.get(text.lower(), text)
            found = places.get(text)
            if found is None:
                return np.nan if spelling.is_missing(text) else places.of_number(text, -1.0)
            return found

        values, found = mapped(texts, place)
        new = [text for text, place in found.items() if place < 0]
        if new:
            raise TableError(
                f"the target {self.name!r} holds {quoted(new)} in {counted(int((values < 0).sum()), 'row')}, "
                f"which did not occur in training; the classes are {quoted(self.classes, 20)}. Leave those rows out."
            )
        return values

    def without_value(self, column: pl.Series, without: NDArray[np.bool_], spelling: Spelling) -> str:
        """What is said of the rows left out, those marked: which texts in them are no value."""
        texts = as_texts(column.gather(np.flatnonzero(without)))
        strange = [] if texts is None else texts.drop_nulls().unique(maintain_order=True).to_list()
        strange = [text for text in strange if not spelling.is_missing(text)]
        said = f"{counted(int(without.sum()), 'row')} left out: no value in the target {self.name!r}"
        return said + (
            f", where {quoted(strange)} {'counts' if len(strange) == 1 else 'count'} as none" if strange else ""
        )

    def encode(self, column: pl.Series, spelling: Spelling = Spelling()) -> NDArray[Any]:  # noqa: B008
        """What the network learns: class numbers (int64, −1 where missing), or scaled amounts (float32, NaN where missing)."""
        return self.scaled(self.known(column, spelling))

    def scaled(self, values: NDArray[np.float64]) -> NDArray[Any]:
        """What the network learns, from what `known` gave."""
        if self.task == "classification":
            return np.where(np.isnan(values), -1, values).astype(np.int64)
        return self.in_use.scaled(values).astype(np.float32)

    def restored(self, predictions: Any) -> NDArray[Any]:
        """Predictions as they are spelled in the table, shape (rows,): labels of class numbers, amounts of scaled amounts."""
        given = np.asarray(predictions)
        if self.task == "classification":
            return np.array(self.classes)[given.astype(np.intp)]
        return self.in_use.restored(given.astype(np.float64).reshape(len(given)))

    @property
    def in_use(self) -> Scale:
        """The scale in use."""
        return next(scale for scale in self.scales if scale.kind == self.scale)

    def with_scale(self, kind: ScaleKind) -> Target:
        """The same target, learned on another of its scales."""
        SettingError.unless_one_of("the target", "scale", kind, [scale.kind for scale in self.scales])
        return replace(self, scale=kind)

    def to_json(self) -> dict[str, Any]:
        """The target as JSON can hold it."""
        return asdict(self) | {"classes": list(self.classes), "scales": [asdict(scale) for scale in self.scales]}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """The target that `to_json` described; ValueError, KeyError or TypeError where it describes none."""
        task, classes = data["task"], data["classes"]
        kinds = {type(label) for label in classes}
        if task not in TASKS or kinds not in ([set()] if task == "regression" else [{str}, {int}, {float}, {bool}]):
            raise ValueError(f"the target has the task {task!r} and classes of {len(kinds)} kinds")
        scales = tuple(Scale.from_json(scale) for scale in data["scales"])
        if [scale.kind for scale in scales].count(data["scale"]) != (task == "regression"):
            raise ValueError(f"the target's scale is {data['scale']!r} of {len(scales)}")
        text = {name: checked(data[name], str, name) for name in ("name", "unit", "why")}
        return cls(task=task, classes=tuple(classes), scales=scales, scale=data["scale"], **text)


def learn_target(
    table: Table,
    name: str,
    task: Task | None = None,
    spelling: Spelling = Spelling(),  # noqa: B008
    scale: ScaleKind | None = None,
) -> Target:
    """What the rows of `table` say about the target; the task is recognised where not given.

    Text, booleans, codes such as `01`, and up to 20 different whole numbers that occur five times or more on average, no two of
    them once only (or only two numbers), are classes; other numbers, money and percentages are amounts.

    Raises
    ------
    TableError
        When there are no values, one value only, times, almost as many labels as rows, or text where amounts are asked for.
    """
    return _learned(table, name, task, spelling, scale)[0]


def learned_and_known(
    table: Table, name: str, task: Task | None, spelling: Spelling, scale: ScaleKind | None
) -> tuple[Target, NDArray[np.float64]]:
    """What `learn_target` gives, and what is `known` of it in every row: amounts are read once for both."""
    target, read = _learned(table, name, task, spelling, scale)
    return target, target.known(table.column(name), spelling) if target.classes or read is None else read.values


def _learned(
    table: Table, name: str, task: Task | None, spelling: Spelling, scale: ScaleKind | None
) -> tuple[Target, Numbers | None]:
    """The target, and its cells as numbers where they are some."""
    if task not in (None, *TASKS):
        raise SettingError(f"the task was given as {task!r}; it must be one of {', '.join(TASKS)}.")
    cells, spelling = table.column(name), spelling.in_table(table)
    said = f"the target {name!r}"
    if not are_single(cells):
        raise TableError(f"{said} holds {cells.dtype}, not single values; choose another column.")
    read = read_numbers(cells, spelling.decimal, spelling.marks)
    numeric = read is not None and str(cells.dtype) != "Boolean" and are_numbers(cells, read)
    if read is not None and numeric and task != "classification" and _are_many(cells):
        return _of_amounts(name, read, scale), read  # before they are counted one by one
    texts = as_texts(cells)
    assert texts is not None  # of single values there are
    found = occurrences(texts)
    counts = {text: count for text, count in found.items() if text is not None and not spelling.is_missing(text)}
    if not counts:
        raise TableError(f"{said} has no values; choose another column.")
    if len(counts) == 1:
        raise TableError(
            f"{said} is {next(iter(counts))!r} in every row; there is nothing to learn. Choose another column."
        )
    if task != "classification" and not numeric and are_times(cells, spelling):
        raise TableError(
            f"{said} holds times, such as {next(iter(counts))}. Give the time until then as a number, choose another column, or "
            f"take each as a class: {option('task', 'classification')}."
        )
    if task is None:
        task = (
            "regression" if numeric and read is not None and not _few(read, list(counts.values())) else "classification"
        )
    if task == "classification":
        classes = _classes(said, counts, numeric, str(cells.dtype))
        return Target(name, task, classes, why=f"{len(counts):,} different labels"), read
    if read is None or not np.isfinite(read.values).any() or sum(read.strays.values()) > np.isfinite(read.values).sum():
        raise TableError(
            f"{said} holds text ({quoted(sorted(counts), 3)}); regression predicts numbers. Choose another column, or "
            f"{option('task', 'classification')}."
        )
    return _of_amounts(name, read, scale), read


def _are_many(cells: pl.Series) -> bool:
    """Whether there are more different cells than classes, as the first show of most amounts."""
    return any(part.n_unique() > MOST_CLASSES for part in (cells.head(10 * MOST_CLASSES), cells))


def _of_amounts(name: str, read: Numbers, scale: ScaleKind | None) -> Target:
    """The target that these numbers are."""
    values = read.values[np.isfinite(read.values)]
    scales = scales_of(values)
    if not scales:
        raise TableError(
            f"the target {name!r} ranges from {values.min():g} to {values.max():g}, beyond what can be standardised; scale it."
        )
    why = f"{counted(len(np.unique(values)), 'different number')} from {values.min():.6g} to {values.max():.6g}"
    why += f" in {read.unit}" if read.unit else ""
    return Target(name, "regression", (), scales, "plain", read.unit, why).with_scale(scale or "plain")


def _few(read: Numbers, counts: Sequence[int]) -> bool:
    """Whether numbers are so few, and whole, that they are classes: with this many rows each, few of them a single one."""
    if read.unit or not are_whole(read.values):
        return False
    few = len(counts) <= MOST_INTEGER_CLASSES and sum(counts) >= 5 * len(counts)
    return len(counts) <= 2 or (few and counts.count(1) <= MOST_SINGLE_CLASSES)


def _classes(said: str, counts: dict[str, int], numeric: bool, kind: str) -> tuple[Label, ...]:
    """The labels in order; booleans and numbers of a frame as such, whole numbers of a file as ints where that spells them alike."""
    if len(counts) > min(MOST_CLASSES, max(10, sum(counts.values()) / 2)):
        raise TableError(
            f"{said} has {len(counts):,} different labels in {counted(sum(counts.values()), 'row')} "
            f"({quoted(sorted(counts), 3)}), too many to learn classes from. Choose another column"
            + (f", or predict it as a number: {option('task', 'regression')}." if numeric else ".")
        )
    labels = list(counts)
    if kind == "Boolean":
        return tuple(label == "true" for label in sorted(labels))
    if all(label.removeprefix("-").isdecimal() and str(int(label)) == label for label in labels):
        numbers = sorted(map(int, labels))
        if numbers[0] >= -(2**63) and numbers[-1] < 2**63:  # others would not all fit into one array of whole numbers
            return tuple(numbers)
    if kind.startswith("Float"):
        return tuple(sorted(map(float, labels)))
    return tuple(in_order(labels))
