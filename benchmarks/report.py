"""The document of a run: the machine, the tables of a run, and what falls short of the goals."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import llvmlite.binding as llvm

from benchmarks.compile_time import KINDS
from benchmarks.training import Result

LATENCY_GOALS = {"chainrule, no cache": 450.0, "chainrule, warm cache": 300.0}
COMPILE_GOAL, COMPILED_QUICKLY = 200.0, ("xor", "play", "expm", "digits", "tab", "nielsen")
"""Milliseconds, and the workloads that are to be compiled in them."""

LIBRARIES = ("chainrule", "numpy", "llvmlite", "jax", "jaxlib", "optax", "torch", "scikit-learn")


def cpu() -> str:
    """What LLVM calls this CPU: `znver5`, `sapphirerapids`, `apple-m2`."""
    name: str = llvm.get_host_cpu_name()
    return name


def machine() -> list[str]:
    """The processor and the versions of everything that takes part."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    versions = []
    for library in LIBRARIES:
        try:
            versions.append(f"{library} {version(library)}")
        except PackageNotFoundError:
            versions.append(f"{library} not installed")
    cores = f"{len(models)} × {models[0]}" if models else platform.processor()
    cores += f" ({cpu()})"
    return [
        f"Written by `make bench` on {datetime.now(UTC):%Y-%m-%d}. {platform.system()} {platform.machine()}, {cores}.",
        f"Python {platform.python_version()}; {', '.join(versions)}.",
    ]


def rows(header: Sequence[str], lines: Iterable[Sequence[str]]) -> list[str]:
    """A Markdown table."""
    return [f"| {' | '.join(line)} |" for line in (header, ["---"] * len(header), *lines)] + [""]


def relative(title: str, unit: str, times: Sequence[tuple[str, float]], reference: str) -> list[str]:
    """A table of times with the ratio to one of its rows."""
    base = dict(times).get(reference)
    lines = [(name, f"{time:.1f}", "" if base is None else f"{time / base:.2f}") for name, time in times]
    return [f"## {title}", "", *rows(("", unit, f"relative to {reference}"), lines)]


def number(value: float) -> str:
    """Three digits, with commas in thousands."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def steps(title: str, results: Sequence[Result], peak: float) -> list[str]:
    """A table of training steps, and how it is to be read."""
    peers = list(dict.fromkeys(peer for result in results for peer in result.peers))
    header = ["workload", "chainrule µs", *(f"{peer} µs" for peer in peers), *(f"× {peer}" for peer in peers)]
    lines = []
    for result in results:
        times = [
            f"{number(result.median(n))} ({number(result.best(n))})"
            + (f", {result.settings[n]}" if n in result.settings else "")
            for n in ("chainrule", *peers)
        ]
        ratios = [f"{number(result.ratio(peer))}" for peer in peers]
        floor = result.workload.flops / peak / 1e3
        share = floor / result.median("chainrule")
        lines.append(
            [
                f"**{result.workload.name}**: {result.workload.description}",
                *times,
                *ratios,
                f"{result.workload.goal:g}",
                f"{number(result.gigaflops)}",
                f"{number(floor)} µs",
                f"{share:.1%}",
            ]
        )
    return [
        f"## {title}",
        "",
        "Steady state of `fit(..., progress=False)`, float32: a long fit less the shortest one, divided by the steps between.",
        "All contenders in one process, in turns; the middle of the rounds, the fastest in parentheses. × is a peer's time",
        "divided by chainrule's, the middle of the rounds' ratios. The floor is the arithmetic of the matrix products alone on",
        f"one core, which was seen to do {peak:.0f} GFLOP/s here; activations, updates and memory come on top of it.",
        "",
        *rows([*header, "at least × the fastest", "GFLOP/s", "floor", "share of the floor"], lines),
    ]


def compiling(times: Mapping[str, Mapping[str, float]], results: Sequence[Result]) -> list[str]:
    """The table of compile times; JAX's is its first call's in the run above."""
    jax = {r.workload.name: 1000 * r.first_call["JAX"] for r in results if "JAX" in r.first_call}
    header = ["workload", *(f"chainrule, {kind}" for kind in KINDS), *(["JAX, first call"] if jax else [])]
    lines = [
        [name, *(f"{own[kind]:.0f}" for kind in KINDS), *([f"{jax.get(name, float('nan')):.0f}"] if jax else [])]
        for name, own in times.items()
    ]
    return [
        "## Compiling",
        "",
        "Milliseconds of the first fit of one epoch beyond those of the next. In a fresh process LLVM has to be loaded too.",
        "",
        *rows(header, lines),
    ]


def shortfalls(
    results: Sequence[Result], latency: Mapping[str, float], compiled: Mapping[str, Mapping[str, float]]
) -> list[str]:
    """What was to be reached and was not, and by how much."""
    missed = []
    for result in results:
        if result.peers and result.ratio(result.fastest_peer) < result.workload.goal:
            ratio, goal, time = result.ratio(result.fastest_peer), result.workload.goal, result.median("chainrule")
            missed.append(
                f"{result.workload.name}: {ratio:.2f} × {result.fastest_peer} instead of {goal:g}; "
                f"a step takes {number(time)} µs and would have to take {number(time * ratio / goal)} µs"
            )
    for name, goal in LATENCY_GOALS.items():
        if latency.get(name, 0.0) > goal:
            missed.append(f"start to a trained XOR, {name}: {latency[name]:.0f} ms instead of {goal:.0f}")
    for name in COMPILED_QUICKLY:
        time = compiled.get(name, {}).get(KINDS[0], 0.0)
        if time > COMPILE_GOAL:
            missed.append(f"compiling {name} in a fresh process: {time:.0f} ms instead of {COMPILE_GOAL:.0f}")
    return ["## What falls short", "", *([f"- {line}." for line in missed] or ["Nothing."]), ""]
