"""Where every label stands, found by its exact spelling or as the same number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from chainrule.tables.numbers import number


class Places(dict[str, float]):
    """Where every label stands, by its exact spelling; where the labels are plain numbers, `1.0` finds `1` as well.

    So does what float32 makes of fractions.

    Examples
    --------
    >>> places = Places(("0.1", "0.2"))
    >>> places.of_number("0.10000000149011612", -1)
    0.0
    >>> places = Places(("1", "2"))
    >>> places["2"], places.of_number("2.0", -1), places.of_number("02", -1), Places(("01", "1")).of_number("1.0", -1)
    (1.0, 1.0, -1, -1)
    """

    def __init__(self, labels: Sequence[str]) -> None:
        super().__init__((label, float(place)) for place, label in enumerate(labels))
        amounts = [amount for label in labels if (amount := plain_number(label)) is not None]
        places = {amount: float(place) for place, amount in enumerate(amounts)}
        self.numbers = _as_float32(places) | places if len(places) == len(labels) else {}

    def of_number(self, text: str, otherwise: float) -> float:
        """The place of the label that is the same number."""
        amount = plain_number(text) if self.numbers else None
        return otherwise if amount is None else self.numbers.get(amount, otherwise)


def _as_float32(places: Mapping[float, float]) -> dict[float, float]:
    """The same by the numbers that float32 makes of these fractions; none where some fall together."""
    fractions = [amount for amount in places if not amount.is_integer()]
    with np.errstate(over="ignore"):
        rounded = dict(
            zip(np.array(fractions, np.float32).astype(float).tolist(), map(places.get, fractions), strict=True)
        )
    return rounded if len(rounded) == len(fractions) else {}


def plain_number(text: str) -> float | None:
    """The number that a text is without units or leading zeros."""
    found = None if text[:1] == "0" and text[1:2].isdigit() else number(text)
    return found[0] if found is not None and not found[1] else None


def in_order(labels: Sequence[str]) -> list[str]:
    """Labels by number where all are plain numbers, else by spelling."""
    amounts = {label: plain_number(label) for label in labels}
    if None in amounts.values():
        return sorted(labels)
    return sorted(labels, key=lambda label: (amounts[label] or 0.0, label))
