"""Small tables, and what stands for a trained model of them."""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import polars as pl

import chainrule as cr
from chainrule.tables.preparing.preparation import Preparation
from chainrule.tables.table import Table
from chainrule.tabular.explaining.average_row import AverageRow
from chainrule.tabular.explaining.predictors import predictors_of
from chainrule.tabular.scoring.scores import Scores

TOWNS = ["Rome", "Oslo", "Lima", "Bonn", "Kiel", "Bath", "Nice", "Riga", "Baku", "Doha", "Graz", "Jena", "Lund", "Pisa"]


def table(rows=400, seed=0):
    """Numbers, one of them twice and one with gaps, a few categories, many categories, and both kinds of target."""
    random = np.random.default_rng(seed)
    age, income = random.uniform(18, 90, rows), random.lognormal(3, 1, rows)
    sex, town = random.choice(["f", "m"], rows), random.choice(TOWNS, rows)
    effect = np.array([TOWNS.index(x) for x in town]) * 3.0
    price = 2.0 * age + 20.0 * (sex == "m") + effect + random.normal(size=rows) * 4
    gaps = np.where(random.uniform(size=rows) < 0.1, np.nan, income)
    columns = {
        "age": age,
        "income": pl.Series(gaps).fill_nan(None),
        "sex": sex,
        "town": town,
        "months": 12.0 * age + random.normal(size=rows) * 0.01,
        "noise": random.normal(size=rows),
        "price": price,
        "class": np.where(price > np.median(price), "dear", "cheap"),
    }
    return Table(pl.DataFrame(columns))


@dataclass
class Model:
    """What a table's model has, as far as scores, importance and reports ask for it."""

    preparation: Preparation
    network: cr.Network
    average: AverageRow
    predictors: list
    settings: dict
    out_of_fold: SimpleNamespace | None = None
    scores: Scores | None = None
    weights: np.ndarray | None = None
    remarks: tuple[str, ...] = ()

    def raw(self, X):
        outputs = np.asarray(self.network(X), np.float64)
        if self.preparation.target.task == "regression":
            return self.preparation.target.in_use.restored(outputs[:, 0])
        e = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def evaluate(self, given):
        inputs, y = self.preparation.apply_with_target(given)
        target = self.preparation.target
        truth = y if target.classes else target.restored(y)
        return Scores(truth, self.raw(inputs.X), target.classes, target=target.name)


def layers(preparation, width=24):
    """Embeddings of codes, two hidden layers, and an output for each class or one for amounts."""
    target, sizes = preparation.target, tuple(x.size for x in preparation.features if x.kind == "code")
    embedding = [cr.CategoryEmbedding(sizes, widths=3)] if sizes else []
    outputs = len(target.classes) or 1
    return [*embedding, cr.Dense(width, "relu"), cr.Dense(width, "relu"), cr.Dense(outputs)]


def model(task="regression", rows=400, epochs=30, given=None, folds=0, **options):
    """A model of such a table, and the table; with folds it has scores of rows that its networks had not seen."""
    target, other = ("price", "class") if task == "regression" else ("class", "price")
    given = table(rows) if given is None else given
    given = given.without([other])
    preparation = Preparation.learn(given, target, **options)
    inputs, y = preparation.apply_with_target(given)
    loss = "squared_error" if task == "regression" else "cross_entropy"

    def trained(chosen):
        network = cr.Network(layers(preparation)).build(inputs.X.shape[1])
        network.fit(inputs.X[chosen], y[chosen], loss=loss, epochs=epochs, optimizer=cr.Adam(0.01), progress=False)
        return network

    fold, classes = np.arange(len(y)) % max(folds, 1), preparation.target.classes
    networks = tuple(trained(fold != k) for k in range(folds))
    average = AverageRow.of(inputs.X, preparation.features)
    predictors = predictors_of(networks, [np.flatnonzero(fold == k) for k in range(folds)], preparation.target)
    made = Model(preparation, trained(fold >= 0), average, predictors, {"recipe": "<tt>"})
    if folds:
        made.out_of_fold = SimpleNamespace(rows=np.arange(len(y)), fold=fold, unused=np.arange(0))
        outputs = np.zeros((len(y), len(classes)) if classes else len(y))
        for one in predictors:
            outputs[one.rows] = one.raw(inputs.X[one.rows])
        truth = y if classes else preparation.target.restored(y)
        made.scores = Scores(truth, outputs, classes, folds=fold, target=target)
    return made, given
