"""Which recipe a table gets: what is tried, on what, and what is taken of it."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import SettingError
from chainrule.tables import Preparation, Table, as_table, rescaled
from chainrule.tabular.learning.problem import Problem
from chainrule.tabular.learning.search import AS_USUAL, Candidate, Rescaled, changes, searched

QUICK: dict[str, Any] = {
    "seconds": None,
    "folds": 2,
    "epochs": 30,
    "progress": False,
    "recipe": cr.Recipe(hidden=(16,), batch_size=32),
}
RANDOM = np.random.default_rng(0)
ROWS = 300
FAR = np.exp(3.0 * RANDOM.normal(size=ROWS))
"""Most of these are so near to each other beside the far ones that no robust scale tells them apart from the far ones' side."""


def first_of(frame: dict[str, Any], target: str = "y") -> tuple[Candidate, Table]:
    table = as_table(frame)
    preparation, inputs, truth = Preparation.learn_and_apply(table, target)
    y = preparation.target.scaled(truth)
    problem = Problem(inputs.X, y, preparation.features, len(preparation.target.classes))
    return Candidate(AS_USUAL, cr.Recipe(hidden=(8,)).for_rows(len(y)), problem, preparation), table


def test_each_change_is_made_on_the_best_so_far():
    first, table = first_of({"x": FAR, "y": FAR})
    other = rescaled(first.preparation, table, "quantile")
    scaled = Rescaled("normal scores", other, other.apply(table).X)
    found = first
    for change in changes(first, [scaled]):
        found = change(found)
    assert found.name == "log scale, smoother, waves, normal scores"
    assert found.preparation.target.scale == "log"
    assert found.preparation.columns == other.columns
    np.testing.assert_allclose(found.preparation.target.restored(found.problem.y), FAR, rtol=1e-5, atol=1e-5)
    assert found.problem.X is scaled.X


FOLDS = 5


def tried(
    errors: dict[str, list[float]], *, ends_at: str = "", goes_on: int = 99, weights: Any = None
) -> tuple[Any, list[tuple[str, int]]]:
    """A search among options that are wrong by so much in each fold, and the networks that it asks for."""
    y = np.arange(10.0 * FOLDS)
    table = as_table({"x": y, "y": y})
    preparation = Preparation.learn_and_apply(table, "y", target_scale="plain")[0]
    problem = Problem(y[:, None], preparation.target.scaled(y), (), weights=weights)
    usual = Candidate(AS_USUAL, cr.Recipe(), problem, preparation)
    asked = []

    def trained(candidate: Candidate, folds: range) -> list[Any]:
        made = []
        for fold in folds:
            asked.append((candidate.name, fold))
            held = np.arange(10 * fold, 10 * fold + 10)
            wrong = errors[candidate.name][fold] * (1 + 0.1 * np.cos(held))
            said = preparation.target.scaled(y[held] + wrong)
            made.append(SimpleNamespace(said=said, assignment=SimpleNamespace(held=held)))
        return made[:-1] if candidate.name == ends_at else made

    options = [lambda given, name=name: replace(given, name=name) for name in errors if name != AS_USUAL]
    return searched(usual, options, FOLDS, trained, lambda number: number < goes_on), asked


def folds_of(name: str, asked: list[tuple[str, int]]) -> list[int]:
    return [fold for own, fold in asked if own == name]


def test_what_is_not_better_on_the_first_folds_is_not_tried_on_the_others():
    hardly = [0.6, 1.25, 0.1, 0.1, 0.1]
    found, asked = tried(
        {AS_USUAL: [1.0] * 5, "worse": [2.0, 2.0, 0.1, 0.1, 0.1], "hardly": hardly, "better": [0.5] * 5}
    )
    assert folds_of("hardly", asked) == [0, 1]
    assert folds_of("worse", asked) == [0, 1]
    assert folds_of("better", asked) == [0, 1, 2, 3, 4]
    assert found[0].name == "better"
    assert len(found[1]) == 5
    assert found[2] == ("better", AS_USUAL, "worse", "hardly")


def test_what_is_not_surely_better_on_all_folds_is_not_taken():
    found, asked = tried({AS_USUAL: [1.0] * 5, "lucky": [0.9, 0.9, 0.9, 0.5, 1.7]})
    assert folds_of("lucky", asked) == [0, 1, 2, 3, 4]
    assert found[0].name == AS_USUAL
    assert found[2] == (AS_USUAL, "lucky")


def test_a_row_says_which_is_better_as_much_as_it_counts():
    errors = {AS_USUAL: [1.0] * 5, "other": [0.5, 0.5, 0.5, 2.0, 2.0]}
    assert tried(errors)[0][0].name == AS_USUAL
    counted = np.repeat([1.0, 1.0, 1.0, 0.0, 0.01], 10)
    assert tried(errors, weights=counted)[0][0].name == "other"
    assert tried(errors, weights=np.repeat([1.0, 1.0, 1.0, 9.0, 9.0], 10))[0][0].name == AS_USUAL


