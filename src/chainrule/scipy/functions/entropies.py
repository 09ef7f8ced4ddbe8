"""x·ln y with 0·ln 0 = 0, and the entropies written in it."""

from __future__ import annotations

from typing import Any

from chainrule.ops.kinds.elementwise import POSITIVE, Domain
from chainrule.ops.notation import Textbook
from chainrule.scipy.functions.declaring import of_scipy
from scipy import special


def _ratio(m: Any, x: Any, y: Any) -> Any:
    """x/y, and 0 where both are 0."""
    return x / m.where(m.logical_and(x == 0.0, y == 0.0), 1.0, y)


xlogy = of_scipy(
    "xlogy",
    special.xlogy,
    (lambda m, y, a, b: m.log(b), lambda m, y, a, b: _ratio(m, a, b)),
    (POSITIVE, POSITIVE),
    r"{0} \ln {1}",
    textbook=Textbook(partials=(None, lambda m, y, a, b: a / b)),
    doc="a·ln b, and 0 where a is 0.",
)
xlog1py = of_scipy(
    "xlog1py",
    special.xlog1py,
    (lambda m, y, a, b: m.log1p(b), lambda m, y, a, b: _ratio(m, a, 1.0 + b)),
    (POSITIVE, Domain(-1.0)),
    r"{0} \ln\left(1 + {1}\right)",
    textbook=Textbook(partials=(None, lambda m, y, a, b: a / (1.0 + b))),
    doc="a·ln(1 + b), and 0 where a is 0.",
)
entr = of_scipy(
    "entr",
    special.entr,
    (lambda m, y, x: -m.log(x) - 1.0,),
    (POSITIVE,),
    r"-{0} \ln {0}",
    doc="−x·ln x, and 0 where x is 0.",
)
rel_entr = of_scipy(
    "rel_entr",
    special.rel_entr,
    (lambda m, y, a, b: m.log(a / b) + 1.0, lambda m, y, a, b: -_ratio(m, a, b)),
    (POSITIVE, POSITIVE),
    r"{0} \ln \frac{{{0}}}{{{1}}}",
    textbook=Textbook(partials=(None, lambda m, y, a, b: -a / b)),
    doc="a·ln(a/b), and 0 where a is 0.",
)
kl_div = of_scipy(
    "kl_div",
    special.kl_div,
    (lambda m, y, a, b: m.log(a / b), lambda m, y, a, b: 1.0 - _ratio(m, a, b)),
    (POSITIVE, POSITIVE),
    r"{0} \ln \frac{{{0}}}{{{1}}} - {0} + {1}",
    textbook=Textbook(partials=(None, lambda m, y, a, b: 1.0 - a / b)),
    doc="a·ln(a/b) − a + b.",
)
