"""What is remembered from one network to the next of its kind, so that it is neither traced nor compiled again."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

from chainrule.nn.activations import ACTIVATIONS
from chainrule.nn.layer import Layer
from chainrule.nn.model import Sequential
from chainrule.tracing import trees

KEPT = 64
"""Things of one sort kept; the one unused for longest goes first."""


class Cache:
    """The last things made, by what they were made from.

    Without a lock, which a signal's handler that asks in the middle of another question would wait for, and a copy of the process
    find shut: every step is one that Python does whole.
    """

    def __init__(self) -> None:
        self._things: dict[Any, tuple[Any, list[int]]] = {}
        self._uses = count()

    def find(self, key: Any, make: Callable[[], Any]) -> Any:
        """The thing of this key, made if there is none; one without key is made every time."""
        if key is None:
            return make()
        found = self._things.get(key)
        if found is None:
            found = self._things[key] = make(), [next(self._uses)]
            self._forget()
        thing, used = found
        used[0] = next(self._uses)
        return thing

    def _forget(self) -> None:
        """What is too much: what was used least lately."""
        things = sorted([(used[0], key) for key, (_, used) in list(self._things.items())], key=lambda each: each[0])
        for _, key in things[: max(0, len(things) - KEPT)]:
            self._things.pop(key, None)

    def clear(self) -> None:
        """Forget everything."""
        self._things.clear()


def key_of(function: Any, settings: tuple[Any, ...], types: Any, *numbers: Any) -> Any:
    """What is made from a network's function, settings, types of arrays and numbers depends on.

    `None` for code of the user's, which may do something else the next time.
    """
    if not are_settled(function, settings):
        return None
    layers = list(_layers_in(function.layers))
    places = {id(layer): place for place, layer in reversed([*enumerate(layers)])}
    shared = tuple(places[id(layer)] for layer in layers)
    leaves, structure = trees.flatten(types)
    kinds = tuple((k.shape, k.dtype) for k in leaves)
    return repr((function.layers, settings)), function.layers, settings, shared, structure, kinds, numbers


def are_settled(function: Any, settings: tuple[Any, ...]) -> bool:
    """Whether a network is a row of the library's own layers, with settings of its own, whose doing is known."""
    return isinstance(function, Sequential) and _settled((function.layers, settings))


def _layers_in(x: Any) -> Iterator[Layer]:
    """The layers among settings, also those that layers are made of."""
    if isinstance(x, Layer):
        yield x
    if isinstance(x, tuple):
        parts = x
    elif isinstance(x, Layer):
        parts = tuple(getattr(x, field.name) for field in dataclasses.fields(x))
    else:
        return
    for part in parts:
        yield from _layers_in(part)


def _settled(x: Any) -> bool:
    """Whether a setting can never change: numbers, names, and frozen dataclasses and tuples of them."""
    if dataclasses.is_dataclass(x) and not isinstance(x, type):
        library = type(x).__module__.startswith("chainrule.")
        return library and all(_settled(getattr(x, field.name)) for field in dataclasses.fields(x))
    if isinstance(x, tuple):
        return all(map(_settled, x))
    return x is None or isinstance(x, str | bool | int | float) or any(x is f for f in ACTIVATIONS.values())
