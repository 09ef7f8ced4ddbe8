"""The five kinds of operation: how their members are evaluated and differentiated."""

from chainrule.ops.kinds.contraction import Contraction
from chainrule.ops.kinds.custom import Custom
from chainrule.ops.kinds.elementwise import Domain, Elementwise
from chainrule.ops.kinds.layout import Layout
from chainrule.ops.kinds.reduction import Reduction

__all__ = ["Contraction", "Custom", "Domain", "Elementwise", "Layout", "Reduction"]
