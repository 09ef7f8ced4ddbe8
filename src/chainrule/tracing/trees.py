"""Nested dicts, lists, tuples and registered containers of values: taken apart into leaves, put together again."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, lru_cache, partial
from numbers import Number
from typing import Any, NamedTuple

import numpy as np

from chainrule.errors import SettingError, ShapeError, shortened
from chainrule.tracing.containers import REGISTERED


class Structure(NamedTuple):
    """The shape of a nested container: its type, its keys, and the structures inside; a leaf has type `None`.

    `rest` is what else makes up a container that is registered; `exactly` tells structures apart whose keys or rests Python
    calls equal: 1, 1.0 and True, 0.0 and −0.0.
    """

    kind: type | None
    keys: tuple[Any, ...] = ()
    children: tuple[Structure, ...] = ()
    rest: Any = None
    exactly: Any = None

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


TEXT, PLAIN_CONTAINERS = frozenset({str}), frozenset({dict, list, tuple})
DEEPEST = 200
"""Containers nested deeper than this contain themselves, or are no arguments of a function."""


def flatten(tree: Any) -> tuple[list[Any], Structure]:
    """The leaves from left to right, and the structure that puts them together again."""
    leaves: list[Any] = []
    return leaves, _take_apart(tree, leaves, DEEPEST)


def leaves_of(tree: Any) -> list[Any]:
    """The leaves from left to right."""
    found: list[Any] = []
    map_leaves(found.append, tree)
    return found


def _take_apart(tree: Any, leaves: list[Any], depth: int) -> Structure:
    """The structure, and its leaves at the end of a list."""
    kind = type(tree)
    if kind not in PLAIN_CONTAINERS and not is_container(tree):
        leaves.append(tree)
        return LEAF
    if not depth:
        raise _too_deep(tree)
    keys, values, rest = parts(tree)
    children = []
    for value in values:
        if type(value) is np.ndarray:
            leaves.append(value)
            children.append(LEAF)
        else:
            children.append(_take_apart(value, leaves, depth - 1))
    if kind is tuple or kind is list or (rest is None and TEXT.issuperset(map(type, keys))):
        return Structure(kind, keys, tuple(children))
    return Structure(kind, keys, tuple(children), rest, _exactly((keys, rest)))


def _too_deep(tree: Any) -> ShapeError:
    return ShapeError(
        f"a {type(tree).__name__} contains itself, or is nested more than {DEEPEST} deep. Give a container of arrays in which "
        "every one stands at its own place."
    )


def _exactly(x: Any) -> Any:
    """What differs where two hashable things that are equal are not the same."""
    if isinstance(x, Number):
        return type(x), repr(x)
    if dataclasses.is_dataclass(x) and not isinstance(x, type):
        x = tuple(getattr(x, field.name, None) for field in dataclasses.fields(x)), type(x)
    if isinstance(x, tuple):
        return type(x), *map(_exactly, x)
    return frozenset(map(_exactly, x)) if isinstance(x, frozenset) else type(x)


def flatten_like(structure: Structure, tree: Any, what: str = "the argument") -> list[Any]:
    """The leaves of `tree`, which must have `structure`; dicts may have their keys in another order."""
    if structure.kind is None:
        if is_container(tree):
            raise ShapeError(f"{what} should be one array and is a {type(tree).__name__}.")
        return [tree]
    keys, values, rest = parts(tree) if is_container(tree) else ((), [], None)
    if isinstance(tree, structure.kind) and not _equal(rest, structure.rest):
        raise ShapeError(
            f"{what} should be a {structure.kind.__name__} with {shortened(structure.rest)} and has {shortened(rest)}, which says "
            "that it is another kind of container."
        )
    if not isinstance(tree, structure.kind) or set(keys) != set(structure.keys):
        raise ShapeError(
            f"{what} should be a {structure.kind.__name__} {_inside(structure.keys)} and is a "
            f"{type(tree).__name__}{f' {_inside(keys)}' if is_container(tree) else f', {shortened(tree)}'}."
        )
    found = dict(zip(keys, values, strict=True))
    return [
        leaf
        for key, child in zip(structure.keys, structure.children, strict=True)
        for leaf in flatten_like(child, found[key], f"{what}[{key!r}]")
    ]


def _inside(keys: tuple[Any, ...]) -> str:
    """What a container has, in words."""
    return f"of {len(keys)}" if keys == tuple(range(len(keys))) else f"with {shortened(list(keys))}"


def _equal(one: Any, other: Any) -> bool:
    """Whether two rests say the same."""
    try:
        return bool(one == other)
    except Exception as error:
        raise SettingError(
            f"the rest of a container, {shortened(other)}, cannot be compared with {shortened(one)} ({type(error).__name__}: "
            f"{shortened(str(error))}). Its == must say True or False; give flatten's rest as a text, a number or a tuple."
        ) from error


def unflatten(structure: Structure, leaves: Sequence[Any]) -> Any:
    """The container with these leaves."""
    if structure is row(len(leaves)):
        return tuple(leaves)
    return _build(structure, iter(leaves))


def maker(structure: Structure) -> Callable[[Sequence[Any]], Any]:
    """What puts containers of this structure together, for one that is needed often: many times as fast as `unflatten`.

    Examples
    --------
    >>> make = maker(flatten({"a": [0, 0], "b": {"c": 0}})[1])
    >>> make([1, 2, 3])
    {'a': [1, 2], 'b': {'c': 3}}
    """
    return _made(structure) if _is_plain(structure) else partial(unflatten, structure)


@lru_cache(maxsize=64)
def _made(structure: Structure) -> Callable[[Sequence[Any]], Any]:
    keys: list[Any] = []
    leaves = itertools.count()

    def written(part: Structure) -> str:
        if part.kind is None:
            return f"x[{next(leaves)}]"
        begin = len(keys)
        keys.extend(part.keys)
        inside = [written(child) for child in part.children]
        if part.kind is dict:
            return f"{{{', '.join(f'k[{begin + i}]: {x}' for i, x in enumerate(inside))}}}"
        return f"[{', '.join(inside)}]" if part.kind is list else f"({''.join(f'{x}, ' for x in inside)})"

    made: Callable[[Sequence[Any]], Any] = eval(f"lambda x: {written(structure)}", {"k": keys})
    return made


def taker(structure: Structure) -> Callable[[Any], list[Any]]:
    """What gives the leaves of containers that have this structure: the other way round.

    Examples
    --------
    >>> take = taker(flatten({"a": [0, 0], "b": {"c": 0}})[1])
    >>> take({"a": [1, 2], "b": {"c": 3}})
    [1, 2, 3]
    """
    return _taken(structure) if _is_plain(structure) else leaves_of


@lru_cache(maxsize=64)
def _taken(structure: Structure) -> Callable[[Any], list[Any]]:
    keys: list[Any] = []

    def written(part: Structure, path: str) -> Iterator[str]:
        if part.kind is None:
            yield path
        for key, child in zip(part.keys, part.children, strict=True):
            keys.append(key)
            yield from written(child, f"{path}[k[{len(keys) - 1}]]")

    made: Callable[[Any], list[Any]] = eval(f"lambda x: [{', '.join(written(structure, 'x'))}]", {"k": keys})
    return made


def _is_plain(structure: Structure) -> bool:
    """Whether it is made of nothing but Python's own dicts, lists and tuples."""
    return structure.kind is None or (structure.kind in PLAIN_CONTAINERS and all(map(_is_plain, structure.children)))


