"""`scipy.stats`, differentiable: densities, shares and quantiles of distributions."""

from __future__ import annotations

import sys
from typing import Any

from chainrule.scipy.laws.derived_laws import DERIVED_LAWS
from chainrule.scipy.laws.distributions import Distribution
from chainrule.scipy.laws.further_laws import FURTHER_LAWS
from chainrule.scipy.laws.laws import LAWS
from chainrule.scipy.laws.multivariate import MULTIVARIATE
from chainrule.scipy.laws.rarer_laws import RARER_LAWS
from chainrule.scipy.standing import names_of
from scipy import stats

DISTRIBUTIONS: dict[str, Any] = {
    name: Distribution(getattr(stats, name), law)
    for name, law in (LAWS | FURTHER_LAWS | RARER_LAWS | DERIVED_LAWS).items()
}
"""What has derivatives here, by name."""


DISTRIBUTIONS |= MULTIVARIATE
globals().update(DISTRIBUTIONS)
sys.modules.update(
    {f"{__name__}.{name}": x for name, x in DISTRIBUTIONS.items()}
)  # `import chainrule.scipy.stats.norm as norm`


def __getattr__(name: str) -> object:
    return getattr(stats, name)


def __dir__() -> list[str]:
    return names_of(stats, DISTRIBUTIONS)
