"""The only module that talks to LLVM's machine: IR in, a callable function out."""

from __future__ import annotations

import ctypes
import platform
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from typing import Any

import llvmlite
import llvmlite.binding as llvm
import numpy as np

from chainrule import forks
from chainrule.engines import collection, workers
from chainrule.engines.llvm import ir
from chainrule.engines.llvm.machine import cache, caches
from chainrule.engines.llvm.machine.target import X86, Target, chosen, narrowed, there, whole
from chainrule.engines.whole_numbers import fitting

YIELD = "chainrule_yield"
"""What compiled functions call the system's function that lets another thread run in this one's place."""

PASSES = ("always_inliner", "sroa")
"""LLVM's passes: short steps get their functions written in, and what is in arrays goes to registers; the rest is as it is to be."""

LEFT_OUT = ("disable-lsr", "disable-cgp", "disable-block-placement", "disable-post-ra")
"""Steps of LLVM's code generator that look for better addresses, orders of blocks and, once registers are given out, orders of
instructions than those that are written. They find none, and take two fifths of its time."""

VERSIONS = range(20, 23)
"""Versions of LLVM that know these names: it ends the process where it does not know one."""

SIGNATURE = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
"""Compiled functions take one pointer, to a table of addresses and numbers. Calls release Python's lock."""


@lru_cache(maxsize=1)
def host() -> tuple[Target, dict[str, bool]]:
    """All that this CPU has, and its features, as LLVM calls them."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    features = dict(llvm.get_host_cpu_features())
    return whole(llvm.get_host_cpu_name(), features, *caches.sizes()), features


def target() -> Target:
    """What code is written for from now on: this CPU, or the less that the environment asks for."""
    return narrowed(*host(), chosen())


def settings() -> list[str]:
    """What code can be written for here, by the names that the environment may give."""
    return there(host()[1])


def code_generator(target: Target) -> Any:
    """What makes machine code for this target."""
    triple = llvm.Target.from_default_triple()
    return triple.create_target_machine(cpu=target.cpu, features=target.features, opt=2, jit=True)


@contextmanager
def without_what_is_left_out() -> Iterator[None]:
    """The code generator without these steps. Such settings are those of the whole process, so they are taken back."""
    names = LEFT_OUT if llvm.llvm_version_info[0] in VERSIONS else ()
    for name in names:
        llvm.set_option("chainrule", f"-{name}")
    try:
        yield
    finally:
        for name in names:
            llvm.set_option("chainrule", f"-{name}=false")


def pause(builder: Any) -> None:
    """Write the instruction that tells this CPU that a loop waits for another thread."""
    hints: dict[str, tuple[str, list[int]]] = {
        "x86_64": ("llvm.x86.sse2.pause", []),
        "AMD64": ("llvm.x86.sse2.pause", []),
        "aarch64": ("llvm.aarch64.hint", [1]),
        "arm64": ("llvm.aarch64.hint", [1]),
    }
    if platform.machine() in hints:
        name, numbers = hints[platform.machine()]
        i32 = ir.IntType(32)
        hint = ir.Function(builder.module, ir.FunctionType(ir.VoidType(), [i32] * len(numbers)), name)
        builder.call(hint, [i32(n) for n in numbers])


FLUSH = 0x8040
"""The bits of x86's control register that make subnormal numbers count as zero, read or computed."""


@contextmanager
def subnormals_flushed(builder: Any) -> Iterator[None]:
    """Write code whose subnormal numbers count as zero where the CPU (x86) takes far longer for them; elsewhere, the code alone.

    Probabilities and optimizer state fade through them on their way to zero: on a trained network they cost a fifth of
    the time of a step.
    """
    if not X86:
        yield
        return
    i32, kind = ir.IntType(32), ir.FunctionType(ir.VoidType(), [ir.PointerType()])
    keep, take = (ir.Function(builder.module, kind, f"llvm.x86.sse.{name}mxcsr") for name in ("st", "ld"))
    before, flushed = builder.alloca(i32), builder.alloca(i32)
    builder.call(keep, [before])
    builder.store(builder.or_(builder.load(before, typ=i32), i32(FLUSH)), flushed)
    builder.call(take, [flushed])
    yield
    builder.call(take, [before])


