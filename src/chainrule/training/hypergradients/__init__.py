"""A training as one function of its settings, and derivatives by these."""
