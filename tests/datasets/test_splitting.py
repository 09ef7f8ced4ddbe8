"""The split: disjoint, complete, repeatable, and fair to every label."""

import numpy as np
import pytest

from chainrule.datasets import digits, split, split_rows
from chainrule.errors import DataError, SettingError


@pytest.mark.parametrize("test", [0.01, 0.2, 0.5, 0.9])
@pytest.mark.parametrize("stratify", [True, False])
def test_every_row_is_in_exactly_one_part(test, stratify):
    y = digits().y
    train, kept = split_rows(y, test, seed=1, stratify=stratify)
    assert sorted([*train, *kept]) == list(range(len(y)))
    assert len(kept) == round(test * len(y))


def test_every_label_keeps_its_share():
    y = np.array(["common"] * 90 + ["rare"] * 10)
    _, _, y_train, y_test = split(np.arange(100), y, test=0.2)
    assert (y_test == "rare").sum() == 2
    assert (y_train == "rare").sum() == 8


def test_a_label_with_one_row_is_learned_from():
    y = ["a"] * 10 + ["b"] * 10 + ["once"]
    for seed in range(5):
        train, _ = split_rows(y, test=0.5, seed=seed)
        assert 20 in train


def test_the_seed_decides():
    X = np.arange(50)
    assert np.array_equal(split(X, X, seed=3).X_test, split(X, X, seed=3).X_test)
    assert not np.array_equal(split(X, X, seed=3, stratify=False).X_test, split(X, X, seed=4, stratify=False).X_test)


def test_rows_stay_together():
    X_train, X_test, y_train, y_test = split(np.arange(20.0), np.arange(20.0) * 2)
    np.testing.assert_array_equal(X_train * 2, y_train)
    np.testing.assert_array_equal(X_test * 2, y_test)


def test_bad_arguments_say_what_to_do():
    with pytest.raises(SettingError, match=r"test=1\.5; .* between 0 and 1"):
        split(np.zeros(4), np.zeros(4), test=1.5)
    with pytest.raises(DataError, match=r"\(3, 2\) and y of shape \(4,\)"):
        split(np.zeros((3, 2)), np.zeros(4))
    with pytest.raises(DataError, match="1 row; two parts need at least 2"):
        split(np.zeros(1), np.zeros(1))
    with pytest.raises(DataError, match="one label per row"):
        split(np.zeros((4, 1)), np.zeros((4, 2)), stratify=True)
    with pytest.raises(DataError, match=r"a different label in every row; .* stratify=False"):
        split(np.zeros(3), ["a", "b", "c"], stratify=True)
