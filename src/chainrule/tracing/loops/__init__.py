"""Loops as single equations, and their bodies."""
