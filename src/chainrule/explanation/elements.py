"""Single numbers of arrays: which ones an element reaches, with what derivative, and the formula of an element."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from chainrule.explanation.evaluation import Evaluation
from chainrule.explanation.letters import NAMES
from chainrule.explanation.symbolic import Formula, Symbolic, as_expression, call, printed, rewritten, symbolic
from chainrule.explanation.symbols import Element, Expression, Index, Letter, Numeral, Place, Symbol, multiply, series
from chainrule.ops import Contraction, Elementwise, Layout, Reduction
from chainrule.ops.axes import Kept, Mixed, Picked, Put, Regrouped
from chainrule.ops.kinds.contraction import parse
from chainrule.ops.kinds.reduction import Uniform
from chainrule.ops.operation import eager
from chainrule.tracing.program import Atom, Equation, Literal, Variable, axes_of

LENGTHY = 60
"""Symbols of the longest formula that is put in for a value without name."""


class NoFormulaError(Exception):
    """An element with letters meets an operation that needs numbers as places."""


@dataclass(frozen=True)
class Use:
    """One way an element enters an equation: the elements of the output it reaches, all places of `letters` of them."""

    equation: Equation
    position: int
    source: Element
    target: Element
    letters: tuple[Letter, ...]


class Alphabet:
    """Letters not used yet: n for samples, then k, l, m, …"""

    def __init__(self, taken: set[str]) -> None:
        self.taken = set(taken)

    def letter(self, size: int, sample: bool = False) -> Letter:
        """A new letter for an axis of this length."""
        names = "n" if sample else NAMES
        for round_ in range(1000):
            for name in names:
                spelled = name + "′" * round_
                if spelled not in self.taken:
                    self.taken.add(spelled)
                    return Letter(spelled, size)
        raise NoFormulaError


def uses_of(evaluation: Evaluation, element: Element, alphabet: Alphabet) -> Iterator[Use]:
    """All ways a derivative passes from an element into equations."""
    for equation, position in evaluation.uses[element.variable]:
        if not equation.op.differentiable or equation.output.dtype.kind != "f":
            continue
        if isinstance(equation.op, Elementwise) and equation.op.partials[position] is None:
            continue
        yield from _reach(evaluation, equation, position, element, alphabet)


def _reach(
    evaluation: Evaluation, equation: Equation, position: int, element: Element, alphabet: Alphabet
) -> Iterator[Use]:
    output = equation.output
    has_samples = output in evaluation.samples

    def spread(entries: list[int | Letter | None]) -> Use:
        """The use whose target has a new letter wherever an entry is `None`."""
        letters = []
        for axis, entry in enumerate(entries):
            if entry is None:
                size = output.shape[axis]
                entries[axis] = 0 if size == 1 else alphabet.letter(size, axis == 0 and has_samples)
                if isinstance(entries[axis], Letter):
                    letters.append(entries[axis])
        return Use(equation, position, element, Element(output, tuple(entries)), tuple(letters))  # type: ignore[arg-type]

    entries = _forward(equation, position, element)
    if entries is not None:
        yield from (spread(list(found)) for found in entries)
    elif element.letters:
        raise NoFormulaError
    else:
        for place in np.argwhere(_unit_tangent(evaluation, equation, position, element)):
            yield Use(equation, position, element, Element(output, tuple(map(int, place))), ())


def _forward(equation: Equation, position: int, element: Element) -> list[list[int | Letter | None]] | None:
    """Where an input's element goes along the axes of the result, `None` along axes that are new: no or one family of places.

    `None` if that is not to be said by axes.
    """
    links, shape = axes_of(equation), equation.output.shape
    entries: list[int | Letter | None] = [None] * len(shape)
    for link in () if links is None else links[position]:
        if isinstance(link, Kept):
            entries[link.target] = element.index[link.source]
        elif isinstance(link, Mixed) and (link.target is None or shape[link.target] == 1):
            if link.target is not None:
                entries[link.target] = 0
        elif isinstance(link, Picked | Put):
            place = element.index[link.source]
            if isinstance(place, Letter):
                return None
            whole, rest = divmod(place - link.start, link.step) if isinstance(link, Picked) else (0, 0)
            if isinstance(link, Put):
                whole = link.start + link.step * place
            if rest or not 0 <= whole < shape[link.target]:
                return []
            entries[link.target] = whole
        elif isinstance(link, Regrouped):
            moved = _regrouped(element.index, element.variable.shape, link.sources, shape, link.targets)
            if moved is None:
                return None
            for target, place in zip(link.targets, moved, strict=True):
                entries[target] = place
        else:
            return None
    return None if links is None else [entries]


def _regrouped(
    index: Index, shape: tuple[int, ...], sources: tuple[int, ...], wanted: tuple[int, ...], targets: tuple[int, ...]
) -> tuple[int, ...] | None:
    """Places along joined or split axes; `None` for letters, which stand for no single place."""
    places = [place for i in sources if not isinstance(place := index[i], Letter)]
    if len(places) < len(sources):
        return None
    flat = np.ravel_multi_index(places, [shape[i] for i in sources])
    return tuple(int(place) for place in np.unravel_index(flat, [wanted[i] for i in targets]))


def _unit_tangent(evaluation: Evaluation, equation: Equation, position: int, element: Element) -> Any:
    """∂output/∂element for every number of the output, by the operation's forward rule."""
    unit = np.zeros(element.variable.shape)
    unit[element.place] = 1.0
    tangents = [unit[()] if i == position else None for i in range(len(equation.inputs))]
    inputs = [evaluation.precise(x) for x in equation.inputs]
    return equation.op.pushforward(eager, tangents, evaluation.precise(equation.output), inputs, **equation.attributes)


