"""What a network's outputs mean: labels, probabilities or values, as its loss says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.errors import SettingError
from chainrule.nn.activations import activation
from chainrule.training.objective import Head


@dataclass(frozen=True)
class Meaning:
    """One output's head, the labels it tells apart, and whether its targets came as a flat list."""

    head: Head
    classes: Any | None
    flat: bool

    def predict(self, outcome: Any, output: Any) -> Any:
        """Labels, or values, one for every row."""
        scores = self.head.scores(outcome, output)
        if self.classes is not None:
            chosen = np.asarray(self.head.chosen(scores)).astype(int)
            return self.classes[np.minimum(chosen, len(self.classes) - 1)]
        if self.head.loss.link == "sigmoid" and self.head.width > 1:
            return (scores > 0).astype(int)
        values = activation(self.head.loss.link)(scores)
        return values[:, 0] if self.flat and values.shape[-1] == 1 else values

    def probabilities(self, outcome: Any, output: Any) -> Any:
        """Probabilities, shape (rows, classes)."""
        link = self.head.loss.link
        if link not in ("sigmoid", "softmax"):
            raise SettingError(
                f"the loss {type(self.head.loss).__name__} gives no probabilities; "
                "use loss='cross_entropy' or 'binary_cross_entropy'."
            )
        values = activation(link)(self.head.scores(outcome, output))
        return np.concatenate([1.0 - values, values], axis=-1) if link == "sigmoid" and self.head.width == 1 else values
