"""Nested dicts, lists, tuples and registered containers of values: taken apart into leaves, put together again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from chainrule.errors import ShapeError, shortened
from chainrule.tracing.containers import REGISTERED


class Structure(NamedTuple):
    """The shape of a nested container: its type, its keys, and the structures inside; a leaf has type `None`.

    `rest` is what else makes up a container that is registered.
    """

    kind: type | None
    keys: tuple[Any, ...] = ()
    children: tuple[Structure, ...] = ()
    rest: Any = None

    @property
    def leaves(self) -> int:
        """Number of leaves."""
        return 1 if self.kind is None else sum(child.leaves for child in self.children)


LEAF = Structure(None)
CONTAINERS = (dict, list, tuple)  # a tuple, because isinstance with a union takes five times as long


@cache
def row(count: int) -> Structure:
    """The structure of a tuple of so many leaves."""
    return Structure(tuple, tuple(range(count)), (LEAF,) * count)


def is_container(tree: Any) -> bool:
    """Whether this is a container to be taken apart, and not a leaf."""
    return isinstance(tree, CONTAINERS) or tree is None or type(tree) in REGISTERED


def flatten(tree: Any) -> tuple[list[Any], Structure]:
    """The leaves from left to right, and the structure that puts them together again."""
    if not is_container(tree):
        return [tree], LEAF
    keys, values, rest = parts(tree)
    leaves: list[Any] = []
    children = []
    for value in values:
        inner, structure = flatten(value)
        leaves.extend(inner)
        children.append(structure)
    return leaves, Structure(type(tree), keys, tuple(children), rest)


def flatten_like(structure: Structure, tree: Any, what: str = "the argument") -> list[Any]:
    """The leaves of `tree`, which must have `structure`; dicts may have their keys in another order."""
    if structure.kind is None:
        if is_container(tree):
            raise ShapeError(f"{what} should be one array and is a {type(tree).__name__}.")
        return [tree]
    keys, values, rest = parts(tree) if is_container(tree) else ((), [], None)
    if isinstance(tree, structure.kind) and rest != structure.rest:
        raise ShapeError(
            f"{what} should be a {structure.kind.__name__} with {shortened(structure.rest)} and has {shortened(rest)}, which says "
            "that it is another kind of container."
        )
    if not isinstance(tree, structure.kind) or set(keys) != set(structure.keys):
        raise ShapeError(
            f"{what} should be a {structure.kind.__name__} with {list(structure.keys)} "
            f"and is a {type(tree).__name__}{f' with {list(keys)}' if keys else ''}."
        )
    found = dict(zip(keys, values, strict=True))
    return [
        leaf
        for key, child in zip(structure.keys, structure.children, strict=True)
        for leaf in flatten_like(child, found[key], f"{what}[{key!r}]")
    ]


def unflatten(structure: Structure, leaves: list[Any] | tuple[Any, ...]) -> Any:
    """The container with these leaves."""
    if structure is row(len(leaves)):
        return tuple(leaves)
    return _build(structure, iter(leaves))


def map_leaves(function: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """The container with `function` applied to every leaf (and to the same leaf of the others)."""
    leaves, structure = flatten(tree)
    rest = [flatten_like(structure, other) for other in others]
    return unflatten(structure, [function(*group) for group in zip(leaves, *rest, strict=True)])


def paths(structure: Structure, prefix: str = "") -> list[str]:
    """A name for every leaf, such as `hidden.weight` or `layers[0]`."""
    if structure.kind is None:
        return [prefix]
    return [
        path
        for key, child in zip(structure.keys, structure.children, strict=True)
        for path in paths(child, _join(prefix, key))
    ]


def _join(prefix: str, key: Any) -> str:
    if isinstance(key, str):
        return f"{prefix}.{key}" if prefix else key
    return f"{prefix}[{key}]"


def parts(tree: Any) -> tuple[tuple[Any, ...], list[Any], Any]:
    """Keys, what stands there, and the rest of a container."""
    if tree is None:
        return (), [], None
    registered = REGISTERED.get(type(tree))
    if registered is not None:
        return registered.parts(tree)
    if isinstance(tree, Mapping):
        return tuple(tree), list(tree.values()), None
    return tuple(getattr(tree, "_fields", range(len(tree)))), list(tree), None


def _build(structure: Structure, leaves: Iterator[Any]) -> Any:
    if structure.kind is None:
        return next(leaves)
    values = [_build(child, leaves) for child in structure.children]
    if structure.kind is type(None):
        return None
    registered = REGISTERED.get(structure.kind)
    if registered is not None:
        return registered.whole(structure.keys, values, structure.rest)
    if issubclass(structure.kind, dict):
        return structure.kind(zip(structure.keys, values, strict=True))
    build: Callable[..., Any] = structure.kind
    return build(*values) if hasattr(build, "_fields") else build(values)
