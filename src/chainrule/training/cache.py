"""What is remembered from one network to the next of its kind, so that it is neither traced nor compiled again."""

from __future__ import annotations

import dataclasses
import os
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Any

from chainrule.nn.activations import ACTIVATIONS
from chainrule.nn.model import Sequential
from chainrule.tracing import trees

KEPT = 64
"""Things of one sort kept; the one unused for longest goes first."""


class Cache:
    """The last things made, by what they were made from."""

    def __init__(self) -> None:
        self._things: OrderedDict[Any, Any] = OrderedDict()
        self._begin_anew()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._begin_anew)

    def _begin_anew(self) -> None:
        """A lock that is open: in a copy of the process nobody would open one that another thread had taken."""
        self._lock = Lock()

    def find(self, key: Any, make: Callable[[], Any]) -> Any:
        """The thing of this key, made if there is none; one without key is made every time."""
        if key is None:
            return make()
        with self._lock:
            if key in self._things:
                self._things.move_to_end(key)
                return self._things[key]
        made = make()
        with self._lock:
            self._things[key] = made
            if len(self._things) > KEPT:
                self._things.popitem(last=False)
        return made

    def clear(self) -> None:
        """Forget everything."""
        self._things.clear()


def key_of(function: Any, settings: tuple[Any, ...], types: Any, *numbers: Any) -> Any:
    """What is made from a network's function, settings, types of arrays and numbers depends on.

    `None` for code of the user's, which may do something else the next time.
    """
    if not are_settled(function, settings):
        return None
    shared = tuple(next(i for i, other in enumerate(function.layers) if other is layer) for layer in function.layers)
    leaves, structure = trees.flatten(types)
    kinds = tuple((k.shape, k.dtype) for k in leaves)
    return repr((function.layers, settings)), function.layers, settings, shared, structure, kinds, numbers


def are_settled(function: Any, settings: tuple[Any, ...]) -> bool:
    """Whether a network is a row of the library's own layers, with settings of its own, whose doing is known."""
    return isinstance(function, Sequential) and _settled((function.layers, settings))


def _settled(x: Any) -> bool:
    """Whether a setting can never change: numbers, names, and frozen dataclasses and tuples of them."""
    if dataclasses.is_dataclass(x) and not isinstance(x, type):
        library = type(x).__module__.startswith("chainrule.")
        return library and all(_settled(getattr(x, field.name)) for field in dataclasses.fields(x))
    if isinstance(x, tuple):
        return all(map(_settled, x))
    return x is None or isinstance(x, str | bool | int | float) or any(x is f for f in ACTIVATIONS.values())
