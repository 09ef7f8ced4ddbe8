"""Elementwise rounding to whole numbers, division with what is left."""

from __future__ import annotations

from chainrule.ops.kinds.elementwise import NONZERO, REAL, Domain, Elementwise
from chainrule.ops.notation import PRODUCT, SIGN, Notation, Textbook, infix, named
from chainrule.ops.operation import at

STEPS, HALF_STEPS = Domain(kinks=(1.0,), period=1.0), Domain(kinks=(0.5,), period=1.0)

floor = Elementwise(
    "floor",
    value=lambda m, x: m.floor(x),
    partials=(None,),
    latex=r"\left\lfloor {0} \right\rfloor",
    domain=(STEPS,),
    notation=Notation("fence", "⌊⌋"),
)
ceil = Elementwise(
    "ceil",
    value=lambda m, x: m.ceil(x),
    partials=(None,),
    latex=r"\left\lceil {0} \right\rceil",
    domain=(STEPS,),
    notation=Notation("fence", "⌈⌉"),
)
trunc = Elementwise(
    "trunc",
    value=lambda m, x: m.trunc(x),
    partials=(None,),
    latex=r"\operatorname{{trunc}}\left({0}\right)",
    domain=(STEPS,),
    doc="Towards 0, where it makes no step.",
)
rint = Elementwise(
    "rint",
    value=lambda m, x: m.rint(x),
    partials=(None,),
    latex=r"\operatorname{{round}}\left({0}\right)",
    domain=(HALF_STEPS,),
    doc="Halves are rounded to the even neighbour.",
    notation=named("round"),
)
floor_divide = Elementwise(
    "floor_divide",
    value=lambda m, a, b: m.where(b == 0, a / b, m.rint((a - m.remainder(a, b)) / b)),
    partials=(None, None),
    latex=r"\left\lfloor \frac{{{0}}}{{{1}}} \right\rfloor",
    domain=(REAL, NONZERO),
    kinks=(at("{0} a multiple of {1}", 3.0, 1.5),),
    textbook=Textbook(lambda m, a, b: m.floor(a / b)),
)
remainder = Elementwise(
    "remainder",
    value=lambda m, a, b: m.remainder(a, b),
    partials=(1, lambda m, y, a, b: -m.floor_divide(a, b)),
    latex=r"{0} \bmod {1}",
    domain=(
        Domain(drawn=(2.0, 3.0)),
        Domain(poles=(0.0,), drawn=(1.5, 2.0)),
    ),  # b goes into a once, and nowhere near twice
    kinks=(at("{0} a multiple of {1}", 3.0, 1.5),),
    doc="Of the sign of b, as Python's %; computed exactly, unlike a − ⌊a/b⌋·b.",
    notation=infix("mod", " % ", PRODUCT, (PRODUCT, SIGN)),
    textbook=Textbook(partials=(None, lambda m, y, a, b: -m.floor(a / b))),
)
