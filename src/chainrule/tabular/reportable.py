"""What a trained model of a table says of itself: which columns count, how predictions go with them, and all of it as a report."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.tables import as_table, spelled

if TYPE_CHECKING:
    from chainrule.tabular.dependence import Dependence
    from chainrule.tabular.importance import Importance
    from chainrule.tabular.report import Report
    from chainrule.tabular.reporting import Trained
    from chainrule.tabular.scores import Scores

SECONDS = 10.0
"""About how long importance may take."""


class ReportableModel:
    """Methods of a trained model that look into it with rows of a table."""

    def importance(
        self: Trained,
        data: Any,
        *,
        metric: str | None = None,
        repeats: int = 5,
        seconds: float = SECONDS,
        seed: int = 0,
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

        Returns
        -------
        Importance
        """
        from chainrule.tabular.importance import Predictor, importance

        inputs, y = self.preparation.apply_with_target(as_table(data))
        target = self.preparation.target
        truth = y if target.classes else np.asarray(target.restored(y))
        whole = [Predictor(self.raw, np.arange(len(truth)))]
        return importance(
            whole, inputs.X, truth, self.preparation.features, target.task, metric=metric, repeats=repeats, seconds=seconds, seed=seed
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
        from chainrule.tabular.dependence import dependence

        column = spelled(column)
        return dependence(self.raw, self.preparation, as_table(data), column, labels=labels)

    def compare(self: Trained, data: Any, *, beside: Collection[str] | None = None) -> Scores:
        """The scores of the rows that were held out, beside simpler models that had not seen them either.

        Parameters
        ----------
        data : as for `fit`
            The rows the model was trained on.
        beside : collection of str, optional
            As for `report`.

        Returns
        -------
        Scores

        Raises
        ------
        NotBuiltError
            When no rows were held out.
        DataError
            When these are not the rows that the model was trained on.
        """
        from chainrule.tabular.reporting import compared

        return compared(self, as_table(data), beside)

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
        from chainrule.tabular.reporting import report_of

        tests = None if test is None else as_table(test)
        return report_of(self, as_table(data), test=tests, beside=beside, seconds=seconds)
