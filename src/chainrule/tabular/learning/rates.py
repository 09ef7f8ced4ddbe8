"""How the learning rate goes over the epochs of a training, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from chainrule.errors import UnknownNameError
from chainrule.training.schedule import Schedule
from chainrule.training.schedules import ConstantRate, Cosine, Exponential, OnPlateau, PiecewiseLinear, Step, WarmUp

WARM = 0.1
"""The share of the epochs in which a rate rises."""

QUARTERS, LAST = 4, 0.01
"""Parts of a training with a rate each; what is left of one that falls exponentially."""

SCHEDULES: Mapping[str, Callable[[float, float], Schedule]] = {
    "cosine": Cosine,
    "warm-up": lambda rate, epochs: WarmUp(Cosine(rate, (1.0 - WARM) * epochs), WARM * epochs),
    "linear": lambda rate, epochs: PiecewiseLinear((rate, 0.0), (0.0, epochs)),
    "step": lambda rate, epochs: Step(rate, epochs / QUARTERS),
    "exponential": lambda rate, epochs: Exponential(rate, LAST ** (1.0 / epochs)),
    "plateau": lambda rate, epochs: OnPlateau(rate, 0.5, max(1, round(epochs / 20))),
    "constant": lambda rate, epochs: ConstantRate(rate),
}
"""From the first rate and the number of epochs to the rates between.

Along half a cosine; the same after a tenth in which the rate rises; straight to 0; halved after each quarter; to a hundredth; halved
where a twentieth of the epochs brought nothing; the same throughout.
"""


def schedule_named(name: str) -> Callable[[float, float], Schedule]:
    """The schedule of a name.

    Examples
    --------
    >>> float(schedule_named("linear")(0.1, 10)(5.0))
    0.05
    """
    if name not in SCHEDULES:
        raise UnknownNameError.among("schedule", name, SCHEDULES)
    return SCHEDULES[name]