@pytest.mark.parametrize("how", [{"ends_at": "better"}, {"goes_on": 0}])
def test_what_is_not_done_in_time_is_not_taken(how):
    found, asked = tried({AS_USUAL: [1.0] * 5, "better": [0.5] * 5, "best": [0.1] * 5}, **how)
    assert found[0].name == AS_USUAL
    assert found[2] == (AS_USUAL,)
    assert not folds_of("best", asked)


def test_where_the_first_recipe_is_not_done_in_time_it_is_taken():
    found, asked = tried({AS_USUAL: [1.0] * 5, "better": [0.5] * 5}, ends_at=AS_USUAL)
    assert len(found[1]) == 4
    assert not folds_of("better", asked)


def test_where_there_are_no_numbers_networks_are_kept_from_learning_by_heart():
    first, _ = first_of({"x": [f"c{i % 3}" for i in range(40)], "y": ["a", "b"] * 20})
    (change,) = changes(first)
    assert change(first).name == "smoother"
    assert change(first).recipe.dropout > first.recipe.dropout


def test_waves_are_learned_ones_in_place_of_curves():
    first, _ = first_of({"x": FAR, "z": FAR[::-1], "y": FAR})
    with_waves = changes(first)[2](first)
    layers = with_waves.recipe.layers(first.preparation.features, first.problem.X, 1)
    assert [type(layer) for layer in layers if "Embedding" in type(layer).__name__] == [cr.PeriodicEmbedding]
    assert layers[0].columns == 2


@pytest.mark.parametrize("scaling", ["robust", "quantile"])
def test_a_scaling_that_is_asked_for_is_the_one_of_the_model(scaling, tmp_path):
    frame = {"x": FAR, "z": FAR[::-1], "y": np.log(FAR) + 0.1 * RANDOM.normal(size=ROWS)}
    other = {"robust": "quantile", "quantile": "robust"}[scaling]
    model = cr.TableModel(scaling=scaling, columns={"z": f"number:{other}"}, search=False, **QUICK).fit(frame, "y")
    scaled = {column.name: bool(column.knots) for column in model.preparation.columns}
    assert scaled == {"x": scaling == "quantile", "z": scaling == "robust"}
    model.save(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(cr.load(tmp_path / "model.safetensors").predict(frame), model.predict(frame))


def test_scales_are_chosen_by_rows_held_out(tmp_path):
    """A sharp change among numbers that one robust scale puts on top of each other; a column that was asked for stays."""
    x = np.where(RANDOM.random(ROWS) < 0.4, 1e4 * (1 + RANDOM.random(ROWS)), RANDOM.random(ROWS))
    order = np.argsort(np.argsort(x)) / ROWS
    frame = {"x": x, "kept": x[::-1].copy(), "y": np.sin(6 * order)}
    settings = QUICK | {"epochs": 60, "recipe": cr.Recipe(hidden=(32,), batch_size=32, width=0)}
    model = cr.TableModel(columns={"kept": "number:robust"}, **settings).fit(frame, "y")
    assert "normal scores" in model.learned.tried[0]
    scaled = {column.name: bool(column.knots) for column in model.preparation.columns}
    assert scaled == {"x": True, "kept": False}
    robust = cr.TableModel(scaling="robust", **settings).fit(frame, "y")
    assert model.scores["rmse"] < 0.8 * robust.scores["rmse"]
    assert not any("normal scores" in name for name in robust.learned.tried)
    np.testing.assert_array_equal(model.learned.X, model.inputs(frame).X)
    model.save(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(cr.load(tmp_path / "model.safetensors").predict(frame), model.predict(frame))


def test_rows_that_are_dropped_teach_no_scale():
    gap = FAR.copy()
    gap[::5] = np.nan
    frame = {"x": FAR, "gap": gap, "y": np.log(FAR)}
    model = cr.TableModel(missing="drop", **QUICK).fit(frame, "y")
    assert len(model.learned.X) == np.isfinite(gap).sum()
    np.testing.assert_array_equal(model.learned.X, model.inputs({k: v[np.isfinite(gap)] for k, v in frame.items()}).X)


def test_members_that_share_a_weight_are_one_model(tmp_path):
    frame = {"x": FAR, "town": RANDOM.choice(["Rome", "Oslo"], ROWS), "y": (np.log(FAR) > 0).astype(str)}
    recipe = cr.Recipe(hidden=(16,), batch_size=32, members=3)
    model = cr.TableModel(**QUICK | {"recipe": recipe, "search": False}).fit(frame, "y")
    np.testing.assert_allclose(model.predict_proba(frame).sum(axis=1), 1.0, rtol=1e-6)
    assert model.scores["accuracy"] > 0.9
    assert model.explain({"x": 3.0, "town": "Rome"}) is not None
    model.save(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(
        cr.load(tmp_path / "model.safetensors").predict_proba(frame), model.predict_proba(frame)
    )


def test_a_scaling_that_is_none():
    with pytest.raises(SettingError, match=r"scaling='log'.*quantile"):
        cr.TableModel(scaling="log")  # type: ignore[arg-type]
