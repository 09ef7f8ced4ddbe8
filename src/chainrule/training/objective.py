"""The objective: a network's loss on one batch, as plain NumPy code, with the metrics to be reported."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.errors import SettingError, ShapeError
from chainrule.nn.model import Model, Outcome
from chainrule.nn.parameters import Parameters, flat_names, matching
from chainrule.ops.operation import ArrayType
from chainrule.tracing import trees
from chainrule.training.loss import Loss
from chainrule.training.named import as_loss


@dataclass(frozen=True)
class Head:
    """One output of a network with the loss it is trained by; `name` is empty when it is the only one."""

    name: str
    loss: Loss
    width: int
    classifies: bool = False

    def scores(self, outcome: Outcome, output: Any) -> Any:
        """The output as the loss wants it: before the activation that the loss brings itself."""
        ends_in, before = outcome.made_by(output)
        if ends_in == self.loss.link:
            return before
        if {ends_in, self.loss.link} == {"sigmoid", "softmax"}:
            raise SettingError(
                f"the network ends in {ends_in} and the loss {type(self.loss).__name__} is for {self.loss.link}. "
                f"End it in {self.loss.link!r} or in no activation, or use "
                f"loss={'binary_cross_entropy' if ends_in == 'sigmoid' else 'cross_entropy'!r}."
            )
        return output

    def chosen(self, scores: Any) -> Any:
        """The class number each row of scores stands for."""
        if self.width > 1:
            return np.argmax(scores, axis=-1)
        middle = 0.5 if self.loss.link == "identity" and self.loss.one_column == (0.0, 1.0) else 0.0
        return scores[..., 0] > middle


@dataclass(frozen=True)
class Penalty:
    """l1·Σ|w| + ½·l2·Σw² over the parameters that are learned and no biases, as layers say or their uses prove.

    `shared`: divided among the rows of a batch, so that l1 and l2 count against the loss of a single row.
    """

    l1: float = 0.0
    l2: float = 0.0
    shared: bool = False

    def __post_init__(self) -> None:
        for name in ("l1", "l2"):
            SettingError.unless_number("fit", name, getattr(self, name), at_least=0)

    @property
    def strengths(self) -> dict[str, float]:
        """The strengths that are not 0, by name. A step takes them as numbers, so that they are no part of its code."""
        return {name: getattr(self, name) for name in ("l1", "l2") if getattr(self, name)}

    def __call__(
        self, parameters: Mapping[str, Mapping[str, Any]], batch: Batch, spared: Container[str], strengths: Any = None
    ) -> Any:
        """The penalty for these parameters but for those spared, with these strengths or its own."""
        given = self.strengths if strengths is None else strengths
        total: Any = -0.0  # what changes nothing when it is added; 0.0 would change −0.0
        for name, value in flat_names(parameters).items():
            if name in spared:
                continue
            if "l1" in given:
                total = total + given["l1"] * np.sum(np.abs(value))
            if "l2" in given:
                total = total + (0.5 * given["l2"]) * np.sum(np.square(value))
        if not self.shared or not given:
            return total
        if batch.counts is None:
            return total / float(batch.inputs[0].shape[0])
        rows = np.sum(batch.counts)
        return np.where(rows > 0, total / np.maximum(rows, 1e-30), 0.0)


@dataclass(frozen=True)
class Batch:
    """Rows of the data: inputs, then for each head targets and class numbers, then weights and counts; `None` where none.

    A mean over the batch is Σ c·w·v / Σ c. The weights w of a training are on one scale for all its rows, so that a
    batch of heavy rows moves more than one of light rows. The counts c say how many rows each stands for: 0 for those
    that only fill up a batch. Where the arrays are its `own`, nobody else can change them.
    """

    inputs: tuple[Any, ...]
    targets: tuple[Any, ...]
    class_indices: tuple[Any, ...]
    weights: Any | None = None
    counts: Any | None = None
    own: bool = False

    def arrays(self) -> list[Any]:
        """Everything there is, in order."""
        parts = [*self.inputs, *self.targets, *self.class_indices, self.weights, self.counts]
        return [part for part in parts if part is not None]

    def like(self, arrays: Sequence[Any]) -> Batch:
        """The same batch with other arrays."""
        rest = iter(arrays)
        inputs = tuple(next(rest) for _ in self.inputs)
        targets = tuple(next(rest) for _ in self.targets)
        class_indices = tuple(None if c is None else next(rest) for c in self.class_indices)
        weights, counts = (None if x is None else next(rest) for x in (self.weights, self.counts))
        return Batch(inputs, targets, class_indices, weights, counts)


def heads_of(model: Model, given: Any) -> list[Head]:
    """A head for every output of the model, with the losses given: one for all, or nested as the outputs are."""
    leaves, structure = trees.flatten(model.outputs)
    names = trees.paths(structure) if structure.kind is not None else [""]
    nested = isinstance(given, dict | list | tuple)
    losses = trees.flatten_like(structure, given, "loss") if nested else [given] * len(leaves)
    heads = []
    for name, output, one in zip(names, leaves, losses, strict=True):
        if len(output.shape) != 1:
            raise ShapeError(
                f"a network can be trained when its outputs have shape (batch, outputs); this one gives (batch, "
                f"{', '.join(map(str, output.shape))}). End it in cr.Flatten() or reshape its output."
            )
        heads.append(Head(name.strip("[]"), as_loss(one), output.shape[0]))
    if len({head.loss.reduction for head in heads}) > 1:
        raise SettingError("the losses of several outputs were given different reductions; give all of them the same.")
    return heads


@dataclass(frozen=True)
class Objective:
    """Mean loss over a batch (or its sum) plus penalty, and the share of right answers of every head that classifies."""

    model: Model
    heads: tuple[Head, ...]
    penalty: Penalty = Penalty()

    @property
    def metrics(self) -> list[str]:
        """Names of the metrics: the loss, then an accuracy for every head that classifies."""
        accuracies = [f"accuracy_{h.name}" if h.name else "accuracy" for h in self.heads if h.classifies]
        return ["loss", *accuracies]

    @property
    def reduction(self) -> str:
        """What is done over the samples of a batch, which is the same for all heads: "mean" or "sum"."""
        return self.heads[0].loss.reduction

    def __call__(
        self, parameters: Parameters, batch: Batch, key: Any = None, strengths: Any = None
    ) -> tuple[Any, list[Any]]:
        """The objective, and the shares of right answers."""
        value, metrics, _ = self.observed(parameters, batch, key, strengths)
        return value, metrics

    def observed(
        self, parameters: Parameters, batch: Batch, key: Any = None, strengths: Any = None
    ) -> tuple[Any, list[Any], Outcome]:
        """The objective and its metrics, and the pass through the network that they were read from."""
        dtype = next(iter(flat_names(parameters).values())).dtype
        inputs = [x if x.dtype == dtype else x.astype(dtype) for x in batch.inputs]  # rows of files on disk
        outcome = self.model.apply(parameters, inputs, key)
        losses, rights = self.judged(outcome, batch)
        values = [_reduced(value, batch, self.reduction) for value in losses]
        total = sum(values[1:], start=values[0])
        accuracies = [_reduced(right, batch) for right in rights]
        return (
            total + self.penalty(parameters, batch, self.model.biases | self.model.unlearned, strengths),
            accuracies,
            outcome,
        )

    def judged(self, outcome: Outcome, batch: Batch) -> tuple[list[Any], list[Any]]:
        """The loss of every sample by every head; and 1 for right answers, 0 for wrong ones, where heads classify."""
        outputs, _ = trees.flatten(outcome.outputs)
        losses, rights = [], []
        for head, output, targets, class_indices in zip(
            self.heads, outputs, batch.targets, batch.class_indices, strict=True
        ):
            scores = head.scores(outcome, output)
            members = outcome.members_of(scores)
            losses.append(
                self._per_sample(head, scores, targets, batch)
                if members is None
                else self._per_member(head, members, targets, batch)
            )
            if head.classifies:
                rights.append(np.equal(head.chosen(scores), class_indices).astype(scores.dtype))
        return losses, rights

    def _per_member(self, head: Head, members: Any, targets: Any, batch: Batch) -> Any:
        """The mean of the losses that members have by themselves, of every sample."""
        rows, count = members.shape[:2]
        scores, repeated = np.reshape(members, (rows * count, *members.shape[2:])), np.repeat(targets, count, axis=0)
        value = self._per_sample(head, scores, repeated, batch)
        return np.mean(np.reshape(value, (rows, count)), axis=1) if np.shape(value) else value

    def _per_sample(self, head: Head, scores: Any, targets: Any, batch: Batch) -> Any:
        value = head.loss(scores, targets)
        shape = tuple(getattr(value, "shape", ()))
        if shape == (scores.shape[0], 1) == tuple(scores.shape):  # of one output its loss is the sample's
            value, shape = np.reshape(value, (scores.shape[0],)), (scores.shape[0],)
        if shape not in ((), (scores.shape[0],)):
            apart = shape == tuple(scores.shape)
            raise ShapeError(
                f"the loss {type(head.loss).__name__} gave shape {shape} for outputs of shape {tuple(scores.shape)}; it must "
                "give one number for every sample, shape (batch,), or one number in all"
                + (": np.mean(values, axis=-1), or np.sum." if apart else ".")
            )
        if shape == () and scores.shape[0] == 1:  # of one sample the loss of the batch is its own
            return np.reshape(value, (1,))
        if shape == () and (batch.weights is not None or batch.counts is not None):
            raise ShapeError(
                f"the loss {type(head.loss).__name__} gave one number for the whole batch, which rows of different weight "
                "cannot be weighed in. Let it give one number for every sample, shape (batch,), or leave weights out."
            )
        return value


def _reduced(values: Any, batch: Batch, reduction: str = "mean") -> Any:
    """Σ c·w·v / Σ c, or without the division; a mean over rows that count nothing is 0."""
    factors = [x for x in (batch.counts, batch.weights) if x is not None] if np.shape(values) else []
    for factor in factors:
        values = factor * values
    if reduction == "sum":
        return np.sum(values)
    if batch.counts is None or not factors:
        return np.mean(values)
    return np.sum(values) / np.maximum(np.sum(batch.counts), 1e-30)


def split_frozen(parameters: Parameters, patterns: Sequence[str], specs: Any) -> tuple[Parameters, Parameters]:
    """The parameters that a step changes and those that it does not, by name patterns and by what layers say."""
    names = flat_names(parameters)
    if not names:
        raise SettingError("the network has no parameters to learn; give it a layer that has some, such as cr.Dense.")
    frozen = matching(names, patterns) | {
        f"{layer}.{name}"
        for layer, own in specs.items()
        for name, spec in own.items()
        if not (spec.trainable or spec.running)
    }
    learned: Parameters = {}
    fixed: Parameters = {}
    for layer, own in parameters.items():
        for name, value in own.items():
            (fixed if f"{layer}.{name}" in frozen else learned).setdefault(layer, {})[name] = value
    if not learned:
        raise SettingError("every parameter is frozen, so there is nothing to learn; leave some out of frozen.")
    return learned, fixed


def merged(*parts: Mapping[str, Mapping[str, Any]]) -> Parameters:
    """Parameters put together again, layer by layer."""
    result: Parameters = {}
    for part in parts:
        for layer, own in part.items():
            result.setdefault(layer, {}).update(own)
    return result


def in_order(order: Mapping[str, Sequence[str]], frozen: Parameters, learned: Parameters) -> Parameters:
    """All parameters, by layer and name in the order that is given."""
    both = [learned] if not any(frozen.values()) else [merged(frozen, learned)]
    return {layer: {name: own[layer][name] for name in names} for own in both for layer, names in order.items()}


def types_of(tree: Any, rows: int | None = None) -> Any:
    """The types of arrays in a container, with the first axis set to `rows`."""
    return trees.map_leaves(lambda x: ArrayType(x.shape if rows is None else (rows, *x.shape[1:]), _dtype(x)), tree)


def _dtype(x: Any) -> Any:
    return np.dtype(x.dtype).newbyteorder("=")  # of the numbers, whatever the order of their bytes in a file
