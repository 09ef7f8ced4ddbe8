"""What textbooks print equals what is computed: values and partial derivatives of every operation that declares both."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from chainrule.explanation.formulas.symbolic import Formula, symbolic
from chainrule.explanation.formulas.symbols import Element, Symbol
from chainrule.ops import REGISTRY, ArrayType, Elementwise, Operation, Reduction, eager
from chainrule.tracing.program import Variable
from strategies import cases

TEXTBOOK = [op for op in REGISTRY.values() if op.textbook.value or op.textbook.partials]


def computed_partials(op: Operation) -> tuple[Any, ...]:
    return op.partials if isinstance(op, Elementwise) else (op.partial,) if isinstance(op, Reduction) else ()


def applied(op: Operation) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """The arguments of a rule after `m`, and what else it is given: inputs away from kinks, many shapes."""
    for case in cases(op):
        if isinstance(op, Reduction):
            axis = case.attributes["axis"]
            y = op.evaluate(*case.inputs, axis=axis, keepdims=True)
            yield (y, *case.inputs), {"axis": axis}
        else:
            yield (case.evaluate(), *case.inputs), case.attributes


@pytest.mark.parametrize("op", TEXTBOOK, ids=lambda op: op.name)
def test_textbook_form_equals_what_is_computed(op):
    computed = computed_partials(op)
    assert len(op.textbook.partials) <= len(computed)
    for (y, *inputs), attributes in applied(op):
        if op.textbook.value is not None:
            np.testing.assert_allclose(op.textbook.value(eager, *inputs, **attributes), y, rtol=1e-12, atol=1e-14)
        for rule, partial in zip(op.textbook.partials, computed, strict=False):
            if rule is not None:
                expected = partial(eager, y, *inputs, **attributes) if callable(partial) else partial or 0.0
                found = rule(eager, y, *inputs, **attributes)
                np.testing.assert_allclose(found, np.broadcast_to(expected, np.shape(found)), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("op", [op for op in REGISTRY.values() if isinstance(op, Elementwise)], ids=lambda op: op.name)
def test_declarations_can_be_written_as_formulas(op):
    if op.examples:
        return  # those with attributes are written without them
    inputs = [Formula(Symbol(Element(Variable(x, ArrayType((), np.dtype(float)))))) for x in "abc"[: len(op.domain)]]
    y = getattr(symbolic, op.name)(*inputs)
    for partial in (*op.partials, *op.textbook.partials):
        if callable(partial):
            assert partial(symbolic, y, *inputs) is not None


def test_operations_that_textbooks_write_otherwise_are_covered():
    assert {type(op) for op in TEXTBOOK} == {Elementwise, Reduction}
