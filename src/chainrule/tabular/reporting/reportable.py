"""What a trained model of a table says of itself: which columns count, how predictions go with them, and all of it as a report."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.errors import NotBuiltError
from chainrule.notebooks import Shown
from chainrule.tables import Missing, TableError, as_table, sample, spell, spelled
from chainrule.tabular.weights import weights_of_table

if TYPE_CHECKING:
    from chainrule.tabular.explaining.dependence import Dependence
    from chainrule.tabular.explaining.importance import Importance
    from chainrule.tabular.reporting.gathering import Trained
    from chainrule.tabular.reporting.report import Report
    from chainrule.tabular.scoring.scores import Scores

SECONDS = 10.0
"""About how long importance may take."""


class ReportableModel(Shown):
    """Methods of a trained model that look into it with rows of a table."""

    def _repr_html_(self: Trained) -> str | None:
        from chainrule.tabular.reporting.showing import of_model

        try:
            preparation = self.preparation
        except NotBuiltError:
            return None
        held = self.out_of_fold
        scores = self.scores if held is not None and len(held.rows) else None
        return of_model(repr(self)[1:-1], preparation, scores)

    def evaluate(self: Trained, data: Any, missing: Missing | None = None, *, weights: Any = None) -> Scores:
        """How good the predictions are for rows whose target is known.

        Parameters
        ----------
        data : as for `fit`
            The rows, better not those that were learned from.
        missing : {"fill", "drop", "error"}, optional
            What is done about missing values this time; by default as in training.
        weights : array, (rows,), or str, optional
            How much each row of the data counts, or the column that says it.

        Raises
        ------
        TableError
            When no row is left, columns are absent, or labels did not occur in training.
        """
        from chainrule.tabular.scoring.scores import Scores

        table, target = as_table(data), self.preparation.target
        inputs, truth = self.preparation.apply_with_truth(table, missing)
        if not len(truth):
            raise TableError(
                f"no row of {table.source} is left to evaluate; {'; '.join(map(spell, inputs.notes))}. Give rows "
                "that have values there."
            )
        counted = (
            None if weights is None else weights_of_table(weights, table, self.preparation.spelling(table))[inputs.rows]
        )
        return Scores(truth, self.raw(inputs.X), target.classes, counted, target=target.name)

    def importance(
        self: Trained,
        data: Any,
        *,
        metric: str | None = None,
        repeats: int = 5,
        seconds: float = SECONDS,
        seed: int = 0,
        weights: Any = None,
    ) -> Importance:
        """What each column is worth for these rows: by how much the score falls when its values are shuffled among them.

        Parameters
        ----------
        data : as for `fit`
            Rows whose target is known, better not those that were learned from; of these `report` takes the networks that had
            not seen them.
        metric : str, optional
            What falls; by default accuracy or R².
        repeats : int
            How often each column is shuffled.
        seconds : float
            About how long it may take.
        seed : int
            Decides what is drawn.
        weights : array, (rows,), or str, optional
            How much each row of the data counts, or the column that says it.

        Returns
        -------
        Importance
        """
        from chainrule.tabular.explaining.importance import importance
        from chainrule.tabular.explaining.predictors import Predictor

        table = as_table(data)
        inputs, truth = self.preparation.apply_with_truth(table)
        target = self.preparation.target
        counted = (
            None if weights is None else weights_of_table(weights, table, self.preparation.spelling(table))[inputs.rows]
        )
        whole = [Predictor(self.raw, np.arange(len(truth)))]
        return importance(
            whole, inputs.X, truth, self.preparation.features, target.task, metric=metric, repeats=repeats, seconds=seconds,
            seed=seed, weights=counted,
        )  # fmt: skip

    def dependence(self: Trained, column: str, data: Any, *, labels: Sequence[Any] | None = None) -> Dependence:
        """How predictions go with a column: the mean prediction when it has one value in all rows, for several values.

        Parameters
        ----------
        column : str
            The column.
        data : as for `fit`
            Rows to take values and means from; their target is not needed.
        labels : sequence, optional
            The classes to look at.

        Returns
        -------
        Dependence
        """
        from chainrule.tabular.explaining.dependence import dependence

        column = spelled(column)
        return dependence(self.raw, self.preparation, as_table(data), column, labels=labels)

    def compare(self: Trained, data: Any = None, *, beside: Collection[str] | None = None) -> Scores:
        """The scores of the rows that were held out, beside simpler models that had not seen them either.

        Parameters
        ----------
        data : as for `fit`, optional
            The rows the model was trained on; a model that was not loaded has them still.
        beside : collection of str, optional
            As for `report`.

        Returns
        -------
        Scores

        Raises
        ------
        NotBuiltError
            When no rows were held out, or the model was loaded and no rows are given.
        DataError
            When these are not the rows that the model was trained on.
        """
        from chainrule.tabular.reporting.gathering import compared

        return compared(self, None if data is None else sample(data, seed=self.learning["seed"]), beside)

    def report(
        self: Trained, data: Any, *, test: Any = None, beside: Collection[str] | None = None, seconds: float = SECONDS
    ) -> Report:
        """All that is to be known of the model on one page, `report(data).save("report.html")`, which needs no network.

        Parameters
        ----------
        data : as for `fit`
            The rows the model was trained on.
        test : as for `fit`, optional
            Rows that it was not trained on.
        beside : collection of str, optional
            Simpler models that scores are shown beside, of "majority class", "mean", "median", "linear model", "gradient
            boosting" (where scikit-learn is installed); by default all.
        seconds : float
            About how long importance may take.

        Returns
        -------
        Report

        Raises
        ------
        DataError
            When these are not the rows that the model was trained on.
        """
        from chainrule.tabular.reporting.gathering import report_of

        tests = None if test is None else as_table(test)
        table = sample(data, seed=self.learning["seed"])  # the rows that the training drew
        return report_of(self, table, test=tests, beside=beside, seconds=seconds)
