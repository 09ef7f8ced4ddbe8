"""Containers of the user's own: how they are taken apart into arrays and the rest, and put together again."""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from chainrule.errors import ChainruleError, DerivativeLostError, SettingError, shortened

Kind = TypeVar("Kind", bound=type)


class Names(tuple[Any, ...]):
    """The keys of what is inside, where `flatten` gave a dict; of a sequence they are places."""


class Container:
    """A registered class: `flatten(x)` gives what is in it, and the rest; `unflatten(rest, inside)` one that is like it."""

    def __init__(
        self, kind: type, flatten: Callable[[Any], tuple[Any, Any]], unflatten: Callable[[Any, Any], Any]
    ) -> None:
        self.kind, self.flatten, self.unflatten = kind, flatten, unflatten

    def parts(self, x: Any) -> tuple[tuple[Any, ...], list[Any], Any]:
        """Names or places of what is inside, these things, and the rest."""
        found: tuple[tuple[Any, ...], list[Any], Any] = self._tried(self._taken_apart, x)
        if self.kind not in _PROVEN:
            self._prove(*found)
        return found

    def _taken_apart(self, x: Any) -> tuple[tuple[Any, ...], list[Any], Any]:
        made = self.flatten(x)
        if not isinstance(made, tuple) or len(made) != 2 or not isinstance(made[0], Iterable):
            raise SettingError(
                f"flatten of the container {self.kind.__name__} gave {shortened(made)}; it must give a pair: a dict, list or "
                "tuple of what is inside, and the rest, such as (x.a, x.b), x.name."
            )
        inside, rest = made
        try:
            hash(rest)
        except (TypeError, DerivativeLostError):
            raise SettingError(
                f"flatten of the container {self.kind.__name__} gave {shortened(rest)} as the rest, which says what kind of "
                "container it is and is compared with that of others, so it must be hashable: a text, a number or a tuple. Arrays "
                "and traced values belong inside."
            ) from None
        if isinstance(inside, Mapping):
            return Names(inside), list(inside.values()), rest
        values = list(inside)
        return tuple(range(len(values))), values, rest

    def _prove(self, keys: tuple[Any, ...], values: list[Any], rest: Any) -> None:
        """That what is put together again has the same inside; once for a class, since numbers would be wrong in silence."""
        again_keys, again, again_rest = self._tried(self._taken_apart, self.whole(keys, values, rest))
        if again_keys != keys or again_rest != rest or not all(map(_may_be_same, values, again)):
            raise SettingError(
                f"unflatten of the container {self.kind.__name__} gave one that flatten takes apart into {shortened(again)} and "
                f"{shortened(again_rest)}, and was given {shortened(values)} and {shortened(rest)}; it must put back what "
                "flatten took."
            )
        if all(isinstance(x, _PLAIN) for x in values):
            _PROVEN.add(self.kind)

    def whole(self, keys: tuple[Any, ...], values: list[Any], rest: Any) -> Any:
        """One with other things inside."""
        inside = dict(zip(keys, values, strict=True)) if isinstance(keys, Names) else tuple(values)
        made = self._tried(self.unflatten, rest, inside)
        if type(made) is not self.kind:
            raise SettingError(
                f"unflatten of the container {self.kind.__name__} gave {shortened(made)}; it must give a {self.kind.__name__}."
            )
        return made

    def _tried(self, function: Callable[..., Any], *args: Any) -> Any:
        try:
            return function(*args)
        except ChainruleError:
            raise
        except Exception as error:
            name = "unflatten" if function == self.unflatten else "flatten"
            raise SettingError(
                f"{name} of the container {self.kind.__name__} failed ({type(error).__name__}: {shortened(str(error))}). It must "
                "take apart, or put together, whatever is inside: arrays, traced values, and their shapes while a Program is made."
            ) from error


_PLAIN = (np.ndarray, np.generic, bool, int, float, complex)
_PROVEN: set[type] = set()


def _may_be_same(x: Any, y: Any) -> bool:
    """Whether two things are the same numbers, or cannot be compared: traced values, containers."""
    if x is y or not isinstance(x, _PLAIN) or not isinstance(y, _PLAIN):
        return True
    return np.shape(x) == np.shape(y) and bool(np.all((np.asarray(x) == y) | (np.asarray(x) != x)))


REGISTERED: dict[type, Container] = {
    defaultdict: Container(defaultdict, lambda x: (dict(x), x.default_factory), defaultdict),
    Counter: Container(Counter, lambda x: (dict(x), None), lambda _, inside: Counter(inside)),
}
"""The containers that users have registered, and those of Python's that are made otherwise than of what is inside."""

BUILT_IN = (dict, list, tuple, type(None), np.ndarray, np.generic, bool, int, float, complex, str, bytes)
"""Classes that have a meaning already."""


def hint(x: Any) -> str:
    """What makes a container of an object of a class of the user's, if it is one."""
    kind = type(x)
    if kind in REGISTERED:
        return f" A {kind.__name__} is a container; give the arrays that are in it, or chainrule.flatten of it, which is one vector."
    if (
        kind.__module__ in ("builtins", "numpy")
        or not (hasattr(x, "__dict__") or dataclasses.is_dataclass(kind))
        or callable(x)
    ):
        return ""
    return f" A {kind.__name__} is a container of arrays once it is registered: chainrule.register_container({kind.__name__})."


