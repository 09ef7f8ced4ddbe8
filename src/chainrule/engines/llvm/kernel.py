"""A single Program as machine code: arrays in, arrays out."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from llvmlite import ir

from chainrule.engines.llvm import emission
from chainrule.engines.llvm.buffers import Arena, status, storage_type
from chainrule.engines.llvm.code import Code, pointer
from chainrule.engines.llvm.groups import group
from chainrule.engines.llvm.lowering import lower
from chainrule.engines.llvm.machine import Function, vector_bytes
from chainrule.engines.llvm.memory import Memory
from chainrule.tracing import Constant, Program, Variable

SLACK = 4096
"""Bytes after the arena's end that a last vector may read."""


class Kernel:
    """A compiled Program. Each thread that calls it has an arena of its own."""

    def __init__(self, program: Program) -> None:
        lowered = lower(program)
        sizes = [
            x.dtype.itemsize for x in (*lowered.inputs, *(e.output for e in lowered.equations)) if x.dtype.kind == "f"
        ]
        arena = Arena()
        self.program, self.grouping = lowered, group(lowered)
        self.memory = Memory(lowered, self.grouping, [], arena, vector_bytes() // max(sizes, default=4))
        self.memory.place_values(reuse=True)
        self._size = arena.size + SLACK
        self.function = Function(self._write(), "run")
        self._local = threading.local()

    def _write(self) -> str:
        module = ir.Module("kernel")
        function = ir.Function(module, ir.FunctionType(ir.VoidType(), [pointer]), "run")
        builder = ir.IRBuilder(function.append_basic_block("entry"))
        begin = function.append_basic_block("begin")
        builder.branch(begin)
        builder.position_at_end(begin)
        emission.emit(Code(builder, function.args[0], unrolled=False), self.memory, self.grouping)
        builder.ret_void()
        return str(module)

    def __call__(self, *inputs: Any) -> tuple[Any, ...]:
        """The outputs for these inputs, whose shapes and dtypes must be the Program's."""
        if not hasattr(self._local, "inputs"):
            self._prepare()
        local = self._local
        for place, value in zip(local.inputs, inputs, strict=True):
            place[...] = value
        local.status[0] = 0
        self.function.at(local.address)
        if local.status[0]:
            raise IndexError(f"an index in {self.program.name} is out of bounds for the array it picks from.")
        return tuple(x.copy() if x.shape else x[()] for x in local.outputs)

    def _prepare(self) -> None:
        """An arena for this thread, with the constants in it, and arrays that show where inputs and outputs are."""
        memory = np.zeros(self._size + 64, np.uint8)
        arena = memory[-memory.ctypes.data % 64 :]
        for buffer, value in self.memory.constant_values:
            view_of(self.memory, Constant(value), arena, buffer.view())[...] = value
        self._local.arena, self._local.address, self._local.status = arena, arena.ctypes.data, status(arena)
        self._local.inputs = [view_of(self.memory, x, arena) for x in self.program.inputs]
        self._local.outputs = [self._output(x, arena) for x in self.program.outputs]

    def _output(self, x: Any, arena: Any) -> Any:
        if isinstance(x, Variable):
            found = view_of(self.memory, x, arena)
            return found.view(np.bool_) if x.dtype == np.bool_ else found
        return np.asarray(x.value)


def view_of(memory: Memory, x: Any, arena: Any, view: Any = None) -> Any:
    """The numbers of a variable in an arena, as an array that shares its memory."""
    view = memory.view(x) if view is None else view
    kind = storage_type(view.buffer.dtype)
    whole = arena[view.buffer.offset :].view(np.uint8)[: view.buffer.nbytes].view(kind)[view.start :]
    strides = tuple(s * kind.itemsize for s in view.strides)
    return np.lib.stride_tricks.as_strided(whole, view.shape, strides)
