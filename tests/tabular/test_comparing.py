"""A simpler model that is clearly better is told, and one that may be so by chance is not."""

import numpy as np
import pytest

from chainrule.tabular.scoring.comparing import beaten_by, remarks_beside
from chainrule.tabular.scoring.scores import Scores


def probabilities(wrong, rows=40):
    """Of two classes, all rows of the first one, so many of them taken for the other."""
    first = np.where(np.arange(rows) < wrong, 0.2, 0.8)
    return np.stack([first, 1 - first], axis=1)


@pytest.mark.parametrize(("own", "other", "told"), [(25, 1, True), (4, 3, False), (3, 3, False), (1, 25, False)])
def test_a_simpler_model_is_told_where_it_is_clearly_better(own, other, told):
    scores = Scores(np.zeros(40, int), probabilities(own), ("a", "b"), beside={"linear model": probabilities(other)})
    assert beaten_by(scores) == ("linear model" if told else None)
    assert [text.split(";")[0] for text in remarks_beside(scores)] == [
        "on the same rows the linear model is clearly better: accuracy 0.975, not 0.375"
    ] * told


def test_of_several_the_best_is_told_and_rows_count_by_their_weights():
    truth, random = np.arange(60.0), np.random.default_rng(0)
    far, near = truth + random.normal(0, 9, 60), truth + random.normal(0, 1, 60)
    beside = {"mean": np.full(60, truth.mean()), "linear model": near}
    assert beaten_by(Scores(truth, far + 30, beside=beside)) == "linear model"
    only = (np.arange(60) < 5).astype(float)
    own = np.where(only > 0, truth, far + 30)
    assert beaten_by(Scores(truth, own, weights=only, beside=beside)) is None
