"""Elementwise circular and hyperbolic functions and their inverses."""

from __future__ import annotations

import math

from chainrule.ops import pairs
from chainrule.ops.kinds.elementwise import BENT, REAL, UNIT, Domain, Elementwise
from chainrule.ops.notation import CLOSE, NEAR, Textbook, named
from chainrule.ops.operation import at

sin = Elementwise(
    "sin",
    value=lambda m, x: m.sin(x),
    partials=(lambda m, y, x: m.cos(x),),
    latex=r"\sin {0}",
    domain=(REAL,),
    accuracy=CLOSE,
    parts=pairs.sin,
)
cos = Elementwise(
    "cos",
    value=lambda m, x: m.cos(x),
    symmetric=True,
    partials=(lambda m, y, x: -m.sin(x),),
    latex=r"\cos {0}",
    domain=(REAL,),
    accuracy=CLOSE,
    parts=pairs.cos,
)
tan = Elementwise(
    "tan",
    value=lambda m, x: m.tan(x),
    partials=(lambda m, y, x: 1.0 + y * y,),
    latex=r"\tan {0}",
    domain=(Domain(poles=(math.pi / 2,), period=math.pi, drawn=(-1.5, 1.5)),),
    accuracy=NEAR,
    parts=pairs.tan,
)
arcsin = Elementwise(
    "arcsin",
    value=lambda m, x: m.arcsin(x),
    partials=(lambda m, y, x: 1.0 / m.sqrt((1.0 - x) * (1.0 + x)),),
    latex=r"\arcsin {0}",
    domain=(UNIT,),
    textbook=Textbook(partials=(lambda m, y, x: 1.0 / m.sqrt(1.0 - m.square(x)),)),
    accuracy=NEAR,
    complex=True,
)
arccos = Elementwise(
    "arccos",
    value=lambda m, x: m.arccos(x),
    partials=(lambda m, y, x: -1.0 / m.sqrt((1.0 - x) * (1.0 + x)),),
    latex=r"\arccos {0}",
    domain=(UNIT,),
    textbook=Textbook(partials=(lambda m, y, x: -1.0 / m.sqrt(1.0 - m.square(x)),)),
    accuracy=NEAR,
    complex=True,
)
arctan = Elementwise(
    "arctan",
    value=lambda m, x: m.arctan(x),
    partials=(lambda m, y, x: 1.0 / (1.0 + x * x),),
    latex=r"\arctan {0}",
    domain=(REAL,),
    accuracy=NEAR,
    complex=True,
)
arctan2 = Elementwise(
    "arctan2",
    value=lambda m, a, b: m.arctan2(a, b),
    partials=(
        lambda m, y, a, b: b / m.hypot(a, b) / m.hypot(a, b),
        lambda m, y, a, b: -a / m.hypot(a, b) / m.hypot(a, b),
    ),
    latex=r"\operatorname{{atan2}}\left({0}, {1}\right)",
    domain=(BENT, BENT),
    kinks=(at("{0} = 0, {1} ≤ 0", 0.0, -1.0), at("{0} = {1} = 0", 0.0, 0.0)),
    notation=named("atan2"),
    textbook=Textbook(
        partials=(
            lambda m, y, a, b: b / (m.square(a) + m.square(b)),
            lambda m, y, a, b: -a / (m.square(a) + m.square(b)),
        )
    ),
    accuracy=NEAR,
)
sinh = Elementwise(
    "sinh",
    value=lambda m, x: m.sinh(x),
    partials=(lambda m, y, x: m.cosh(x),),
    latex=r"\sinh {0}",
    domain=(REAL,),
    accuracy=NEAR,
    parts=pairs.sinh,
)
cosh = Elementwise(
    "cosh",
    value=lambda m, x: m.cosh(x),
    symmetric=True,
    partials=(lambda m, y, x: m.sinh(x),),
    latex=r"\cosh {0}",
    domain=(REAL,),
    accuracy=NEAR,
    parts=pairs.cosh,
)
tanh = Elementwise(
    "tanh",
    value=lambda m, x: m.tanh(x),
    partials=(lambda m, y, x: 1.0 - y * y,),
    latex=r"\tanh {0}",
    domain=(REAL,),
    accuracy=CLOSE,
    activation="plain",
    parts=pairs.tanh,
)
arcsinh = Elementwise(
    "arcsinh",
    value=lambda m, x: m.arcsinh(x),
    partials=(lambda m, y, x: 1.0 / (m.sqrt(1.0 + x * x) if x.dtype.kind == "c" else m.hypot(x, 1.0)),),
    latex=r"\operatorname{{arsinh}} {0}",
    domain=(REAL,),
    notation=named("arsinh"),
    textbook=Textbook(partials=(lambda m, y, x: 1.0 / m.sqrt(m.square(x) + 1.0),)),
    accuracy=NEAR,
    complex=True,
)
arccosh = Elementwise(
    "arccosh",
    value=lambda m, x: m.arccosh(x),
    partials=(lambda m, y, x: 1.0 / (m.sqrt(x - 1.0) * m.sqrt(x + 1.0)),),
    latex=r"\operatorname{{arcosh}} {0}",
    domain=(Domain(low=1.0),),
    notation=named("arcosh"),
    textbook=Textbook(partials=(lambda m, y, x: 1.0 / m.sqrt(m.square(x) - 1.0),)),
    accuracy=NEAR,
    complex=True,
)
arctanh = Elementwise(
    "arctanh",
    value=lambda m, x: m.arctanh(x),
    partials=(lambda m, y, x: 1.0 / ((1.0 - x) * (1.0 + x)),),
    latex=r"\operatorname{{artanh}} {0}",
    domain=(UNIT,),
    notation=named("artanh"),
    textbook=Textbook(partials=(lambda m, y, x: 1.0 / (1.0 - m.square(x)),)),
    accuracy=NEAR,
    complex=True,
)
