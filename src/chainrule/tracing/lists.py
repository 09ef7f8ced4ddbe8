"""Lists with traced values in them, as in `np.dot([a, b], x)`: they are arrays to functions that would make plain numbers of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from chainrule.errors import DerivativeLostError
from chainrule.tracing.apply import as_operand, holds_traced


def _inner(x: Any) -> Any:
    """A list of arrays, of lists in a list."""
    return [as_operand(item) if holds_traced(item) else item for item in x] if holds_traced(x) else x


def _whole(x: Any) -> Any:
    """An array of a list."""
    return as_operand(x) if holds_traced(x) else x


def taking_lists(call: Callable[..., Any], args: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """The result of a call; where a list would be made an array of plain numbers, that of the list as an array of traced ones."""
    try:
        return call(*args, **options)
    except DerivativeLostError as lost:
        return with_lists_as_arrays(lost, call, args, options)


def with_lists_as_arrays(
    lost: DerivativeLostError, call: Callable[..., Any], args: Sequence[Any], options: Mapping[str, Any], *before: Any
) -> Any:
    """The result of a call that would have made plain numbers of a list of traced values: with the list as an array of such.

    What stands `before` the arguments is given as it is. Where there is no list, the error of the call, `lost`, goes on.
    """
    if not any(map(holds_traced, (*args, *options.values()))):
        raise lost
    lost.answered = True
    try:
        return call(*before, *map(_inner, args), **{key: _inner(x) for key, x in options.items()})
    except DerivativeLostError as error:
        error.answered = True
    return call(*before, *map(_whole, args), **{key: _whole(x) for key, x in options.items()})
