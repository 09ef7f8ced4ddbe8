"""What is said of rows held out is no better for having been chosen by them."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.tables import as_table
from chainrule.tabular.learning import looks
from chainrule.tabular.learning.problem import Problem
from chainrule.tabular.learning.unseen import Unseen


def test_guesses_are_not_chosen_by_the_rows_they_are_of():
    """Of 50 epochs of guesses the best ones on these rows err less than a guess; those that are told do not."""
    random = np.random.default_rng(0)
    told, chosen, usual = [], [], []
    for seed in range(200):
        y = random.normal(size=40)
        unseen = Unseen(Problem(np.zeros((40, 1), np.float32), y, ()), np.arange(40), seed)
        guesses = random.normal(size=(50, 40))
        for guess in guesses:
            unseen.see(guess)
        errors = np.square(guesses - y).mean(axis=1)
        told.append(np.square(unseen.said - y).mean())
        chosen.append(errors.min())
        usual.append(errors.mean())
    error = np.std(told) / np.sqrt(len(told))
    assert abs(np.mean(told) - np.mean(usual)) < 3 * error
    assert np.mean(chosen) < np.mean(usual) - 10 * error


def test_every_row_is_told_of_also_of_one_alone():
    for rows in (1, 2, 3):
        y = np.arange(rows, dtype=float)
        unseen = Unseen(Problem(np.zeros((rows, 1), np.float32), y, ()), np.arange(rows), 0)
        unseen.see(y + 2.0)
        unseen.see(y + 1.0)
        assert unseen.said.shape == (rows,)
        assert set(np.round(unseen.said - y, 9)) <= {1.0, 2.0}


@pytest.mark.parametrize("weighted", [False, True])
def test_a_network_is_kept_as_it_was_when_it_was_best_on_the_rows_held_out(weighted):
    """The least loss of its history is that of the weights it has, by the weights of the rows."""
    random = np.random.default_rng(0)
    x = random.normal(size=200)
    frame = {"x": x, "y": np.where(x + random.normal(size=200) > 0, "more", "less")}
    weights = random.uniform(0.1, 3.0, 200) if weighted else None
    model = cr.TableModel(folds=2, epochs=30, search=False, progress=False, seconds=None).fit(
        frame, "y", weights=weights
    )
    inputs, y = model.preparation.apply_with_target(as_table(frame))
    for member in model.learned.members:
        held = member.assignment.held
        said = member.network.predict_proba(inputs.X[held])[np.arange(len(held)), y[held]]
        own = np.average(-np.log(said), weights=None if weights is None else weights[held])
        assert min(member.history["val_loss"]) == pytest.approx(own, rel=1e-5)
        assert member.history.best_epoch == int(np.argmin(member.history["val_loss"]))


def test_a_metric_has_a_number_for_every_epoch():
    history = cr.Network([cr.Dense(1)]).fit([[1.0], [2.0]], [1.0, 2.0], epochs=2, progress=False)
    history.add("val_loss", [0.5, 0.25])
    assert history["val_loss"] == [0.5, 0.25]
    assert history.copy() == history
    with pytest.raises(cr.errors.ShapeError, match="each of 2 epochs"):
        history.add("val_loss", [0.5])


def test_threads_give_the_same_bits(monkeypatch):
    monkeypatch.setattr(looks, "MANY", 500)
    x = np.random.default_rng(0).normal(size=6000)
    said = [
        cr.TableModel(folds=1, epochs=2, search=False, progress=False, threads=threads, seed=3)
        .fit({"x": x, "z": x**2, "y": np.sin(3 * x)}, "y")
        .out_of_fold.said
        for threads in (1, 2, 3)
    ]
    assert np.array_equal(said[0], said[1])
    assert np.array_equal(said[0], said[2])
