"""docs/operations.md is what the declarations say, and has every operation and every function of NumPy's that is differentiated."""

import re

import numpy as np
import pytest
from catalogue import NUMPYS, PAGE, derivative_of, page, result_of, value_of
from matplotlib.mathtext import MathTextParser
from test_elementwise import NOT_IN_MATHTEXT

import chainrule as cr
from chainrule.engines import ENGINES
from chainrule.ops import FUNCTIONS, REGISTRY, Elementwise
from chainrule.ops.notation import EXACT
from chainrule.tracing import apply
from strategies import cases


def text():
    return PAGE.read_text(encoding="utf-8")


@pytest.mark.skipif(not hasattr(np, "matvec"), reason="the page has names of NumPy 2.2 and later")
def test_the_page_is_true():
    assert page() == text(), "run `make documents`"


def test_github_shows_every_formula():
    """It refuses \\operatorname, and a formula ends at the sign that ends a cell."""
    formulas = re.findall(r"\$`([^`]*)`\$", text())
    assert len(formulas) > 400
    assert not any("|" in formula or "operatorname" in formula for formula in formulas)


def test_every_operation_has_one_row():
    named = [name for row in re.findall(r"^\| (`[^|]*?) \|", text(), re.M) for name in re.findall(r"`([^`]+)`", row)]
    assert {*REGISTRY} <= set(named)
    assert sorted(named) == sorted(set(named))
    for name in FUNCTIONS:
        assert (
            name in REGISTRY or named.count(f"cr.{name}") or name not in NUMPYS or any(map(named.count, NUMPYS[name]))
        )


def test_every_row_has_all_cells():
    for line in text().splitlines():
        if line.startswith("|"):
            assert len(re.findall(r"(?<!\\)\|", line)) in (4, 9), line


@pytest.mark.parametrize("op", REGISTRY.values(), ids=lambda op: op.name)
def test_formulas_can_be_read(op):
    for formula in (value_of(op), derivative_of(op)):
        without = re.sub(r"\\.", "", formula)
        assert without.count("{") == without.count("}")
        assert "\0" not in formula
        if not any(command in formula for command in NOT_IN_MATHTEXT):
            assert MathTextParser("path").parse(f"${formula}$").width > 0


@pytest.mark.parametrize("op", [op for op in REGISTRY.values() if op.differentiable], ids=lambda op: op.name)
def test_a_derivative_is_said(op):
    assert "dy = 0" not in derivative_of(op)
    assert derivative_of(op).count(rf"\partial {result_of(op)}}}{{") == (
        sum(partial is not None for partial in op.partials) if isinstance(op, Elementwise) else 0
    )


@pytest.mark.parametrize(
    "op",
    [op for op in REGISTRY.values() if op.accuracy is EXACT and op.has_loops(1) and not isinstance(op, Elementwise)],
    ids=lambda op: op.name,
)
@pytest.mark.skipif(ENGINES["llvm"].missing is not None, reason="no machine code")
def test_what_is_said_to_be_exact_is_exact(op):
    """Operations on numbers are looked at in tests/engines/llvm/test_mathematics.py."""
    for case in cases(op):
        arrays = [x for x in case.inputs if isinstance(x, np.ndarray) and x.dtype.kind == "f"]
        others = list(case.inputs[len(arrays) :])
        if any(x.size == 0 for x in (case.evaluate(), *arrays)):
            continue  # of no elements there is no machine code

        def f(*given, case=case, others=others):
            return apply(case.op, *given, *others, **case.attributes)

        np.testing.assert_array_equal(cr.jit(f, engine="llvm")(*arrays), f(*arrays))


def test_functions_of_an_order_are_written_with_it():
    """Else the derivative of one would be printed as if it were the function itself."""
    of_order = [
        op for op in REGISTRY.values() if not op.has_loops(1) and any("order" in e.attributes for e in op.examples)
    ]
    assert {"zeta", "jv", "polygamma"} <= {op.name for op in of_order}
    for op in of_order:
        assert re.search(r"(?<![A-Za-z\\])n(?![A-Za-z])", op.latex), op.name
    assert r"-n \cdot \zeta\left({n + 1}, q\right)" in derivative_of(REGISTRY["zeta"])


def test_the_page_says_what_machine_code_takes():
    """Complex numbers where there is a C alone, and real ones where there is a sign for how exact it is."""
    for name, complex_code in (("exp", True), ("conjugate", True), ("angle", True), ("prod", False), ("arcsin", False)):
        (line,) = re.findall(rf"^\| `{name}` .*$", text(), re.M)
        assert ("no code" in line) != complex_code
        z = np.array([0.5 + 0.25j, 1.5 - 2j])
        assert (
            ENGINES["llvm"].refusal(
                cr.trace(lambda z, name=name: apply(REGISTRY[name], z) if name != "prod" else np.prod(z), z)
            )
            is None
        ) == complex_code
