"""Elementwise exponentials and logarithms, and the error function."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.ops import pairs
from chainrule.ops.kinds.elementwise import POSITIVE, REAL, Domain, Elementwise
from chainrule.ops.notation import CLOSE, COMPOSED, Accuracy, Notation, Textbook, named
from chainrule.ops.operation import dtype_of, example

LN2, LN10 = math.log(2.0), math.log(10.0)
FAR_OUT = 40.0
"""Beyond this the normal density is 0 in every dtype, and squares of larger numbers could overflow."""

exp = Elementwise(
    "exp",
    value=lambda m, x: m.exp(x),
    partials=(lambda m, y, x: y,),
    latex="e^{{{0}}}",
    domain=(REAL,),
    notation=Notation("exponential", "e"),
    accuracy=CLOSE,
    activation="plain",
    parts=pairs.exp,
)
exp2 = Elementwise(
    "exp2",
    value=lambda m, x: m.exp2(x),
    partials=(lambda m, y, x: LN2 * y,),
    latex="2^{{{0}}}",
    domain=(REAL,),
    notation=Notation("exponential", "2"),
    textbook=Textbook(partials=(lambda m, y, x: m.log(2.0) * y,)),
    accuracy=CLOSE,
    parts=pairs.exp2,
)
expm1 = Elementwise(
    "expm1",
    value=lambda m, x: m.expm1(x),
    partials=(lambda m, y, x: y + 1.0,),
    latex="e^{{{0}}} - 1",
    domain=(REAL,),
    textbook=Textbook(lambda m, x: m.exp(x) - 1.0, (lambda m, y, x: m.exp(x),)),
    accuracy=CLOSE,
    parts=pairs.expm1,
)
complement_of_power = Elementwise(
    "complement_of_power",
    value=lambda m, x, base=0.5: -m.expm1(x * math.log(base)),
    partials=(lambda m, y, x, base=0.5: (y - 1.0) * math.log(base),),
    latex="1 - b^{{{0}}}",
    domain=(Domain(low=0.0, drawn=(0.1, 20.0)),),
    textbook=Textbook(
        lambda m, x, base=0.5: 1.0 - m.power(base, x), (lambda m, y, x, base=0.5: -m.power(base, x) * m.log(base),)
    ),
    accuracy=Accuracy(4.0, composed=True),
    examples=(example(np.array([1.0, 2.0, 30.0])), example(np.array([1.0, 2.0, 30.0]), base=0.999)),
    doc="1 − bˣ for a number b greater than 0, exact to the last digit also where bˣ is near 1.",
)
log = Elementwise(
    "log",
    value=lambda m, x: m.log(x),
    partials=(lambda m, y, x: 1.0 / x,),
    latex=r"\ln {0}",
    domain=(POSITIVE,),
    notation=named("ln"),
    accuracy=CLOSE,
    parts=pairs.log,
)
log2 = Elementwise(
    "log2",
    value=lambda m, x: m.log2(x),
    partials=(lambda m, y, x: 1.0 / (LN2 * x),),
    latex=r"\log_{{2}} {0}",
    domain=(POSITIVE,),
    notation=named("log₂"),
    textbook=Textbook(partials=(lambda m, y, x: 1.0 / (x * m.log(2.0)),)),
    accuracy=CLOSE,
    parts=pairs.scaled_log(2.0),
)
log10 = Elementwise(
    "log10",
    value=lambda m, x: m.log10(x),
    partials=(lambda m, y, x: 1.0 / (LN10 * x),),
    latex=r"\log_{{10}} {0}",
    domain=(POSITIVE,),
    notation=named("log₁₀"),
    textbook=Textbook(partials=(lambda m, y, x: 1.0 / (x * m.log(10.0)),)),
    accuracy=CLOSE,
    parts=pairs.scaled_log(10.0),
)
log1p = Elementwise(
    "log1p",
    value=lambda m, x: m.log1p(x),
    partials=(lambda m, y, x: 1.0 / (1.0 + x),),
    latex=r"\ln\left(1 + {0}\right)",
    domain=(Domain(low=-1.0),),
    textbook=Textbook(lambda m, x: m.log(1.0 + x)),
    accuracy=CLOSE,
    parts=pairs.log1p,
)
logaddexp = Elementwise(
    "logaddexp",
    value=lambda m, a, b: m.maximum(a, b) + m.log1p(m.exp(-m.absolute(m.where(a == b, 0.0, a - b)))),
    partials=(lambda m, y, a, b: m.exp(a - y), lambda m, y, a, b: m.exp(b - y)),
    latex=r"\ln\left(e^{{{0}}} + e^{{{1}}}\right)",
    domain=(REAL, REAL),
    textbook=Textbook(
        lambda m, a, b: m.log(m.exp(a) + m.exp(b)),
        (lambda m, y, a, b: m.exp(a) / (m.exp(a) + m.exp(b)), lambda m, y, a, b: m.exp(b) / (m.exp(a) + m.exp(b))),
    ),
    accuracy=COMPOSED,
)
log_cosh = Elementwise(
    "log_cosh",
    value=lambda m, x: m.where(  # cosh x = 1 + 2·sinh²(x/2), which keeps its digits near 0
        m.absolute(x) < 1.0,
        m.log1p(2.0 * m.square(m.sinh(0.5 * m.minimum(m.absolute(x), 1.0)))),
        m.absolute(x) + m.log1p(m.exp(-2.0 * m.absolute(x))) - math.log(2.0),
    ),
    partials=(lambda m, y, x: m.tanh(x),),
    latex=r"\ln\left(\cosh\left({0}\right)\right)",
    domain=(REAL,),
    textbook=Textbook(lambda m, x: m.log(m.cosh(x))),
    accuracy=COMPOSED,
    doc="ln cosh x: like ½x² near 0, and |x| − ln 2 far from it.",
    public=True,
)

# erf(x) = x·P(x²) on |x| ≤ 1 and sign(x)·(1 − e^(−x²)·Q(2/(2+|x|))) beyond: Chebyshev interpolants computed
# with 40 digits, relative error below 1e-17 before rounding.
_NEAR = (
    5.957176147748911e-11, -1.1372848856791674e-09, 1.4659775274047436e-08, -1.6350312701054695e-07,
    1.6461000484121368e-06, -1.4925595266831182e-05, 0.0001205533111164271, -0.000854832698083379,
    0.0052239776248180145, -0.026866170645076792, 0.11283791670954879, -0.3761263890318375, 1.1283791670955126,
)  # fmt: skip
_FAR = (
    -0.07692728720176452, 0.5722101913167974, -1.9180203974498897, 3.7799880036249913, -4.786255479495366,
    4.018029079163579, -2.3090008742701653, 1.0345466691739977, -0.3939740962737018, 0.025006871278666312,
    -0.017925994188306676, 0.08498545342453037, 0.1763377096315686, 0.24680601403241229, 0.28209869445000274,
    0.2820945178902828, 8.069963121735795e-09,
)  # fmt: skip


def _polynomial(coefficients: tuple[float, ...], x: Any) -> Any:
    total = coefficients[0] * x + coefficients[1]
    for coefficient in coefficients[2:]:
        total = total * x + coefficient
    return total


def _erf(m: Any, x: Any) -> Any:
    size = m.minimum(m.absolute(x), 6.2)
    near = x * _polynomial(_NEAR, m.minimum(size * size, 1.0))
    far = m.sign(x) * (1.0 - m.exp(-size * size) * _polynomial(_FAR, 2.0 / (2.0 + size)))
    return m.where(size < 1.0, near, far)


def squared(m: Any, x: Any) -> Any:
    """x² where e^(−x²) is not 0. Kept between two bounds, not by |x|, whose derivative at 0 would cut off those of the square."""
    if np.dtype(dtype_of(x)).kind == "c":
        return m.square(x)
    return m.square(m.minimum(m.maximum(x, -FAR_OUT), FAR_OUT))


erf = Elementwise(
    "erf",
    value=_erf,
    partials=(lambda m, y, x: (2.0 / math.sqrt(math.pi)) * m.exp(-squared(m, x)),),
    latex=r"\operatorname{{erf}}\left({0}\right)",
    domain=(Domain(drawn=(-6.0, 6.0)),),
    textbook=Textbook(partials=(lambda m, y, x: 2.0 / m.sqrt(math.pi) * m.exp(-m.square(x)),)),
    accuracy=CLOSE,
    doc="The error function, 2/√π ∫₀ˣ e^(−t²) dt.",
    public=True,
)


def density(m: Any, x: Any) -> Any:
    """e^(−x²/2)/√(2π), in a form that has every derivative."""
    return m.exp(-0.5 * squared(m, x)) * (1.0 / math.sqrt(2.0 * math.pi))


normal_density = Elementwise(
    "normal_density",
    value=density,
    partials=(lambda m, y, x: -x * y,),
    latex=r"\varphi\left({0}\right)",
    notation=named("φ"),
    domain=(Domain(drawn=(-6.0, 6.0)),),
    doc="The density of the standard normal distribution, e^(−x²/2)/√(2π).",
)
normal_cdf = Elementwise(
    "normal_cdf",
    value=lambda m, x: 0.5 * (1.0 + m.erf(x * math.sqrt(0.5))),
    partials=(lambda m, y, x: density(m, x),),
    textbook=Textbook(partials=(lambda m, y, x: m.normal_density(x),)),
    accuracy=Accuracy(16.0, composed=True),  # 1 + erf loses digits where it is small
    latex=r"\Phi\left({0}\right)",
    notation=named("Φ"),
    domain=(Domain(drawn=(-6.0, 6.0)),),
    doc="The distribution function of the standard normal distribution.",
)
