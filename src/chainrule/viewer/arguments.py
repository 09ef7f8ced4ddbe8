"""Arguments of commands, which come from outside: whether they are what the method says that it takes."""

from __future__ import annotations

import inspect
import numbers
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any

from chainrule.errors import SettingError, is_finite, shortened

WORDS: Mapping[Any, str] = {
    str: "a text",
    bool: "true or false",
    int: "a whole number",
    float: "a finite number",
    dict: "names with values",
    types.NoneType: "nothing",
}
"""What arguments of a type are called."""


def unless_fitting(name: str, method: Callable[..., Any], arguments: Mapping[str, Any]) -> None:
    """Refuse arguments that a command's method does not know, and those of another type than it says.

    Raises
    ------
    SettingError
        With what was given and what is expected.
    """
    try:
        inspect.signature(method).bind(**arguments)
    except TypeError as error:
        raise SettingError(f"the command {name!r} was given {shortened(dict(arguments))}: {error}.") from None
    hints = typing.get_type_hints(method)
    for argument, value in arguments.items():
        kinds = _kinds(hints.get(argument, Any))
        if not any(_is(value, kind) for kind in kinds):
            expected = " or ".join(WORDS.get(kind, kind.__name__) for kind in kinds)
            raise SettingError(f"the command {name!r} was given {argument} = {shortened(value)}; give {expected}.")


def _kinds(hint: Any) -> list[Any]:
    """The types that a hint allows, without what is in them."""
    union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    return [typing.get_origin(x) or x for x in (typing.get_args(hint) if union else [hint])]


def _is(value: Any, kind: Any) -> bool:
    if kind is Any:
        return True
    if kind is float:
        return is_finite(value)
    if kind is int:  # JavaScript has one kind of numbers
        return is_finite(value) and (isinstance(value, numbers.Integral) or value == int(value))
    return isinstance(value, kind)
