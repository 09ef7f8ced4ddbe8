"""Elementwise arithmetic, roots and powers.

Kinks: `absolute` has derivative 0 at 0; `maximum` and `minimum` share the derivative equally where their
inputs are equal; `clip` passes it at both bounds. |x|, `hypot` and `root` have derivative 0 where they are 0. Their even powers,
which have others there, are differentiated as what they are powers of: |x|² as x². What bends them otherwise has the second
derivative nan there.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.ops import pairs
from chainrule.ops.kinds.elementwise import BENT, BOOLEAN, EQUAL, NONZERO, POSITIVE, REAL, Domain, Elementwise
from chainrule.ops.notation import (
    ATOM,
    CLOSE,
    EITHER_ZERO,
    EXACT,
    NEAR,
    POWER,
    PRODUCT,
    SIGN,
    SUM,
    Notation,
    Textbook,
    infix,
    named,
)
from chainrule.ops.operation import ArrayType, at, dtype_of, example

add = Elementwise(
    "add",
    value=lambda m, a, b: a + b,
    partials=(1, 1),
    shares=True,
    latex="{0} + {1}",
    domain=(REAL, REAL),
    neutral=(-0.0, -0.0),
    notation=infix("+", " + ", SUM, (SUM, SUM), symbol="+", algebra="sum", rule="sum rule", cost="addition"),
    parts=pairs.add,
)
subtract = Elementwise(
    "subtract",
    value=lambda m, a, b: a - b,
    partials=(1, -1),
    shares=True,
    latex="{0} - {1}",
    domain=(REAL, REAL),
    neutral=(None, 0.0),
    notation=infix("−", " - ", SUM, (SUM, PRODUCT), symbol="−", algebra="difference", rule="sum rule", cost="addition"),
    parts=pairs.subtract,
)
multiply = Elementwise(
    "multiply",
    value=lambda m, a, b: a * b,
    partials=(lambda m, y, a, b: b, lambda m, y, a, b: a),
    even=lambda m, square, a, b: square() if a is b else None,
    carries=True,
    latex=r"{0} \cdot {1}",
    domain=(REAL, REAL),
    neutral=(1, 1),
    notation=infix(
        "·",
        "*",
        PRODUCT,
        (PRODUCT, PRODUCT),
        symbol="×",
        algebra="product",
        rule="product rule",
        linear=(0, 1),
        cost="multiplication",
    ),
    parts=pairs.multiply,
)
divide = Elementwise(
    "divide",
    value=lambda m, a, b: a / b,
    partials=(lambda m, y, a, b: 1.0 / b, lambda m, y, a, b: -y / b),
    carries=True,
    latex=r"\frac{{{0}}}{{{1}}}",
    domain=(REAL, NONZERO),
    neutral=(None, 1),
    notation=Notation(
        "fraction", "/", PRODUCT, (PRODUCT, SIGN), "{0}/{1}", "÷", "quotient", "quotient rule", (0,), "multiplication"
    ),
    textbook=Textbook(differential=lambda m, a, b, da, db: (b * da - a * db) / m.square(b)),
    parts=pairs.divide,
)
negative = Elementwise(
    "negative",
    value=lambda m, x: -x,
    partials=(-1,),
    carries=True,
    squared=lambda m, x: x * x,
    latex="-{0}",
    domain=(REAL,),
    notation=Notation("prefix", "−", SIGN, (SIGN,), "-{0}", "−", "negation", "constant factor", cost="free"),
    parts=pairs.negative,
)
positive = Elementwise(
    "positive",
    value=lambda m, x: +x,
    partials=(1,),
    carries=True,
    squared=lambda m, x: x * x,
    latex="{0}",
    domain=(REAL,),
    passes=True,
    notation=Notation("prefix", "", SIGN, (SIGN,), "+{0}", algebra="identity", rule="identity rule", cost="free"),
    parts=pairs.unchanged,
)
reciprocal = Elementwise(
    "reciprocal",
    value=lambda m, x: 1.0 / x,
    partials=(lambda m, y, x: -y * y,),
    latex=r"\frac{{1}}{{{0}}}",
    domain=(NONZERO,),
    notation=Notation(algebra="reciprocal", rule="quotient rule", cost="multiplication"),
    textbook=Textbook(partials=(lambda m, y, x: -1.0 / m.square(x),)),
    parts=pairs.reciprocal,
)


def _power_by_base(m: Any, y: Any, a: Any, b: Any) -> Any:
    """b·a^(b−1), and 0 at a = b = 0. Nowhere else is the rule bent, lest derivatives of it be lost: by b it has one at b = 0."""
    if isinstance(b, int | float | complex):  # a number must stay a number, lest it widen the dtype
        return b * m.power(a, b - 1) if b != 0 else 0.0
    return b * m.power(m.where(m.logical_and(a == 0, b == 0), 1.0, a), b - 1.0)


def _power_by_exponent(m: Any, y: Any, a: Any, b: Any) -> Any:
    """y·log a, and 0 at a = 0, where y does not change with b > 0."""
    if y.dtype.kind == "c":
        a = m.astype(a, dtype=y.dtype)  # of a number below 0 there is a logarithm
    elif isinstance(a, int | float):
        return y * (math.log(a) if a > 0 else 0.0 if a == 0 else math.nan)
    return y * m.log(m.where(a == 0, 1.0, a))


def _square(m: Any, x: Any) -> Any:
    """x², of a number of Python's one again, lest it widen the dtype."""
    return x * x if type(x) in (int, float) else m.square(x)


