"""One prediction column by column: sums, functions whose parts are known, axioms, and what is printed."""

import json

import numpy as np
import polars as pl
import pytest
from stand_ins import model, table

import chainrule as cr
from chainrule.errors import ModelFileError, SettingError, UnknownNameError
from chainrule.notebooks import FORMS
from chainrule.tables.columns import Feature
from chainrule.tables.table import Table
from chainrule.tabular.explaining.attribution import Attribution, ColumnPart, attribute
from chainrule.tabular.explaining.average_row import AverageRow
from chainrule.tabular.explaining.paths import SmoothNetwork, integrate


@pytest.fixture(scope="module")
def models():
    return {task: model(task) for task in ("regression", "classification")}


def explained(models, task, row=3, **options):
    trained, given = models[task]
    X = trained.preparation.apply(given).X
    average = AverageRow.of(X, trained.preparation.features)
    cells = given.frame.row(row, named=True)
    return attribute(trained.network, trained.preparation, average, X[row], cells, **options), X


def test_parts_known_by_hand():
    start, end = np.array([1.0, 2.0]), np.array([3.0, 5.0])
    found = integrate(lambda x: x[:, 0] * x[:, 1], start, end)
    assert found.parts == pytest.approx([7.0, 6.0])  # ∫(2 + 3t)·2 dt and ∫(1 + 2t)·3 dt
    assert (found.start, found.end) == (2.0, 15.0)
    assert found.error < 1e-12
    linear = integrate(lambda x: x @ np.array([2.0, -3.0]), start, end)
    assert linear.parts == pytest.approx([4.0, -9.0])


def test_kinks_are_found_by_halving():
    bent = integrate(lambda x: np.maximum(x[:, 0] - 0.3137, 0.0) + np.abs(x[:, 1] - 0.7), np.zeros(2), np.ones(2))
    assert bent.parts == pytest.approx([1 - 0.3137, -0.4], abs=1e-3)
    assert bent.parts.sum() == pytest.approx(bent.end - bent.start, rel=1e-12)
    assert 0 < bent.error <= 1e-3


def test_what_jumps_is_told():
    jump = integrate(lambda x: np.where(x[:, 0] > 0.3, 1.0, 0.0) + 0.0 * x[:, 0], np.zeros(1), np.ones(1))
    assert jump.parts == pytest.approx([1.0])
    assert jump.error == pytest.approx(1.0)


def test_nothing_between_equal_points():
    same = integrate(lambda x: np.tanh(x[:, 0]), np.ones(1), np.ones(1))
    assert same.parts.tolist() == [0.0]
    assert same.error == 0.0


def test_a_network_with_vectors_in_place_of_codes_is_the_network(models):
    for trained, given in models.values():
        X = trained.preparation.apply(given).X[:20]
        smooth = SmoothNetwork(trained.network)
        points = np.stack([smooth.point(x) for x in X])
        assert np.asarray(smooth(points)) == pytest.approx(trained.network(X), abs=1e-4)
        assert set(smooth.columns) == set(range(X.shape[1]))


@pytest.mark.parametrize("terms", ["amount", "log-odds", "probability"])
def test_the_parts_add_up_to_the_difference(models, terms):
    task = "regression" if terms == "amount" else "classification"
    for row in range(4):
        found, X = explained(models, task, row, of=terms)
        assert found.total == pytest.approx(found.prediction - found.baseline, rel=1e-9, abs=1e-9)
        assert found.error <= 1e-3
        raw = models[task][0].raw(X[row][None])[0]
        p = raw if task == "regression" else raw[list(models[task][0].preparation.target.classes).index(found.label)]
        said = 1 / (1 + np.exp(-found.prediction)) if terms == "log-odds" else found.prediction
        assert said == pytest.approx(float(p), rel=1e-4)


def test_what_matters_comes_first_and_noise_last(models):
    found, _ = explained(models, "regression")
    assert {part.column for part in found.parts} == {"age", "income", "sex", "town", "months", "noise"}
    assert abs(found["age"] + found["months"]) > 5 * abs(found["noise"])
    with pytest.raises(UnknownNameError, match="'tow'"):
        found["tow"]


