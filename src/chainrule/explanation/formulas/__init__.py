"""Formulas as small trees: their letters, places and rules, and operations that are applied to them."""
