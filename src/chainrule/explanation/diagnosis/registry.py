"""All illnesses by their names, read off the modules that declare them, in the order in which they are told."""

from __future__ import annotations

from chainrule.declarations import by_name, declared
from chainrule.explanation.diagnosis import finite, kinks, nothing, signal, steps, units
from chainrule.explanation.diagnosis.illness import Illness

ILLNESSES: dict[str, Illness] = by_name(declared(finite, kinks, signal, nothing, units, steps), Illness)
"""What the doctor looks for."""
