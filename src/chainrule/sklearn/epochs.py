"""What scikit-learn's estimators do after every epoch: loss curves, scores, stopping, falling learning rates."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chainrule.sklearn.callbacks import Told
from chainrule.training import EpochEnd
from chainrule.training.between_epochs.callbacks import reason_of

LOWER = "the learning rate is lowered"
"""Why a run ends that another one follows."""


@dataclass
class Watch:
    """What one fit hands to the next that goes on from it: epochs without improvement, and the learning rate."""

    adaptive: bool = False
    without_improvement: int = 0
    rate: float = 0.0


class Epochs:
    """The epochs of one fit, noted in the estimator's public attributes.

    `take` makes parameters the estimator's, and `judge`, if there are rows to score on, gives their loss and score. Where
    neither scores nor callbacks need the parameters after every epoch, only metrics are looked at, and many epochs run in
    one call.
    """

    def __init__(
        self,
        estimator: Any,
        watch: Watch,
        rows: int,
        take: Callable[[Any], None],
        judge: Callable[[], tuple[float, float]] | None,
        told: Told,
    ) -> None:
        self._estimator, self._watch, self._rows = estimator, watch, rows
        self._take, self._judge, self._told = take, judge, told
        given = estimator.callbacks
        self._callbacks = [] if given is None else [given] if callable(given) else list(given)
        self.best: Any = None

    def settings(self) -> dict[str, Any]:
        """How a training run is to ask for judgement."""
        if self._judge is None and not self._callbacks and not self._told.listening:
            return {"stop": self}
        return {"callbacks": [self._end]}

    @property
    def ahead(self) -> float:
        """Epochs until training can end: so many must yet go by without improvement."""
        return float(self._estimator.n_iter_no_change - self._watch.without_improvement + 1)

    def _end(self, end: EpochEnd) -> str | None:
        estimator = self._estimator
        self._take(estimator.network_.parameters)
        score = None
        if self._judge is not None:
            loss, score = self._judge()
            estimator.validation_loss_curve_.append(loss)
            estimator.validation_scores_.append(score)
        reason = self(end.epoch, end.metrics, score)
        for callback in self._callbacks:
            reason = reason_of(callback(dataclasses.replace(end, epoch=estimator.n_iter_ - 1))) or reason
        if self._told.epoch_ends():
            reason = "stopped by a callback"
        elif reason in (None, LOWER) and estimator.n_iter_ < estimator.max_iter:
            self._told.epoch_begins()
        return reason

    def __call__(self, epoch: int, metrics: Mapping[str, float], score: float | None = None) -> str | None:
        """Note an epoch; says why it is the last, if it is."""
        estimator = self._estimator
        estimator.n_iter_ += 1
        estimator.t_ += self._rows
        estimator.loss_ = metrics["loss"]
        estimator.loss_curve_.append(estimator.loss_)
        if estimator.verbose:
            print(f"Iteration {estimator.n_iter_}, loss = {estimator.loss_:.8f}")
            if score is not None:
                print(f"Validation score: {score:f}")
        if score is not None:
            self._see_score(score)
        if not estimator.early_stopping:
            self._count(estimator.loss_ > estimator.best_loss_ - estimator.tol)
            estimator.best_loss_ = min(estimator.best_loss_, estimator.loss_)
        if self._watch.without_improvement > estimator.n_iter_no_change:
            return self._no_change()
        return None

    def _see_score(self, score: float) -> None:
        estimator = self._estimator
        best = estimator.best_validation_score_
        if estimator.early_stopping:
            self._count(score < best + estimator.tol)
        if score > best:
            estimator.best_validation_score_ = score
            if estimator.early_stopping:
                self.best = estimator.network_.parameters

    def _count(self, without_improvement: bool) -> None:
        self._watch.without_improvement = self._watch.without_improvement + 1 if without_improvement else 0

    def _no_change(self) -> str:
        estimator, watch = self._estimator, self._watch
        what = "Validation score" if estimator.early_stopping else "Training loss"
        message = f"{what} did not improve more than tol={estimator.tol:f} for {estimator.n_iter_no_change} consecutive epochs."
        if not watch.adaptive:
            reason, said = message, " Stopping."
        elif watch.rate <= 1e-6:
            reason, said = message, " Learning rate too small. Stopping."
        else:
            watch.rate /= 5.0
            watch.without_improvement = 0
            reason, said = LOWER, f" Setting learning rate to {watch.rate:f}"
        if estimator.verbose:
            print(message + said)
        return reason
