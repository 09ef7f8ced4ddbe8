"""Registries: dicts of declarations that are whole to whoever asks, though the rarer ones are loaded when they are asked for.

What is there by now is found as in any dict. Before a registry says that something is not there, or what all there is, it
loads the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Key = TypeVar("Key")
Declaration = TypeVar("Declaration")


class Registry(dict[Key, Declaration]):
    """Declarations by name."""

    load_the_rest: Callable[[], None] = staticmethod(lambda: None)
    """Loads what is not loaded yet, for all registries; `ops` says how, once it has loaded what comes first."""

    loaded = dict.get
    loaded_items = dict.items
    """As `get` and `items`, of what is loaded by now."""

    def __missing__(self, key: Key) -> Declaration:
        self.load_the_rest()
        if (found := self.loaded(key)) is None:
            raise KeyError(key)
        return found

    def __contains__(self, key: object) -> bool:
        if not super().__contains__(key):
            self.load_the_rest()
        return super().__contains__(key)

    def get(self, key: Any, default: Any = None) -> Any:
        """The declaration of this name."""
        found = self.loaded(key)
        if found is None:
            self.load_the_rest()
            found = self.loaded(key, default)
        return found


def _of_all(name: str) -> Callable[..., Any]:
    """A method of a dict, for what speaks of everything in it."""
    method = getattr(dict, name)

    def of_all(self: Registry[Any, Any], *given: Any) -> Any:
        self.load_the_rest()
        return method(self, *given)

    of_all.__name__, of_all.__doc__ = name, method.__doc__
    return of_all


for _name in ("__iter__", "__reversed__", "__len__", "__or__", "keys", "values", "items"):
    setattr(Registry, _name, _of_all(_name))
