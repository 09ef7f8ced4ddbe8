"""Drawings of values, Programs, networks and contributions, as SVG, PNG and PDF."""

from chainrule.explanation.drawing.drawing import Drawing
from chainrule.explanation.drawing.graph import draw_evaluation, draw_program

__all__ = ["Drawing", "draw_evaluation", "draw_program"]
