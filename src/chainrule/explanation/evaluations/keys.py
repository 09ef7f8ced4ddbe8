"""Keys: the text by which `explain` knows a number, `hidden.weight[0, 1]`, and `∂L/∂` before it for its gradient.

Whatever shows a number, on whatever page, can carry its key, and be found by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chainrule.explanation.evaluations.evaluation import Evaluation
from chainrule.tracing.program import Variable


def key_of(name: str, index: Sequence[int | str] = ()) -> str:
    """The key of an element of a named array; empty for an array without name."""
    return f"{name}[{', '.join(map(str, index))}]" if name and len(index) else name


def slope_key(of: str, by: str) -> str:
    """The key of ∂of/∂by; empty where one of them has none."""
    return f"∂{of}/∂{by}" if of and by else ""


@dataclass(frozen=True)
class Keys:
    """The keys of an array's numbers, or of a part of an array in which some `places` are fixed and the free ones `None`.

    Without a name there are none; `of` is what derivatives are of, if these are the array's gradients.

    >>> Keys("hidden.weight", of="L", places=(None, 1)).at(0)
    '∂L/∂hidden.weight[0, 1]'
    """

    name: str = ""
    of: str = ""
    places: tuple[int | None, ...] | None = None

    def at(self, *index: int | str) -> str:
        """The key at these of the free places."""
        if not self.name:
            return ""
        free = iter(index)
        own = index if self.places is None else [next(free) if i is None else i for i in self.places]
        key = key_of(self.name, own)
        return slope_key(self.of, key) if self.of else key

    def slopes(self, of: str) -> Keys:
        """Those of the gradients by these numbers."""
        return Keys(self.name if of else "", of, self.places)


KeysOfTwo = tuple[Keys, Keys]
"""Of numbers, and of their gradients."""
NO_KEYS: KeysOfTwo = (Keys(), Keys())


def keys_of(evaluation: Evaluation, x: Variable | None) -> KeysOfTwo:
    """The keys of a variable's numbers and of their gradients; only what was given a name can be asked for by it."""
    name = "" if x is None else evaluation.names.get(x, "")
    output = evaluation.output or (evaluation.program.outputs[0] if evaluation.cotangents else None)
    return Keys(name), Keys(name).slopes("" if output is None else evaluation.label(output))
