"""What probabilities are worth beyond the likeliest class: how far they are met, and where to cut between two classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.training.metrics import Array, predicted, share

BINS = 10


@dataclass(frozen=True)
class Bin:
    """Rows whose probability lies in one tenth: its ends, their weight, their mean probability, and the share that came true."""

    low: float
    high: float
    weight: float
    probability: float
    share: float


@dataclass(frozen=True)
class Calibration:
    """How far probabilities are met: Σ over tenths of weight · |mean probability − share that came true| (Guo and others 2017).

    Attributes
    ----------
    error : float
        The expected calibration error, 0 where every probability is met.
    bins : tuple of Bin
        Tenths of the probability that have rows.
    of : str
        What the probability is of: the second of two classes, or the class that was predicted.
    """

    error: float
    bins: tuple[Bin, ...]
    of: str


def calibration(truth: Array, probabilities: Array, weights: Array, classes: tuple[Any, ...]) -> Calibration:
    """The calibration of the second of two classes, or of the predicted one of several."""
    if len(classes) == 2:
        certain, met, of = probabilities[:, 1], truth == 1, str(classes[1])
    else:
        found = predicted(probabilities)
        certain, met, of = np.take_along_axis(probabilities, found[:, None], 1)[:, 0], found == truth, "predicted class"
    certain = np.asarray(certain, np.float64)
    place = np.clip((certain * BINS).astype(np.intp), 0, BINS - 1)
    weight = np.bincount(place, weights, BINS)
    mean, share_met = (share(np.bincount(place, weights * x, BINS), weight) for x in (certain, met))
    bins = tuple(
        Bin(i / BINS, (i + 1) / BINS, float(weight[i]), float(mean[i]), float(share_met[i]))
        for i in range(BINS)
        if weight[i] > 0
    )
    total = sum(b.weight for b in bins)
    return Calibration(float(sum(b.weight * abs(b.probability - b.share) for b in bins) / total), bins, of)


@dataclass(frozen=True)
class Cut:
    """What comes of calling every row the second class whose probability is at least `threshold`."""

    threshold: float
    accuracy: float
    precision: float
    recall: float
    f1: float


def cuts(positive: Array, probabilities: Array, weights: Array) -> tuple[NDArray[np.float64], dict[str, Array]]:
    """All thresholds that tell rows apart, least first, and what comes of each: accuracy, precision, recall, F1.

    A threshold lies in the middle between two probabilities that occur; the first takes every row, the last none.
    """
    levels, place = np.unique(np.asarray(probabilities, np.float64), return_inverse=True)
    own = np.bincount(place, weights * positive, len(levels))
    others = np.bincount(place, weights * ~np.asarray(positive, bool), len(levels))
    hits = np.append(np.cumsum(own[::-1])[::-1], 0.0)
    false = np.append(np.cumsum(others[::-1])[::-1], 0.0)
    middles = 0.5 * (levels[1:] + levels[:-1])
    thresholds = np.concatenate([[0.0], middles, [np.nextafter(max(1.0, levels[-1]), 2.0)]])
    return thresholds, {
        "accuracy": (hits + others.sum() - false) / (own.sum() + others.sum()),
        "precision": share(hits, hits + false),
        "recall": share(hits, np.full_like(hits, own.sum())),
        "f1": share(2.0 * hits, hits + false + own.sum()),
    }


def cut_at(threshold: float, positive: Array, probabilities: Array, weights: Array) -> Cut:
    """What comes of one threshold."""
    taken = np.asarray(probabilities) >= threshold
    hits, all_taken, all_positive = (float(np.sum(weights * x)) for x in (taken & positive, taken, positive))
    right = float(np.sum(weights * (taken == positive)) / np.sum(weights))
    precision, recall = float(share(hits, all_taken)), float(share(hits, all_positive))
    return Cut(float(threshold), right, precision, recall, float(share(2.0 * hits, all_taken + all_positive)))


def best_cut(by: str, positive: Array, probabilities: Array, weights: Array) -> Cut:
    """The cut with the greatest accuracy or F1; of equal ones that nearest to 0.5."""
    thresholds, found = cuts(positive, probabilities, weights)
    values = np.nan_to_num(found[by], nan=-1.0)
    best = np.flatnonzero(values >= values.max() - 1e-12)
    place = best[np.argmin(np.abs(thresholds[best] - 0.5))]
    return cut_at(float(thresholds[place]), positive, probabilities, weights)
