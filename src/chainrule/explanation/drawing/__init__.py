"""Drawings of values, Programs, networks and contributions, as SVG, PNG and PDF."""

from chainrule.explanation.drawing.bars import draw_bars
from chainrule.explanation.drawing.curves import draw_history
from chainrule.explanation.drawing.drawing import Drawing
from chainrule.explanation.drawing.graph import draw_evaluation, draw_program
from chainrule.explanation.drawing.network import draw_network, without_data

__all__ = ["Drawing", "draw_bars", "draw_evaluation", "draw_history", "draw_network", "draw_program", "without_data"]
