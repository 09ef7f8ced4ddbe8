"""Subjects: what a view is of, with its numbers as they are now, by their keys."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from chainrule.errors import ChainruleError, SettingError, UnknownNameError
from chainrule.explanation.derivations.derivation import Derivation
from chainrule.explanation.drawing.scene import Scene
from chainrule.explanation.evaluations.evaluation import Evaluation
from chainrule.explanation.evaluations.keys import key_of, slope_key
from chainrule.explanation.evaluations.places import element_of, find
from chainrule.explanation.formulas.symbols import Element
from chainrule.explanation.splits.contributions import Contributions
from chainrule.tracing.program import Variable
from chainrule.viewer.hiding import Hidden
from chainrule.viewer.topics import Topics
from chainrule.viewer.walk import Walk

MOMENT = "moment"
"""The topic of all numbers of the subject: what was computed from others, and those."""


class Subject(ABC):
    """What a view is of: an evaluation that is made anew when a number is changed, and what can be said of its numbers.

    Attributes
    ----------
    kind : str
        "network", "value" or "function".
    title : str
        What it is called.
    digits : int
        Significant digits where numbers are printed.
    hidden : Hidden
        The numbers that are not to be seen for now.
    done : int or None
        Where a step is gone through operation by operation, how many are done; `None` for all.
    """

    kind: str
    title: str

    def __init__(self, topics: Topics, digits: int = 4) -> None:
        self.topics, self.digits = topics, digits
        self.done: int | None = None
        self.hidden = Hidden()
        self.unfolded: str | None = None

    @abstractmethod
    def evaluated(self) -> Any:
        """What is computed from the numbers as they are."""

    @property
    @abstractmethod
    def evaluation(self) -> Evaluation:
        """That as an evaluation, after a backward pass."""

    @property
    @abstractmethod
    def known(self) -> Mapping[str, Variable]:
        """The variables by the names that users ask for them by."""

    @abstractmethod
    def explain(self, key: str, depth: str, check: bool) -> Derivation:
        """Why the gradient by a number is what it is."""

    def contributions(self, key: str) -> Contributions | None:
        """The gradient by a number in parts; `None` where there is nothing to take apart."""
        return None

    @abstractmethod
    def drawn(self) -> Scene:
        """The picture of it, with the numbers that are known by now."""

    @abstractmethod
    def changeable(self, key: str) -> bool:
        """Whether a number can be set by hand."""

    @abstractmethod
    def put(self, key: str, value: float) -> None:
        """Set a number."""

    @property
    @abstractmethod
    def held(self) -> Any:
        """All numbers that nothing was computed to get to, as they are."""

    @abstractmethod
    def hold(self, held: Any) -> None:
        """Take these again."""

    @abstractmethod
    def reset(self) -> None:
        """Take back all that was set by hand."""

    def touch(self) -> None:
        """Forget what was computed from the numbers, which have changed."""
        for name in ("_now", "evaluation"):
            self.__dict__.pop(name, None)
        self.topics.touch(MOMENT)

    @cached_property
    def _now(self) -> Any:
        return self.evaluated()

    # --- numbers by their keys

    @property
    def output(self) -> str:
        """The key of what derivatives are of."""
        output = self.evaluation.output
        assert output is not None
        return self.evaluation.label(output)

    def element(self, key: str) -> Element:
        """The element that a key, or the key of its gradient, is of."""
        where = key.removeprefix(f"∂{self.output}/∂")
        variable, index = find(self.known, where)
        element = element_of(self.evaluation, variable, tuple(index or ()))
        if element.letters:
            raise SettingError(f"a single number was asked for, and {key!r} has letters; give whole numbers as places.")
        return element

    def has(self, key: str) -> bool:
        """Whether there is such a number now."""
        try:
            self.element(key)
        except ChainruleError:
            return False
        return True

    def key(self, key: str) -> str:
        """The key in full, of a number or of its gradient."""
        element = self.element(key)
        return key_of(self.evaluation.label(element.variable), element.place)

    def number(self, key: str) -> float:
        """The number itself."""
        element = self.element(key)
        return float(np.asarray(self.evaluation.values[element.variable])[element.place])

    def gradient(self, key: str) -> float | None:
        """The gradient by a number, `None` where no derivative goes."""
        element = self.element(key)
        found = self.evaluation.cotangent(element.variable)
        return None if found is None else float(np.asarray(found)[element.place])

    def computed(self, key: str) -> tuple[bool, bool]:
        """Whether a number, and the gradient by it, have been computed where a step is gone through by operations."""
        x, seen = self.element(key).variable, self.partial(self.evaluation)
        return x in seen.values, x in seen.cotangents or x not in self.evaluation.cotangents

    def slope_key(self, key: str) -> str:
        """The key of the gradient by a number."""
        return slope_key(self.output, self.key(key))

    def partial(self, evaluation: Evaluation) -> Evaluation:
        """The evaluation as far as it has been gone through."""
        if self.done is None:
            return evaluation
        walk = Walk(evaluation)
        known, reached = walk.values(self.done), walk.gradients(self.done)
        values = {x: value for x, value in evaluation.values.items() if x in known or x not in evaluation.makers}
        cotangents = {x: cotangent for x, cotangent in evaluation.cotangents.items() if x in reached}
        return replace(evaluation, values=values, cotangents=cotangents)


def with_number(array: Any, place: tuple[int, ...], value: float) -> Any:
    """A copy of an array with one number set.

    Raises
    ------
    SettingError
        Where the array's type cannot hold it.
    """
    new = np.array(array)
    with np.errstate(over="ignore"):
        new[place] = value
    if not np.isfinite(new[place]):
        raise SettingError(
            f"a number was to be set to {value}, which is too large for {new.dtype}; give a smaller one."
        )
    return new if new.ndim else new[()]


def unless_changeable(subject: Subject, key: str) -> None:
    """Refuse to set what is computed from other numbers."""
    if not subject.changeable(key):
        raise SettingError(
            f"{key} is computed from other numbers and cannot be set; set a weight, a bias, an input or a target."
        )


def unless_known(name: str, known: Mapping[str, Any], what: str) -> None:
    """Refuse a name that is none of these."""
    if name not in known:
        raise UnknownNameError.among(what, name, known)
