"""What machine code is written for: all that this CPU has, or the less that `CHAINRULE_CPU` asks for by name.

A setting is a whole machine: its instructions, its vectors and registers, and the caches that orders of summation are chosen
by. So nothing of the CPU that happens to run it has a say, and code for a setting is the same on every machine that has it.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass

from chainrule.engines.llvm.mathematics.instructions import REGISTER
from chainrule.errors import SettingError, UnknownNameError

VARIABLE = "CHAINRULE_CPU"

X86 = platform.machine() in ("x86_64", "AMD64")


@dataclass(frozen=True)
class Target:
    """A CPU that code is written for.

    Attributes
    ----------
    cpu, features : str
        What LLVM calls it, and what it has beside what that name says.
    vector_bytes, registers : int
        Bytes in a vector register, and how many of them there are.
    fused, rounds : bool
        Whether a·b + c is one instruction with one rounding, and rounding to whole numbers an instruction.
    first_cache, second_cache : int
        Bytes of a core's own caches for data.
    """

    cpu: str
    features: str
    vector_bytes: int
    registers: int
    fused: bool
    rounds: bool
    first_cache: int
    second_cache: int

    @property
    def lacks(self) -> frozenset[str]:
        """What takes several instructions, by the names in `mathematics/instructions.py`."""
        scales = self.vector_bytes == REGISTER  # AVX-512 does, and nothing else has such registers
        has = {"fma": self.fused, "rounding": self.rounds, "scaling": scales}
        return frozenset(name for name, there in has.items() if not there)

    @property
    def accumulators(self) -> int:
        """Vectors that a tile of a product may hold: the other registers are for what is multiplied."""
        return self.registers * 3 // 4

    def lanes(self, itemsize: int) -> int:
        """Numbers of so many bytes in a vector."""
        return self.vector_bytes // itemsize


@dataclass(frozen=True)
class Setting:
    """A machine to be had by name, and what a CPU must have for it, as LLVM calls these."""

    target: Target
    needs: tuple[str, ...]


_WHOLE = "-prefer-256-bit"
"""LLVM keeps to half-width vectors on some CPUs unless told otherwise; loops here are written for the whole width."""

_SSE4 = ("cx16", "popcnt", "sahf", "sse3", "sse4.1", "sse4.2", "ssse3")
_AVX2 = (*_SSE4, "avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe")
_AVX512 = (*_AVX2, "avx512bw", "avx512cd", "avx512dq", "avx512f", "avx512vl")

SETTINGS: Mapping[str, Setting] = (
    {
        "generic": Setting(Target("x86-64", _WHOLE, 16, 16, False, False, 2**15, 2**18), ()),
        "sse4": Setting(Target("x86-64-v2", _WHOLE, 16, 16, False, True, 2**15, 2**18), _SSE4),
        "avx2": Setting(Target("x86-64-v3", _WHOLE, 32, 16, True, True, 2**15, 2**18), _AVX2),
        "avx512": Setting(Target("x86-64-v4", _WHOLE, 64, 32, True, True, 2**15, 2**20), _AVX512),
    }
    if X86
    else {"generic": Setting(Target("generic", "", 16, 32, True, True, 2**15, 2**18), ())}
)
"""The levels of the x86-64 architecture, from 2003, 2009, 2013 and 2017, with the smallest caches of CPUs that have them."""


def whole(cpu: str, features: Mapping[str, bool], first_cache: int, second_cache: int) -> Target:
    """All that a CPU has."""
    flat = ",".join(f"{'+' if features[name] else '-'}{name}" for name in sorted(features))
    if not X86:
        return Target(cpu, flat, 16, 32, True, True, first_cache, second_cache)
    wide = 64 if features.get("avx512f") else 32 if features.get("avx2") else 16
    registers = 32 if features.get("avx512vl") or wide == 64 else 16
    fused, rounds = (bool(features.get(name)) for name in ("fma", "sse4.1"))
    return Target(cpu, f"{flat},{_WHOLE}", wide, registers, fused, rounds, first_cache, second_cache)


def chosen() -> str:
    """The name in `CHAINRULE_CPU`, or nothing."""
    return os.environ.get(VARIABLE, "").strip().lower()


def narrowed(host: Target, features: Mapping[str, bool], name: str) -> Target:
    """The target of a name, on a CPU with these features; without a name the whole CPU.

    Raises
    ------
    UnknownNameError
        For a name that is no setting on CPUs of this architecture.
    SettingError
        For a setting that has more than this CPU.
    """
    if not name:
        return host
    if name not in SETTINGS:
        raise UnknownNameError.among(f"CPU (in {VARIABLE})", name, SETTINGS)
    missing = _missing(name, features)
    if missing:
        raise SettingError(
            f"{VARIABLE} is {name!r}, and this CPU ({host.cpu}) has no {', '.join(missing)}; it has what "
            f"{', '.join(map(repr, there(features)))} need. Give one of these, or nothing for all that it has."
        )
    return SETTINGS[name].target


def there(features: Mapping[str, bool]) -> list[str]:
    """The settings that a CPU with these features has."""
    return [name for name in SETTINGS if not _missing(name, features)]


def _missing(name: str, features: Mapping[str, bool]) -> list[str]:
    return [feature for feature in SETTINGS[name].needs if not features.get(feature)]
