"""Derivations as text, Markdown, LaTeX, MathML, HTML and JSON."""
