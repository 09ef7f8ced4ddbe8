"""Amounts to read: so many significant digits, thousands set apart where others would write a power of ten."""

from __future__ import annotations

from chainrule.explanation.rendering.numerals import readable


def amount(x: float | None, digits: int = 4) -> str:
    """An amount as people write it, rounded to so many significant digits; a dash for what is not known.

    Examples
    --------
    >>> amount(9842513.0), amount(-1234.56, 3), amount(0.00123456), amount(2.5e12), amount(None)
    ('9,843,000', '−1,230', '0.001235', '2.5e12', '—')
    """
    if x is None:
        return "—"
    rounded = float(f"{x:.{digits}g}") if abs(x) < 1e300 else x
    if 1e3 <= abs(rounded) < 1e10 and rounded == round(rounded):
        return f"{rounded:,.0f}".replace("-", "−")
    return readable(x, digits)
