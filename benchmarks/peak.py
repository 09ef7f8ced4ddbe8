"""How many multiplications and additions one core can do a second: the floor under every training step."""

from __future__ import annotations

import ctypes
import time

import llvmlite.binding as llvm

CHAINS, REPEATS = 24, 4
"""Sums that do not wait for each other, and how often each is added to in one turn of the loop."""

KINDS = {"float32": ("float", 4, ctypes.c_float), "float64": ("double", 8, ctypes.c_double)}
"""Numbers' names in LLVM, their bytes, and the same in C."""


def _assembly(lanes: int, scalar: str, bits: int) -> str:
    """A loop of fused multiply-adds on vectors that stay in registers."""
    kind = f"<{lanes} x {scalar}>"
    fused = f"llvm.fma.v{lanes}f{bits}"
    lines = [
        f"declare {kind} @{fused}({kind}, {kind}, {kind})",
        f"define {scalar} @peak(i64 %count, {scalar} %start) {{",
        "entry:",
        f"  %one = insertelement {kind} undef, {scalar} %start, i32 0",
        f"  %all = shufflevector {kind} %one, {kind} undef, <{lanes} x i32> zeroinitializer",
        "  br label %turn",
        "turn:",
        "  %i = phi i64 [0, %entry], [%next, %turn]",
        *(f"  %s{c}.0 = phi {kind} [%all, %entry], [%s{c}.{REPEATS}, %turn]" for c in range(CHAINS)),
    ]
    for r in range(REPEATS):
        lines += [
            f"  %s{c}.{r + 1} = call {kind} @{fused}({kind} %s{c}.{r}, {kind} %all, {kind} %all)" for c in range(CHAINS)
        ]
    lines += [
        "  %next = add i64 %i, 1",
        "  %more = icmp slt i64 %next, %count",
        "  br i1 %more, label %turn, label %end",
        "end:",
    ]
    total = f"%s0.{REPEATS}"
    for c in range(1, CHAINS):
        lines.append(f"  %t{c} = fadd {kind} {total}, %s{c}.{REPEATS}")
        total = f"%t{c}"
    return "\n".join([*lines, f"  %result = extractelement {kind} {total}, i32 0", f"  ret {scalar} %result", "}"])


class Peak:
    """The arithmetic of one core, for one kind of number."""

    def __init__(self, dtype: str = "float32") -> None:
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        scalar, size, number = KINDS[dtype]
        features = llvm.get_host_cpu_features()
        self.lanes = (64 if features.get("avx512f") else 32 if features.get("avx2") else 16) // size
        if features.get("avx512f"):
            features["prefer-256-bit"] = False
        machine = llvm.Target.from_default_triple().create_target_machine(
            cpu=llvm.get_host_cpu_name(), features=features.flatten(), opt=2, jit=True
        )
        text = _assembly(self.lanes, scalar, 8 * size)
        self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(text), machine)
        self._engine.finalize_object()
        signature = ctypes.CFUNCTYPE(number, ctypes.c_int64, number)
        self._run = signature(self._engine.get_function_address("peak"))

    def gigaflops(self, count: int = 2_000) -> float:
        """Operations a nanosecond that one thread does now, in so many turns of the loop."""
        started = time.thread_time()
        self._run(count, 0.5)
        return count * CHAINS * REPEATS * self.lanes * 2 / (time.thread_time() - started) / 1e9


def gigaflops(rounds: int = 15) -> float:
    """The most float32 operations a nanosecond that one thread was seen to do."""
    peak = Peak()
    return max(peak.gigaflops(200_000) for _ in range(rounds))


if __name__ == "__main__":
    print(f"{gigaflops():.0f} GFLOP/s")
