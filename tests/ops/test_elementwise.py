"""Every elementwise operation: its partials against SymPy, its value against NumPy, its LaTeX, its domain."""

import itertools
import math
import re
from typing import Any

import numpy as np
import pytest
import sympy as sp
from matplotlib.mathtext import MathTextParser

from chainrule.ops import REGISTRY, Elementwise, eager, operation
from exact import at, attributes_of, expression
from strategies import elementwise_cases, from_domain

OPERATIONS = [op for op in REGISTRY.values() if isinstance(op, Elementwise)]
POINTS = 6


def points(op: Elementwise) -> list[list[Any]]:
    case = max(elementwise_cases(op), key=lambda case: np.size(case.inputs[0]))
    arrays = np.broadcast_arrays(*case.inputs)
    return [[x.reshape(-1)[i] for x in arrays] for i in range(POINTS)]


def is_symbolic(op: Elementwise) -> bool:
    """Whether it computes with real numbers; `stop_gradient` is left out, whose derivative is 0 on purpose."""
    kinds = {domain.dtype for domain in op.domain}
    return "float" in kinds and "uint32" not in kinds and op is not operation("stop_gradient")


@pytest.mark.parametrize("op", [op for op in OPERATIONS if is_symbolic(op)], ids=lambda op: op.name)
def test_value_and_partials_equal_sympy(op):
    booleans = sum(domain.dtype == "bool" for domain in op.domain)
    for truths in itertools.product([True, False], repeat=booleans):
        value, symbols = expression(op, truths)
        if not isinstance(value, sp.Expr):  # a condition: no number, and no derivative
            assert all(partial is None for partial in op.partials)
            continue
        for numbers in points(op):
            given = iter(truths)
            inputs = [next(given) if d.dtype == "bool" else x for d, x in zip(op.domain, numbers, strict=True)]
            real = [0.0 if d.dtype == "bool" else x for d, x in zip(op.domain, numbers, strict=True)]
            y = op.evaluate(*inputs, **attributes_of(op))
            assert y == pytest.approx(at(value, symbols, real), rel=1e-12, abs=1e-14)
            for i, partial in enumerate(op.partials):
                if op.domain[i].dtype == "bool":
                    assert partial is None
                    continue
                ours = partial(eager, y, *inputs, **attributes_of(op)) if callable(partial) else partial or 0.0
                expected = at(sp.diff(value, symbols[i]), symbols, real)
                assert ours == pytest.approx(expected, rel=1e-9, abs=1e-12), f"∂/∂x{i} at {inputs}"


@pytest.mark.parametrize("op", OPERATIONS, ids=lambda op: op.name)
def test_value_equals_what_plain_arrays_give(op):
    for case in elementwise_cases(op):
        expected = op.evaluate(*case.inputs, **case.attributes)
        found = op.value(eager, *case.inputs, **case.attributes)
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-15)
        assert np.shape(found) == np.broadcast_shapes(*map(np.shape, case.inputs))
        assert np.asarray(found).dtype == np.asarray(expected).dtype


@pytest.mark.parametrize("op", [op for op in OPERATIONS if op.ufunc], ids=lambda op: op.name)
def test_evaluation_equals_the_ufunc_of_the_name(op):
    for case in elementwise_cases(op):
        np.testing.assert_array_equal(case.evaluate(), op.ufunc(*case.inputs))


@pytest.mark.parametrize("op", OPERATIONS, ids=lambda op: op.name)
def test_value_at_special_numbers_equals_what_plain_arrays_give(op):
    special = {
        "float": np.array([0.0, -0.0, 1.0, -1.0, 2.5, -2.5, 1e3, -1e3, 1e-3, math.inf, -math.inf, math.nan]),
        "bool": np.array([True, False]),
        "uint32": np.array([0, 1, 31], np.uint32),
    }
    drawn = [special[domain.dtype] for domain in op.domain]
    if len(drawn) > 1 and any(domain.kinks for domain in op.domain):
        drawn = [x[np.isfinite(x)] for x in drawn]  # dividing by infinity: a formula and a ufunc may differ
    inputs = np.meshgrid(*drawn)
    with np.errstate(all="ignore"):
        found, expected = op.value(eager, *inputs, **attributes_of(op)), op.evaluate(*inputs, **attributes_of(op))
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("op", OPERATIONS, ids=lambda op: op.name)
def test_declaration_is_complete(op):
    assert len(op.domain) == len(op.partials)
    assert all(domain.low <= domain.high for domain in op.domain)
    assert op.doc == op.doc.strip()


NOT_IN_MATHTEXT = (r"\begin", r"\bmod", r"\mathbin", r"\text")
"""LaTeX that matplotlib's own parser does not know; LaTeX and KaTeX do."""


@pytest.mark.parametrize("op", REGISTRY.values(), ids=lambda op: op.name)
def test_latex_renders(op):
    text = op.latex.format(*"xyzuv")
    without_escapes = re.sub(r"\\.", "", text)
    assert without_escapes.count("{") == without_escapes.count("}")
    assert len(re.findall(r"\\left\b", text)) == len(re.findall(r"\\right\b", text))
    if text and not any(command in text for command in NOT_IN_MATHTEXT):
        assert MathTextParser("path").parse(f"${text}$").width > 0


def test_draws_stay_inside_the_domain():
    random = np.random.default_rng(0)
    for op in OPERATIONS:
        for domain in op.domain:
            x = from_domain(domain, (200,), random)
            assert np.all((x >= domain.low) & (x <= domain.high))
            assert all(np.min(np.abs(x - kink)) > 0.1 for kink in domain.kinks)
