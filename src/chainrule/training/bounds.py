"""Numbers among the settings of optimizers and schedules: within their bounds, or traced where a derivative by them is taken."""

from __future__ import annotations

from typing import Any

from chainrule.errors import SettingError, TracingError, is_finite
from chainrule.tracing.apply import Traced, held_by


def is_traced(value: Any) -> bool:
    """Whether this is one real number that a derivative is taken by, or that a Program is given."""
    given = held_by(value)
    return isinstance(given, Traced) and tuple(given.shape) == () and given.dtype.kind == "f"


def unless_number(owner: str, name: str, value: Any, **bounds: Any) -> None:
    """Refuse a setting that is no number within these bounds (`SettingError.unless_number`); a traced one as far as it is known."""
    if not is_traced(value):
        SettingError.unless_number(owner, name, value, **bounds)
        return
    try:
        within = all(
            bool({"at_least": value >= b, "above": value > b, "at_most": value <= b, "below": value < b}[word])
            for word, b in bounds.items()
        )
    except TracingError:  # in a Program and in a batch there is no number yet
        return
    if not within:
        words = " and ".join(f"{word.replace('_', ' ')} {bound:g}" for word, bound in bounds.items())
        raise SettingError(f"{owner} was given {name}={value!r}; it must be {words}.")


def is_nothing(value: Any) -> bool:
    """Whether a setting is 0 for good; a traced one counts even where it is 0, for its derivative does."""
    return is_finite(value) and value == 0
