"""Folds: every row held out once, classes and amounts spread evenly, groups whole, times in order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.errors import DataError
from chainrule.tabular.learning.folds import folds, latest, unless_idle


@given(st.lists(st.integers(0, 3), min_size=10, max_size=60), st.integers(2, 5), st.integers(0, 9))
def test_classes_are_spread_evenly(labels, count, seed):
    y = np.array(labels)
    parts = folds(y, count, seed)
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(y)))
    sizes = [len(part) for part in parts]
    assert max(sizes) - min(sizes) <= 1
    for label in set(labels):
        counts = [int((y[part] == label).sum()) for part in parts]
        assert max(counts) - min(counts) <= 2
    assert all(np.array_equal(a, b) for a, b in zip(parts, folds(y, count, seed), strict=True))


@pytest.mark.parametrize("kind", [np.int64, np.float32, np.float64])
def test_rows_are_dealt_out_in_the_order_of_a_stable_sort(kind):
    y = np.random.default_rng(1).integers(-9, 9, 500).astype(kind)
    y[::3] = np.random.default_rng(2).normal(size=167).astype(kind)
    random = np.random.default_rng(4)
    shuffled = random.permutation(500)
    order = shuffled[np.argsort(y[shuffled], kind="stable")]
    part = np.argsort(random.random((125, 4)), axis=1).ravel()
    for own, found in enumerate(folds(y, 4, seed=4)):
        np.testing.assert_array_equal(found, np.sort(order[part == own]))


def test_amounts_are_spread_evenly():
    y = np.random.default_rng(0).exponential(size=1000)
    means = [y[part].mean() for part in folds(y, 5)]
    assert np.std(means) < 0.02


def test_groups_stay_together():
    groups = np.random.default_rng(1).integers(0, 12, 200)
    parts = folds(np.zeros(200), 4, groups=groups)
    held = [set(groups[part]) for part in parts]
    assert set.union(*held) == set(groups)
    assert sum(map(len, held)) == len(set(groups))
    assert max(map(len, parts)) < 2 * min(map(len, parts))


def test_too_few_rows_or_groups_are_refused():
    with pytest.raises(DataError, match="3 rows that count, too few for 5 folds"):
        folds(np.arange(3), 5)
    with pytest.raises(DataError, match="2 groups, too few for 3 folds"):
        folds(np.arange(6), 3, groups=[1, 1, 1, 2, 2, 2])


@given(st.lists(st.integers(0, 8), min_size=2, max_size=40), st.sampled_from([0.1, 0.2, 0.5]))
def test_the_latest_rows_are_later_than_all_others(times, share):
    if len(set(times)) == 1:
        with pytest.raises(DataError, match="same time"):
            latest(times, share)
        return
    try:
        earlier, later = latest(times, share)
    except DataError:
        assert sorted(times)[len(times) - max(1, round(share * len(times)))] == min(times)
        return
    order = np.array(times)
    assert order[earlier].max() < order[later].min()
    assert sorted([*earlier, *later]) == list(range(len(times)))


def test_rows_without_weight_are_spread_apart_from_those_that_count():
    y, weights = np.arange(50.0), np.zeros(50)
    weights[40:45] = 2.0  # of amounts in order they would be in few parts
    parts = folds(y, 5, weights=weights)
    assert sorted(np.concatenate(parts).tolist()) == list(range(50))
    assert [np.count_nonzero(weights[part]) for part in parts] == [1] * 5
    grouped = folds(y, 5, groups=np.arange(50) // 5, weights=np.repeat([1.0, 0.0], 25))
    assert [np.count_nonzero(part < 25) for part in grouped] == [5] * 5


@pytest.mark.parametrize(
    ("weights", "said"),
    [([1.0, 2.0, 0.0, 0.0], "all of the 2 rows whose weight is above 0 are held out together"),
     ([0.0, 0.0, 0.0, 1.0], "all of the 1 row whose weight is above 0 are learned from, and those held out have weight 0")],
)  # fmt: skip
def test_parts_where_nothing_counts_are_refused(weights, said):
    with pytest.raises(DataError, match=said):
        unless_idle(np.array(weights), [np.array([0, 1])])
