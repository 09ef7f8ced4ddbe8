"""Elementwise comparisons, logic, tests for special values, and arithmetic on bits; none has a derivative."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chainrule.ops import pairs
from chainrule.ops.kinds.elementwise import BOOLEAN, EQUAL, INTEGER, REAL, Domain, Elementwise
from chainrule.ops.notation import ATOM, COMPARISON, SIGN, Notation, infix, relation


def _pair(
    name: str,
    value: Callable[..., Any],
    latex: str,
    domain: Domain,
    notation: Notation,
    neutral: float | None = None,
    parts: Callable[..., Any] | None = None,
) -> Elementwise:
    return Elementwise(
        name,
        value=value,
        partials=(None, None),
        latex=latex,
        notation=notation,
        domain=(domain, domain),
        kinks=(EQUAL,) if domain is REAL else (),
        neutral=(neutral, neutral),
        complex=domain is BOOLEAN,
        parts=parts,
    )


def _connective(sign: str) -> Notation:
    """A sign between conditions or bits; mixed ones need parentheses. It is typed as a call."""
    return infix(sign, "", COMPARISON, (ATOM, ATOM))


equal = _pair("equal", lambda m, a, b: a == b, "{0} = {1}", REAL, relation("=", "==", "!="), parts=pairs.equal)
not_equal = _pair(
    "not_equal", lambda m, a, b: a != b, r"{0} \neq {1}", REAL, relation("≠", "!=", "=="), parts=pairs.not_equal
)
less = _pair("less", lambda m, a, b: a < b, "{0} < {1}", REAL, relation("<", opposite=">="))
less_equal = _pair("less_equal", lambda m, a, b: a <= b, r"{0} \leq {1}", REAL, relation("≤", "<=", ">"))
greater = _pair("greater", lambda m, a, b: a > b, "{0} > {1}", REAL, relation(">", opposite="<="))
greater_equal = _pair("greater_equal", lambda m, a, b: a >= b, r"{0} \geq {1}", REAL, relation("≥", ">=", "<"))

logical_and = _pair("logical_and", lambda m, a, b: m.logical_and(a, b), r"{0} \wedge {1}", BOOLEAN, _connective("∧"), 1)
logical_or = _pair("logical_or", lambda m, a, b: m.logical_or(a, b), r"{0} \vee {1}", BOOLEAN, _connective("∨"), 0)
logical_xor = _pair("logical_xor", lambda m, a, b: m.logical_xor(a, b), r"{0} \oplus {1}", BOOLEAN, _connective("⊕"))
logical_not = Elementwise(
    "logical_not",
    value=lambda m, x: m.logical_not(x),
    partials=(None,),
    latex=r"\neg {0}",
    domain=(BOOLEAN,),
    notation=Notation("prefix", "¬", SIGN, (ATOM,), algebra="complement"),
    complex=True,
)

isnan = Elementwise(
    "isnan",
    value=lambda m, x: x != x,
    partials=(None,),
    latex=r"\operatorname{{isnan}}\left({0}\right)",
    domain=(REAL,),
    parts=pairs.isnan,
)
isinf = Elementwise(
    "isinf",
    value=lambda m, x: m.absolute(x) == float("inf"),
    partials=(None,),
    latex=r"\operatorname{{isinf}}\left({0}\right)",
    domain=(REAL,),
    parts=pairs.isinf,
)
isfinite = Elementwise(
    "isfinite",
    value=lambda m, x: m.absolute(x) < float("inf"),
    partials=(None,),
    latex=r"\operatorname{{isfinite}}\left({0}\right)",
    domain=(REAL,),
    parts=pairs.isfinite,
)

bitwise_and = _pair(
    "bitwise_and", lambda m, a, b: m.bitwise_and(a, b), r"{0} \mathbin{{\&}} {1}", INTEGER, _connective("&")
)
bitwise_or = _pair("bitwise_or", lambda m, a, b: m.bitwise_or(a, b), r"{0} \mid {1}", INTEGER, _connective("|"))
bitwise_xor = _pair("bitwise_xor", lambda m, a, b: m.bitwise_xor(a, b), r"{0} \oplus {1}", INTEGER, _connective("⊕"))
left_shift = _pair("left_shift", lambda m, a, b: m.left_shift(a, b), r"{0} \ll {1}", INTEGER, _connective("≪"))
right_shift = _pair("right_shift", lambda m, a, b: m.right_shift(a, b), r"{0} \gg {1}", INTEGER, _connective("≫"))
