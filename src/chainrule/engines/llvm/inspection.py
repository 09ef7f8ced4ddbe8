"""Every stage on the way from a Program to machine code as text, and all of them in files where a user asks for it.

`CHAINRULE_INSPECT` names a folder. Whatever is compiled then leaves a folder of its own in it, numbered in order, with a
file for every stage. What was compiled earlier in the process and is remembered leaves nothing.
"""

from __future__ import annotations

import itertools
import os
import re
from pathlib import Path

from chainrule.engines.llvm.machine.machine import CompiledFunction
from chainrule.engines.llvm.planning.buffers import Buffer
from chainrule.engines.llvm.planning.groups import Group, Grouping
from chainrule.engines.llvm.planning.memory import MemoryPlan
from chainrule.ops import Contraction
from chainrule.tracing import Literal, Program

VARIABLE = "CHAINRULE_INSPECT"

_numbers = itertools.count(1)


def keep_stages(
    program: Program, lowered: Program, grouping: Grouping, memory: MemoryPlan, function: CompiledFunction
) -> None:
    """Write all stages of something compiled into the folder that the environment names, if it names one."""
    chosen = os.environ.get(VARIABLE)
    if not chosen:
        return
    stages = {
        "1-program.txt": str(program),
        "2-lowered.txt": str(lowered),
        "3-groups.txt": groups_text(grouping),
        "4-memory.txt": memory_text(memory),
        "5-code.ll": function.ir,
        "6-assembly.s": function.assembly,
    }
    name = re.sub(r"\W+", "_", program.name)
    folder = Path(chosen) / f"{os.getpid()}-{next(_numbers):03}-{name}"
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in stages.items():
        (folder / file).write_text(text + "\n", encoding="utf-8")


def groups_text(grouping: Grouping) -> str:
    """The groups in the order they run: the space of each, what is computed at its points, and what goes to memory."""
    lines = []
    for i, group in enumerate(grouping.groups):
        space = " × ".join(map(str, group.space)) or "one point"
        lines += [f"{i}: {_kind(group)} over {space}", *(f"     {e}" for e in group.equations)]
        stored = sorted(x.name for x in group.stored)
        if stored:
            lines.append(f"   to memory: {', '.join(stored)}")
        if group.inner is not None:
            lines += [f"   {line}" for line in groups_text(group.inner.grouping).splitlines()]
    lines += [f"view: {e}" for e in grouping.views.values()]
    return "\n".join(lines)


def _kind(group: Group) -> str:
    if group.root is None:
        return "loops"
    return "contraction" if isinstance(group.root.op, Contraction) else group.root.op.name


def _named(memory: MemoryPlan, prefix: str) -> list[tuple[str, Buffer]]:
    """What lies in memory, and where, constants left out, and what is in a thread's own memory."""
    named = [(f"{prefix}{x.name}", buffer) for x, buffer in memory.buffers.items()]
    named += [(f"{prefix}{buffer.name}", buffer) for buffer in memory.parts.values()]
    for group, inside in memory.inner.items():
        if group.inner is not None and not group.inner.apart:
            named += _named(inside, f"{prefix}{group.equations[0].output.name}.")
    return named


def memory_text(memory: MemoryPlan) -> str:
    """The arena, place by place: offset, bytes, what lies there one after another, and its shape with padded rows.

    What the bodies of loops compute has the name of the loop before its own; what lies in the memory that each thread has for itself
    comes after the arena, loop by loop.
    """
    named = _named(memory, "")
    named += [(repr(Literal(value)), buffer) for buffer, value in memory.constant_values]
    texts = [_places_text(named)]
    for group, inside in memory.inner.items():
        if group.inner is not None and group.inner.apart:
            own = [(name, buffer) for name, buffer in _named(inside, "") if buffer.private]
            texts.append(f"in each thread, for {group.equations[0].output.name}:\n{_places_text(own)}")
    return "\n\n".join(texts)


def _places_text(named: list[tuple[str, Buffer]]) -> str:
    places: dict[tuple[int, int], list[str]] = {}
    shapes: dict[tuple[int, int], tuple[tuple[int, ...], tuple[int, ...]]] = {}
    for name, buffer in named:
        place = buffer.offset, buffer.nbytes
        places.setdefault(place, []).append(name)
        shapes[place] = buffer.shape, buffer.memory_shape
    lines = [f"{'offset':>8} {'bytes':>8}  value"]
    for place, names in sorted(places.items()):
        shape, padded = shapes[place]
        size = " × ".join(map(str, shape)) or "one number"
        long = tuple(n for n in shape if n != 1)
        size += "" if padded == long else f", rows of {padded[-1]}"
        lines.append(f"{place[0]:8} {place[1]:8}  {', then '.join(names)}  ({size})")
    return "\n".join(lines)
