"""Formulas of single numbers of arrays: what an element is computed from, and the derivative along one of its uses."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from chainrule.explanation.evaluations.evaluation import Evaluation
from chainrule.explanation.evaluations.labels import is_uniform
from chainrule.explanation.evaluations.uses import Use, no_formula, unit_tangent_of
from chainrule.explanation.formulas.indices import Entry, Index, Letter, letters_in
from chainrule.explanation.formulas.letters import Alphabet
from chainrule.explanation.formulas.linking import origin
from chainrule.explanation.formulas.recognition import Known, by_name
from chainrule.explanation.formulas.rules import only_moves
from chainrule.explanation.formulas.symbolic import (
    Formula,
    Symbolic,
    as_expression,
    call,
    printed,
    rewritten,
    share,
    symbolic,
    with_static,
)
from chainrule.explanation.formulas.symbols import (
    ONE,
    ZERO,
    Element,
    Expression,
    Numeral,
    Symbol,
    add,
    counted,
    multiply,
    series,
    where_holds,
)
from chainrule.ops import REGISTRY, Contraction, Elementwise, Layout, Reduction
from chainrule.ops.axes import Kept
from chainrule.ops.kinds.contraction import parse
from chainrule.ops.kinds.reduction import Uniform
from chainrule.ops.operation import eager
from chainrule.tracing.program import Atom, Equation, Variable, axes_of

LENGTHY = 60
"""Symbols of the longest formula that is put in for a value without name."""


def _element_of(array: Any, index: Index) -> Expression | None:
    """An element of a known array: a number, or the place itself if the array counts 0, 1, 2, … along an axis."""
    if is_uniform(array):
        return Numeral(float(np.ravel(array)[0]))
    if not letters_in(index):
        return Numeral(float(np.asarray(array)[tuple(i for i in index if isinstance(i, int))]))
    for axis, entry in enumerate(index):
        counting = np.arange(array.shape[axis]).reshape((-1,) + (1,) * (array.ndim - axis - 1))
        if letters_in([entry]) and np.array_equal(array, np.broadcast_to(counting, array.shape)):
            return counted(entry)
    return None


class _NotWrittenError(Exception):
    """A value that no formula says; it goes by its name."""


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

    def by_name(self, x: Expression) -> Expression:
        """The expression with the names of values in place of their formulas."""
        return by_name(x, self._known)

    @cached_property
    def _known(self) -> list[Known]:
        """The values whose names say more than their formulas."""
        found = []
        for x in self.evaluation.names:
            if (maker := self.evaluation.makers.get(x)) is not None and isinstance(maker.op, Elementwise):
                element = Element(x, tuple(Letter(f"place {i}", size) for i, size in enumerate(x.shape)))
                formulas = self._apart(element, self.evaluation.names.__contains__)
                condition = x.dtype.kind == "b"
                formula = where_holds(Symbol(element)) if condition else formulas.made_by(maker, element)
                found.append(Known(element, formula))
        return [value for value in found if value.shortens]

    def _apart(self, element: Element, symbols: Callable[[Variable], bool]) -> Formulas:
        """Formulas with letters of their own beside those of an element."""
        return Formulas(self.evaluation, symbols, Alphabet({letter.name for letter in element.letters}))

    def by_itself(self, element: Element) -> Expression:
        """The formula of an element with letters of its own, which other formulas may use as well."""
        return self._apart(element, self.symbols).formula(element)

    def of_every_place(self, x: Variable) -> tuple[Element, Expression]:
        """An element that stands for all of a value's, and what it is computed by of values that have names."""
        alphabet, names = Alphabet(set()), self.evaluation.names
        has_samples = x in self.evaluation.samples
        places = (0 if n == 1 else alphabet.letter(n, has_samples and axis == 0) for axis, n in enumerate(x.shape))
        element = Element(x, tuple(places))
        return element, Formulas(self.evaluation, names.__contains__, alphabet).made_by(
            self.evaluation.makers[x], element
        )

    def definition(self, element: Element) -> Expression:
        """The one operation an element is computed by, of values that go by their names, given or not."""
        names, makers = self.evaluation.names, self.evaluation.makers
        own = self._apart(element, lambda x: x in names or x not in makers or not only_moves(makers[x]))
        return own.made_by(makers[element.variable], element)

    def formula(self, element: Element) -> Expression:
        """What an element is computed from, down to the variables that go by name."""
        equation = self.evaluation.makers.get(element.variable)
        if element.variable in self.evaluation.constants and not element.letters:
            return Numeral(float(self.evaluation.values[element.variable][element.place]))
        if self.symbols(element.variable) or equation is None or element.variable in self.lengthy:
            return Symbol(element)
        return self.made_by(equation, element)

    def made_by(self, equation: Equation, element: Element) -> Expression:
        """The equation's right side, for this element."""
        op, x = equation.op, equation.inputs[0]
        try:
            if isinstance(op, Elementwise):
                return call(
                    with_static(op, equation.attributes),
                    *(self._operand(equation, i, element) for i in range(len(equation.inputs))),
                )
            if isinstance(op, Contraction):
                return self._contraction(equation, element)
            if isinstance(op, Reduction) and isinstance(op.partial, Uniform) and isinstance(x, Variable):
                return self._sum(equation, x, element)
            if isinstance(op, Layout):  # which moves elements, and where several inputs go, one of them is there
                return add([self._operand(equation, i, element) for i in range(len(equation.inputs[: op.linear]))])
            if only_moves(equation) and not element.letters:
                return self._moved(equation, element)
        except _NotWrittenError:
            pass
        return Symbol(element)

    def _moved(self, equation: Equation, element: Element) -> Expression:
        """What came to a place, found by carrying a cotangent back from there."""
        unit = np.zeros(element.variable.shape)
        unit[element.place] = 1.0
        inputs = [self.evaluation.precise(x) for x in equation.inputs]
        wanted = [isinstance(x, Variable) and x.dtype.kind == "f" for x in equation.inputs]
        output = self.evaluation.precise(element.variable)
        parts = equation.op.pullback(eager, unit, output, inputs, wanted, **equation.attributes)
        came = [
            (x, part) for x, part, own in zip(equation.inputs, parts, wanted, strict=True) if own and part is not None
        ]
        found = [self._at(x, tuple(map(int, place))) for x, part in came for place in np.argwhere(part)]
        return add(found) if found else Numeral(float(np.asarray(output)[element.place]))

    def partial(self, use: Use) -> Expression:
        """∂target/∂source, by the declaration of the operation."""
        try:
            return multiply([*use.conditions, self._unconditional(use)])
        except _NotWrittenError:
            raise no_formula(self.evaluation, use.equation, use.source) from None

    def _unconditional(self, use: Use) -> Expression:
        equation, op = use.equation, use.equation.op
        if isinstance(op, Elementwise):
            op = with_static(op, equation.attributes)
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
            if not isinstance(op, Layout):
                raise no_formula(self.evaluation, equation, use.source)
            return ONE  # layouts only move numbers
        return self._measured(use)

    def _operand(self, equation: Equation, position: int, target: Element) -> Expression:
        """The element of an input that a target is computed from."""
        x, route = equation.inputs[position], origin(equation, position, target.index)
        if route is None:
            raise _NotWrittenError
        conditions = multiply(route.conditions)
        index = tuple(route.places[i] for i in range(len(x.shape)))
        return ZERO if conditions == ZERO else multiply([conditions, self._at(x, index)])

    def _argument(self, equation: Equation, position: int, target: Element) -> Any:
        """An input as a rule wants it: Python's numbers as they are, but for 0, which Python does not divide by."""
        operand = self._operand(equation, position, target)
        return operand.value if isinstance(operand, Numeral) and operand.value else Formula(operand)

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
        found = self.formula(Element(x, index)) if isinstance(x, Variable) else _element_of(x.value, index)
        if found is None:
            raise _NotWrittenError
        return found

    def _sum(self, equation: Equation, x: Variable, element: Element) -> Expression:
        """Σ of the elements that are added up, times what each counts."""
        axes = axes_of(equation)
        assert axes is not None
        kept = {link.source: element.index[link.target] for link in axes[0] if isinstance(link, Kept)}
        index: list[Entry] = []
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
        x, y = use.source, use.target
        shapes = x.variable.shape, tuple(1 if i in axis else n for i, n in enumerate(x.variable.shape))
        along = _AlongAxis(x, axis, self.alphabet)
        written = self.formula(y), self.formula(x)
        for m, elements in (
            (symbolic, written),
            (along, (Symbol(y), Symbol(x))),
        ):  # a rule about one element, or about all
            try:
                return _written(rules, m, Formula(elements[0], shapes[1]), Formula(elements[1], shapes[0]), axis)
            except (AttributeError, TypeError, IndexError):
                continue
        if x.letters or y.letters:
            raise no_formula(self.evaluation, use.equation, x)
        return self._measured(use)

    def _measured(self, use: Use) -> Numeral:
        """∂target/∂source as a number, by the operation's forward rule."""
        tangent = np.asarray(unit_tangent_of(self.evaluation, use.equation, use.position, use.source))
        return Numeral(float(tangent[use.target.place]))


