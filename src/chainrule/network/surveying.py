"""A dataset made ready to be learned from: looked at once, piece by piece, for what its targets mean, and encoded as it is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from chainrule.errors import DataError, SettingError
from chainrule.network.base import BaseNetwork, inputs_of
from chainrule.network.meaning import Meaning, as_batch, learn_meanings, nested, targets_of
from chainrule.nn.model import Model
from chainrule.nn.numbers import as_array, as_plain, unless_hashable
from chainrule.training import Batch, Columns, as_inputs, class_weights
from chainrule.training.evaluation import row_bytes
from chainrule.training.stored import Dataset, Piece, Share, Store, checked_pieces, first_of, passed_over, store_of
from chainrule.training.weights import to_unit, weights_of_rows

MOST_DIFFERENT = 2**16
"""How many different targets are remembered: more classes than that no network tells apart."""

FEW = 64
"""Rows that are looked at first, to know the shapes."""

NO_TARGETS = DataError("there are no targets. Give y to the dataset.")

IN_MEMORY = 4
"""Rows held out that take at most this part of a dataset's megabytes are kept in memory."""


@dataclass
class Survey:
    """What is known of a dataset after all of its rows were looked at.

    For every output there are `examples` of targets, which mean together what all of them do. The `fingerprint` is a text
    that is another when any number is. `heaviest` is the largest weight, `None` where there are none.
    """

    examples: list[Any] = field(default_factory=list)
    heaviest: float | None = None
    fingerprint: str = ""


def survey(network: BaseNetwork, dataset: Dataset) -> Survey:
    """Look at all rows, for a network whose shapes are known.

    Raises
    ------
    DataError, ShapeError
        For rows that cannot be learned from; the message says which.
    """
    from xxhash import xxh3_64  # when it is needed

    found, hashed = Survey(), [xxh3_64() for _ in range(3)]

    def look(piece: Piece) -> None:
        X, y, weights = piece
        arrays = inputs_of(network, X)
        targets = [as_plain(part, "y") for part in targets_of(network.model, y)] if y is not None else []
        if not targets or not all(part.ndim for part in targets):
            raise NO_TARGETS
        before = found.examples or [None] * len(targets)
        found.examples = [representative(*both) for both in zip(before, targets, strict=True)]
        if weights is not None:
            found.heaviest = max(found.heaviest or 0.0, float(weights_of_rows(weights, len(weights)).max()))
        for own, parts in zip(hashed, (arrays, targets, [] if weights is None else [np.asarray(weights)]), strict=True):
            for part in parts:
                own.update(_bytes_of(part))

    for part in passed_over(dataset, row_bytes(network.model, network.dtype)):
        for _ in checked_pieces(dataset, *part, look):
            pass
    found.fingerprint = " ".join(x.hexdigest() for x in hashed)
    return found


def representative(before: Any, new: Any) -> Any:
    """Some targets that mean what these two parts do: the different ones, or where they are many those that stand out."""
    if before is None:
        before = new[:0]
    if before.shape[1:] != new.shape[1:] or (before.dtype.kind in "fiub") != (new.dtype.kind in "fiub"):
        kinds = [f"{x.dtype} in shape (rows{''.join(f', {n}' for n in x.shape[1:])})" for x in (new, before)]
        raise DataError(f"y is {kinds[0]} there, and {kinds[1]} before. Give all rows targets of one kind.")
    if new.ndim == 1 or (new.ndim == 2 and new.shape[1] == 1):
        new = _different(new)
    if new.dtype.kind == "f" and len(new) > 8:
        flat = new.reshape(len(new), -1)
        with np.errstate(invalid="ignore"):  # what is infinite is refused later
            off, uneven = abs(flat - np.round(flat)).max(axis=1), abs(flat.sum(axis=1) - 1.0)
        out = [x.argmax() for x in (flat.max(axis=1), -flat.min(axis=1), off, uneven, ~np.isfinite(flat).all(axis=1))]
        chosen = np.arange(len(new)) if new.shape[1:] in ((), (1,)) else np.arange(8)
        new = new[np.unique([*chosen, *out])] if len(before) < MOST_DIFFERENT else new[np.unique(out)]
    joined = np.concatenate([before, new])
    return _different(joined) if joined.shape[1:] in ((), (1,)) else joined


