"""Formulas as one writes them at school, in the signs that are parsed: `2*x**2` for 2x², `exp` and `sqrt` by their signs."""

from __future__ import annotations

import re
from collections.abc import Container
from keyword import iskeyword

_SIGNS = str.maketrans({"·": "*", "×": "*", "÷": "/", "−": "-", "^": "**"})
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_EXPONENT = re.compile("⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_ROOT = re.compile(r"√\s*(\d+(?:\.\d+)?|[^\W\d]\w*(?![\w(]))")
_NUMBER = r"(?<![\w.])(?!0[xXbBoO]\w)(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+|(?![eE][+-]?\d))"
_TOUCHING = re.compile(rf"({_NUMBER}|(?<=\))) ?(?=[^\W\d]|\(|(?<=\)) ?\d)")
_UNCLEAR = re.compile(rf"(?:/|\*\*) ?-?({_NUMBER}) ?((?:[^\W\d]\w*)|\([^()]*\))")
_SIDE_BY_SIDE = re.compile(r"(?<![\w.])([^\W\d]\w*) ([^\W\d]\w*|\d[\d.]*)")


def typed(text: str) -> str:
    """The formula with a sign for every operation; what could be read in two ways stays as it is.

    Examples
    --------
    >>> typed("3x² − 2(x + 1)^2"), typed("√x ÷ 2"), typed("1/2x")
    ('3*x**2 - 2*(x + 1)**2', 'sqrt(x) / 2', '1/2x')
    """
    text = _EXPONENT.sub(lambda raised: f"**{raised[0].translate(_RAISED)}", " ".join(text.split())).translate(_SIGNS)
    text = _ROOT.sub(r"sqrt(\1)", text).replace("√", "sqrt")
    return text if _UNCLEAR.search(text) else _TOUCHING.sub(r"\1*", text)


def spelling(text: str, functions: Container[str]) -> str | None:
    """What to write instead of a formula that cannot be read, where that can be guessed."""
    if unclear := _UNCLEAR.search(text):
        sign, inner = unclear[0][: unclear.start(1) - unclear.start()], f"{unclear[1]}*{unclear[2]}"
        return f"{unclear[0]} can be read in two ways; write {sign}({inner}) or {sign}{inner}"
    beside = _SIDE_BY_SIDE.search(text)
    if beside and not any(map(iskeyword, beside.groups())):
        return "write " + (
            f"{beside[1]}({beside[2]})" if beside[1] in functions else f"{beside[1]}*{beside[2]} for a product"
        )
    if "|" in text:
        return "write abs(x) for |x|"
    if re.search(r"\d,\d", text):
        return "write a point in decimal numbers, 3.5"
    return None
