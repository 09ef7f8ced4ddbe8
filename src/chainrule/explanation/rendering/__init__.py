"""Derivations as text, Markdown, LaTeX, MathML, HTML and JSON."""

from chainrule.explanation.rendering.forms import render_derivation

__all__ = ["render_derivation"]
