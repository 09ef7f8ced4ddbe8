"""Groups rooted in a contraction, as loops: products of rows, tiles in registers, and blocks of them for large ones."""
