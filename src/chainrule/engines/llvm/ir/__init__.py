"""LLVM's language written as text: types, values, functions, and a builder that writes one instruction after another."""

from chainrule.engines.llvm.ir.builder import IRBuilder
from chainrule.engines.llvm.ir.functions import Block, Function, GlobalVariable, Module
from chainrule.engines.llvm.ir.values import (
    ArrayType,
    Constant,
    DoubleType,
    FloatType,
    FunctionType,
    IntType,
    LiteralStructType,
    PointerType,
    Type,
    Undefined,
    Value,
    VectorType,
    VoidType,
)

__all__ = [
    "ArrayType",
    "Block",
    "Constant",
    "DoubleType",
    "FloatType",
    "Function",
    "FunctionType",
    "GlobalVariable",
    "IRBuilder",
    "IntType",
    "LiteralStructType",
    "Module",
    "PointerType",
    "Type",
    "Undefined",
    "Value",
    "VectorType",
    "VoidType",
]