def map_leaves(function: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """The container with `function` applied to every leaf (and to the same leaf of the others)."""
    if not others:
        return _mapped(function, tree, DEEPEST)
    leaves, structure = flatten(tree)
    rest = [flatten_like(structure, other) for other in others]
    return unflatten(structure, [function(*group) for group in zip(leaves, *rest, strict=True)])


def _mapped(function: Callable[[Any], Any], tree: Any, depth: int) -> Any:
    """The same without taking Python's own containers apart, of which most trees are made."""
    kind = type(tree)
    if kind not in PLAIN_CONTAINERS:
        if kind is np.ndarray or not is_container(tree):
            return function(tree)
        leaves: list[Any] = []
        structure = _take_apart(tree, leaves, depth)
        return unflatten(structure, [function(leaf) for leaf in leaves])
    if not depth:
        raise _too_deep(tree)
    if kind is dict:
        return {
            key: function(value) if type(value) is np.ndarray else _mapped(function, value, depth - 1)
            for key, value in tree.items()
        }
    return kind([_mapped(function, value, depth - 1) for value in tree])


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
    kind = type(tree)
    if kind is dict:
        return tuple(tree), list(tree.values()), None
    if kind is tuple or kind is list:
        return tuple(range(len(tree))), list(tree), None
    if tree is None:
        return (), [], None
    registered = REGISTERED.get(kind)
    if registered is not None:
        return registered.parts(tree)
    others = getattr(tree, "__dict__", None)
    if others and others is not tree:
        raise _unknown(kind, f"has {', '.join(map(str, others))} besides what is inside, which would be lost")
    if isinstance(tree, Mapping):
        return tuple(tree), list(tree.values()), None
    return tuple(getattr(tree, "_fields", range(len(tree)))), list(tree), None


def _unknown(kind: type, why: str) -> SettingError:
    """The error about a class derived from one of Python's containers."""
    return SettingError(
        f"a {kind.__name__} {why}. Say how it is taken apart and put together: chainrule.register_container({kind.__name__}, "
        "flatten, unflatten), or give a dict, list or tuple."
    )


def _build(structure: Structure, leaves: Iterator[Any]) -> Any:
    kind, keys = structure.kind, structure.keys
    if kind is None:
        return next(leaves)
    values = [next(leaves) if child is LEAF else _build(child, leaves) for child in structure.children]
    if kind is list:
        return values
    if kind is tuple:
        return tuple(values)
    if kind is dict:
        return dict(zip(keys, values, strict=True))
    if kind is type(None):
        return None
    registered = REGISTERED.get(kind)
    return _derived(kind, keys, values) if registered is None else registered.whole(keys, values, structure.rest)


def _derived(kind: Any, keys: tuple[Any, ...], values: list[Any]) -> Any:
    """One of a class derived from a container of Python's, made of what is inside."""
    named, fields = issubclass(kind, dict), hasattr(kind, "_fields")
    try:
        made = kind(zip(keys, values, strict=True)) if named else kind(*values) if fields else kind(values)
    except Exception as error:
        raise _unknown(
            kind, f"is not made of what is inside alone ({type(error).__name__}: {shortened(str(error))})"
        ) from error
    found = list(made.values()) if named else list(made)
    if (
        type(made) is not kind
        or len(found) != len(values)
        or not all(x is y for x, y in zip(found, values, strict=True))
    ):
        raise _unknown(kind, "is not made of what is inside alone")
    return made
