"""Loops over arrays made of one expression each, compiled and called: what the tests of vector mathematics run."""

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

import llvmlite.binding as llvm
import numpy as np

from chainrule.engines.llvm import ir
from chainrule.engines.llvm.machine import machine
from chainrule.engines.llvm.mathematics import Mathematics, vector_type
from chainrule.engines.llvm.mathematics.numbers import constant, scalar_type

POINTER = ir.PointerType()
INDEX = ir.IntType(64)
BYTE = np.dtype(np.uint8)


def target_machine() -> llvm.TargetMachine:
    """For what the library writes code for."""
    chosen = machine.target()
    target = llvm.Target.from_default_triple()
    return target.create_target_machine(cpu=chosen.cpu, features=chosen.features, opt=3)


def widest(dtype: Any) -> int:
    """Numbers of this dtype in a vector register."""
    return machine.target().lanes(max(np.dtype(dtype).itemsize, 4))


def load(m: Mathematics, pointer: ir.Value, index: ir.Value, dtype: np.dtype[Any]) -> Any:
    """The numbers at an index; truth values stand in memory as bytes."""
    stored = BYTE if dtype == np.bool_ else dtype
    address = m.builder.gep(pointer, [index], source_etype=scalar_type(stored))
    kind = vector_type(stored, m.width)
    number = m.wrap(m.builder.load(address, align=stored.itemsize, typ=kind), stored)
    return m.truth(number) if dtype == np.bool_ else number


def store(m: Mathematics, pointer: ir.Value, index: ir.Value, number: Any) -> None:
    stored = BYTE if number.dtype == np.bool_ else number.dtype
    address = m.builder.gep(pointer, [index], source_etype=scalar_type(stored))
    m.builder.store(m.convert(number, stored).value, address, align=stored.itemsize)


def write_loop(
    module: ir.Module,
    name: str,
    value: Callable[..., Any],
    dtypes: Sequence[np.dtype[Any]],
    width: int,
    **settings: Any,
) -> np.dtype[Any]:
    """`for i in range(0, n, width): out[i] = value(m, x[i], …)` as a function of the module; the dtype of the result."""
    kinds = [POINTER] * (len(dtypes) + 1)
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [INDEX, *kinds]), name)
    count, out, *inputs = function.args
    entry, body, done = (function.append_basic_block(label) for label in ("entry", "body", "done"))
    builder = ir.IRBuilder(entry)
    builder.branch(body)
    builder.position_at_end(body)
    index = builder.phi(INDEX)
    index.add_incoming(ir.Constant(INDEX, 0), entry)
    m = Mathematics(builder, width, **{"lacks": machine.target().lacks, **settings})
    result = value(m, *(load(m, pointer, index, dtype) for pointer, dtype in zip(inputs, dtypes, strict=True)))
    store(m, out, index, result)
    following = builder.add(index, ir.Constant(INDEX, width))
    index.add_incoming(following, builder.block)
    builder.cbranch(builder.icmp_unsigned("<", following, count), body, done)
    builder.position_at_end(done)
    builder.ret_void()
    return result.dtype


class Compiled:
    """A module in machine code; the engine lives as long as this."""

    def __init__(self, module: ir.Module) -> None:
        generator = target_machine()
        self.module = llvm.parse_assembly(str(module))
        self.module.verify()
        passes = llvm.create_pass_builder(generator, llvm.create_pipeline_tuning_options(speed_level=3))
        passes.getModulePassManager().run(self.module, passes)
        self.module.verify()
        self.assembly = generator.emit_assembly(self.module)
        self.engine = llvm.create_mcjit_compiler(self.module, generator)
        self.engine.finalize_object()

    def __getitem__(self, name: str) -> Callable[..., None]:
        address = self.engine.get_function_address(name)
        arity = len(list(self.module.get_function(name).arguments))
        return ctypes.CFUNCTYPE(None, ctypes.c_int64, *[ctypes.c_void_p] * (arity - 1))(address)


class Loops:
    """Several expressions compiled together, called by name with arrays."""

    def __init__(self, cases: dict[str, tuple[Callable[..., Any], Sequence[Any]]], width: int, **settings: Any) -> None:
        module = ir.Module("loops")
        self.width = width
        self.dtypes = {
            name: write_loop(module, name, value, [np.dtype(dtype) for dtype in dtypes], width, **settings)
            for name, (value, dtypes) in cases.items()
        }
        self.compiled = Compiled(module)

    def __call__(self, name: str, *arrays: Any) -> Any:
        """The results for one-dimensional arrays of equal length."""
        count = len(arrays[0])
        padding = -count % self.width
        arrays = tuple(np.concatenate([x, np.repeat(x[-1:], padding)]) for x in arrays)
        out = np.empty(count + padding, self.dtypes[name])
        self.compiled[name](len(out), out.ctypes.data, *(x.ctypes.data for x in arrays))
        return out[:count]


__all__ = ["Compiled", "Loops", "constant", "target_machine", "widest", "write_loop"]
