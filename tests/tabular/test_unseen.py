"""What is said of rows held out is no better for having been chosen by them."""

import numpy as np

from chainrule.tabular.problem import Problem
from chainrule.tabular.unseen import Unseen


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
