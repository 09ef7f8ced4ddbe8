"""Training steps: one as NumPy code, many as a loop's Programs, and epochs of them in blocks."""