def input_element(equation: Equation, position: int, target: Element) -> Element | Literal | Place:
    """The element of an input that a target is computed from, where there is one."""
    x, links = equation.inputs[position], axes_of(equation)
    if links is None:
        raise NoFormulaError
    places: list[int | Letter] = [0] * len(x.shape)
    for link in links[position]:
        if isinstance(link, Kept):
            places[link.source] = target.index[link.target]
        elif isinstance(link, Picked) and not isinstance(place := target.index[link.target], Letter):
            places[link.source] = link.start + link.step * place
        elif isinstance(link, Regrouped):
            moved = _regrouped(target.index, target.variable.shape, link.targets, x.shape, link.sources)
            if moved is None:
                raise NoFormulaError
            for source, entry in zip(link.sources, moved, strict=True):
                places[source] = entry
        else:
            raise NoFormulaError
    index = tuple(places)
    if isinstance(x, Variable):
        return Element(x, index)
    if not x.shape:
        return x
    if not any(isinstance(i, Letter) for i in index):
        return Literal(x.value[index])
    return _place_in(x.value, index)


def _place_in(array: Any, index: Index) -> Place:
    """The letter itself, if the array counts 0, 1, 2, … along its axis."""
    for axis, entry in enumerate(index):
        counting = np.arange(array.shape[axis]).reshape((-1,) + (1,) * (array.ndim - axis - 1))
        if isinstance(entry, Letter) and np.array_equal(array, np.broadcast_to(counting, array.shape)):
            return Place(entry)
    raise NoFormulaError