def square_of_size(m: Any, x: Any) -> Any:
    """|x|², in a form that has every derivative."""
    return m.square(m.real(x)) + m.square(m.imag(x)) if x.dtype.kind == "c" else m.square(x)


def _slope_of_size(m: Any, y: Any, x: Any) -> Any:
    """The sign, of complex numbers x̄/|x|: d|x| = Re(x̄·dx)/|x|; 0 at 0."""
    return m.conjugate(x) / m.where(y == 0, 1.0, y) if x.dtype.kind == "c" else m.sign(x)


def _negative_powers(a: Any, b: Any) -> bool:
    """Whether integers may be raised to negative powers, which are no integers."""
    kinds = [np.result_type(dtype_of(x)).kind for x in (a, b)]
    return kinds[0] in "iub" and kinds[1] == "i" and (isinstance(b, ArrayType) or bool(np.any(np.less(b, 0))))


power = Elementwise(
    "power",
    value=lambda m, a, b: m.power(a, b),
    partials=(_power_by_base, _power_by_exponent),
    even=lambda m, square, a, b: m.power(square(), b / 2) if type(b) in (int, float) and b % 2 == 0 else None,
    flattens=lambda a, b: math.ceil(b) if type(b) in (int, float) and math.isfinite(b) and b > 2 else 2,
    latex="{{{0}}}^{{{1}}}",
    domain=(POSITIVE, REAL),
    neutral=(None, 1),
    partly=_negative_powers,
    doc="At a = 0 the derivative by the exponent is taken as 0.",
    notation=Notation("power", "^", POWER, (ATOM, POWER), "{0}**{1}", "^", "power", ("power rule", "exponential rule")),
    textbook=Textbook(partials=(lambda m, y, a, b: b * m.power(a, b - 1), lambda m, y, a, b: y * m.log(a))),
    accuracy=CLOSE,
    parts=pairs.power,
)
square = Elementwise(
    "square",
    value=lambda m, x: x * x,
    partials=(lambda m, y, x: 2.0 * x,),
    even=lambda m, square, x: square(),
    latex="{{{0}}}^{{2}}",
    domain=(REAL,),
    notation=Notation("power", "2", POWER, (ATOM,), "{0}**2", "^ 2", "square", "power rule", cost="multiplication"),
    parts=pairs.square,
)
sqrt = Elementwise(
    "sqrt",
    value=lambda m, x: m.sqrt(x),
    partials=(lambda m, y, x: 0.5 / y,),
    latex=r"\sqrt{{{0}}}",
    domain=(POSITIVE,),
    notation=Notation("root", "√", rule="power rule"),
    textbook=Textbook(partials=(lambda m, y, x: 1.0 / (2.0 * m.sqrt(x)),)),
    parts=pairs.sqrt,
)
root = Elementwise(
    "root",
    value=lambda m, x: m.sqrt(x),
    partials=(lambda m, y, x: m.where(y == 0, 0.0, 0.5 / m.where(y == 0, 1.0, y)),),
    squared=lambda m, x: m.positive(x),
    latex=r"\sqrt{{{0}}}",
    domain=(Domain(low=0.0, kinks=(0.0,)),),
    doc="The square root of a sum of squares, with derivative 0 at 0. Even powers of it are differentiated as those of x.",
    notation=Notation("root", "√", operands=(SUM,), typed="sqrt({0})", rule="power rule"),
    textbook=Textbook(partials=(lambda m, y, x: 1.0 / (2.0 * m.sqrt(x)),)),
    numpy=np.sqrt,
    accuracy=EXACT,
)
cbrt = Elementwise(
    "cbrt",
    value=lambda m, x: m.cbrt(x),
    partials=(lambda m, y, x: 1.0 / (3.0 * y * y),),
    latex=r"\sqrt[3]{{{0}}}",
    domain=(BENT,),
    notation=Notation("root", "∛", rule="power rule"),
    textbook=Textbook(partials=(lambda m, y, x: 1.0 / (3.0 * m.square(m.cbrt(x))),)),
    accuracy=NEAR,
)
absolute = Elementwise(
    "absolute",
    value=lambda m, x: m.absolute(x),
    partials=(_slope_of_size,),
    squared=square_of_size,
    unsigned=True,
    textbook=Textbook(partials=(lambda m, y, x: m.sign(x),)),
    latex=r"\left|{0}\right|",
    domain=(BENT,),
    doc="The derivative at 0 is taken as 0 (JAX takes 1). Even powers of |x| are differentiated as those of x; what bends it "
    "otherwise, as exp(−|x|), has the second derivative nan there.",
    notation=Notation("fence", "||", operands=(SUM,), typed="abs({0})", symbol="|·|", rule="derivative of |x|"),
    parts=pairs.absolute,
)
sign = Elementwise(
    "sign",
    value=lambda m, x: m.sign(x),
    partials=(None,),
    latex=r"\operatorname{{sign}}\left({0}\right)",
    domain=(BENT,),
)
hypot = Elementwise(
    "hypot",
    value=lambda m, a, b: m.hypot(a, b),
    partials=(
        lambda m, y, a, b: a / m.where(y == 0, 1.0, y),
        lambda m, y, a, b: b / m.where(y == 0, 1.0, y),
    ),
    squared=lambda m, a, b: _square(m, a) + _square(m, b),
    latex=r"\sqrt{{{{{0}}}^{{2}} + {{{1}}}^{{2}}}}",
    domain=(BENT, BENT),
    kinks=(at("{0} = {1} = 0", 0.0, 0.0),),
    doc="Both derivatives at the origin are taken as 0; even powers of it are differentiated as those of √(a² + b²).",
    textbook=Textbook(
        lambda m, a, b: m.sqrt(m.square(a) + m.square(b)),
        (
            lambda m, y, a, b: a / m.sqrt(m.square(a) + m.square(b)),
            lambda m, y, a, b: b / m.sqrt(m.square(a) + m.square(b)),
        ),
    ),
    accuracy=NEAR,
)
maximum = Elementwise(
    "maximum",
    value=lambda m, a, b: m.maximum(a, b),
    partials=(
        lambda m, y, a, b: m.indicator(a > b, y) + 0.5 * m.indicator(a == b, y),
        lambda m, y, a, b: m.indicator(b > a, y) + 0.5 * m.indicator(a == b, y),
    ),
    latex=r"\max\left({0}, {1}\right)",
    domain=(REAL, REAL),
    neutral=(-math.inf, -math.inf),
    kinks=(EQUAL,),
    doc="Where the inputs are equal each gets half of the derivative. Of 0 and −0, either.",
    notation=named("max"),
    textbook=Textbook(partials=(lambda m, y, a, b: m.indicator(a > b, y), lambda m, y, a, b: m.indicator(b > a, y))),
    accuracy=EITHER_ZERO,
)
minimum = Elementwise(
    "minimum",
    value=lambda m, a, b: m.minimum(a, b),
    partials=(
        lambda m, y, a, b: m.indicator(a < b, y) + 0.5 * m.indicator(a == b, y),
        lambda m, y, a, b: m.indicator(b < a, y) + 0.5 * m.indicator(a == b, y),
    ),
    latex=r"\min\left({0}, {1}\right)",
    domain=(REAL, REAL),
    neutral=(math.inf, math.inf),
    kinks=(EQUAL,),
    doc="Where the inputs are equal each gets half of the derivative. Of 0 and −0, either.",
    notation=named("min"),
    textbook=Textbook(partials=(lambda m, y, a, b: m.indicator(a < b, y), lambda m, y, a, b: m.indicator(b < a, y))),
    accuracy=EITHER_ZERO,
)
where = Elementwise(
    "where",
    value=lambda m, condition, a, b: m.where(condition, a, b),
    partials=(
        None,
        lambda m, y, condition, a, b: m.indicator(condition, y),
        lambda m, y, condition, a, b: m.indicator(m.logical_not(condition), y),
    ),
    carries=True,
    moves=(1, None),
    latex=r"\begin{{cases}} {1} & {0} \\ {2} & \text{{otherwise}} \end{{cases}}",
    domain=(BOOLEAN, REAL, REAL),
    numpy=lambda condition, a, b: np.where(condition, a, b)[()],  # type: ignore[call-overload]
    notation=Notation("cases", rule="case by case", cost="free"),
    accuracy=EXACT,
    parts=pairs.where,
)


