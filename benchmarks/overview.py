"""Figures of every CPU that was measured, side by side: how many times longer than chainrule the fastest peer takes for a step."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.report import number, rows
from benchmarks.training import Result
from benchmarks.workloads import WORKLOADS

KINDS = ("one core", "all cores")


def summary(results: Sequence[Result]) -> dict[str, dict[str, float | str]]:
    """Of every workload our microseconds, and which peer is fastest and how many times longer it takes."""
    found: dict[str, dict[str, float | str]] = {}
    for result in results:
        found[result.workload.name] = {
            "microseconds": result.median("chainrule"),
            "fastest peer": result.fastest_peer,
            "ratio": result.ratio(result.fastest_peer),
        }
    return found


def write(folder: Path, name: str, one: Sequence[Result], results: Sequence[Result]) -> None:
    """Keep the figures of a CPU, and write the overview of all."""
    figures = {"date": f"{datetime.now(UTC):%Y-%m-%d}", "one core": summary(one), "all cores": summary(results)}
    (folder / f"{name}.json").write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n")
    every = {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}
    (folder / "README.md").write_text(overview(every))


def overview(every: Mapping[str, Mapping[str, Mapping[str, Mapping[str, float | str]]]]) -> str:
    """The table: a column for every CPU, on one core and on all."""
    columns = [(name, kind) for name, own in every.items() for kind in KINDS if kind in own]
    lines = []
    for workload in WORKLOADS:
        line = [f"**{workload}**"]
        for name, kind in columns:
            entry = every[name][kind].get(workload)
            line.append(f"{number(float(entry['ratio']))} × {entry['fastest peer']}" if entry else "–")
        lines.append(line)
    header = ["workload", *(f"[{name}]({name}.md), {kind}" for name, kind in columns)]
    return "\n".join(
        [
            "# Results by CPU",
            "",
            "How many times longer than chainrule the fastest of JAX, PyTorch and scikit-learn takes for a step of training.",
            "`make bench` writes it anew and adds the CPU it runs on.",
            "",
            *rows(header, lines),
        ]
    )