class Formulas:
    """The formulas of elements and of local derivatives, in symbols for the variables that `symbols` says go by name."""

    def __init__(self, evaluation: Evaluation, symbols: Callable[[Variable], bool], alphabet: Alphabet) -> None:
        self.evaluation, self.symbols, self.alphabet = evaluation, symbols, alphabet

    @cached_property
    def lengthy(self) -> frozenset[Variable]:
        """The variables without name whose formulas would be too long to be put into others."""
        lengths: dict[Variable, int] = {}
        found = set()
        for equation in self.evaluation.program.equations:
            x = equation.output
            if self.symbols(x):
                continue
            length = sum(lengths.get(y, 1) for y in equation.inputs if isinstance(y, Variable))
            if length > LENGTHY:
                found.add(x)
            else:
                lengths[x] = length
        return frozenset(found)

    def by_itself(self, element: Element) -> Expression:
        """The formula of an element with letters of its own, which other formulas may use as well."""
        return Formulas(self.evaluation, self.symbols, Alphabet({x.name for x in element.letters})).formula(element)

    def definition(self, element: Element) -> Expression:
        """The one operation an element is computed by, of values that go by their names, given or not."""
        own = Formulas(self.evaluation, lambda x: True, Alphabet({x.name for x in element.letters}))
        return own.made_by(self.evaluation.makers[element.variable], element)

    def formula(self, element: Element) -> Expression:
        """What an element is computed from, down to the variables that go by name."""
        equation = self.evaluation.makers.get(element.variable)
        if self.symbols(element.variable) or equation is None or element.variable in self.lengthy:
            return Symbol(element)
        return self.made_by(equation, element)

    def made_by(self, equation: Equation, element: Element) -> Expression:
        """The equation's right side, for this element."""
        op, x = equation.op, equation.inputs[0]
        try:
            if isinstance(op, Elementwise):
                return call(op, *(self._operand(equation, i, element) for i in range(len(equation.inputs))))
            if isinstance(op, Contraction):
                return self._contraction(equation, element)
            if isinstance(op, Reduction) and isinstance(op.partial, Uniform) and isinstance(x, Variable):
                return self._sum(equation, x, element)
            if isinstance(op, Layout) and len(equation.inputs) == 1:
                return self._operand(equation, 0, element)
        except NoFormulaError:
            pass
        return Symbol(element)

    def partial(self, use: Use) -> Expression:
        """∂target/∂source, by the declaration of the operation."""
        equation, op = use.equation, use.equation.op
        if isinstance(op, Elementwise):
            partial = op.partials[use.position]
            if not callable(partial):
                return Numeral(float(partial or 0.0))
            arguments = [self._argument(equation, i, use.target) for i in range(len(equation.inputs))]
            rules = (op.textbook.partial(use.position), partial)
            return _written(rules, symbolic, Formula(self.formula(use.target)), *arguments)
        if isinstance(op, Contraction):
            return self._other_operand(use)
        if isinstance(op, Reduction):
            return self._reduced(use)
        if use.source.letters or use.target.letters:
            return Numeral(1.0)  # layouts only move numbers
        tangent = _unit_tangent(self.evaluation, equation, use.position, use.source)
        return Numeral(float(tangent[use.target.place]))

    def _operand(self, equation: Equation, position: int, target: Element) -> Expression:
        found = input_element(equation, position, target)
        if isinstance(found, Element):
            return self.formula(found)
        if isinstance(found, Place):
            return found
        return Numeral(float(found.value))

    def _argument(self, equation: Equation, position: int, target: Element) -> Any:
        """An input as a rule wants it: Python's numbers as they are."""
        operand = self._operand(equation, position, target)
        return operand.value if isinstance(operand, Numeral) else Formula(operand)

    def _contraction(self, equation: Equation, element: Element) -> Expression:
        subscripts = parse(equation.attributes["subscripts"])
        places = dict(zip(subscripts.result, element.index, strict=True))
        new = []
        for letter, size in zip(subscripts.left, equation.inputs[0].shape, strict=True):
            if letter not in places:
                places[letter] = 0 if size == 1 else self.alphabet.letter(size)
                if size != 1:
                    new.append(places[letter])
        sides = zip(equation.inputs, (subscripts.left, subscripts.right), strict=True)
        factors = [self._at(x, tuple(places[c] for c in letters)) for x, letters in sides]
        return series(tuple(x for x in new if isinstance(x, Letter)), multiply(factors))

    def _at(self, x: Atom, index: Index) -> Expression:
        if isinstance(x, Variable):
            return self.formula(Element(x, index))
        if any(isinstance(i, Letter) for i in index):
            raise NoFormulaError
        return Numeral(float(np.asarray(x.value)[tuple(i for i in index if not isinstance(i, Letter))]))

    def _sum(self, equation: Equation, x: Variable, element: Element) -> Expression:
        """Σ of the elements that are added up, times what each counts."""
        axes = axes_of(equation)
        assert axes is not None
        kept = {link.source: element.index[link.target] for link in axes[0] if isinstance(link, Kept)}
        index: list[int | Letter] = []
        letters: list[Letter] = []
        for i, size in enumerate(x.shape):
            if i in kept:
                index.append(kept[i])
                continue
            index.append(0 if size == 1 else self.alphabet.letter(size, i == 0 and x in self.evaluation.samples))
            if isinstance(index[-1], Letter):
                letters.append(index[-1])
        total = series(tuple(letters), self.formula(Element(x, tuple(index))))
        return multiply([_uniform(equation, x), total])

    def _other_operand(self, use: Use) -> Expression:
        subscripts = parse(use.equation.attributes["subscripts"])
        sides = (subscripts.left, subscripts.right)
        places = dict(zip(subscripts.result, use.target.index, strict=True))
        places |= dict(zip(sides[use.position], use.source.index, strict=True))
        other = 1 - use.position
        return self._at(use.equation.inputs[other], tuple(places[c] for c in sides[other]))

    def _reduced(self, use: Use) -> Expression:
        """∂y/∂x of a reduction: a number that depends on the count alone, or a rule."""
        op, axis = use.equation.op, use.equation.attributes["axis"]
        assert isinstance(op, Reduction)
        if isinstance(op.partial, Uniform):
            return _uniform(use.equation, use.source.variable)
        assert op.partial is not None
        rules = (op.textbook.partial(use.position), op.partial)
        x, y = Formula(self.formula(use.source)), Formula(self.formula(use.target))
        try:
            return _written(rules, symbolic, y, x, axis)
        except (AttributeError, TypeError):  # a rule about all elements along the axis
            pass
        try:
            along = _AlongAxis(use.source, axis, self.alphabet)
            return _written(rules, along, Formula(Symbol(use.target)), Formula(Symbol(use.source)), axis)
        except (AttributeError, TypeError):
            if use.source.letters or use.target.letters:
                raise NoFormulaError from None
            tangent = np.asarray(_unit_tangent(self.evaluation, use.equation, use.position, use.source))
            return Numeral(float(tangent[use.target.place]))


