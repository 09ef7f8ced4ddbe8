"""A report gathered: scores beside simpler models, importance, dependence and some explained rows of a trained model."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import DataError, NotBuiltError
from chainrule.network import Network
from chainrule.tables.preparing.preparation import Inputs, Preparation
from chainrule.tables.table import Table
from chainrule.tabular.amounts import amount
from chainrule.tabular.explaining.attribution import Attribution, attribute
from chainrule.tabular.explaining.average_row import AverageRow
from chainrule.tabular.explaining.dependence import dependence
from chainrule.tabular.explaining.importance import Importance, importance
from chainrule.tabular.explaining.predictors import Predictor
from chainrule.tabular.learning.learned import Learned
from chainrule.tabular.reporting.report import Report
from chainrule.tabular.scoring import baselines
from chainrule.tabular.scoring.scores import Scores
from chainrule.training.metrics import Array, predicted

COLUMNS = 4
"""Columns whose dependence is drawn."""
SECONDS = 10.0
LEARNED_FROM = "the model was trained on these rows, so columns seem to matter more than they do for new rows"


class HeldOut(Protocol):
    """Which prepared rows were held out, and in which fold."""

    @property
    def rows(self) -> NDArray[np.intp]:
        """Their numbers."""

    @property
    def fold(self) -> NDArray[np.intp]:
        """The fold of each."""

    @property
    def unused(self) -> NDArray[np.intp]:
        """Rows that were not even learned from."""


class Trained(Protocol):
    """What a report asks of a trained model."""

    @property
    def network(self) -> Network:
        """Gives scores of classes, or a scaled amount, for what the preparation gives."""

    @property
    def preparation(self) -> Preparation:
        """From tables to inputs."""

    @property
    def average(self) -> AverageRow:
        """The average training row."""

    @property
    def learning(self) -> Mapping[str, Any]:
        """The settings it was trained with."""

    @property
    def predictors(self) -> Sequence[Predictor]:
        """The networks of the folds, each with the rows it has not seen; none where it is not known any more."""

    @property
    def weights(self) -> Array | None:
        """How much each of the rows learned from counts; None where all count the same, or it is not known any more."""

    @property
    def settings(self) -> Mapping[str, object]:
        """How it was trained, by names."""

    @property
    def remarks(self) -> Sequence[str]:
        """What was not as it was to be in the training."""

    @property
    def scores(self) -> Scores:
        """Of the rows held out."""

    @property
    def learned(self) -> Learned | None:
        """The rows learned from; None where they are not at hand any more."""

    @property
    def out_of_fold(self) -> HeldOut | None:
        """The rows held out; None where none were, or it is not known any more."""

    def raw(self, X: Any) -> Array:
        """From prepared rows to probabilities or amounts."""

    def evaluate(self, data: Any) -> Scores:
        """Scores of these rows."""


def report_of(
    model: Trained,
    table: Table,
    *,
    test: Table | None = None,
    beside: Collection[str] | None = None,
    seconds: float = SECONDS,
) -> Report:
    """The report of a model.

    Parameters
    ----------
    model : Trained
        The model.
    table : Table
        The rows it was trained on.
    test : Table, optional
        Rows that were not learned from.
    beside : collection of str, optional
        Which simpler models are tried; by default all whose libraries are there.
    seconds : float
        About how long importance may take: of the rows by the networks that had not seen them, where these are known; else of
        the test rows, or of all rows, with a remark.

    Raises
    ------
    DataError
        When the model's scores are not of these rows.
    """
    preparation = model.preparation
    inputs, known = _known(model, table)
    scores: dict[str, Scores] = {}
    if model.out_of_fold is not None and len(model.out_of_fold.rows):
        _check_rows(model, table, known.y)
        scores["out of fold"] = _out_of_fold(model, known, beside)
    if test is not None:
        new = preparation.apply_with_truth(test)[0].X
        of = "test rows" if test.source == table.source else test.source  # frames are both "the table"
        scores[f"on {of}"] = model.evaluate(test).with_beside(baselines.on_new_rows(known, new, beside))
    worth = _importance(model, known, test, seconds)
    columns = [one.columns[0] for one in worth.columns[:COLUMNS]] if worth else []
    kept = table.rows(inputs.rows)
    return Report(
        preparation,
        table.source,
        scores,
        worth,
        [dependence(model.raw, preparation, kept, column) for column in columns],
        _explained(model, table, inputs, known.y),
        (*table.notes, *inputs.notes),
        model.settings,
        model.remarks,
        len(known.y),
    )


def compared(model: Trained, table: Table | None = None, beside: Collection[str] | None = None) -> Scores:
    """The scores of the rows held out, beside simpler models that had not seen them either.

    Raises
    ------
    NotBuiltError
        When no rows were held out.
    DataError
        When these are not the rows that the model was trained on.
    """
    if table is not None:
        known = _known(model, table)[1]
        _check_rows(model, table, known.y)
    elif model.learned is not None:
        known = _as_simpler_models_take(model, model.learned.X, model.learned.truth)
    else:
        raise NotBuiltError("this model was loaded, and its file has no rows; give those that it was trained on.")
    return _out_of_fold(model, known, beside)


def _known(model: Trained, table: Table) -> tuple[Inputs, baselines.Prepared]:
    """The inputs of the rows whose target is known, and the same as simpler models take them."""
    inputs, truth = model.preparation.apply_with_truth(table)
    return inputs, _as_simpler_models_take(model, inputs.X, truth)


def _as_simpler_models_take(model: Trained, X: NDArray[np.float32], truth: Array) -> baselines.Prepared:
    preparation, weights = model.preparation, model.weights
    codes = [feature.size for feature in preparation.features if feature.kind == "code"]
    known = weights is not None and len(weights) == len(X)  # of other rows than those learned from they are not
    return baselines.Prepared(X, truth, codes, len(preparation.target.classes), weights if known else None)


def _out_of_fold(model: Trained, known: baselines.Prepared, beside: Collection[str] | None) -> Scores:
    scores, held = model.scores, model.out_of_fold
    assert held is not None
    folds = np.full(len(known.y), -1)
    folds[held.rows] = held.fold
    folds[held.unused] = baselines.UNUSED
    return scores.with_beside(baselines.out_of_fold(known, folds, beside))


def _check_rows(model: Trained, table: Table, truth: Array) -> None:
    """Whether the rows held out are these."""
    own, held = model.scores.truth, model.out_of_fold
    assert held is not None
    if held.rows.max() >= len(truth) or not np.allclose(
        truth[held.rows], own, rtol=1e-4, atol=1e-6 * np.abs(own).max()
    ):
        raise DataError(
            f"{table.source} is not the table that the model was trained on: its {len(truth):,} rows have other targets than the "
            "rows that were held out then. Give the training rows as data, and new rows as test."
        )


def _importance(model: Trained, known: baselines.Prepared, test: Table | None, seconds: float) -> Importance | None:
    """By networks that have not seen the rows, or of test rows, or of the rows learned from with a remark."""
    preparation, predictors = model.preparation, model.predictors
    if not preparation.features:
        return None
    X, truth, weights = known.X, known.y, model.weights if predictors else None
    if not predictors and test is not None:
        inputs, truth = preparation.apply_with_truth(test)
        X = inputs.X
    if len(X) < 2:
        return None
    chosen = predictors or [Predictor(model.raw, np.arange(len(X)))]
    found = importance(chosen, X, truth, preparation.features, known.task, seconds=seconds, weights=weights)
    return found if predictors or test is not None else found.with_remarks([LEARNED_FROM])


def _explained(model: Trained, table: Table, inputs: Inputs, truth: Array) -> dict[str, Attribution]:
    """Some rows explained: what is usual, what is extreme, and where the model is most wrong."""
    X, rows = inputs.X, inputs.rows
    outputs = model.raw(X)
    found: dict[str, Attribution] = {}
    for words, row in _rows_to_explain(model.preparation.target.classes, outputs, truth).items():
        cells = table.frame.row(int(rows[row]), named=True)
        explained = attribute(model.network, model.preparation, model.average, X[row], cells)
        right = _said(model.preparation, truth[row])
        found[f"{words} ({table.line(int(rows[row]))}; the truth is {right})"] = explained
    return found


def _rows_to_explain(classes: Sequence[Any], outputs: Array, truth: Array) -> dict[str, int]:
    """Which rows, by what they are."""
    if not classes:
        errors = np.abs(outputs - truth)
        places = {
            "A typical prediction": np.argsort(outputs, kind="stable")[len(outputs) // 2],
            "The largest prediction": np.argmax(outputs),
            "The smallest prediction": np.argmin(outputs),
            "The largest error": np.argmax(errors),
        }
    else:
        found = predicted(outputs)
        certain = outputs[np.arange(len(outputs)), found]
        common = np.argsort(-np.bincount(found, minlength=len(classes)), kind="stable")[:2]
        places = {
            f"The most certain {classes[k]}": np.argmax(np.where(found == k, certain, -1.0))
            for k in common
            if (found == k).any()
        }
        places["The least certain prediction"] = np.argmin(certain)
        wrong = np.where(found != truth, certain, -1.0)
        if (found != truth).any():
            places["The most certain wrong prediction"] = np.argmax(wrong)
    once: dict[int, str] = {}
    for words, place in places.items():
        once.setdefault(int(place), words)
    return {words: place for place, words in once.items()}


def _said(preparation: Preparation, truth: Any) -> str:
    target = preparation.target
    return str(target.classes[int(truth)]) if target.classes else amount(float(truth), 6)
