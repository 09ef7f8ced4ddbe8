"""Vector mathematics: the operations' values as LLVM code."""

from chainrule.engines.llvm.mathematics.mathematics import Mathematics
from chainrule.engines.llvm.mathematics.numbers import Vector, vector_type

__all__ = ["Mathematics", "Vector", "vector_type"]
