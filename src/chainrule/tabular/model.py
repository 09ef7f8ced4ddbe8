"""`TableModel`: from a table to predictions, with all that is needed to make them again."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import ModelFileError, NotBuiltError, SettingError
from chainrule.network import Network
from chainrule.tables import Inputs, Missing, Preparation, Task, as_table, cells_of_row, only_row, row_of, spell
from chainrule.tables.columns.number import Scaling
from chainrule.tables.options import counted
from chainrule.tabular.explaining.average_row import AverageRow
from chainrule.tabular.explaining.predictors import Predictor
from chainrule.tabular.exporting import ExportableModel
from chainrule.tabular.learning.checkpoints import finished_networks
from chainrule.tabular.learning.deadline import asked_by_signals
from chainrule.tabular.learning.ensemble import OutOfFold
from chainrule.tabular.learning.learn import learn
from chainrule.tabular.learning.learned import Learned
from chainrule.tabular.learning.recipe import Recipe
from chainrule.tabular.ready import made_ready
from chainrule.tabular.scoring.scores import Scores
from chainrule.tabular.settings import check_settings
from chainrule.tabular.weights import balanced_weights
from chainrule.training.between_epochs.progress import display

if TYPE_CHECKING:
    from chainrule.tabular.explaining.attribution import Attribution

NOTES = "table"
"""Where a model file's notes say that it is a model of a table."""