def _different(targets: Any) -> Any:
    """The different targets of one column; objects in the order in which they come."""
    if targets.dtype.kind != "O":
        return np.unique(targets).reshape(-1, *targets.shape[1:])
    unless_hashable(targets, "y")
    seen = {(type(v), v): None for v in targets.reshape(-1).tolist()}
    found = np.empty(len(seen), object)
    found[:] = [v for _, v in seen]
    return found.reshape(-1, *targets.shape[1:])


def _bytes_of(x: Any) -> Any:
    """The numbers of an array, or its texts, as bytes; those of two parts are those of both together."""
    if x.dtype.kind in "fiub":
        return np.ascontiguousarray(x).data
    return "".join(f"{text}\0" for text in x.reshape(-1).tolist()).encode()


@dataclass(frozen=True)
class Encoder:
    """What makes of a piece the arrays that are learned from; weights are those of rows times those of classes, by the scale."""

    model: Model
    names: Sequence[str]
    dtype: Any
    columns: Columns
    meanings: Sequence[Meaning]
    of_classes: Any = None
    scale: float = 1.0

    def __call__(self, piece: Piece) -> Batch:
        """The rows as arrays, or refused."""
        X, y, given = piece
        if y is None:
            raise NO_TARGETS
        arrays = as_inputs(X, self.dtype, self.names, self.model.inputs, self.columns)
        batch = as_batch(self.model, self.meanings, arrays, y, self.dtype)
        classified = [meaning.head.classifies for meaning in self.meanings]
        if classified != [x is not None for x in batch.class_indices]:
            raise DataError(
                "y has values where other rows have labels, or labels where they have values. Give one kind."
            )
        if given is None and self.of_classes is None:
            return batch
        rows = len(arrays[0])
        weights = np.ones(rows) if given is None else weights_of_rows(given, rows)
        if self.of_classes is not None:
            weights = weights * self.of_classes[batch.class_indices[0]]
        weights = weights * self.scale
        if rows and weights.max() > np.finfo(self.dtype).max:
            raise DataError(
                f"sample_weight reaches {weights.max():g}, more than {self.dtype} holds. Give all of them divided by the largest."
            )
        return replace(batch, weights=weights.astype(self.dtype))

    def weighed(self, found: Survey) -> Encoder:
        """The same, with weights whose largest is near 1: only their ratios count, and large ones are none of its dtype's numbers."""
        return self if found.heaviest is None else replace(self, scale=self.scale * to_unit(found.heaviest))

    def stored(self, dataset: Dataset, fingerprint: str = "") -> Store:
        """The rows of a dataset, encoded."""
        return Store(dataset, self, first_of(dataset, FEW, self), fingerprint)


def first_rows(dataset: Dataset, y: Any, sample_weight: Any) -> Any:
    """The inputs of some rows of a dataset, which has its own targets and weights."""
    for name, given in (("y", y), ("sample_weight", sample_weight)):
        if given is not None:
            raise SettingError(
                f"a {type(dataset).__name__} was given together with {name}, which it has itself. Give {name} to the dataset, as in "
                f"cr.ArrayDataset(X, y, sample_weight)."
            )
    dataset.check()
    if dataset.rows < 1:
        raise DataError(f"{type(dataset).__name__} has no rows; give it at least one.")
    return first_of(dataset, FEW, lambda piece: piece[0])


def columns_of_dataset(network: BaseNetwork, dataset: Dataset) -> Columns:
    """The names of the columns of the features, by which later frames are matched."""
    return (
        {network.input_names[0]: tuple(dataset.feature_names)}
        if dataset.feature_names and len(network.input_names) == 1
        else {}
    )


