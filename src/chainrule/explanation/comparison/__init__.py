"""Wrong gradients found: one's own beside the right ones, and the mistake that makes the difference."""

from chainrule.explanation.comparison.compare import compare, compare_network
from chainrule.explanation.comparison.compared import Difference, GradientPair
from chainrule.explanation.comparison.comparison import Comparison
from chainrule.explanation.comparison.mistake import Mistake
from chainrule.explanation.comparison.registry import MISTAKES

__all__ = ["MISTAKES", "Comparison", "Difference", "GradientPair", "Mistake", "compare", "compare_network"]
