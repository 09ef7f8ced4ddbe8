"""How a table becomes the inputs of a network: learned on all training rows, stored with the model, applied to any rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, NamedTuple, Self, TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import ModelFileError, nearest
from chainrule.tables.columns import KINDS, Column, Feature
from chainrule.tables.columns.column import Reading, checked
from chainrule.tables.columns.number import Scaling
from chainrule.tables.missing import Marks, Missing, Spelling, as_marks, checked_policy
from chainrule.tables.numbers import Decimal, decimal_from_json
from chainrule.tables.options import TableError, counted, option, quoted
from chainrule.tables.preparing.blocks import Block, arranged, blocks_of, features_of, joined
from chainrule.tables.preparing.learning import Learned, learn_columns
from chainrule.tables.preparing.report import Line, lines, report
from chainrule.tables.preparing.scales import ScaleKind
from chainrule.tables.preparing.single_rows import read_row, read_surely
from chainrule.tables.preparing.target import Target, Task
from chainrule.tables.sources.source import as_table
from chainrule.tables.table import Table
from chainrule.tables.typed import typed


class Inputs(NamedTuple):
    """What `Preparation.apply` gives.

    Attributes
    ----------
    X : float32 array, (rows kept, features)
        The network's inputs; nothing in it is NaN or infinite.
    rows : int array, (rows kept,)
        Which rows of the table they are.
    notes : tuple of str
        What was left out, put right, or new.
    unread : tuple of str
        Those of the notes that are about cells which are not what their column holds.
    """

    X: NDArray[np.float32]
    rows: NDArray[np.intp]
    notes: tuple[str, ...]
    unread: tuple[str, ...] = ()


class Options(TypedDict, total=False):
    """What can be said to `Preparation.learn`, where it is described."""

    task: Task | None
    columns: Mapping[str, str] | None
    missing: Missing
    missing_mark: Marks
    value_mark: Marks
    scaling: Scaling
    target_scale: ScaleKind | None


@dataclass(frozen=True)
class Preparation:
    """What was learned about a table on its training rows: its columns, the target, what is done about missing values.

    Attributes
    ----------
    columns : tuple of Column
        Every column besides the target, in the table's order; those left out too.
    target : Target
        The column to predict.
    missing : {"fill", "drop", "error"}
        What is done about missing values.
    missing_mark, value_mark : tuple of str
        Texts that mean "no value" in this table, and texts that do not although they usually do.
    decimal : {".", ","}
        The decimal mark of the training file, which single rows are read by, and tables in which nothing tells their own.
    unnamed : tuple of str
        The names given to all columns of the training file, when it had no header.
    remarks : tuple of str
        What was put right, left out or found remarkable in training.

    Examples
    --------
    >>> import polars as pl
    >>> table = Table(pl.DataFrame({"age": [36, 41, 85, 36], "land": ["UK", "UK", "US", None], "income": [9.5, 3.0, 1.5, 4.0]}))
    >>> preparation = Preparation.learn(table, "income")
    >>> [feature.name for feature in preparation.features]
    ['age', 'land=UK', 'land=US', 'land is missing']
    >>> preparation.apply(table).X.round(2)
    array([[-0.21,  1.  ,  0.  ,  0.  ],
           [ 0.21,  1.  ,  0.  ,  0.  ],
           [ 2.38,  0.  ,  1.  ,  0.  ],
           [-0.21,  0.  ,  0.  ,  1.  ]], dtype=float32)
    """

    columns: tuple[Column, ...]
    target: Target
    missing: Missing = "fill"
    missing_mark: tuple[str, ...] = ()
    value_mark: tuple[str, ...] = ()
    decimal: Decimal = "."
    unnamed: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @classmethod
    def learn(cls, table: Table, target: str, **options: Unpack[Options]) -> Self:
        """The preparation that the rows of `table`, all of them training rows, teach.

        Parameters
        ----------
        table : Table
            The training rows. Those without a target teach nothing.
        target : str
            The column to predict.
        task : {"classification", "regression"}, optional
            Recognised from the target when not given.
        columns : mapping of column to kind, optional
            Columns whose kind is not to be recognised: "number" (or "number:robust", "number:quantile"), "category",
            "boolean", "time" (or "time:%d.%m.%Y"), "text", "drop".
        missing : {"fill", "drop", "error"}
            Missing values are filled, and flagged; or rows with one are left out; or refused.
        missing_mark, value_mark : texts and numbers, one or several
            What means "no value", such as -999, besides empty, NA, n/a, nan, null and ?; and what of these does not.
        scaling : {"robust", "quantile"}
            How numbers are scaled where `columns` does not say it.
        target_scale : {"plain", "log"}, optional
            How amounts to predict are scaled.

        Raises
        ------
        UnknownNameError
            When a column does not exist.
        TableError
            With all that stops the table from being learned from, and the options that mend it.
        """
        return cls._learned(table, target, options)[0]

    @classmethod
    def learn_and_apply(
        cls, table: Table, target: str, **options: Unpack[Options]
    ) -> tuple[Self, Inputs, NDArray[Any]]:
        """The preparation, the inputs of the training rows, and their class numbers or amounts.

        As `learn` and then `apply_with_truth`, whose arguments and errors these are, with every cell read only once.
        """
        preparation, learned = cls._learned(table, target, options)
        read = [[learned.read[column.name] for column in block.columns] for block in preparation._blocks]
        inputs = preparation._joined_complete(read, preparation.missing, np.zeros(len(learned.y), bool), table.source)
        truth = learned.y[inputs.rows].astype(np.int64 if preparation.target.classes else np.float64, copy=False)
        return preparation, Inputs(inputs.X, learned.rows[inputs.rows], inputs.notes), truth

    @classmethod
    def _learned(cls, table: Table, target: str, options: Options) -> tuple[Self, Learned]:
        marks, values = as_marks(options.get("missing_mark", ())), as_marks(options.get("value_mark", ()))
        missing = checked_policy(options.get("missing", "fill"))
        learned = learn_columns(
            table,
            target,
            options.get("task"),
            options.get("columns") or {},
            missing,
            Spelling.of(marks, values).in_table(table),
            options.get("scaling", "robust"),
            options.get("target_scale"),
        )
        unnamed = () if table.header else table.names
        return cls(
            learned.columns, learned.target, missing, marks, values, table.decimal, unnamed, learned.remarks
        ), learned

    def __getstate__(self) -> dict[str, Any]:
        """What was learned, without what follows from it, in which there are functions that cannot be copied."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @cached_property
    def features(self) -> tuple[Feature, ...]:
        """The network's inputs in order: numbers, then flags, then codes."""
        return features_of(self.columns)

    @cached_property
    def used(self) -> tuple[Column, ...]:
        """The columns that the network gets."""
        return tuple(column for column in self.columns if column.features)

    @cached_property
    def spelled(self) -> Spelling:
        """How single cells are spelled: as those of training."""
        return replace(Spelling.of(self.missing_mark, self.value_mark), decimal=self.decimal)

    def spelling(self, table: Table) -> Spelling:
        """How cells of this table are spelled: with its own decimal mark, or with training's where nothing in it tells."""
        return self.spelled.in_table(table.of_mark(self.decimal))

    def arranged(self, values: Sequence[Any]) -> Any:
        """The network's inputs from what was read of the columns in use, one after the other: plain code, which can be traced."""
        read = dict(zip(self.used, values, strict=True))
        return arranged(self._blocks, [[read[column] for column in block.columns] for block in self._blocks])

    @cached_property
    def _blocks(self) -> tuple[Block, ...]:
        return blocks_of(self.used)

    def apply(self, table: Table, missing: Missing | None = None) -> Inputs:
        """The network's inputs for the rows of `table`; columns the model does not know are ignored.

        Parameters
        ----------
        table : Table
            Rows with at least the columns in use, in any order.
        missing : {"fill", "drop", "error"}, optional
            What is done about missing values this time; by default as in training.

        Raises
        ------
        TableError
            When columns are absent, or values are missing and may not be.
        """
        table = self._named(table)
        self._check_columns(table)
        return self._encoded(table, checked_policy(missing or self.missing), np.zeros(len(table), dtype=bool))

    def apply_with_target(self, table: Table, missing: Missing | None = None) -> tuple[Inputs, NDArray[Any]]:
        """The same as `apply_with_truth`, with what the network learns of the target: class numbers or scaled amounts."""
        inputs, truth = self.apply_with_truth(table, missing)
        return inputs, self.target.scaled(truth)

    def apply_with_truth(self, table: Table, missing: Missing | None = None) -> tuple[Inputs, NDArray[Any]]:
        """The network's inputs, and for the same rows their class numbers, or amounts as they stand in the table.

        Arguments and errors are those of `apply`; rows without a target are left out, labels that did not occur in training
        refused.
        """
        self._check_columns(table, self.target.name)
        y = self.target.known(table.column(self.target.name), self.spelling(table))
        without = np.isnan(y)
        inputs = self._encoded(table, checked_policy(missing or self.missing), without)
        notes = inputs.notes
        if without.any():
            notes = (self.target.without_value(table.column(self.target.name), without, self.spelling(table)), *notes)
        truth = y[inputs.rows]
        return Inputs(inputs.X, inputs.rows, notes), truth.astype(np.int64) if self.target.classes else truth

    def apply_row(self, row: Mapping[str, Any]) -> NDArray[np.float32]:
        """The network's inputs for one row given by column names, shape (1, features): what `apply` gives, without a table.

        Raises
        ------
        TableError
            When columns are absent, or a cell is no number, time or yes and no where the model learned one, such as infinity.
        """
        try:
            return read_row(self._blocks, self.spelled, row)
        except KeyError:
            import polars as pl

            self._check_columns(Table(pl.DataFrame({name: [None] for name in row}), "the row"))
            raise

    def apply_sure(self, row: Mapping[str, Any]) -> NDArray[np.float32] | None:
        """What `apply` gives of a table of this row alone, shape (1, features), where it has nothing to say of it; otherwise None."""
        return read_surely(self._blocks, self.spelled, row, filled=self.missing != "error")

    def _named(self, table: Table) -> Table:
        """The table with the names of training, where neither file had names and this one has no target."""
        names = [name for name in self.unnamed if name != self.target.name]
        if table.header or not names or len(table.names) != len(names):
            return table
        return replace(table, frame=table.frame.rename(dict(zip(table.names, names, strict=True))))

    def _check_columns(self, table: Table, *more: str) -> None:
        there = set(table.names)
        absent = [name for name in (*(column.name for column in self.used), *more) if name not in there]
        for name in set(absent) & set(table.left_out):
            table.column(name)  # which is there, and says what it holds
        if absent:
            unknown = "" if set(absent) <= set(more) else ", with empty cells where values are not known"
            raise TableError(
                f"{table.source} lacks {counted(len(absent), 'column')} the model was trained with: {quoted(absent)}. "
                f"Add {'it' if len(absent) == 1 else 'them'}{unknown}. "
                f"It has {quoted(table.names, 12) or 'none'}{nearest(absent[0], table.names)}."
            )

    def _encoded(self, table: Table, policy: Missing, out: NDArray[np.bool_]) -> Inputs:
        """The inputs of the rows that stay, those marked `out` aside."""
        spelling = self.spelling(table)
        table = typed(table, spelling, [column.name for column in self.used if column.of_numbers])
        read = [[self._read(column, table, spelling) for column in block.columns] for block in self._blocks]
        inputs = self._joined_complete([[x.values for x in block] for block in read], policy, out, table.source)
        unread = tuple(remark for block in read for reading in block for remark in reading.remarks)
        new = tuple(remark for block in read for reading in block for remark in reading.new)
        return Inputs(inputs.X, inputs.rows, (*unread, *new, *inputs.notes), unread)

    def _read(self, column: Column, table: Table, spelling: Spelling) -> Reading:
        cells = table.column(column.name)
        try:
            return column.read(cells, spelling)
        except TypeError as error:
            raise TableError(
                f"column {column.name!r} of {table.source} holds {cells.dtype}; the model learned a {column.kind} there. "
                "Give it as in training."
            ) from error

    def _joined_complete(
        self, read: Sequence[Sequence[NDArray[np.float64]]], policy: Missing, out: NDArray[np.bool_], source: str
    ) -> Inputs:
        """The inputs of the rows that stay under the policy, those marked `out` aside."""
        gaps: dict[str, NDArray[np.bool_]] = {}
        if policy != "fill":
            for block, values in zip(self._blocks, read, strict=True):
                for column, x in zip(block.columns, values, strict=True):
                    gap = np.isnan(x).reshape(len(out), -1).any(axis=1) & ~out
                    if gap.any():
                        gaps[column.name] = gap
        if gaps and policy == "error":
            told = ", ".join(f"{name!r} ({counted(int(gap.sum()), 'row')})" for name, gap in list(gaps.items())[:8])
            raise TableError(
                f"{source} has missing values in {told}. {option('missing', 'fill')} fills and flags them; "
                f"{option('missing', 'drop')} leaves those rows out."
            )
        notes: tuple[str, ...] = ()
        if gaps:
            incomplete = np.logical_or.reduce(list(gaps.values()))
            notes = (f"{counted(int(incomplete.sum()), 'row')} left out: no value in {quoted(gaps)}",)
            out = out | incomplete
        rows = np.flatnonzero(~out)
        if len(rows) < len(out):
            read = [[x[rows] for x in block] for block in read]
        return Inputs(joined(self._blocks, read, len(rows)), rows, notes)

    def lines(self) -> list[Line]:
        """What becomes of every column, the target's last, as data: column, kind, why, what the network gets."""
        return lines(self.columns, self.target)

    def read(
        self,
        source: Any,
        separator: str | None = None,
        decimal: Decimal | None = None,
        encoding: str | None = None,
    ) -> Table:
        """The table in a source that is laid out as the training one was: with names of columns, or without.

        Without them columns are told by their order; the target's may be absent. Other arguments are those of `as_table`.
        """
        table = as_table(source, separator, not self.unnamed, decimal, encoding).of_mark(self.decimal)
        if not self.unnamed or table.names == self.unnamed:
            return table
        inputs = tuple(name for name in self.unnamed if name != self.target.name)
        if len(table.names) == len(inputs):
            return replace(table, frame=table.frame.rename(dict(zip(table.names, inputs, strict=True))))
        raise TableError(
            f"{table.source} has {counted(len(table.names), 'column')}; the model was trained on a table without column "
            f"names, with {len(self.unnamed)} columns ({len(inputs)} without {self.target.name!r}), and needs the same."
        )

    def report(self) -> str:
        """What becomes of every column, as a table in plain text."""
        return report(self.columns, self.target, self.remarks)

    def to_json(self) -> dict[str, Any]:
        """The preparation as JSON can hold it, to be stored with a model."""
        texts = {name: list(getattr(self, name)) for name in ("missing_mark", "value_mark", "unnamed", "remarks")}
        columns = [column.to_json() for column in self.columns]
        return {
            "columns": columns,
            "target": self.target.to_json(),
            "missing": self.missing,
            "decimal": self.decimal,
        } | texts

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """The preparation that `to_json` described.

        Raises
        ------
        ModelFileError
            When `data` describes none.
        """
        kinds = {kind.kind: kind for kind in KINDS}
        try:
            texts = {
                x: checked(data[x], tuple[str, ...], x) for x in ("missing_mark", "value_mark", "unnamed", "remarks")
            }
            return cls(
                columns=tuple(kinds[column["kind"]].from_json(column) for column in data["columns"]),
                target=Target.from_json(data["target"]),
                missing=checked_policy(data["missing"]),
                decimal=decimal_from_json(data["decimal"]),
                **texts,
            )
        except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
            raise ModelFileError(
                f"the model's notes do not describe the table it was trained on ({error!r}); it was not made by "
                "`chainrule train`, or by another version. Train it again."
            ) from error
