"""Inputs of one size: a first layer that sees to it, what it takes from the rows learned from, a warning where there is none."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from chainrule.errors import SettingError
from chainrule.network.base import BaseNetwork
from chainrule.nn.layer import Layer
from chainrule.nn.model import Sequential
from chainrule.nn.parameters import Parameters, flat_names
from chainrule.nn.standardising import Standardise

MOST_APART, SMALL = 100.0, 0.2
"""How many times as large as a small column the largest may be without a warning; a fifth of the columns are smaller than
that one, as the pixels at the margin of a picture are."""

FEWEST, MOST_LOOKED_AT = 20, 10_000
"""Of fewer rows nothing is said: the largest number of a few says little of a column's size."""


def begin_with_standardise(network: BaseNetwork) -> None:
    """Give a network of layers in a row a first layer `Standardise`, if it has none; other layers keep their parameters."""
    row = network.function
    if not isinstance(row, Sequential):
        raise SettingError(
            "fit was given standardise=True for a network that is a function; call a layer cr.Standardise() in it, and set its "
            "parameters `mean` and `deviation`."
        )
    if not isinstance(row.layers[0], Standardise):
        own = flat_names(network.parameters)
        network.function = Sequential((Standardise(), *row.layers))
        network.build(*network.model.inputs)
        network.parameters = own


def first_layer(network: BaseNetwork) -> tuple[str, Layer] | None:
    """The layer that a row begins with, and its name; of other networks it is not known what layers are given."""
    row = network.function
    if not isinstance(row, Sequential) or not isinstance(row.layers[0], Layer):
        return None
    return next(iter(network.layers.items()))


def take_from_rows(network: BaseNetwork, rows: Any) -> None:
    """Set what the first layer takes from the rows learned from."""
    if taken := _taken_from(network, rows):
        network.parameters = taken


def begun_with(network: BaseNetwork, rows: Any) -> Parameters:
    """The parameters that training on these rows begins with; the network keeps its own."""
    own: Parameters = network.parameters
    taken = _taken_from(network, rows)
    return own | {
        layer: {**own[layer], **{name: np.asarray(value, own[layer][name].dtype) for name, value in of.items()}}
        for layer, of in taken.items()
    }


def _taken_from(network: BaseNetwork, rows: Any) -> dict[str, Mapping[str, Any]]:
    """What the first layer takes from rows, by its name; nothing where it knows it or is of another kind."""
    if not (found := first_layer(network)):
        return {}
    name, layer = found
    taken = layer.taken_from(network.parameters.get(name, {}), rows)
    return {name: taken} if taken else {}


def warn_of_sizes(network: BaseNetwork, rows: Any, names: Sequence[str] = ()) -> None:
    """Warn of columns of very different sizes, of which a network learns slowly or nothing, where the first layer sums them."""
    found = first_layer(network)
    if found is None or not found[1].expects_one_size or len(rows) < FEWEST:
        return
    some = rows[:MOST_LOOKED_AT].reshape(-1, rows.shape[-1])
    largest, least = (extreme(axis=0).astype(np.float64) for extreme in (some.max, some.min))
    sizes = np.maximum(largest, -least)
    there = np.flatnonzero(sizes)
    if not len(there):
        return
    rising = there[np.argsort(sizes[there], kind="stable")]
    small, large = rising[int(SMALL * (len(rising) - 1))], rising[-1]
    if sizes[large] <= MOST_APART * sizes[small]:
        return

    def told(column: Any) -> str:
        return f"up to {sizes[column]:.3g} in column {names[column] if len(names) else int(column)!r}"

    warnings.warn(
        f"the columns of X are of very different sizes: numbers are {told(large)} and {told(small)}, of which a network learns "
        "slowly or nothing. Call fit with standardise=True, or bring the columns to one size.",
        UserWarning,
        stacklevel=5,
    )