def encoder_for(network: BaseNetwork, meanings: Sequence[Meaning], dataset: Dataset) -> Encoder:
    """What encodes a dataset's rows for targets of known meaning."""
    columns = network.columns or columns_of_dataset(network, dataset)
    return Encoder(network.model, network.input_names, network.dtype, columns, meanings)


def learned_from(
    network: BaseNetwork,
    dataset: Dataset,
    loss: Any,
    class_weight: Any = None,
    validation_split: float = 0.0,
    seed: int = 0,
) -> tuple[Sequence[Meaning], Batch, Batch | None]:
    """What the outputs mean, the rows to be learned from, and those held out."""
    SettingError.unless_number("fit", "validation_split", validation_split, at_least=0, below=1)
    found = survey(network, dataset)
    count = max(len(part) for part in found.examples)
    examples = nested(network.model, [part[np.arange(count) % len(part)] for part in found.examples])
    rows = [np.broadcast_to(np.zeros((), network.dtype), (count, *shape)) for shape in network.model.inputs]
    try:
        meanings, _ = learn_meanings(network.model, network.meanings, loss, rows, examples, network.dtype)
    except DataError:
        _tell_rows(network, dataset)
        raise
    encode = encoder_for(network, meanings, dataset)
    if class_weight is not None:
        encode = replace(encode, of_classes=_of_classes(encode.stored(dataset), meanings, class_weight))
    weighted = found.heaviest is not None or class_weight is not None
    encode = encode.weighed(found)
    learned, validation = dataset, None
    if validation_split:
        learned, held = (Share(dataset, validation_split, seed, held=x) for x in (False, True))
        if not held.rows or not learned.rows:
            raise SettingError(
                f"validation_split={validation_split} of {dataset.rows} rows leaves none to learn from, or holds none out; give "
                "another share."
            )
        validation = held_in_memory(encode.stored(held))
        if dataset.in_order and store_of(validation) is not None:
            raise SettingError(
                f"validation_split={validation_split} holds {held.rows} rows out, too many to be kept in memory, of a source that is "
                "read in order: it would be read twice. Give validation_data, or more megabytes to the dataset."
            )
    if weighted:
        blocks = encode.stored(learned).blocks()
        total = float(sum(np.sum(block.arrays()[-1], dtype=np.float64) for block in blocks))
        if not total > 0:
            raise DataError("all rows to learn from have weight 0; give at least one of them a weight above 0.")
        encode = replace(encode, scale=encode.scale * (learned.rows / total))
    return meanings, encode.stored(learned, found.fingerprint).batch, validation


def validated_on(network: BaseNetwork, meanings: Sequence[Meaning], dataset: Dataset) -> Batch:
    """Rows of a dataset to be validated on."""
    found = survey(network, dataset)
    return held_in_memory(encoder_for(network, meanings, dataset).weighed(found).stored(dataset, found.fingerprint))


def _tell_rows(network: BaseNetwork, dataset: Dataset) -> None:
    """Refuse targets that are not finite where they are: among examples they stand in other rows."""

    def look(piece: Piece) -> None:
        for part in targets_of(network.model, piece[1]):
            if as_plain(part, "y").dtype.kind == "f":
                as_array(part, network.dtype, "y")

    for part in passed_over(dataset, row_bytes(network.model, network.dtype)):
        for _ in checked_pieces(dataset, *part, look):
            pass


def held_in_memory(store: Store) -> Batch:
    """Rows as arrays where they take little, and otherwise as they are."""
    size = sum(x.nbytes for x in store.batch.arrays())
    return store.batch if IN_MEMORY * size > store.dataset.megabytes * 2**20 else store.loaded()


def _of_classes(store: Store, meanings: Sequence[Meaning], given: Any) -> Any:
    """The weight of every class."""
    classes = meanings[0].classes
    if len(meanings) != 1 or classes is None:
        raise SettingError("class_weight needs a network with one output whose targets are labels.")
    counts = sum(np.bincount(block.class_indices[0], minlength=len(classes)) for block in store.blocks())
    return class_weights(given, classes, counts)
