"""Which number of an array an index or a text names, such as `"hidden.weight[0, j]"`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from chainrule.errors import SettingError, ShapeError, UnknownNameError
from chainrule.explanation.evaluations.evaluation import Evaluation
from chainrule.explanation.formulas.indices import Letter
from chainrule.explanation.formulas.symbols import Element
from chainrule.tracing.program import Variable

_PLACE = re.compile(r"-?\d+|[^\W\d_]")


def find(known: Mapping[str, Variable], where: str) -> tuple[Variable, list[int | str] | None]:
    """The variable and the index that a text such as `"hidden.weight[0, j]"` names; `None` for no index."""
    if where in known:
        return known[where], None
    name, bracket, places = where.rstrip().partition("[") if where.count("[") == 1 else _last_bracket(where)
    name, places = name.strip(), places.rstrip().removesuffix("]")
    if not bracket or name not in known:
        raise UnknownNameError.among("value", where if not bracket else name, known)
    entries = [entry.strip() for entry in places.split(",") if entry.strip()]
    for entry in entries:
        if not _PLACE.fullmatch(entry):
            raise SettingError(f"{where!r} has {entry!r} as an index; give whole numbers, or single letters for any.")
    return known[name], [int(entry) if entry.lstrip("-").isdigit() else entry for entry in entries]


def letters_for(evaluation: Evaluation, variable: Variable) -> list[int | str]:
    """An index of letters, for a formula that holds for every number of an array."""
    free = iter("ijklmpqr")
    return [
        0 if size == 1 else "n" if axis == 0 and variable in evaluation.samples else next(free)
        for axis, size in enumerate(variable.shape)
    ]


def _last_bracket(where: str) -> tuple[str, str, str]:
    name, bracket, places = where.rpartition("[")
    return name, bracket, places


def element_of(evaluation: Evaluation, variable: Variable, index: tuple[Any, ...]) -> Element:
    """The element at an index of numbers and letters; negative numbers count from the end.

    An index that lacks the axis of samples gets it where there is a single sample.
    """
    shape = variable.shape
    if len(index) == len(shape) - 1 and variable in evaluation.samples and shape[0] == 1:
        index = (0, *index)
    if len(index) != len(shape):
        raise ShapeError(
            f"{evaluation.label(variable)} has shape {shape} and was given the index {list(index)}; give {len(shape)} "
            f"number{'s' if len(shape) != 1 else ''} or letters, such as {evaluation.label(variable)}"
            f"[{', '.join('0' * len(shape))}]."
        )
    entries: list[int | Letter] = []
    for place, size in zip(index, shape, strict=True):
        if isinstance(place, str):
            entries.append(Letter(place, size))
        elif not -size <= place < size:
            raise ShapeError(
                f"{evaluation.label(variable)} has shape {shape}; the index {list(index)} is outside of it; "
                "give a place for every axis, counted from 0."
            )
        else:
            entries.append(int(place) % size)
    return Element(variable, tuple(entries))
