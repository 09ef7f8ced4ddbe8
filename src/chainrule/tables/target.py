"""The target column: whether it holds classes or amounts, and how the network sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import SettingError
from chainrule.tables.columns import is_identifier, not_numbers
from chainrule.tables.numbers import Decimal, decimal_from_json, decimal_mark, numbers
from chainrule.tables.options import TableError, counted, option, quoted
from chainrule.tables.table import Table, is_missing

Task = Literal["classification", "regression"]
TASKS = ("classification", "regression")
MOST_INTEGER_CLASSES = 20


@dataclass(frozen=True)
class Target:
    """What is to be predicted.

    Attributes
    ----------
    name : str
        The column.
    task : {"classification", "regression"}
        Whether its values are classes or amounts.
    classes : tuple of str or int
        The classes in order; empty for regression.
    mean, deviation : float
        Of the training rows, for regression: the network learns (value − mean) / deviation.
    decimal : {".", ","}
        The decimal mark of its numbers.
    """

    name: str
    task: Task
    classes: tuple[str | int, ...] = ()
    mean: float = 0.0
    deviation: float = 1.0
    decimal: Decimal = "."

    def values(self, table: Table, marks: tuple[str, ...] = ()) -> NDArray[Any]:
        """The column's labels (int64 or text) or amounts (float64), in the units of the file."""
        cells = table.column(self.name)
        missing = is_missing(cells, marks)
        if missing.any():
            raise TableError(
                f"the target {self.name!r} is missing in {counted(int(missing.sum()), 'row')} of {table.source}; "
                f"leave those rows out: {option('missing', 'drop')}."
            )
        whole = all(isinstance(label, int) for label in self.classes)
        if self.task == "classification" and not whole:
            return cells.astype(np.str_)
        values = numbers(cells, missing, self.decimal)
        if np.isinf(values).any():
            values = numbers(cells, missing, decimal_mark(cells, missing, table.separator))
        if self.task == "regression":
            if np.isinf(values).any():
                raise not_numbers(table, self.name, np.isinf(values), learning=False)
            return values
        if np.isinf(values).any() or (values != np.rint(values)).any():
            return cells.astype(np.str_)
        return values.astype(np.int64)

    def known(self, table: Table, marks: tuple[str, ...] = ()) -> NDArray[Any]:
        """The column's values; for classification only labels that occurred in training are allowed."""
        values = self.values(table, marks)
        if self.task == "classification":
            classes = {str(label) for label in self.classes}
            new = np.array([str(label) not in classes for label in values])
            if new.any():
                labels = [str(label) for label in np.unique(values[new])]
                raise TableError(
                    f"the target {self.name!r} of {table.source} holds {quoted(labels)} in "
                    f"{counted(int(new.sum()), 'row')}, which did not occur in training; the classes are "
                    f"{quoted([str(label) for label in self.classes], 20)}. Leave those rows out of the file."
                )
        return values

    def standardised(self, values: NDArray[Any]) -> NDArray[Any]:
        """What the network learns: labels as they are, amounts with mean 0 and deviation 1."""
        if self.task == "classification":
            return values
        return ((values - self.mean) / self.deviation).astype(np.float32)

    def restored(self, predictions: NDArray[Any]) -> NDArray[Any]:
        """The network's predictions in the units of the file, shape (rows,)."""
        if self.task == "classification":
            return predictions
        return np.asarray(predictions, dtype=np.float64).reshape(len(predictions)) * self.deviation + self.mean

    def to_json(self) -> dict[str, Any]:
        """The target as JSON can hold it."""
        return {
            "name": self.name,
            "task": self.task,
            "classes": list(self.classes),
            "mean": self.mean,
            "deviation": self.deviation,
            "decimal": self.decimal,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Target:
        """The target that `to_json` described."""
        task, kinds = data["task"], {type(label) for label in data["classes"]}
        if task not in TASKS or kinds not in ([set()] if task == "regression" else [{str}, {int}]):
            raise ValueError(f"the target has the task {task!r} and classes of {len(kinds)} kinds")
        return cls(
            name=str(data["name"]),
            task=cast(Task, data["task"]),
            classes=tuple(data["classes"]),
            mean=float(data["mean"]),
            deviation=float(data["deviation"]),
            decimal=decimal_from_json(data["decimal"]),
        )


def learn_target(table: Table, name: str, task: Task | None = None, marks: tuple[str, ...] = ()) -> Target:
    """What the rows of `table` say about the target; the task is recognised where not given.

    Text, booleans and up to 20 different whole numbers that occur five times or more on average (or only two
    numbers) are classes; other numbers are amounts.
    """
    if task not in (None, *TASKS):
        raise SettingError(f"the task was given as {task!r}; it must be one of {', '.join(TASKS)}.")
    cells = table.column(name)
    missing = is_missing(cells, marks)
    present = cells[~missing]
    if not len(present):
        raise TableError(f"the target {name!r} of {table.source} has no values; choose another column.")
    decimal = decimal_mark(cells, missing, table.separator)
    values = numbers(cells, missing, decimal)[~missing]
    numeric = not np.isinf(values).any()
    whole = numeric and bool((values == np.rint(values)).all() and (np.abs(values) < 2**53).all())
    if task is None:
        different = len(np.unique(values))
        few = whole and (different <= 2 or (different <= MOST_INTEGER_CLASSES and len(values) >= 5 * different))
        amounts = numeric and not few
        if not numeric and len(np.unique(values[np.isfinite(values)])) > MOST_INTEGER_CLASSES:
            amounts = True  # numbers with some text among them: the error that follows says where
        task = "regression" if amounts else "classification"
    if task == "classification":
        return Target(name, task, _classes(table, name, present.tolist(), values if whole else None), decimal=decimal)
    if not numeric:
        wrong = np.zeros(len(table), dtype=bool)
        wrong[~missing] = np.isinf(values)
        if wrong.sum() > len(values) / 2:
            raise TableError(
                f"the target {name!r} of {table.source} holds text ({quoted(sorted(set(present)), 3)}); regression "
                f"predicts numbers. Choose another column, or {option('task', 'classification')}."
            )
        raise not_numbers(table, name, wrong)
    with np.errstate(over="ignore", invalid="ignore"):
        mean, deviation = float(values.mean()), float(values.std())
    if not np.isfinite(deviation):
        raise TableError(
            f"the target {name!r} of {table.source} ranges from {values.min():g} to {values.max():g}, beyond what can "
            "be standardised; scale it in the file."
        )
    if values.min() == values.max():
        raise TableError(
            f"the target {name!r} of {table.source} is {values[0]:g} in every row; there is nothing to learn. "
            "Choose another column."
        )
    return Target(name, task, (), mean, deviation, decimal)


def _classes(table: Table, name: str, cells: list[str], whole: NDArray[np.float64] | None) -> tuple[str | int, ...]:
    """The labels in order, whole numbers as ints."""
    labels: list[str] | list[int]
    labels = sorted(set(cells)) if whole is None else [int(value) for value in np.unique(whole)]
    if len(labels) == 1:
        raise TableError(
            f"the target {name!r} of {table.source} is {str(labels[0])!r} in every row; there is nothing to learn. "
            "Choose another column."
        )
    if is_identifier(len(labels), len(cells)):
        raise TableError(
            f"the target {name!r} of {table.source} has {len(labels):,} different labels in "
            f"{counted(len(cells), 'row')} ({quoted([str(label) for label in labels], 3)}), too many to learn "
            "classes from. Choose another column"
            + (f", or predict it as a number: {option('task', 'regression')}." if whole is not None else ".")
        )
    return tuple(labels)
