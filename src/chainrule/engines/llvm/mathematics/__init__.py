"""Vector mathematics: the operations' values as LLVM code."""

from chainrule.engines.llvm.mathematics.mathematics import Mathematics
from chainrule.engines.llvm.mathematics.numbers import Number, vector_type

__all__ = ["Mathematics", "Number", "vector_type"]
