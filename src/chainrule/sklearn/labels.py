"""Class labels: checked, turned into what a loss wants, weighed and scored as scikit-learn does."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import column_or_1d
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import unique_labels
from sklearn.utils.validation import validate_data

from chainrule.sklearn.fitted import dense_rows
from chainrule.sklearn.losses import BinaryLogLoss, LogLoss
from chainrule.sklearn.multilayer import BaseMultilayerPerceptron
from chainrule.training import Loss, as_loss


class LabelledPerceptron(BaseMultilayerPerceptron):
    """A multilayer perceptron whose targets are labels: one for each row, or several at once."""

    def _validated(self, X: Any, y: Any, incremental: bool, reset: bool) -> tuple[Any, Any]:
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse=["csr", "csc"],
            multi_output=True,
            dtype=(np.float64, np.float32),
            reset=reset,
        )
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if not hasattr(self, "classes_") or not (self.warm_start or incremental):
            self._label_binarizer = LabelBinarizer().fit(y)
            self.classes_ = self._label_binarizer.classes_
            return X, y
        classes = unique_labels(y)
        if self.warm_start:
            if set(classes) != set(self.classes_):
                raise ValueError(
                    "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                    f"Previously got {self.classes_}, `y` has {classes}"
                )
        elif len(np.setdiff1d(classes, self.classes_, assume_unique=True)):
            raise ValueError(
                f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes_}. 'y' has {classes}."
            )
        return X, y

    def _objective_of(self, y: Any) -> tuple[Loss, int]:
        kind, count = self._label_binarizer.y_type_, len(self.classes_)
        several = kind.startswith("multilabel")
        self._labels = None if several else self.classes_
        if isinstance(self.loss, str) and self.loss == "log_loss":
            return (LogLoss(), count) if kind == "multiclass" else (BinaryLogLoss(), count if several else 1)
        loss = as_loss(self.loss)
        if several and loss.link != "sigmoid":
            raise ValueError(
                f"several labels at once need a loss of each by itself, such as 'log_loss'; got {self.loss!r}."
            )
        return loss, count if several or count > 2 or loss.link == "softmax" else 1

    def _encoded(self, y: Any, loss: Loss) -> Any:
        if self._labels is None:
            return np.asarray(self._label_binarizer.transform(y))
        y = column_or_1d(y)
        class_indices = np.searchsorted(self.classes_, y)
        class_indices = np.minimum(class_indices, len(self.classes_) - 1)
        if not (self.classes_[class_indices] == y).all():
            raise ValueError(f"`y` has classes not in `self.classes_`, which has {self.classes_}.")
        return np.asarray(loss.encode(class_indices.astype(np.int32), len(self.classes_), self.n_outputs_))

    def _weights(self, y: Any, sample_weight: Any) -> Any:
        if self.class_weight is None:
            return sample_weight
        weights = compute_sample_weight(self.class_weight, y)
        return weights if sample_weight is None else weights * sample_weight

    def _score_of(self, predicted: Any, y: Any, sample_weight: Any) -> float:
        right = predicted == dense_rows(y)
        return float(np.average(right if right.ndim == 1 else right.all(axis=1), weights=sample_weight))
