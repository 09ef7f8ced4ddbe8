"""How many multiplications and additions one core can do a second: the floor under every training step."""

from __future__ import annotations

import ctypes
import time

import llvmlite.binding as llvm

CHAINS, REPEATS = 24, 4
"""Sums that do not wait for each other, and how often each is added to in one turn of the loop."""


def _assembly(lanes: int) -> str:
    """A loop of fused multiply-adds on vectors that stay in registers."""
    kind = f"<{lanes} x float>"
    lines = [
        f"declare {kind} @llvm.fma.v{lanes}f32({kind}, {kind}, {kind})",
        "define float @peak(i64 %count, float %start) {",
        "entry:",
        f"  %one = insertelement {kind} undef, float %start, i32 0",
        f"  %all = shufflevector {kind} %one, {kind} undef, <{lanes} x i32> zeroinitializer",
        "  br label %turn",
        "turn:",
        "  %i = phi i64 [0, %entry], [%next, %turn]",
        *(f"  %s{c}.0 = phi {kind} [%all, %entry], [%s{c}.{REPEATS}, %turn]" for c in range(CHAINS)),
    ]
    for r in range(REPEATS):
        lines += [
            f"  %s{c}.{r + 1} = call {kind} @llvm.fma.v{lanes}f32({kind} %s{c}.{r}, {kind} %all, {kind} %all)"
            for c in range(CHAINS)
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
    return "\n".join([*lines, f"  %result = extractelement {kind} {total}, i32 0", "  ret float %result", "}"])


def gigaflops(rounds: int = 15) -> float:
    """The most float32 operations a nanosecond that one thread was seen to do."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    features = llvm.get_host_cpu_features()
    lanes = 16 if features.get("avx512f") else 8 if features.get("avx2") else 4
    if features.get("avx512f"):
        features["prefer-256-bit"] = False
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=features.flatten(), opt=2, jit=True
    )
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(_assembly(lanes)), machine)
    engine.finalize_object()
    function = ctypes.CFUNCTYPE(ctypes.c_float, ctypes.c_int64, ctypes.c_float)(engine.get_function_address("peak"))
    count, best = 200_000, 0.0
    for _ in range(rounds):
        started = time.perf_counter()
        function(count, 0.5)
        best = max(best, count * CHAINS * REPEATS * lanes * 2 / (time.perf_counter() - started) / 1e9)
    return best


if __name__ == "__main__":
    print(f"{gigaflops():.0f} GFLOP/s")
