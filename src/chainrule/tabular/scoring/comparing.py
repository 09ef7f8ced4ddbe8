"""Which simpler models are clearly better than the one they are shown beside."""

from __future__ import annotations

import numpy as np

from chainrule.tabular.amounts import amount
from chainrule.tabular.scoring.scores import Scores
from chainrule.training.metrics import metric_for, predicted

CLEARLY = 2.0
"""By how many standard errors of the difference, row by row."""


def beaten_by(scores: Scores) -> str | None:
    """The best of the simpler models that are clearly better on the same rows: more often right, or with smaller squared errors.

    Examples
    --------
    >>> truth = np.arange(8.0)
    >>> beaten_by(Scores(truth, truth + [2, 1, 2, 1, 2, 1, 2, 1], beside={"linear model": truth, "mean": np.full(8, 3.5)}))
    'linear model'
    """
    chosen = metric_for(scores.task)
    better = [name for name, outputs in scores.beside.items() if _clearly(scores, outputs)]
    return max(better, key=lambda name: scores.others[name][chosen.name]) if better else None


def remarks_beside(scores: Scores) -> tuple[str, ...]:
    """A remark on a simpler model that is clearly better, or none.

    Examples
    --------
    >>> truth = np.arange(8.0)
    >>> print(*remarks_beside(Scores(truth, truth + [2, 1, 2, 1, 2, 1, 2, 1], beside={"linear model": truth})))
    on the same rows the linear model is clearly better: R² 1, not 0.5238; use that, or give the training more time
    """
    name = beaten_by(scores)
    if name is None:
        return ()
    chosen = metric_for(scores.task)
    theirs, own = (amount(x[chosen.name], 4) for x in (scores.others[name], scores.metrics))
    return (
        f"on the same rows the {name} is clearly better: {chosen.title} {theirs}, not {own}; use that, or give the training more "
        "time",
    )


def _clearly(scores: Scores, outputs: np.ndarray) -> bool:
    """Whether these outputs are better by so many standard errors of the mean difference."""
    truth, weights = scores.truth, scores.counted / scores.counted.sum()
    if scores.classes:
        own, other = (predicted(x) != truth for x in (scores.outputs, outputs))
    else:
        own, other = (np.square(np.asarray(x, np.float64) - truth) for x in (scores.outputs, outputs))
    difference = own.astype(np.float64) - other.astype(np.float64)
    mean = float(np.sum(weights * difference))
    error = float(np.sqrt(np.sum(np.square(weights * (difference - mean)))))
    return mean > 0.0 and mean > CLEARLY * error
