"""How a table becomes the arrays of a network: learned on the training rows, stored with the model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import ModelFileError, nearest
from chainrule.tables.columns import Column, Fill, column_from_json, column_to_json, learn_column
from chainrule.tables.missing import Missing, checked_policy, complete_rows
from chainrule.tables.options import TableError, counted, option, quoted
from chainrule.tables.reading import read
from chainrule.tables.table import Table, is_missing
from chainrule.tables.target import Target


class Inputs(NamedTuple):
    """What `Preparation.apply` gives.

    Attributes
    ----------
    X : float32 array, (rows kept, features)
        The network's inputs.
    rows : int array, (rows kept,)
        Which rows of the table they are.
    notes : tuple of str
        What was replaced, left out or new.
    """

    X: NDArray[np.float32]
    rows: NDArray[np.intp]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Preparation:
    """What was learned about a table on its training rows: columns in order, categories, means, the target.

    Attributes
    ----------
    columns : tuple of Numeric or Category
        The input columns, in the order of the network's inputs.
    target : Target
        The column to predict.
    missing : {"error", "drop", "mean", "median"}
        What is done about missing values.
    missing_mark : tuple of str
        Texts that mean "no value" in this table, besides the usual ones.
    unnamed : tuple of str
        The names given to all columns of the training file, when it had no header.

    Examples
    --------
    >>> import numpy as np
    >>> from chainrule.tables import Preparation, Table
    >>> cells = np.array([["36", "UK"], ["41", "UK"], ["85", "US"]], dtype=object)
    >>> table = Table(("age", "country"), cells, np.arange(2, 5))
    >>> preparation = Preparation.learn(table, Target("income", "regression"))
    >>> preparation.features
    ('age', 'country=UK', 'country=US')
    >>> preparation.apply(table).X.round(2)
    array([[-0.82,  1.  ,  0.  ],
           [-0.59,  1.  ,  0.  ],
           [ 1.41,  0.  ,  1.  ]], dtype=float32)
    """

    columns: tuple[Column, ...]
    target: Target
    missing: Missing = "error"
    missing_mark: tuple[str, ...] = ()
    unnamed: tuple[str, ...] = ()

    @classmethod
    def learn(
        cls,
        table: Table,
        target: Target,
        missing: Missing = "error",
        categorical: tuple[str, ...] = (),
        missing_mark: tuple[str, ...] = (),
    ) -> Preparation:
        """The preparation that the rows of `table`, the training rows, teach.

        Columns without any value, or with the same value throughout, teach nothing and are left out.

        Parameters
        ----------
        table : Table
            The training rows.
        target : Target
            The column to predict; it need not be in the table.
        missing : {"error", "drop", "mean", "median"}
            What is to be done about missing values.
        categorical : tuple of str
            Columns of numbers that are to be taken as categories.
        missing_mark : tuple of str
            Texts that mean "no value", besides the usual ones.

        Raises
        ------
        TableError
            When a column cannot be learned from, or none is left.
        """
        for name in categorical:
            table.column(name)
        columns = []
        for name in table.names:
            if name != target.name:
                column = learn_column(table, name, missing_mark, categorical=name in categorical)
                if column is not None:
                    columns.append(column)
        if not columns:
            raise TableError(
                f"{table.source} leaves no column to learn {target.name!r} from: it has "
                f"{counted(len(table.names), 'column')} ({quoted(list(table.names))}), and those besides the target "
                f"say the same in every row. If the columns were not told apart, name what stands between them: "
                f"{option('separator', 'semicolon')}."
            )
        return cls(tuple(columns), target, checked_policy(missing), missing_mark)

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the network's inputs, in order."""
        return tuple(feature for column in self.columns for feature in column.features)

    def apply(self, table: Table, missing: Missing | None = None) -> Inputs:
        """The network's inputs for the rows of `table`; columns the model does not know are ignored.

        Parameters
        ----------
        table : Table
            Rows with at least the columns learned from, in any order.
        missing : {"error", "drop", "mean", "median"}, optional
            What is done about missing values this time; by default as in training.

        Raises
        ------
        TableError
            When columns are absent, values are missing and may not be, or numbers are none.
        """
        policy = checked_policy(missing or self.missing)
        self._check_columns(table)
        return self._encoded(table, policy, target=None)

    def apply_with_target(self, table: Table, missing: Missing | None = None) -> tuple[Inputs, NDArray[Any]]:
        """The network's inputs, and for the same rows the target in the units of the file.

        Arguments and errors are those of `apply`; labels that did not occur in training are refused too.
        """
        policy = checked_policy(missing or self.missing)
        self._check_columns(table, self.target.name)
        inputs = self._encoded(table, policy, self.target.name)
        return inputs, self.target.known(table.rows(inputs.rows), self.missing_mark)

    def _check_columns(self, table: Table, *more: str) -> None:
        absent = [name for name in (*(column.name for column in self.columns), *more) if name not in table.names]
        if absent:
            raise TableError(
                f"{table.source} lacks {counted(len(absent), 'column')} the model was trained with: {quoted(absent)}. "
                f"It has {quoted(list(table.names), 12)}{nearest(absent[0], table.names)}."
            )

    def _encoded(self, table: Table, policy: Missing, target: str | None) -> Inputs:
        """The inputs of the rows that stay under the policy."""
        names = [column.name for column in self.columns] + ([] if target is None else [target])
        masks = {name: is_missing(table.column(name), self.missing_mark) for name in names}
        rows, notes = complete_rows(table, masks, policy, target)
        kept = table.rows(rows)
        fill: Fill = "mean" if policy == "mean" else "median"
        X = np.zeros((len(rows), len(self.features)), dtype=np.float32)
        start = 0
        for column in self.columns:
            part, remarks = column.encode(kept, masks[column.name][rows], fill)
            X[:, start : start + part.shape[1]] = part
            start += part.shape[1]
            notes += remarks
        return Inputs(X, rows, tuple(notes))

    def read(self, path: str | Path, separator: str | None = None) -> Table:
        """The table in a file laid out as the training file was: with a header or without.

        Without one, the columns are told by their order; the target's may be absent.
        """
        if not self.unnamed:
            return read(path, separator)
        table = read(path, separator, header=False)
        inputs = tuple(name for name in self.unnamed if name != self.target.name)
        for names in (self.unnamed, inputs):
            if len(table.names) == len(names):
                return replace(table, names=names)
        raise TableError(
            f"{table.source} has {counted(len(table.names), 'column')}; the model was trained on a file without column "
            f"names, with {len(self.unnamed)} columns ({len(inputs)} without {self.target.name!r}), and needs the same."
        )

    def to_json(self) -> dict[str, Any]:
        """The preparation as JSON can hold it, to be stored with a model."""
        return {
            "columns": [column_to_json(column) for column in self.columns],
            "target": self.target.to_json(),
            "missing": self.missing,
            "missing_mark": list(self.missing_mark),
            "unnamed": list(self.unnamed),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Preparation:
        """The preparation that `to_json` described.

        Raises
        ------
        ModelFileError
            When `data` describes none.
        """
        try:
            return cls(
                columns=tuple(column_from_json(column) for column in data["columns"]),
                target=Target.from_json(data["target"]),
                missing=checked_policy(cast(Missing, data["missing"])),
                missing_mark=tuple(map(str, data["missing_mark"])),
                unnamed=tuple(map(str, data["unnamed"])),
            )
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise ModelFileError(
                f"the model's notes do not describe the table it was trained on ({error!r}); it was not made by "
                "`chainrule train`, or by another version. Train it again."
            ) from error
