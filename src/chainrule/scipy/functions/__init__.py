"""Special functions as operations: SciPy's values, and derivatives of theirs."""
