"""Functions and factors of matrices, equations whose unknown is one, and matrices with a structure."""
