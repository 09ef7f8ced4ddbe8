"""Simpler models on the same rows, so that a score can be judged: constants, a linear model, gradient boosting."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import UnknownNameError
from chainrule.forks import load
from chainrule.network import Network
from chainrule.nn.layers import Dense
from chainrule.training.metrics import Array, Task, weighted_quantiles
from chainrule.training.optimizers import Adam
from chainrule.training.schedules import Cosine

STEPS, BATCH = 1500, 128
"""About so many steps the logistic model takes."""
MOST_CODES = 255
"""Codes of a column that a linear model and gradient boosting take as categories; of more, only the first ones."""
SMALL = 500_000
"""Numbers of a table for which boosting takes one thread: more would wait for each other most of the time."""
STRENGTHS = 10.0 ** np.arange(-6, 4)
"""Penalties among which ridge regression chooses, as multiples of the largest eigenvalue."""


@dataclass(frozen=True)
class Prepared:
    """Rows as a preparation gives them, and what is to be predicted.

    Attributes
    ----------
    X : array of shape (rows, features)
        Numbers and flags, then codes.
    y : array of shape (rows,)
        Class numbers, or amounts.
    codes : sequence of int
        How many values each of the last columns has, which are whole numbers that mean categories.
    classes : int
        How many classes there are; 0 for amounts.
    weights : array of shape (rows,), optional
        How much each row counts.
    """

    X: Array
    y: Array
    codes: Sequence[int] = ()
    classes: int = 0
    weights: Array | None = None

    @property
    def task(self) -> Task:
        """Whether classes or amounts are predicted."""
        return "classification" if self.classes else "regression"

    def rows(self, chosen: Any) -> Prepared:
        """The same of some rows."""
        weights = None if self.weights is None else self.weights[chosen]
        return Prepared(self.X[chosen], self.y[chosen], self.codes, self.classes, weights)

    @property
    def counted(self) -> Prepared:
        """The same of the rows that count, their weights 1 in the mean."""
        if self.weights is None:
            return self
        kept = self.weights > 0
        return replace(self.rows(kept), weights=self.weights[kept] / np.mean(self.weights[kept]))

    def spread(self, X: Array) -> NDArray[np.float32]:
        """Rows with a flag for every code, as a linear model needs them."""
        first = X.shape[1] - len(self.codes)
        flags = [
            X[:, first + i, None] == np.arange(min(size, MOST_CODES), dtype=X.dtype)
            for i, size in enumerate(self.codes)
        ]
        return np.concatenate([X[:, :first], *flags], axis=1).astype(np.float32)

    def probabilities(self, columns: Any, known: Any) -> NDArray[np.float64]:
        """Probabilities of the classes that were known, among all classes."""
        whole = np.zeros((len(columns), self.classes))
        whole[:, np.asarray(known, np.intp)] = columns
        return whole


@dataclass(frozen=True)
class Baseline:
    """A simpler model: its name, its tasks, and (rows to learn from, X to predict) → probabilities or amounts."""

    name: str
    tasks: tuple[Task, ...]
    outputs: Callable[[Prepared, Array], Array]
    needs: str = ""


def _frequencies(known: Prepared, X: Array) -> Array:
    counts = np.bincount(np.asarray(known.y, np.intp), known.weights, known.classes)
    return np.tile(counts / counts.sum(), (len(X), 1))


def _mean(known: Prepared, X: Array) -> Array:
    return np.full(len(X), np.average(np.asarray(known.y, np.float64), weights=known.weights))


def _median(known: Prepared, X: Array) -> Array:
    y = np.asarray(known.y, np.float64)
    return np.full(len(X), np.median(y) if known.weights is None else weighted_quantiles(y, known.weights, 0.5))


def _linear(known: Prepared, X: Array) -> Array:
    learn = _logistic if known.classes else _ridge
    learned, asked = (known.spread(x) for x in (known.X, X))
    centre = np.average(learned, axis=0, weights=known.weights).astype(learned.dtype)
    scale = np.sqrt(np.average(np.square(learned - centre), axis=0, weights=known.weights)).astype(learned.dtype)
    scale[scale < 1e-6] = 1.0
    learned, asked = (learned - centre) / scale, (asked - centre) / scale
    if learned.shape[1] > len(learned) and learned.any():
        learned, asked = _turned(learned, asked)
    return learn(known, learned, asked)


def _turned(learned: Array, asked: Array) -> tuple[Array, Array]:
    """Rows turned so that no more numbers than there are rows learned from say all that penalised linear models see of them.

    Their weights are sums of multiples of the rows learned from, since what is at right angles to all of these costs a penalty
    and changes nothing.
    """
    whole = np.asarray(learned, np.float64)
    values, vectors = np.linalg.eigh(whole @ whole.T)
    along = values > 1e-12 * values[-1]
    turn = whole.T @ (vectors[:, along] / np.sqrt(values[along]))
    return (whole @ turn).astype(learned.dtype), (np.asarray(asked, np.float64) @ turn).astype(learned.dtype)


def _logistic(known: Prepared, learned: Array, asked: Array) -> Array:
    """Multinomial logistic regression with the penalty ½Σw²/rows, as scikit-learn's default is, by Adam."""
    present, y = np.unique(known.y, return_inverse=True)
    if len(present) == 1:
        return known.probabilities(np.ones((len(asked), 1)), present)
    rows = len(y)
    epochs = max(3, STEPS // math.ceil(rows / BATCH))
    network = Network([Dense(len(present), weight="zeros")])
    network.fit(
        learned,
        y,
        loss="cross_entropy",
        optimizer=Adam(Cosine(0.03, epochs)),
        epochs=epochs,
        batch_size=min(BATCH, rows),
        l2=1.0 / rows,
        sample_weight=known.weights,
        progress=False,
    )
    return known.probabilities(network.predict_proba(asked), present)


def _ridge(known: Prepared, learned: Array, asked: Array) -> Array:
    """Ridge regression, its penalty chosen by generalised cross-validation (Golub, Heath and Wahba 1979).

    A row that counts w is one whose numbers and error are √w as large.
    """
    X, y = np.asarray(learned, np.float64), np.asarray(known.y, np.float64)
    centre = np.average(y, weights=known.weights)
    y = y - centre
    if known.weights is not None:
        roots = np.sqrt(known.weights)
        X, y = X * roots[:, None], y * roots
    rows, columns = X.shape
    values, vectors = np.linalg.eigh(X.T @ X)
    values = np.maximum(values, 0.0)
    penalties = STRENGTHS * max(float(values.max(initial=0.0)), 1e-12)
    along = vectors.T @ (X.T @ y)
    best, weights = np.inf, np.zeros(columns)
    for penalty in penalties:
        own = vectors @ (along / (values + penalty))
        freedom = rows - 1.0 - np.sum(values / (values + penalty))
        error = np.mean((y - X @ own) ** 2) / max(freedom / rows, 1e-9) ** 2
        if error < best:
            best, weights = error, own
    return np.asarray(centre + np.asarray(asked, np.float64) @ weights)


def _boosting(known: Prepared, X: Array) -> Array:
    ensemble = load("sklearn.ensemble")
    first = known.X.shape[1] - len(known.codes)
    categories = [first + i for i, size in enumerate(known.codes) if size <= MOST_CODES] or None
    kind = ensemble.HistGradientBoostingClassifier if known.classes else ensemble.HistGradientBoostingRegressor
    if known.classes and len(present := np.unique(known.y)) == 1:
        return known.probabilities(np.ones((len(X), 1)), present)
    small = known.X.size < SMALL
    with load("threadpoolctl").threadpool_limits(1 if small else None):
        model = kind(categorical_features=categories, random_state=0).fit(known.X, known.y, known.weights)
    return (
        known.probabilities(model.predict_proba(X), model.classes_) if known.classes else np.asarray(model.predict(X))
    )


UNUSED = -2
"""The fold of rows that nothing is to learn from."""

_ALL = (
    Baseline("majority class", ("classification",), _frequencies),
    Baseline("mean", ("regression",), _mean),
    Baseline("median", ("regression",), _median),
    Baseline("linear model", ("classification", "regression"), _linear),
    Baseline("gradient boosting", ("classification", "regression"), _boosting, needs="sklearn"),
)

BASELINES = {one.name: one for one in _ALL}
"""All simpler models, by name."""


def baselines_for(task: Task, names: Collection[str] | None = None) -> tuple[Baseline, ...]:
    """The simpler models of a task whose libraries are there, or of these those that are named."""
    for name in names or ():
        if name not in BASELINES:
            raise UnknownNameError.among("simpler model", name, BASELINES)
    chosen = [one for one in _ALL if task in one.tasks and (names is None or one.name in names)]
    return tuple(one for one in chosen if not one.needs or _is_there(one.needs))


def _is_there(library: str) -> bool:
    from importlib.util import find_spec

    return find_spec(library) is not None


def on_new_rows(known: Prepared, X: Array, names: Collection[str] | None = None) -> dict[str, Array]:
    """What each simpler model, having learned from known rows, gives for others: probabilities or amounts, by its name."""
    known = known.counted
    return {one.name: one.outputs(known, X) for one in baselines_for(known.task, names)}


def out_of_fold(known: Prepared, folds: Array, names: Collection[str] | None = None) -> dict[str, Array]:
    """What each simpler model gives for the rows of a fold when it has learned from all others.

    Parameters
    ----------
    known : Prepared
        All rows.
    folds : int array of shape (rows,)
        The fold of each row; −1 for rows that are always learned from, −2 for those that never are.
    names : collection of str, optional
        Which simpler models; by default all whose libraries are there.

    Returns
    -------
    dict
        Probabilities of shape (rows, classes) or amounts of shape (rows,), by the names of the models, of the rows in folds.
    """
    found: dict[str, Array] = {}
    held = folds >= 0
    for fold in np.unique(folds[held]):
        own = folds == fold
        for name, outputs in on_new_rows(known.rows(~own & (folds != UNUSED)), known.X[own], names).items():
            whole = found.setdefault(name, np.zeros((int(held.sum()), *np.shape(outputs)[1:])))
            whole[own[held]] = outputs
    return found
