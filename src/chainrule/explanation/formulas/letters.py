"""Letters of sums, chosen so that none means two things in one formula, and no more are used than need be."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from itertools import count

import numpy as np

from chainrule.explanation.formulas.indices import Entry, Letter
from chainrule.explanation.formulas.symbolic import at_places, rewritten
from chainrule.explanation.formulas.symbols import (
    Call,
    Expression,
    Place,
    Product,
    Series,
    Slope,
    Symbol,
    number_of,
    parts,
    symbols_in,
)

NAMES = "klmpqrsuvw"
"""The letters that sums run over, in order; n is for samples, t for the steps of a loop."""


def with_other_letters(x: Expression, taken: set[Letter], new: Callable[[Letter], Letter]) -> Expression:
    """The same expression, with sums over letters that are `taken` written with new ones."""

    def change(part: Expression) -> Expression | None:
        if not isinstance(part, Series):
            return None
        body = with_other_letters(part.body, taken, new)
        renamed = {letter: new(letter) for letter in part.letters if letter in taken}
        return Series(tuple(renamed.get(letter, letter) for letter in part.letters), at_places(body, renamed))

    return rewritten(x, change)


def with_first_letters(x: Expression, kept: set[Letter], scope: frozenset[str] = frozenset()) -> Expression:
    """The same expression, with every sum over letters that are not `kept` over the first ones free there."""

    def change(part: Expression) -> Expression | None:
        if not isinstance(part, Series):
            return None
        taken = scope | {letter.name for letter in (*kept, *letters_of(part.body)) if letter not in part.letters}
        new: dict[Letter, Entry] = {}
        for letter in part.letters:
            name = letter.name
            if letter not in kept:
                name = first_free(taken, letter.name[0] == "n")
            taken |= {name}
            new[letter] = Letter(name, letter.size)
        body = with_first_letters(at_places(part.body, new), kept, frozenset(taken))
        return Series(tuple(Letter(str(new[letter]), letter.size) for letter in part.letters), body)

    return rewritten(x, change)


def settled(letters: Iterable[Letter], x: Expression) -> dict[Letter, Entry]:
    """The places of letters that a factor leaves no choice, as [k = 1] does: Σ_k [k = 1] · a_k is a_1."""
    found: dict[Letter, Entry] = {}
    for factor in x.factors if isinstance(x, Product) else [x]:
        if isinstance(factor, Call) and factor.op.notation.form == "case" and not any(symbols_in(factor)):
            letter, *others = dict.fromkeys(letters_of(factor))
            if not others and letter in letters:
                places = {letter: np.arange(letter.size)}
                (holds,) = np.nonzero(number_of(factor, lambda symbol, at: None, places))
                if len(holds) == 1:
                    found[letter] = int(holds[0])
    return found


def relettered(x: Expression, new: Mapping[Letter, Entry]) -> Expression:
    """The same expression with other letters, also where its sums say what they run over."""

    def change(part: Expression) -> Expression | None:
        if isinstance(part, Series):
            letters = (new.get(letter, letter) for letter in part.letters)
            return Series(tuple(x for x in letters if isinstance(x, Letter)), relettered(part.body, new))
        return at_places(part, new) if isinstance(part, Symbol | Place | Slope) else None

    return rewritten(x, change)


def first_free(taken: Container[str], sample: bool = False) -> str:
    """The first name of a letter that is not taken."""
    return next(c + "′" * i for i in count() for c in ("n" if sample else NAMES) if c + "′" * i not in taken)


def with_bound_letters_apart(x: Expression) -> Expression:
    """The same expression, with sums over letters that stand nowhere else."""
    return with_other_letters(x, set(letters_of(x)), lambda letter: Letter(f"{letter.name}·", letter.size))


def letters_of(x: Expression) -> Iterator[Letter]:
    """The letters of all symbols and places."""
    if isinstance(x, Place):
        yield x.letter
    elif isinstance(x, Symbol | Slope):
        yield from (x.element if isinstance(x, Symbol) else x.by).letters
    for part in parts(x):
        yield from letters_of(part)


class Alphabet:
    """Letters not used yet: n for samples, then k, l, m, …"""

    def __init__(self, taken: set[str]) -> None:
        self.taken = set(taken)

    def letter(self, size: int, sample: bool = False) -> Letter:
        """A new letter for an axis of this length."""
        spelled = first_free(self.taken, sample)
        self.taken.add(spelled)
        return Letter(spelled, size)
