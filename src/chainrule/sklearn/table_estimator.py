"""What `TableClassifier` and `TableRegressor` share: rows as scikit-learn's users give them, handed to a `TableModel`."""

from __future__ import annotations

import warnings
from dataclasses import replace
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_array, check_consistent_length, check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from chainrule.errors import DataError
from chainrule.network import Network
from chainrule.network.copying import renewed
from chainrule.sklearn.nested import NestedParameters
from chainrule.tables import Table, Task, as_table, spell
from chainrule.tables.options import counted, quoted
from chainrule.tabular import Recipe, TableModel
from chainrule.training.weights import to_unit


class BaseTableEstimator(NestedParameters):
    """The common part of `TableClassifier` and `TableRegressor`.

    The table is named as scikit-learn names features: by the frame's columns, or x0, x1, … where `X` has no names.
    """

    _nested: ClassVar[tuple[str, ...]] = ("recipe",)

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "columns": [dict, None],
        "scaling": [StrOptions({"robust", "quantile"}), None],
        "missing": [StrOptions({"fill", "drop", "error"})],
        "missing_mark": [list, tuple],
        "value_mark": [list, tuple],
        "seconds": [Interval(Real, 0, None, closed="neither"), None],
        "folds": [Interval(Integral, 1, None, closed="left")],
        "epochs": [Interval(Integral, 1, None, closed="left"), None],
        "recipe": [Recipe, None],
        "search": ["boolean"],
        "scoring": [str, None],
        "random_state": ["random_state"],
        "threads": [Interval(Integral, 1, None, closed="left"), None],
        "verbose": ["verbose"],
    }

    model_: TableModel | None
    _network: Network

    # --- rows

    def _table(self, X: Any, y: Any = "no_validation", *, reset: bool = False) -> Table:
        """The rows, checked by scikit-learn's rules, as a table; with `reset` its columns are those to learn from."""
        several = len(getattr(X, "shape", (0, 0))) == 2  # a single column of pandas or Polars has the protocol too
        framed = several and any(hasattr(X, name) for name in ("columns", "__arrow_c_stream__", "__dataframe__"))
        if not framed:
            X = check_array(X, dtype=None, ensure_all_finite="allow-nan", input_name="X", estimator=self)
        _check_names(X)
        validate_data(self, X, y, skip_check_array=True, reset=reset)
        _check_known(y)
        table = as_table(X.reset_index(drop=True) if hasattr(X, "reset_index") else X)
        if not framed or not all(isinstance(name, str) for name in getattr(X, "column_names", None) or X.columns):
            table = replace(table, frame=table.frame.rename(dict(zip(table.names, self._names, strict=True))))
        beyond = [c.name for c in table.frame.get_columns() if c.dtype.is_float() and c.is_infinite().any()]
        if beyond:
            raise ValueError(
                f"Input X contains infinity in column {beyond[0]!r}; leave such rows out, or give no value."
            )
        return replace(table, source="X")

    @property
    def _names(self) -> list[str]:
        """What the columns of `X` are called where it does not say so itself."""
        return list(getattr(self, "feature_names_in_", (f"x{place}" for place in range(self.n_features_in_))))

    def _kinds(self, table: Table) -> dict[str, str]:
        """Kinds of columns that are not to be recognised, those of columns without names by their places.

        A column of an array that counts the rows was put there on purpose: it is a number, as to other estimators.
        """
        given = {
            f"x{name}" if isinstance(name, Integral) else name: kind for name, kind in (self.columns or {}).items()
        }
        if hasattr(self, "feature_names_in_"):
            return given
        numbers = (column for column in table.frame.get_columns() if column.dtype.is_numeric())
        counting = {column.name: "number" for column in numbers if (column.diff().drop_nulls() == 1).all()}
        return counting | given

    # --- learning

    def _fit(
        self, table: Table, y: NDArray[Any], task: Task, target: str, weights: Any, groups: Any
    ) -> NDArray[np.intp]:
        """Learn from rows and a target of several values; the rows that count.

        Ctrl-C leaves what was learned so far in the attributes and goes on as KeyboardInterrupt, so that a search does not
        take an estimator that was stopped halfway for a fitted one.
        """
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        self.model_ = model = TableModel(
            task=task,
            columns=self._kinds(table),
            scaling=self.scaling,
            missing=self.missing,
            missing_mark=self.missing_mark,
            value_mark=self.value_mark,
            seconds=self.seconds,
            folds=self.folds,
            epochs=self.epochs,
            recipe=self.recipe or Recipe(),
            search=bool(self.search),
            metric=self.scoring,
            seed=seed,
            threads=self.threads,
            progress=bool(self.verbose),
        )
        more = {target: y}
        by = None
        if groups is not None:
            by = free_name("groups", (*table.names, target))
            more[by] = np.asarray(groups)
        whole = replace(table, frame=table.frame.hstack(as_table(more).frame))
        model.fit(whole, target, weights=weights, groups=by)
        precise = renewed(model.network, dtype=np.float64)  # a row is answered alike, whatever stands beside it
        self._network = precise.build(*model.network.model.inputs)
        self._network.meanings = model.network.meanings
        self._say_what_is_left_out(table)
        if model.interrupted:
            raise KeyboardInterrupt("the fit was stopped by Ctrl-C; model_ has what it learned.")
        return model.held_rows

    def _say_what_is_left_out(self, table: Table) -> None:
        """A warning about columns that were given to learn from, say something, and are not learned from."""
        assert self.model_ is not None
        given = self._kinds(table)
        told = [
            f"{column.name!r} ({column.why})"
            for column in self.model_.preparation.columns
            if not column.features and column.name not in given
            if column.name in table.names and table.column(column.name).n_unique() > 1
        ]
        told += [f"{name!r} (not single values)" for name in self._names if name not in table.names]
        if told:
            warnings.warn(
                f"{type(self).__name__} does not learn from {', '.join(told[:8])}{', …' if told[8:] else ''}. Leave them "
                "out of X, or say what they are with `columns`, such as {'id': 'number'}.",
                UserWarning,
                stacklevel=4,
            )

    def _counted(self, table: Table, y: NDArray[Any], weights: Any, groups: Any) -> tuple[Any, ...]:
        """The rows whose weight is not 0, their targets, weights and groups; and which they are."""
        check_consistent_length(table.frame, y, groups)
        kept = np.arange(len(y))
        if weights is not None:
            weights = _check_sample_weight(weights, y[:, None], ensure_non_negative=True)
            kept = np.flatnonzero(weights)
            table, y, weights = table.rows(kept), y[kept], weights[kept] * to_unit(weights)
            groups = None if groups is None else np.asarray(groups)[kept]
        if len(kept) < 2:
            raise ValueError(
                f"{type(self).__name__} needs 2 samples whose weight is not 0 to learn from; got n_samples=1."
            )
        return table, y, weights, groups, kept

    def _answers(self, X: Any) -> NDArray[Any]:
        """What the model says of rows: amounts, or probabilities in the model's order of classes."""
        check_is_fitted(self)
        table = self._table(X)
        if self.model_ is None:
            return np.repeat(self._always[None], len(table), axis=0)
        inputs, target = self.model_.inputs(table), self.model_.preparation.target
        for note in inputs.unread:  # new categories are ordinary in cross-validation
            warnings.warn(f"X: {spell(note)}", UserWarning, stacklevel=3)
        rows = inputs.X.astype(np.float64)
        return self._network.predict_proba(rows) if target.classes else target.restored(self._network(rows))

    def _say_nothing_is_learned(self, why: str) -> None:
        """Set `model_` to None, with a warning."""
        self.model_ = None
        warnings.warn(f"{why}, so {type(self).__name__} always predicts the same.", UserWarning, stacklevel=4)

    def __sklearn_tags__(self) -> Any:
        """Tags: rows may hold text, and missing values."""
        tags = super().__sklearn_tags__()
        tags.input_tags.string = tags.input_tags.categorical = True
        tags.input_tags.allow_nan = True
        return tags


def _check_names(X: Any) -> None:
    """Raise when a data frame has several columns of one name, which would not be told apart when predicting."""
    if getattr(getattr(X, "columns", None), "is_unique", True):
        return
    twice = list(X.columns[X.columns.duplicated()].unique())
    raise DataError(f"X has more than one column {quoted(twice)}; rename them, so that each name occurs once.")


def _check_known(y: Any) -> None:
    """Raise where answers are None, which is no class and no amount."""
    given = np.asarray(y, dtype=object).ravel() if isinstance(y, list | tuple) else np.asarray(y).ravel()
    unknown = sum(answer is None for answer in given.tolist()) if given.dtype == object else 0
    if unknown:
        raise DataError(
            f"y holds None in {counted(unknown, 'row')} of {len(given):,}, where the answer is not known; leave these rows out of X "
            "and y."
        )


def says_nothing(table: Table) -> bool:
    """Whether no column has more than one value."""
    return all(column.n_unique() <= 1 for column in table.frame.get_columns())


def free_name(wanted: Any, taken: tuple[str, ...]) -> str:
    """A column's name that is none of those taken."""
    name = wanted if isinstance(wanted, str) and wanted else "target"
    while name in taken:
        name += "_"
    return name
