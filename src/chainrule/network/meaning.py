"""What a network's outputs mean: labels, probabilities or values, as its loss and its targets say."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from chainrule.errors import DataError, SettingError, ShapeError
from chainrule.nn.activations import activation
from chainrule.nn.model import Model
from chainrule.nn.numbers import as_plain
from chainrule.tracing import trees
from chainrule.training import Batch, Head, are_labels, are_one_hot, as_targets, as_weights, heads_of


@dataclass(frozen=True)
class Meaning:
    """One output's head, the labels it tells apart, and whether its targets came as a flat list."""

    head: Head
    classes: Any | None
    flat: bool

    @property
    def has_probabilities(self) -> bool:
        """Whether the loss makes probabilities of the outputs."""
        return self.head.loss.link in ("sigmoid", "softmax")

    @property
    def tells_apart(self) -> bool:
        """Whether it answers with labels, or with yes and no."""
        return self.classes is not None or (self.head.loss.link == "sigmoid" and self.head.width > 1)

    def answer(self, outcome: Any, output: Any) -> Any:
        """Class numbers, or values, one for every row."""
        scores = self.head.scores(outcome, output)
        if self.classes is not None:
            return self.head.chosen(scores)
        if self.tells_apart:
            return scores > 0
        values = activation(self.head.loss.link)(scores)
        return values[:, 0] if self.flat and values.shape[-1] == 1 else values

    def named(self, answer: Any) -> Any:
        """An answer as people are given it: labels in place of class numbers."""
        if self.classes is not None:
            return self.classes.take(answer, mode="clip")
        return answer.astype(int) if answer.dtype == np.bool_ else answer

    def probabilities(self, outcome: Any, output: Any) -> Any:
        """Probabilities, shape (rows, classes)."""
        link = self.head.loss.link
        if not self.has_probabilities:
            raise SettingError(
                f"the loss {type(self.head.loss).__name__} gives no probabilities; "
                "use loss='cross_entropy' or 'binary_cross_entropy'."
            )
        values = activation(link)(self.head.scores(outcome, output))
        return np.concatenate([1.0 - values, values], axis=-1) if link == "sigmoid" and self.head.width == 1 else values


def learn_meanings(
    model: Model,
    earlier: Sequence[Meaning],
    loss: Any,
    arrays: list[Any],
    y: Any,
    dtype: Any,
    sample_weight: Any = None,
    class_weight: Any = None,
) -> tuple[list[Meaning], Batch]:
    """The meanings of a network's outputs, learned from targets, and the data as arrays.

    Without a loss, labels are learned by cross-entropy and values by squared error. What an output has learned it means
    from then on: labels keep their places, also where data lack some, and others are refused.
    """
    parts = targets_of(model, y)
    before: Sequence[Meaning | None] = list(earlier) or [None] * len(parts)
    if loss is None:
        widths = [output.shape[-1] if output.shape else 1 for output in trees.flatten(model.outputs)[0]]
        loss = nested(
            model, [_default_loss(*known) for known in zip(parts, widths, model.ends_in, before, strict=True)]
        )
    heads = heads_of(model, loss)
    meanings = [
        Meaning(head, None if known is None else known.classes, np.ndim(part) == 1)
        for head, part, known in zip(heads, parts, before, strict=True)
    ]
    return _learned(meanings, arrays, parts, dtype, sample_weight, class_weight)


def as_batch(
    model: Model, meanings: Sequence[Meaning], arrays: list[Any], y: Any, dtype: Any, sample_weight: Any = None
) -> Batch:
    """Data whose targets have known meanings, as arrays."""
    return _learned(meanings, arrays, targets_of(model, y), dtype, sample_weight, None)[1]


def nested(model: Model, leaves: list[Any]) -> Any:
    """One thing for every output, nested as the outputs are."""
    return trees.unflatten(trees.flatten(model.outputs)[1], leaves)


def targets_of(model: Model, y: Any) -> list[Any]:
    """The targets of every output; those of one output may be an array, a list or a column of a table."""
    return _nested_targets(trees.flatten(model.outputs)[1], y, "y")


def _nested_targets(structure: trees.Structure, y: Any, what: str) -> list[Any]:
    if structure.kind is None:
        return [y]
    found = dict(y if isinstance(y, Mapping) else enumerate(y) if isinstance(y, tuple | list) else {})
    if set(found) != set(structure.keys):
        names = ", ".join(map(str, structure.keys))
        raise ShapeError(
            f"{what} was given as a {type(y).__name__}, and the network has the outputs {names}; "
            f"give a {structure.kind.__name__} with targets for each."
        )
    return [
        part
        for key, child in zip(structure.keys, structure.children, strict=True)
        for part in _nested_targets(child, found[key], f"{what}[{key!r}]")
    ]


def _learned(
    meanings: Sequence[Meaning], arrays: list[Any], parts: list[Any], dtype: Any, sample_weight: Any, class_weight: Any
) -> tuple[list[Meaning], Batch]:
    rows = len(arrays[0])
    targets, known = [], []
    for part, meaning in zip(parts, meanings, strict=True):
        head = meaning.head
        what = f"y[{head.name}]" if head.name else "y"
        found = as_targets(part, head.loss, head.width, rows, dtype, meaning.classes, what)
        known.append(
            replace(meaning, head=replace(head, classifies=found.class_indices is not None), classes=found.classes)
        )
        targets.append(found)
    weights = as_weights(sample_weight, class_weight, targets, rows, dtype)
    return known, Batch(
        tuple(arrays), tuple(t.array for t in targets), tuple(t.class_indices for t in targets), weights
    )


def _default_loss(y: Any, width: int, ends_in: str, earlier: Meaning | None) -> str:
    """The loss where none is given: what the output has learned before decides, then what the targets look like."""
    by_class = "binary_cross_entropy" if width == 1 else "cross_entropy"
    one_hot = are_one_hot(y, width)
    if earlier is not None and earlier.classes is not None:
        if not (one_hot or are_labels(y) or _are_equal_to_some(y, earlier.classes)):
            raise DataError(
                f"y has values, and the network has learned the labels {earlier.classes[:10].tolist()}. Give labels; to "
                "learn values from here on give loss='squared_error'."
            )
        return by_class
    if earlier is not None and earlier.head.loss.task == "regression" and are_labels(y):
        if width > 1 or as_plain(y, "y").dtype.kind not in "iu":
            raise DataError(
                "y has labels, and the network has learned values. Give numbers; to learn labels from here on give "
                f"loss={by_class!r}."
            )
        return "squared_error"
    if are_labels(y) or (one_hot and ends_in == "softmax"):
        return by_class
    if as_plain(y, "y").dtype.kind == "b":  # several columns of yes and no: one of them in every row, or any number
        return by_class if one_hot else "binary_cross_entropy"
    if one_hot and ends_in == "identity" and np.isin(as_plain(y, "y"), (0, 1)).all():
        warnings.warn(
            "the rows of y have a single 1 each, as labels do, and are learned as values, by squared error. For labels give "
            "loss='cross_entropy', for values loss='squared_error'.",
            stacklevel=7,
        )
    return "squared_error"


def _are_equal_to_some(y: Any, classes: Any) -> bool:
    """Whether numbers in one column are all labels by their value."""
    values = as_plain(y, "y")
    flat = values.ndim == 1 or values.shape[1:] == (1,)
    return bool(flat and values.dtype.kind == "f" and classes.dtype.kind in "biuf" and np.isin(values, classes).all())
