"""Epochs and recipes are chosen by the metric that is asked for, and rates go as their names say."""

import itertools

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import SettingError, UnknownNameError
from chainrule.tabular.learning.judging import Judge, check_choosing, surely_less
from chainrule.tabular.learning.problem import Problem
from chainrule.tabular.learning.rates import SCHEDULES
from chainrule.tabular.learning.unseen import Best, Unseen
from chainrule.training.metrics import METRICS, metric_for

QUICK = {
    "recipe": cr.Recipe(hidden=(8,), width=2, bins=4, dropout=0.0),
    "epochs": 6,
    "folds": 2,
    "search": False,
    "progress": False,
}
RANDOM = np.random.default_rng(0)
FRAME = {"a": RANDOM.normal(size=120), "b": RANDOM.normal(size=120)}
FRAME |= {"y": FRAME["a"] + RANDOM.normal(size=120), "label": np.where(FRAME["b"] > 0.3, "yes", "no")}


@pytest.mark.parametrize("name", [name for name, metric in METRICS.items() if metric.compares])
def test_the_weights_kept_are_those_of_the_best_epoch(name):
    metric = METRICS[name]
    X = RANDOM.normal(size=(60, 2)).astype(np.float32)
    truth = (X[:, 0] > 0).astype(int) if metric.task == "classification" else 10.0 + 3.0 * X[:, 0]
    y = truth if metric.task == "classification" else (truth - 10.0) / 3.0
    weights = RANDOM.uniform(0.5, 2.0, 60)
    restored = None if metric.task == "classification" else lambda said: 10.0 + 3.0 * said
    judge = Judge(metric, truth, weights, restored)
    problem = Problem(X, y, (), 2 if metric.task == "classification" else 0, None, judge)
    held, best, scores = np.arange(0, 60, 2), Best(problem, np.arange(0, 60, 2)), []
    network = cr.Network([cr.Dense(problem.outputs)])

    def see(end):
        said = problem.probabilities(network(X[held]))
        best.see(said, end)
        outputs = said if restored is None else restored(said)
        scores.append(metric(truth[held], outputs, weights[held]))

    settings = {"loss": problem.loss(), "optimizer": cr.SGD(2.0), "epochs": 12, "progress": False}
    history = network.fit(X, y, **settings, callbacks=[see])
    best.restore(network, history)
    said = problem.probabilities(network(X[held]))
    wanted = max(scores) if metric.greater_is_better else min(scores)
    assert metric(truth[held], said if restored is None else restored(said), weights[held]) == pytest.approx(wanted)
    assert scores[history.best_epoch] == pytest.approx(wanted)


def test_of_equal_scores_the_loss_decides():
    truth = np.array([0, 1, 0, 1])
    problem = Problem(np.zeros((4, 1), np.float32), truth, (), 2, None, Judge(METRICS["accuracy"], truth))
    sure = np.eye(2)[truth] * 0.8 + 0.1
    unsure = np.eye(2)[truth] * 0.2 + 0.4
    assert problem.badness(sure, np.arange(4)) < problem.badness(unsure, np.arange(4))
    unseen = Unseen(problem, np.arange(4), 0)
    unseen.see(unsure)
    unseen.see(sure)
    np.testing.assert_array_equal(unseen.said, sure)


def test_a_metric_that_does_not_exist_is_the_worst():
    judge = Judge(METRICS["auc"], np.zeros(5, int))
    assert judge(np.full((5, 2), 0.5), np.arange(5)) == np.inf


def test_the_error_of_a_mean_is_the_usual_one():
    better = RANDOM.normal(0.4, 1.0, 20)
    sure = better.mean() / (better.std(ddof=1) / np.sqrt(20))
    assert surely_less(lambda kept: better[kept].mean(), 20, sure - 1e-6)
    assert not surely_less(lambda kept: better[kept].mean(), 20, sure + 1e-6)
    assert not surely_less(lambda kept: 0.0, 20, 1.0)


@pytest.mark.parametrize("name", ["mae", "median_absolute_error", "rmse"])
def test_recipes_are_compared_in_the_units_of_the_table(name):
    x = np.random.default_rng(0).uniform(0.0, 8.0, 300)
    frame = {"x": x, "y": np.exp(x) * np.random.default_rng(1).uniform(0.9, 1.1, 300)}
    model = cr.TableModel(**QUICK | {"search": True, "epochs": 60, "metric": name}).fit(frame, "y")
    assert model.learned.tried[0].startswith("log scale")


def test_a_metric_decides_about_a_model():
    plain, judged = (cr.TableModel(metric=name, **QUICK).fit(FRAME, "label") for name in (None, "roc_auc"))
    again = cr.TableModel(metric="auc", **QUICK).fit(FRAME, "label")
    assert np.array_equal(judged.predict_proba(FRAME), again.predict_proba(FRAME))
    assert (plain.settings["chosen by"], judged.settings["chosen by"]) == ("loss", "AUC")
    with pytest.raises(UnknownNameError, match="no metric of classification named 'mae'"):
        cr.TableModel(metric="mae", **QUICK).fit(FRAME, "label")
    for name in ("mean_error", "auroc"):
        with pytest.raises(UnknownNameError, match=f"no metric to choose by named '{name}'"):
            cr.TableModel(metric=name)


@pytest.mark.parametrize("name", [other for metric in METRICS.values() for other in metric.known_as])
def test_scikit_learns_names(name):
    from sklearn.metrics import get_scorer_names

    check_choosing(name)
    assert name in get_scorer_names() or f"neg_{name}" in get_scorer_names()
    (task,) = (metric.task for metric in METRICS.values() if name in metric.known_as)
    assert metric_for(task, name) is next(metric for metric in METRICS.values() if name in metric.known_as)


@pytest.mark.parametrize("name", SCHEDULES)
def test_rates_go_as_their_names_say(name):
    recipe = cr.Recipe(hidden=(4,), schedule=name, learning_rate=0.01)
    model = cr.TableModel(**QUICK | {"recipe": recipe, "epochs": 40, "folds": 1}).fit(FRAME, "y")
    rates = model.learned.histories[0]["learning_rate"]
    shape = recipe.optimizer(40).learning_rate(np.arange(1, 41) - 0.25) if name != "plateau" else rates
    assert max(rates) <= 0.01 * (1 + 1e-6)
    assert min(rates) >= 0.0
    np.testing.assert_allclose(rates, shape, rtol=0.3, atol=5e-4)
    rising = [b > a for a, b in itertools.pairwise(rates)]
    assert any(rising) == (name == "warm-up")
    assert (rates[-1] < 0.006) == (name != "constant")


def test_a_penalty_on_squares_makes_weights_smaller():
    sizes = []
    for l2 in (0.0, 0.3):
        recipe = cr.Recipe(hidden=(8,), l2=l2, dropout=0.0)
        model = cr.TableModel(**QUICK | {"recipe": recipe, "epochs": 30, "folds": 1}).fit(FRAME, "y")
        sizes.append(sum(np.square(x["weight"]).sum() for x in model.network.parameters.values() if "weight" in x))
    assert sizes[1] < 0.7 * sizes[0]


def test_recipes_that_are_none():
    with pytest.raises(UnknownNameError, match="no schedule named 'cosin'"):
        cr.Recipe(schedule="cosin")
    with pytest.raises(SettingError, match="l2"):
        cr.Recipe(l2=-1.0)
