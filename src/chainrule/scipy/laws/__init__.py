"""Probability laws, each declared once, and SciPy's distributions made of them."""
