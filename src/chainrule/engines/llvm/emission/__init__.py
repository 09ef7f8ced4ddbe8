"""Groups written one after the other, inside of loops, and once where they repeat."""