class TableModel(ExportableModel):
    """Learns to predict a column of a table from the others: reads, prepares, trains several networks and averages them.

    Parameters
    ----------
    task : {"classification", "regression"}, optional
        Recognised from the target when not given.
    columns : mapping of column to kind, optional
        Columns whose kind is not to be recognised: "number", "category", "boolean", "time", "text", "drop"; "number:robust" or
        "number:quantile" says how they are scaled, too.
    scaling : {"robust", "quantile"}, optional
        How numbers are scaled; by default by median and quartiles, and to normal scores where that is surely better.
    missing : {"fill", "drop", "error"}
        Missing values are filled and flagged; or their rows teach nothing; or they are refused.
    missing_mark, value_mark : texts and numbers, one or several
        What means "no value", such as -999, besides empty, NA, n/a, nan, null and ?; and what of these does not.
    seconds : float, optional
        The time training may take; `None` is as long as it takes.
    folds : int
        Parts of the rows: every network is watched by one of them, and learns from the others. 1 trains one network.
    epochs : int, optional
        Passes over its rows that every network makes; by default as many as suit the rows and the time.
    recipe : Recipe
        The network that is begun with, and how it is trained.
    search : bool
        Whether other recipes are tried.
    metric : str, optional
        What chooses between epochs and recipes: "auc", "f1", "mae", …; by default the loss, which is surer.
    seed : int
        The same seed, time and number of threads give the same model, on every machine that is fast enough for it.
    threads : int, optional
        How many networks are trained side by side; by default what OMP_NUM_THREADS says, or as many as there are cores.
    processes : int, optional
        In how many processes networks are trained, one each at a time, to the same bits; by default in threads of this one.
    progress : bool, optional
        Whether a bar is shown; by default when standard error is a terminal.

    Attributes
    ----------
    network : Network
        After `fit`: the mean of all networks, as one.
    preparation : Preparation
        How rows become its inputs.
    scores : Scores
        How good predictions were for rows held out, by networks that had not learned from them.
    held_rows : int array
        Which rows of the data were held out, ascending.
    interrupted : bool
        Whether Ctrl-C ended the training; what was learned by then is kept.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> random = np.random.default_rng(0)
    >>> height = random.normal(170.0, 10.0, 200).round(1)
    >>> people = {"height": height, "town": random.choice(["Rome", "Oslo"], 200), "weight": height - 100.0}
    >>> model = cr.TableModel(epochs=40, folds=2, search=False, progress=False).fit(people, target="weight")
    >>> model.columns
    ('height', 'town')
    >>> bool(abs(model.predict({"town": ["Oslo"], "height": [180.0]})[0] - 80.0) < 2.0)
    True
    """

    def __init__(
        self,
        *,
        task: Task | None = None,
        columns: Mapping[str, str] | None = None,
        scaling: Scaling | None = None,
        missing: Missing = "fill",
        missing_mark: str | float | Sequence[str | float] = (),
        value_mark: str | float | Sequence[str | float] = (),
        seconds: float | None = 10.0,
        folds: int = 5,
        epochs: int | None = None,
        recipe: Recipe = Recipe(),  # noqa: B008 (frozen)
        search: bool = True,
        metric: str | None = None,
        seed: int = 0,
        threads: int | None = None,
        processes: int | None = None,
        progress: bool | None = None,
    ) -> None:
        self.preparing: dict[str, Any] = {
            "task": task, "columns": columns, "scaling": scaling, "missing": missing, "missing_mark": missing_mark,
            "value_mark": value_mark,
        }  # fmt: skip
        self.learning: dict[str, Any] = {
            "recipe": recipe, "search": search, "seconds": seconds, "folds": folds, "epochs": epochs, "metric": metric,
            "seed": seed, "threads": threads,
        }  # fmt: skip
        check_settings(self.learning, self.preparing, processes)
        self.processes, self.progress = processes, progress
        self._network: Network | None = None
        self._preparation: Preparation | None = None
        self._average: AverageRow | None = None
        self._scores: Scores | None = None
        self.out_of_fold: OutOfFold | None = None
        self.held_rows: NDArray[np.intp] = np.empty(0, np.intp)
        self.weights: NDArray[np.float64] | None = None
        self.learned: Learned | None = None
        self.facts: dict[str, Any] = {}

    # --- learning

    def fit(
        self,
        data: Any,
        target: str,
        *,
        weights: Any = None,
        balanced: bool = False,
        groups: str | None = None,
        order: str | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        resume: str | os.PathLike[str] | None = None,
    ) -> Self:
        """Learn to predict the column `target` from the others.

        Parameters
        ----------
        data : str, Path, frame, dict of columns, array or Table
            A file (CSV and its relatives, Parquet, JSON, Arrow, several of them), a data frame of pandas or Polars, an Arrow
            table, …. Of files with more than 6 million cells as many rows are drawn at random as have so many.
        target : str
            The column to predict. Rows without it are left out.
        weights : array, (rows,), or str, optional
            How much each row counts, or the column that says it, which is not learned from.
        balanced : bool
            Whether rare classes count as much as common ones.
        groups : str, optional
            A column: rows with the same value are held out together. It is not learned from.
        order : str, optional
            A column of times or numbers: the latest rows are held out. Earlier ones of their groups teach nothing.
        checkpoint, resume : str or Path, optional
            A file in which every network is kept as soon as it is learned, and every 30 seconds while it is; and such a file to go
            on with, as if the training had never been stopped. Data and settings must be the same.

        Raises
        ------
        TableError, UnknownNameError, SettingError, LostProcessError
            When the table cannot be learned from, the file is of another training, or a process is gone; the message says what to do.
        """
        given = [data]
        del data  # text takes much room, which is let go of as soon as its numbers are read
        ready = made_ready(given.pop(), target, self.preparing, self.learning, weights, groups, order)
        learned_by = balanced_weights(ready.y, ready.preparation.target, ready.weights) if balanced else ready.weights
        keeping = finished_networks(checkpoint, resume, ready, self.learning, learned_by, target)
        with keeping as finished, display(100, self.progress, "percent") as bar, asked_by_signals() as asked:
            learned = learn(
                ready.X, ready.y, ready.preparation, **self.learning, weights=learned_by, counted=ready.weights, groups=ready.groups,
                order=ready.order, others=ready.others, progress=lambda share: bar.update(round(100 * share), {}), asked=asked,
                finished=finished, processes=self.processes, amounts=ready.amounts,
            )  # fmt: skip
            if finished is not None and not learned.interrupted:
                finished.end()
        self.learned, self._network, self._preparation = learned, learned.network, learned.preparation
        self._average, self._scores = AverageRow.of(learned.X, ready.preparation.features), None
        self.out_of_fold, self.weights = learned.out_of_fold, ready.weights
        self.held_rows = ready.rows[learned.out_of_fold.rows]
        return self

    # --- what is known after it

    @property
    def network(self) -> Network:
        """The mean of all networks, as one."""
        return self._fitted()[0]

    @property
    def preparation(self) -> Preparation:
        """How rows become the network's inputs."""
        return self._fitted()[1]

    @property
    def target(self) -> str:
        """The column that is predicted."""
        return self.preparation.target.name

    @property
    def task(self) -> Task:
        """Whether classes or amounts are predicted."""
        return self.preparation.target.task

    @property
    def classes(self) -> tuple[Any, ...]:
        """The labels in order, as they are spelled in the table; none for amounts."""
        return self.preparation.target.classes

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are learned from."""
        return tuple(column.name for column in self.preparation.used)

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended the training."""
        return self.learned is not None and self.learned.interrupted

    @property
    def average(self) -> AverageRow:
        """The average training row."""
        self._fitted()
        if self._average is None:
            raise ModelFileError("the model's file has no average row to begin at; train the model again.")
        return self._average

    @property
    def predictors(self) -> list[Predictor]:
        """The networks, each with the rows that it had not seen; none of a model that was loaded."""
        return [] if self.learned is None else self.learned.predictors

    @property
    def settings(self) -> dict[str, object]:
        """How the model was trained, as far as it is known, by names."""
        return dict(self.facts) if self.learned is None else self.learned.settings

    @property
    def remarks(self) -> tuple[str, ...]:
        """What was not as it was to be in the training, such as time that was short."""
        return () if self.learned is None else self.learned.remarks

    @property
    def has_scores(self) -> bool:
        """Whether there were rows held out."""
        return self.out_of_fold is not None and len(self.out_of_fold.rows) > 0

    @property
    def scores(self) -> Scores:
        """How good predictions were for rows that were held out: the honest estimate for new rows."""
        if self._scores is None:
            if self.learned is None or self.out_of_fold is None or not self.has_scores:
                raise NotBuiltError("this model has no rows that were held out; call evaluate(data) with new rows.")
            said = self.out_of_fold.said
            outputs = said if self.classes else self.preparation.target.restored(said)
            weights = None if self.weights is None else self.weights[self.out_of_fold.rows]
            truth, fold = self.learned.truth[self.out_of_fold.rows], self.out_of_fold.fold
            self._scores = Scores(truth, outputs, self.classes, weights, fold, target=self.target, of="rows held out")
        return self._scores

    # --- predicting

    def predict(self, data: Any) -> NDArray[Any]:
        """The predictions for every row: labels as the table spells them, or amounts in its units.

        Parameters
        ----------
        data : as for `fit`, or one row as a dict of single values or as `frame.iloc[3]` of pandas
            Columns are found by name, in any order; those the model does not know are ignored. A warning says which values
            it cannot read, or has not seen: they count as missing, or as a category of their own.

        Raises
        ------
        TableError
            When columns are absent, or values are missing and may not be.
        """
        said = self.raw(self._prepared(data))
        return self.preparation.target.restored(np.argmax(said, axis=1)) if self.classes else said

    def predict_proba(self, data: Any) -> NDArray[np.float64]:
        """The probability of every class, shape (rows, classes), in the order of `classes`.

        Raises
        ------
        SettingError
            When amounts are predicted.
        """
        if not self.classes:
            raise SettingError(f"{self.target!r} holds amounts, which have no probabilities; use predict.")
        return self.raw(self._prepared(data))

    def raw(self, X: Any) -> NDArray[Any]:
        """What the network says of prepared rows: probabilities, (rows, classes), or amounts, (rows,)."""
        network, preparation = self._fitted()
        if not len(X):
            return np.empty((0, len(self.classes)) if self.classes else (0,))
        if self.classes:
            said = np.asarray(network.predict_proba(X), np.float64)
            return np.asarray(said / said.sum(axis=1, keepdims=True))  # of float32 they add up to 1 within 1e-7 only
        return preparation.target.restored(np.asarray(network(X)))

    def explain(self, row: Any, *, label: Any = None, of: Any = None) -> Attribution:
        """One prediction explained column by column: integrated gradients from the average training row to this one.

        Parameters
        ----------
        row : dict, row of a pandas frame, or table of one row
            The row.
        label : optional
            The class to look at; by default the one that is predicted.
        of : {"log-odds", "probability"}, optional
            In which terms, for classes.
        """
        from chainrule.tabular.explaining.attribution import attribute

        network, preparation = self._fitted()
        cells = cells_of_row(row, self.columns)
        X = self._prepared(row)
        return attribute(network, preparation, self.average, X[0], cells, label=label, of=of)

    def inputs(self, data: Any, missing: Missing | None = None) -> Inputs:
        """The network's inputs for the rows of a table; missing values are filled also where their rows taught nothing."""
        preparation = self.preparation
        return preparation.apply(as_table(data), missing or ("fill" if preparation.missing == "drop" else None))

    def _prepared(self, data: Any) -> NDArray[np.float32]:
        if (row := row_of(data, self.columns)) is not None:
            return self.preparation.apply_row(row)
        if (row := only_row(data)) is not None and (X := self.preparation.apply_sure(row)) is not None:
            return X
        inputs = self.inputs(data)
        for note in inputs.notes:
            warnings.warn(spell(note), UserWarning, stacklevel=3)
        return inputs.X

    # --- keeping

    def save(self, path: str | os.PathLike[str], notes: Mapping[str, Any] | None = None) -> None:
        """Write the model to one safetensors file, which `cr.load` reads: no code is in it."""
        network, preparation = self._fitted()
        average = None if self._average is None else self._average.to_json()
        facts = {"preparation": preparation.to_json(), "average": average, "facts": {**self.facts, **(notes or {})}}
        network.save(Path(path), notes={NOTES: facts})

    @classmethod
    def of(cls, network: Network) -> TableModel:
        """The model that a network from a file belongs to.

        Raises
        ------
        ModelFileError
            When its notes describe none.
        """
        described = network.notes.get(NOTES)
        if not isinstance(described, dict) or not isinstance(described.get("facts"), dict):
            raise ModelFileError(
                "the file holds a network, but says nothing of a table it was trained on; read it by cr.load."
            )
        model = cls()
        model._network, model._preparation = network, Preparation.from_json(described.get("preparation", {}))
        features, classes = model._preparation.features, model._preparation.target.classes
        shapes = network.model.inputs[0], getattr(network.model.outputs, "shape", None)
        if shapes != ((len(features),), (len(classes) or 1,)):
            raise ModelFileError(
                "the file's network has other inputs or outputs than its table; train the model again."
            )
        if described.get("average") is not None:
            model._average = AverageRow.from_json(described["average"], features)
        model.facts = described["facts"]
        return model

    def _fitted(self) -> tuple[Network, Preparation]:
        if self._network is None or self._preparation is None:
            raise NotBuiltError("this model has not learned yet; call fit(data, target=...).")
        return self._network, self._preparation

    def __repr__(self) -> str:
        if self._preparation is None:
            return "TableModel()"
        return f"<TableModel of {self.target!r}, {self.task}, from {counted(len(self.columns), 'column')}>"
