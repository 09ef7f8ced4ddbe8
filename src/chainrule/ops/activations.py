"""Elementwise activation functions.

Kinks: `relu`, `leaky_relu` and `step` take the left branch at 0, so relu′(0) = 0; `clip` passes the derivative
at both bounds.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.ops.exponential import density
from chainrule.ops.kinds.elementwise import BENT, POSITIVE, REAL, Domain, Elementwise
from chainrule.ops.notation import CLOSE, EITHER_ZERO, EXACT, Accuracy, Textbook, named
from chainrule.ops.operation import at

SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772  # Klambauer et al. 2017, "Self-normalizing networks"


def _sigmoid(m: Any, x: Any) -> Any:
    """1/(1+e^−x) without overflow: only e^−|x| is computed."""
    small = m.exp(-m.absolute(x))
    return m.where(x >= 0, 1.0, small) / (1.0 + small)


def _normal_cdf(m: Any, x: Any) -> Any:
    return 0.5 * (1.0 + m.erf(x * math.sqrt(0.5)))


def _silu_slope(m: Any, y: Any, x: Any) -> Any:
    """σ + x·σ·(1 − σ), in a form where large x do not cancel."""
    share = m.sigmoid(x)
    return share + y * (1.0 - share)


def _mish_shares(m: Any, x: Any) -> Any:
    """tanh(softplus(x)) and 1 less that, each to its last digits: (s² + 2s)/(s² + 2s + 2) with s = eˣ, of e^−|x| alone."""
    small, right = m.exp(-m.absolute(x)), x >= 0
    share = m.where(right, 1.0 + 2.0 * small, small * (small + 2.0))
    rest = m.where(right, 2.0 * small * small, 2.0)
    return share / (share + rest), rest / (share + rest)


def _mish_slope(m: Any, y: Any, x: Any) -> Any:
    share, rest = _mish_shares(m, x)
    return share + x * rest * (1.0 + share) * m.sigmoid(x)


def _elu_part(m: Any, x: Any) -> Any:
    """e^x − 1 for negative x, 0 for others, without overflow."""
    return m.expm1(_left(m, x))


def _left(m: Any, x: Any) -> Any:
    """x up to 0, and 0 beyond: of the left branch at 0 in every derivative, where `minimum` would halve it."""
    return m.where(x > 0, 0.0, x)


sigmoid = Elementwise(
    "sigmoid",
    value=_sigmoid,
    partials=(lambda m, y, x: y * (1.0 - y),),
    latex=r"\sigma\left({0}\right)",
    domain=(REAL,),
    notation=named("σ"),
    accuracy=CLOSE,
    doc="σ(x) = 1/(1 + e⁻ˣ).",
    activation="plain",
)
relu = Elementwise(
    "relu",
    value=lambda m, x: m.maximum(x, 0.0),
    partials=(lambda m, y, x: m.indicator(y > 0, y),),  # x need not be kept
    latex=r"\operatorname{{relu}}\left({0}\right)",
    domain=(BENT,),
    textbook=Textbook(partials=(lambda m, y, x: m.indicator(x > 0, x),)),
    accuracy=EITHER_ZERO,
    doc="max(x, 0), of −0 either zero; its derivative at 0 is 0.",
    activation="rectifier",
)
leaky_relu = Elementwise(
    "leaky_relu",
    value=lambda m, x, slope: m.where(x > 0, x, slope * x),
    partials=(
        lambda m, y, x, slope: slope + (1.0 - slope) * m.indicator(x > 0, y),
        lambda m, y, x, slope: _left(m, x),
    ),
    latex=r"\operatorname{{leaky\ relu}}\left({0}\right)",
    domain=(BENT, POSITIVE),
    textbook=Textbook(
        partials=(lambda m, y, x, slope: m.where(x > 0, 1.0, slope), lambda m, y, x, slope: m.where(x > 0, 0.0, x))
    ),
    doc="x where positive, slope·x elsewhere.",
    activation="rectifier",
    defaults={"slope": 0.01},
)
elu = Elementwise(
    "elu",
    value=lambda m, x, alpha: m.where(x > 0, x, alpha * _elu_part(m, x)),
    partials=(
        lambda m, y, x, alpha: m.where(x > 0, 1.0, alpha * m.exp(_left(m, x))),
        lambda m, y, x, alpha: _elu_part(m, x),
    ),
    latex=r"\operatorname{{elu}}\left({0}\right)",
    domain=(BENT, POSITIVE),
    textbook=Textbook(
        partials=(
            lambda m, y, x, alpha: m.where(x > 0, 1.0, alpha * m.exp(x)),
            lambda m, y, x, alpha: m.where(x > 0, 0.0, m.exp(x) - 1.0),
        )
    ),
    accuracy=Accuracy(4.0, composed=True, either_zero=True),
    doc="x where positive, alpha·(eˣ − 1) elsewhere.",
    activation="rectifier",
    defaults={"alpha": 1.0},
)
selu = Elementwise(
    "selu",
    value=lambda m, x: SELU_SCALE * m.where(x > 0, x, SELU_ALPHA * _elu_part(m, x)),
    partials=(lambda m, y, x: SELU_SCALE * m.where(x > 0, 1.0, SELU_ALPHA * m.exp(_left(m, x))),),
    latex=r"\operatorname{{selu}}\left({0}\right)",
    domain=(BENT,),
    textbook=Textbook(partials=(lambda m, y, x: m.where(x > 0, SELU_SCALE, SELU_SCALE * SELU_ALPHA * m.exp(x)),)),
    accuracy=Accuracy(4.0, composed=True, either_zero=True),
    doc="The self-normalising exponential linear unit (Klambauer et al. 2017).",
    activation="self-normalizing",
)
gelu = Elementwise(
    "gelu",
    value=lambda m, x: x * _normal_cdf(m, x),
    partials=(lambda m, y, x: _normal_cdf(m, x) + x * density(m, x),),
    latex=r"\operatorname{{gelu}}\left({0}\right)",
    domain=(Domain(drawn=(-6.0, 6.0)),),
    textbook=Textbook(lambda m, x: x * m.normal_cdf(x), (lambda m, y, x: m.normal_cdf(x) + x * m.normal_density(x),)),
    doc="x·Φ(x), with Φ the normal distribution function (Hendrycks and Gimpel 2016).",
    activation="rectifier",
)
silu = Elementwise(
    "silu",
    value=lambda m, x: x * _sigmoid(m, x),
    partials=(_silu_slope,),
    latex=r"\operatorname{{silu}}\left({0}\right)",
    domain=(REAL,),
    textbook=Textbook(
        lambda m, x: x * m.sigmoid(x), (lambda m, y, x: m.sigmoid(x) + x * m.sigmoid(x) * (1.0 - m.sigmoid(x)),)
    ),
    doc="x·σ(x), also called swish.",
    activation="rectifier",
)
mish = Elementwise(
    "mish",
    value=lambda m, x: x * _mish_shares(m, x)[0],
    partials=(_mish_slope,),
    latex=r"\operatorname{{mish}}\left({0}\right)",
    domain=(REAL,),
    textbook=Textbook(
        lambda m, x: x * m.tanh(m.softplus(x)),
        (lambda m, y, x: m.tanh(m.softplus(x)) + x * (1.0 - m.square(m.tanh(m.softplus(x)))) * m.sigmoid(x),),
    ),
    doc="x·tanh(ln(1 + eˣ)) (Misra 2019).",
    activation="rectifier",
)
softplus = Elementwise(
    "softplus",
    value=lambda m, x: m.maximum(x, 0.0) + m.log1p(m.exp(-m.absolute(x))),
    partials=(lambda m, y, x: m.sigmoid(x),),
    latex=r"\ln\left(1 + e^{{{0}}}\right)",
    domain=(REAL,),
    textbook=Textbook(lambda m, x: m.log(1.0 + m.exp(x))),
    accuracy=CLOSE,
    doc="ln(1 + eˣ).",
    activation="rectifier",
)
softsign = Elementwise(
    "softsign",
    value=lambda m, x: x / (1.0 + m.absolute(x)),
    partials=(lambda m, y, x: m.square(1.0 / (1.0 + m.absolute(x))),),
    latex=r"\frac{{{0}}}{{1 + \left|{0}\right|}}",
    domain=(BENT,),
    textbook=Textbook(lambda m, x: x / (1.0 + m.absolute(x)), (lambda m, y, x: 1.0 / m.square(1.0 + m.absolute(x)),)),
    doc="x/(1 + |x|).",
    activation="plain",
)
step = Elementwise(
    "step",
    value=lambda m, x: m.indicator(x > 0, x),
    partials=(None,),
    latex=r"\operatorname{{step}}\left({0}\right)",
    domain=(BENT,),
    accuracy=EXACT,
    doc="1 where x is positive, 0 elsewhere; its derivative is 0.",
    activation="plain",
)
clip = Elementwise(
    "clip",
    value=lambda m, x, low, high: m.minimum(m.maximum(x, low), high),
    partials=(
        lambda m, y, x, low, high: m.indicator(m.logical_and(low <= x, x <= high), y),
        lambda m, y, x, low, high: m.indicator(
            m.logical_and(x < low, low <= high), y
        ),  # of crossing bounds the upper holds
        lambda m, y, x, low, high: m.indicator(m.logical_or(x > high, low > high), y),
    ),
    textbook=Textbook(
        partials=(
            None,
            lambda m, y, x, low, high: m.indicator(x < low, y),
            lambda m, y, x, low, high: m.indicator(x > high, y),
        )
    ),
    latex=r"\operatorname{{clip}}\left({0}, {1}, {2}\right)",
    domain=(Domain(kinks=(-1.0, 1.0), drawn=(-3.0, 3.0)), Domain(drawn=(-1.0, -1.0)), Domain(drawn=(1.0, 1.0))),
    kinks=(at("{0} = {1}", -1.0, -1.0, 1.0), at("{0} = {2}", 1.0, -1.0, 1.0)),
    numpy=lambda x, low, high: np.minimum(high, np.maximum(low, x)),  # x last: of equal numbers, +0 and −0, it stays
    accuracy=EXACT,
)
huber = Elementwise(
    "huber",
    value=lambda m, x, delta: m.minimum(m.absolute(x), delta) * (m.absolute(x) - 0.5 * m.minimum(m.absolute(x), delta)),
    partials=(
        lambda m, y, x, delta: m.clip(x, -delta, delta),
        lambda m, y, x, delta: m.maximum(m.absolute(x) - delta, 0.0),
    ),
    latex=r"\operatorname{{huber}}\left({0}, {1}\right)",
    domain=(REAL, POSITIVE),
    accuracy=EITHER_ZERO,
    doc="½x² where |x| ≤ δ, δ·(|x| − ½δ) beyond (Huber 1964).",
    public=True,
    defaults={"delta": 1.0},
)