def test_of_two_classes_one_is_the_other_turned_round(models):
    for terms in ("log-odds", "probability"):
        dear, cheap = (explained(models, "classification", label=x, of=terms)[0] for x in ("dear", "cheap"))
        for part in dear.parts:
            assert cheap[part.column] == pytest.approx(-part.added, rel=1e-4, abs=1e-6)


def test_a_category_the_average_row_has_adds_nothing():
    network = cr.Network([cr.CategoryEmbedding((3,), 2), cr.Dense(1)]).build(2)
    smooth = SmoothNetwork(network)
    mean = smooth.point(np.array([0.5]), [[0.0, 1.0, 0.0]])
    assert mean == pytest.approx(smooth.point(np.array([0.5, 1.0])))


def test_every_form(models):
    found, _ = explained(models, "classification")
    data = json.loads(found.to("json"))
    assert sum(part["added"] for part in data["parts"]) == pytest.approx(data["prediction"] - data["baseline"])
    assert {"text/html", "text/plain"} <= set(found._repr_mimebundle_()) <= set(FORMS)
    assert "town = " in str(found)
    assert "█" in str(found)
    assert "<svg" in found.draw().svg
    assert len(list(found)) == len(found) == 6


def test_missing_values_and_labels_that_are_not_there(models):
    _, given = models["regression"]
    row = int(np.flatnonzero(given.frame["income"].is_null().to_numpy())[0])
    assert "income = missing" in str(explained(models, "regression", row)[0])
    trained, _ = models["regression"]
    X = trained.preparation.apply(given).X
    spelled = {**given.frame.row(row, named=True), "town": "NA"}  # as files have it
    told = attribute(
        trained.network, trained.preparation, AverageRow.of(X, trained.preparation.features), X[row], spelled
    )
    assert "town = missing" in str(told)
    with pytest.raises(UnknownNameError, match="no class named 'deer'"):
        explained(models, "classification", label="deer")
    with pytest.raises(SettingError, match="is an amount"):
        explained(models, "regression", label="dear")
    with pytest.raises(SettingError, match="'log-odds' or 'probability'"):
        explained(models, "classification", of="amount")


def test_the_average_row_is_kept_as_json():
    features = (Feature("a", "a", "number"), Feature("b", "b", "code", 4))
    average = AverageRow.of(np.array([[0.1, 3.0], [0.7, 0.0]], np.float32), features)
    assert AverageRow.from_json(json.loads(json.dumps(average.to_json())), features) == average
    for wrong in ({}, {"means": [1], "shares": [["x"]]}, {"means": [float("nan")], "shares": []}, 3, {"means": [1.0], "shares": []},
                  {"means": [1.0], "shares": [[1.0]]}, {"means": [], "shares": [[0.25] * 4]}):  # fmt: skip
        with pytest.raises(ModelFileError, match="average row"):
            AverageRow.from_json(wrong, features)


def test_amounts_learned_as_logarithms_add_up_too():
    given = table(300)
    skewed = Table(given.frame.select("age", "town", pl.col("price").truediv(30).exp().alias("price"), "class"))
    trained, kept = model("regression", given=skewed, epochs=10, target_scale="log")
    X = trained.preparation.apply(kept).X
    found = attribute(trained.network, trained.preparation, trained.average, X[0], kept.frame.row(0, named=True))
    assert found.prediction == pytest.approx(trained.raw(X[:1])[0], rel=1e-4)
    assert found.total == pytest.approx(found.prediction - found.baseline)


def test_of_many_columns_the_largest_are_drawn():
    parts = tuple(ColumnPart(f"c{i}", "1", 2.0**-i) for i in range(40))
    found = Attribution("y", "amount", None, 2.0, 0.0, parts, 0.0)
    assert "29 others together" in found.draw().svg
    assert "c11 =" not in found.draw().svg
    assert "c30 =" not in found.draw(most=25).svg


def test_thousands_of_columns_need_little_memory():
    import tracemalloc

    tracemalloc.start()
    wide = integrate(
        lambda x: np.sum(np.maximum(x - 0.5, 0.0), axis=1), np.zeros(20_000), np.linspace(0.0, 1.0, 20_000)
    )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 400e6
    assert wide.parts.sum() == pytest.approx(wide.end - wide.start)