def _indicator(condition: Any, like: Any) -> Any:
    condition = np.asarray(condition)
    if condition.dtype != np.bool_:  # any number but 0 is true, also one that is not 1
        condition = condition != 0
    if condition.shape != (own := np.shape(like)):
        condition = np.broadcast_to(condition, np.broadcast_shapes(condition.shape, own))
    return np.multiply(condition, 1, dtype=np.result_type(like))


indicator = Elementwise(
    "indicator",
    value=lambda m, condition, like: m.indicator(condition, like),
    partials=(None, None),
    latex=r"\left[{0}\right]",
    domain=(BOOLEAN, REAL),
    numpy=_indicator,
    doc="1 where the condition holds and 0 elsewhere, in the dtype of the second input.",
    notation=Notation("case", cost="free"),
    accuracy=EXACT,
    parts=pairs.indicator,
)
astype = Elementwise(
    "astype",
    value=lambda m, x, dtype: m.astype(x, dtype=dtype),
    partials=(1,),
    carries=True,
    to_complex=True,
    latex="{0}",
    domain=(REAL,),
    numpy=lambda x, dtype: np.asarray(x).astype(dtype)[()],
    doc="The same numbers in another dtype (attribute `dtype`).",
    passes=True,
    examples=(example((2, 3), dtype=np.dtype("float64")),),
    notation=Notation(algebra="identity", rule="", cost="free"),
    accuracy=EXACT,
    parts=pairs.unchanged,
)
stop_gradient = Elementwise(
    "stop_gradient",
    value=lambda m, x: +x,
    partials=(None,),
    latex=r"\operatorname{{stop}}\left({0}\right)",
    domain=(REAL,),
    numpy=lambda x: x.copy() if type(x) is np.ndarray else x,
    passes=True,
    notation=named("stop", cost="free"),
    accuracy=EXACT,
    doc="The value itself, treated as a constant by every derivative.",
    public=True,
    parts=pairs.unchanged,
)
