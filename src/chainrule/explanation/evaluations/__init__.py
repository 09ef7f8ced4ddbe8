"""A Program with all its values and cotangents, its variables named, and its single numbers as formulas."""
