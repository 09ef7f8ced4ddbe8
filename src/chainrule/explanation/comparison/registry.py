"""All mistakes by their names, read off the modules that declare them, in the order in which they are thought of."""

from __future__ import annotations

from chainrule.declarations import by_name, declared
from chainrule.explanation.comparison import of_numbers, of_passes
from chainrule.explanation.comparison.mistake import Mistake

MISTAKES: dict[str, Mistake] = by_name(declared(of_numbers, of_passes), Mistake)
"""The ways in which gradients are known to be got wrong."""