def _uniform(equation: Equation, x: Variable) -> Numeral:
    """∂y/∂x of a reduction that is the same for all elements."""
    partial = getattr(equation.op, "partial", None)
    assert isinstance(partial, Uniform)
    return share(partial, math.prod(x.shape[i] for i in equation.attributes["axis"]))


def _written(rules: tuple[Callable[..., Any] | None, Callable[..., Any]], m: Symbolic, *arguments: Any) -> Expression:
    """A partial derivative by the rule that is computed, in the form of the textbook's, if there is one."""
    textbook, computed = (rule and as_expression(rule(m, *arguments)) for rule in rules)
    assert computed is not None
    return computed if textbook is None else printed(textbook, computed)


class _AlongAxis(Symbolic):
    """The symbolic namespace of a reduction's rule, with sums and means over all places along the reduced axes."""

    def __init__(self, source: Element, axis: tuple[int, ...], alphabet: Alphabet) -> None:
        sizes = source.variable.shape
        self._count, self._source = math.prod(sizes[i] for i in axis), source
        self._letters = {i: alphabet.letter(sizes[i]) for i in axis if sizes[i] != 1}

    def __getattr__(self, name: str) -> Callable[..., Formula]:
        op = REGISTRY.get(name)
        if not isinstance(op, Reduction) or not isinstance(op.partial, Uniform):
            return super().__getattr__(name)
        factor = share(op.partial, self._count)

        def reduce(x: Formula, axis: tuple[int, ...], keepdims: bool = False) -> Formula:
            """Σ of a formula of the source, over all elements that are reduced together."""
            index = tuple(self._letters.get(i, entry) for i, entry in enumerate(self._source.index))
            every = Symbol(Element(self._source.variable, index))
            body = rewritten(as_expression(x), lambda part: every if part == Symbol(self._source) else None)
            return Formula(multiply([factor, series(tuple(self._letters.values()), body)]))

        return reduce
