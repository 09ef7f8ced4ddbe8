"""Passes over Programs: simpler, real, written out, or as Python, and what becomes of rows."""
