"""The only module that talks to LLVM's machine: IR in, a function's address out."""

from __future__ import annotations

import ctypes
from functools import lru_cache
from typing import Any

import llvmlite.binding as llvm
import numpy as np

SIGNATURE = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
"""Compiled functions take one pointer, to a table of addresses and numbers."""


@lru_cache(maxsize=1)
def target() -> Any:
    """A code generator for the CPU this process runs on."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    features = llvm.get_host_cpu_features().flatten()
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=features, opt=3, jit=True
    )


@lru_cache(maxsize=1)
def vector_bytes() -> int:
    """Bytes in the widest vector register of this CPU."""
    features = llvm.get_host_cpu_features()
    if features.get("avx512f"):
        return 64
    return 32 if features.get("avx2") else 16


class Function:
    """A compiled function; it keeps its machine code alive."""

    def __init__(self, ir: str, name: str) -> None:
        self.ir = ir
        module = llvm.parse_assembly(ir)
        module.verify()
        machine = target()
        module.triple = machine.triple
        module.data_layout = str(machine.target_data)
        optimize(module, machine)
        self._engine = llvm.create_mcjit_compiler(module, machine_of_its_own())
        self._engine.finalize_object()
        self._call = SIGNATURE(self._engine.get_function_address(name))
        self.module = module

    def __call__(self, table: Any) -> None:
        """Run with a table, an int64 array of addresses and numbers."""
        self._call(table.ctypes.data)

    @property
    def assembly(self) -> str:
        """The machine code, as text."""
        return str(target().emit_assembly(self.module))


def machine_of_its_own() -> Any:
    """A code generator that an engine may take possession of."""
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=3, jit=True
    )


def optimize(module: Any, machine: Any) -> None:
    """LLVM's own passes; loops are already in vectors, so its vectorisers stay off."""
    options = llvm.create_pipeline_tuning_options(speed_level=2)
    options.loop_vectorization = False
    options.slp_vectorization = False
    options.loop_unrolling = True
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)


def table(numbers: list[int]) -> Any:
    """The table a compiled function takes."""
    return np.array(numbers, np.int64)