@lru_cache(maxsize=1)
def _name_yield() -> None:
    """Tell LLVM the address of the system's function that lets another thread run in this one's place."""
    windows = sys.platform == "win32"
    library = ctypes.CDLL("kernel32" if windows else None)
    function = library.SwitchToThread if windows else library.sched_yield
    llvm.add_symbol(YIELD, ctypes.cast(function, ctypes.c_void_p).value)


class CompiledFunction:
    """A compiled function; it keeps its machine code alive.

    `write` writes its text and is called only where there is no machine code for this `identity` yet, a text that says
    what the function computes; without one, the text itself says it.
    """

    def __init__(self, write: Callable[[], str], name: str, target: Target, identity: str | None = None) -> None:
        self._write, self._text, self._target = write, "", target
        # An interrupt inside llvmlite would leave its lock shut for all other threads
        workers.uninterrupted(self._make, name, identity)

    def _make(self, name: str, identity: str | None) -> None:
        with forks.compiling:
            known = self.ir if identity is None or cache.LIBRARY is None else f"{identity} {cache.LIBRARY}"
            kept = cache.key(known, repr(self._target), llvmlite.__version__, *PASSES, *LEFT_OUT)
            code = cache.read(kept)
            if code is None:
                machine = code_generator(self._target)
                module = self._optimized(machine)
                with without_what_is_left_out():
                    code = machine.emit_object(module)
                cache.write(kept, code)
            _name_yield()
            empty = llvm.parse_assembly("")
            self._engine = llvm.create_mcjit_compiler(empty, code_generator(self._target))
            self._engine.add_object_file(llvm.ObjectFileRef.from_data(code))
            self._engine.finalize_object()
            self.address = self._engine.get_function_address(name)
            self._call = SIGNATURE(self.address)

    @property
    def ir(self) -> str:
        """The text LLVM is given."""
        with forks.compiling:
            if not self._text:
                with collection.put_off(), fitting():
                    self._text = self._write()
            return self._text

    def __call__(self, table: Any) -> None:
        """Run with a table, an int64 array of addresses and numbers."""
        self._call(table.ctypes.data)

    def together(self, tables: list[Any], gather: Callable[[int], None], keeping: Any) -> None:
        """Run once for every table, all at the same time in threads; `gather` is told how many threads there are.

        There may be fewer than asked for, where the system has no more. `keeping` is all that the tables point to.
        """
        if not workers.together([partial(self, numbers) for numbers in tables], gather, keeping):
            gather(1)
            self(tables[0])

    def at(self, address: int) -> None:
        """Run with a pointer to this address."""
        self._call(address)

    @property
    def assembly(self) -> str:
        """The machine code, as text."""
        return str(workers.uninterrupted(self._as_assembly))

    def _as_assembly(self) -> str:
        with forks.compiling:
            machine = code_generator(self._target)
            module = self._optimized(machine)
            with without_what_is_left_out():
                return str(machine.emit_assembly(module))

    def _optimized(self, machine: Any) -> Any:
        """The function as LLVM leaves it."""
        module = llvm.parse_assembly(self.ir)
        module.verify()
        module.triple = machine.triple
        module.data_layout = str(machine.target_data)
        builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options())
        passes = llvm.create_new_module_pass_manager()
        for name in PASSES:
            getattr(passes, f"add_{name}_pass")()
        passes.run(module, builder)
        _free(passes)
        return module


def _free(passes: Any) -> None:
    """Give back a pass manager's memory, about 1 MB for a training loop.

    llvmlite does not: `ModulePassManager` inherits a `_dispose` that does nothing before the one that frees.
    """
    llvm.newpassmanagers.NewPassManager._dispose(passes)
    passes.detach()  # so that a version of llvmlite that does free it does not free it twice


# Machine code that is given up is freed by any thread at any time, under llvmlite's own lock
forks.locks.append(llvm.ffi.lib._lock)


def table(numbers: list[int]) -> Any:
    """The table a compiled function takes."""
    return np.array(numbers, np.int64)