def register_container(
    cls: Kind,
    flatten: Callable[[Any], tuple[Any, Any]] | None = None,
    unflatten: Callable[[Any, Any], Any] | None = None,
    *,
    static: Iterable[str] = (),
) -> Kind:
    """Make a class of one's own a container of arrays, as dicts, lists and tuples are: arguments, results, gradients.

    Parameters
    ----------
    cls : type
        The class. A dataclass needs nothing more, so this may stand above it as a decorator; named tuples are containers
        as they are.
    flatten : callable, optional
        `flatten(x)` gives what is inside, a sequence or a dict by names, and the rest: something hashable that says what else
        makes up the container, and never changes (compiled functions have it compiled in).
    unflatten : callable, optional
        `unflatten(rest, inside)` gives a container again, where arrays, traced values or others may be inside.
    static : names, optional
        Fields of a dataclass that are no arrays and belong to the rest.

    Returns
    -------
    type
        The class itself. Of a dataclass, containers are made of its fields, without its `__init__` and `__post_init__`.

    Raises
    ------
    SettingError
        For what is no class or has a meaning already, a class that is registered twice, functions that do not fit together, and
        dataclasses with attributes that are no fields.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> from dataclasses import dataclass
    >>> @cr.register_container
    ... @dataclass
    ... class Line:
    ...     slope: float
    ...     offset: float
    >>> cr.grad(lambda line: np.sum((line.slope * np.arange(3.0) + line.offset) ** 2))(Line(2.0, 1.0))
    Line(slope=np.float64(26.0), offset=np.float64(18.0))

    >>> class Box:
    ...     def __init__(self, low, high):
    ...         self.low, self.high = low, high
    >>> cr.register_container(Box, lambda box: ((box.low, box.high), None), lambda _, inside: Box(*inside))  # doctest: +ELLIPSIS
    <class '...Box'>
    >>> cr.grad(lambda box: (box.high - box.low) ** 2)(Box(1.0, 3.0)).low
    np.float64(-4.0)
    """
    if not isinstance(cls, type):
        raise SettingError(
            f"register_container was given {shortened(cls)}; give the class, not one of its objects: cr.register_container(Line)."
        )
    if cls in REGISTERED or cls in BUILT_IN:
        why = "is registered already" if cls in REGISTERED else "has a meaning already"
        raise SettingError(f"register_container was given {cls.__name__}, which {why}; give a class of your own, once.")
    if flatten is None and unflatten is None:
        flatten, unflatten = _of_dataclass(cls, static)
    elif static:
        raise SettingError(
            f"register_container was given static={shortened(static)} beside flatten. Leave it out: what is static is the rest that "
            "flatten gives."
        )
    if not callable(flatten) or not callable(unflatten):
        raise SettingError(
            f"register_container of {cls.__name__} was given flatten={shortened(flatten)} and unflatten={shortened(unflatten)}; "
            "give two functions, flatten(x) → (inside, rest) and unflatten(rest, inside) → x."
        )
    REGISTERED[cls] = Container(cls, flatten, unflatten)
    return cls


def _of_dataclass(cls: type, static: Iterable[str]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """How any dataclass is taken apart and put together."""
    if not dataclasses.is_dataclass(cls):
        raise SettingError(
            f"register_container was given {cls.__name__}, which is no dataclass; say how it is taken apart and put together: "
            f"cr.register_container({cls.__name__}, flatten, unflatten) with flatten(x) → (inside, rest) and "
            "unflatten(rest, inside) → x."
        )
    names = [field.name for field in dataclasses.fields(cls)]
    fixed = (static,) if isinstance(static, str) else tuple(static)
    if not set(fixed) <= set(names):
        raise SettingError(
            f"register_container was given static={shortened(static)} for {cls.__name__}, whose fields are others. Give some of "
            f"{', '.join(names)}."
        )
    inner = [name for name in names if name not in fixed]

    def flatten(x: Any) -> tuple[dict[str, Any], Any]:
        others = [name for name in getattr(x, "__dict__", ()) if name not in names and not _is_found_again(cls, name)]
        if others:
            raise SettingError(
                f"a {cls.__name__} has {', '.join(others)} besides its fields, which a container made of the fields would lose. Make "
                "it a field (a static one if it is no array), or a property."
            )
        return {name: getattr(x, name) for name in inner}, tuple(getattr(x, name) for name in fixed)

    def unflatten(rest: Any, inside: Any) -> Any:
        made = object.__new__(cls)
        for name, value in [*zip(fixed, rest, strict=True), *dict(inside).items()]:
            object.__setattr__(made, name, value)
        return made

    return flatten, unflatten


def _is_found_again(cls: type, name: str) -> bool:
    """Whether an attribute is computed of the others when it is asked for."""
    return isinstance(getattr(cls, name, None), cached_property)