def _uniform(equation: Equation, x: Variable) -> Numeral:
    """∂y/∂x of a reduction that is the same for all elements."""
    op = equation.op
    assert isinstance(op, Reduction)
    assert isinstance(op.partial, Uniform)
    return Numeral(float(op.partial.of_count(math.prod(x.shape[i] for i in equation.attributes["axis"]))))


def _written(rules: tuple[Callable[..., Any] | None, Callable[..., Any]], m: Symbolic, *arguments: Any) -> Expression:
    """A partial derivative by the rule that is computed, in the form of the textbook's, if there is one."""
    textbook, computed = (rule and as_expression(rule(m, *arguments)) for rule in rules)
    assert computed is not None
    return computed if textbook is None else printed(textbook, computed)


class _AlongAxis(Symbolic):
    """The symbolic namespace of a reduction's rule, with its `sum`: over all places along the reduced axes."""

    def __init__(self, source: Element, axis: tuple[int, ...], alphabet: Alphabet) -> None:
        sizes = source.variable.shape
        letters = {i: alphabet.letter(sizes[i]) for i in axis if sizes[i] != 1}
        index = tuple(letters.get(i, entry) for i, entry in enumerate(source.index))
        self._letters, self._source, self._every = tuple(letters.values()), source, Element(source.variable, index)

    def sum(self, x: Formula, axis: tuple[int, ...], keepdims: bool) -> Formula:
        """Σ of a formula of the source, over all elements that are reduced together."""

        def change(part: Expression) -> Expression | None:
            return Symbol(self._every) if part == Symbol(self._source) else None

        return Formula(series(self._letters, rewritten(as_expression(x), change)))
