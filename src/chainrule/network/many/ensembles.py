"""Networks as one that predicts the mean of what they predict: a deep ensemble."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any

from chainrule.errors import SettingError
from chainrule.network.network import Network
from chainrule.nn.activations import name_of
from chainrule.nn.ensembles import OF_LINKS, Average
from chainrule.nn.layer import Activated, Layer
from chainrule.nn.model import Sequential


def together(networks: Sequence[Network]) -> Network:
    """One network of these, which are fitted rows of layers with outputs of the same meaning; its parameters are copies.

    Raises
    ------
    SettingError
        When they are not.
    """
    first = networks[0]
    for network in networks:
        if not isinstance(network.function, Sequential):
            raise SettingError(
                "an ensemble is made of networks that are layers in a row, and this one is a function. Give cr.Network a list of "
                "layers, or take the mean of what they predict."
            )
        if not _means_the_same(network, first):
            raise SettingError(
                "an ensemble is made of networks whose outputs mean the same, and these were fitted to other labels, other losses or "
                "for other inputs. Make one of networks that were fitted to the same data."
            )
    (link,) = {meaning.head.loss.link for meaning in first.meanings}
    average = Average(tuple(_row(network, link) for network in networks), OF_LINKS.get(link, "outputs"))
    ensemble = Network([average], seed=first.seed, dtype=first.dtype).build(*first.model.inputs)
    own = [layer for network in networks for layer in network.parameters.values()]
    ensemble.parameters = dict(zip(ensemble.parameters, own, strict=True))
    ensemble.meanings, ensemble.columns = first.meanings, first.columns
    return ensemble


def _means_the_same(network: Network, other: Network) -> bool:
    """Whether the outputs of two networks are the same kinds of answers to the same inputs."""
    if not network.is_built or network.model.inputs != other.model.inputs or network.dtype != other.dtype:
        return False
    if len(network.meanings) != 1 or len(other.meanings) != 1 or network.columns != other.columns:
        return False
    one, two = network.meanings[0], other.meanings[0]
    labels = [None if meaning.classes is None else meaning.classes.tolist() for meaning in (one, two)]
    return labels[0] == labels[1] and one.flat == two.flat and one.head == two.head


def _row(network: Network, link: str) -> tuple[Any, ...]:
    """The layers of a network, none of them anyone else's, up to the activation that its loss brings itself."""
    copied = copy.deepcopy(network.function.layers)  # type: ignore[attr-defined]
    own = {id(layer): _unnamed(layer) for layer in copied}  # one that is there twice stays one
    layers = [own[id(layer)] for layer in copied]
    if network.model.ends_in[0] != link or link == "identity":
        return tuple(layers)
    last = layers[-1]
    if isinstance(last, Activated) and is_dataclass(last) and "activation" in {field.name for field in fields(last)}:
        return *layers[:-1], replace(last, activation="identity")
    if not isinstance(last, Layer) and name_of(last) == link:
        return tuple(layers[:-1])
    raise SettingError(
        f"an ensemble takes the mean of probabilities, and cannot leave out the last activation of {last!r}. End the networks in "
        "no activation; the loss brings its own."
    )


def _unnamed(layer: Any) -> Any:
    """A layer without a name of its own, which it would share with those of other members."""
    return replace(layer, name=None) if isinstance(layer, Layer) and layer.name is not None else layer
