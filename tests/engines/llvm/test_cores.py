"""How many cores a process may use, by control groups as systems and containers show them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from chainrule.engines import cores
from chainrule.engines.cores import most
from chainrule.engines.llvm.threads.thread_choice import callers
from waiting import LONG

V2 = "31 23 0:28 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw\n"
V1 = "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
V1_INSIDE = "32 31 0:29 /docker/ab /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n"
MEMORY = "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"

CASES: dict[str, tuple[str, str, dict[str, str], float | None]] = {
    "no groups at all": ("", "", {}, None),
    "no limit": (V2, "0::/\n", {"cpu.max": "max 100000\n"}, None),
    "two cores and a half": (V2, "0::/a/b\n", {"a/b/cpu.max": "250000 100000\n"}, 2.5),
    "a limit above": (V2, "0::/a/b\n", {"a/b/cpu.max": "max 100000\n", "a/cpu.max": "100000 50000\n"}, 2.0),
    "the least of all": (V2, "0::/a/b\n", {"a/b/cpu.max": "300000 100000", "a/cpu.max": "100000 100000"}, 1.0),
    "a container's own root": (V2, "0::/../..\n", {"cpu.max": "150000 100000\n"}, 1.5),
    "nonsense": (V2, "0::/\n", {"cpu.max": "many\n"}, None),
    "version 1": (
        V1 + MEMORY,
        "4:memory:/x\n2:cpu,cpuacct:/j\n0::/\n",
        {"cpu,cpuacct/j/cpu.cfs_quota_us": "400000\n", "cpu,cpuacct/j/cpu.cfs_period_us": "100000\n"},
        4.0,
    ),
    "version 1 without a limit": (
        V1,
        "2:cpu,cpuacct:/\n",
        {"cpu,cpuacct/cpu.cfs_quota_us": "-1\n", "cpu,cpuacct/cpu.cfs_period_us": "100000\n"},
        None,
    ),
    "version 1 inside a container": (
        V1_INSIDE,
        "2:cpu,cpuacct:/docker/ab\n",
        {"cpu,cpuacct/cpu.cfs_quota_us": "50000\n", "cpu,cpuacct/cpu.cfs_period_us": "100000\n"},
        0.5,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_quotas(case: str, tmp_path: Path) -> None:
    mounts, groups, files, expected = CASES[case]
    for name, text in {"proc/self/mountinfo": mounts, "proc/self/cgroup": groups}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    for name, text in files.items():
        (tmp_path / "sys/fs/cgroup" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "sys/fs/cgroup" / name).write_text(text)
    assert cores.quota(str(tmp_path)) == expected


@pytest.mark.parametrize(("quota", "expected"), [(None, 8), (0.5, 1), (2.5, 2), (64.0, 8)])
def test_a_share_is_rounded_down_to_whole_cores(
    quota: float | None, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)), raising=False)
    monkeypatch.setattr(cores, "quota", lambda: quota)
    assert cores.usable() == expected


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        ("", 4),
        ("3", 3),
        ("3,2", 3),
        (" 2 , 2", 2),
        ("64", 4),
        ("0", 4),
        ("-1", 4),
        ("all", 4),
        ("²", 4),
        ("9" * 5000, 4),
    ],
)
def test_what_the_environment_wishes(wish: str, expected: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", wish)
    monkeypatch.setattr(cores, "usable", lambda: 4)
    assert most() == expected


def test_what_is_asked_for_is_at_most_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "usable", lambda: 4)
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert [most(n) for n in (1, 3, 4, 5, 10**30)] == [1, 3, 4, 4, 4]


def test_callers_at_the_same_time_are_counted_and_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    from chainrule.engines.llvm.threads import thread_choice

    monkeypatch.setattr(thread_choice, "_ended", {})
    inside, leave, seen = threading.Barrier(3), threading.Event(), []

    def call() -> None:
        with callers():
            inside.wait(LONG)
            leave.wait(LONG)

    others = [threading.Thread(target=call) for _ in range(2)]
    for other in others:
        other.start()
    inside.wait(LONG)
    with callers() as count:
        seen.append(count)
    leave.set()
    for other in others:
        other.join()
    monkeypatch.setattr(thread_choice, "RECENTLY", -1.0)
    with callers() as count:
        seen.append(count)
    assert seen == [3, 1]
