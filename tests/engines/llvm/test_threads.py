"""Threads inside one training: the same bits for any number of them, and the same numbers as NumPy's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines import cores
from chainrule.engines.llvm import plan
from chainrule.engines.llvm.machine import cache
from chainrule.engines.llvm.planning import groups, pages, row_blocks, sharing
from chainrule.engines.llvm.runs import kernel, runner, training
from chainrule.engines.llvm.threads import team, thread_choice, thread_group
from chainrule.engines.llvm.threads.team import Team
from chainrule.engines.llvm.threads.thread_choice import ThreadChoice
from chainrule.engines.llvm.writing import long_sums, moves
from chainrule.tracing import trees
from chainrule.training.steps import blocks

LONG = long_sums.LONG
"""Before `small_is_large` makes it shorter."""

random = np.random.default_rng(0)
X = random.normal(size=(150, 70))
LABELS = np.array(["a", "b", "c"])[np.argmax(X[:, :3], axis=1)]
VALUES = np.stack([X[:, 0] * X[:, 1], np.abs(X[:, 2]), np.sin(X[:, 3])], axis=1)


class Dirty:
    """Pages that come with what was in them before."""

    @staticmethod
    def zeros(nbytes: int) -> Any:
        memory = pages.zeros(nbytes)
        memory[...] = 0x7F
        return memory


@pytest.fixture(autouse=True)
def unknown_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """What trainings before have found of the machine's cores does not count."""
    monkeypatch.setattr(thread_choice, "_cores", thread_choice._Cores())


@pytest.fixture
def small_is_large(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every step counts as large enough to be shared out, and every group of it."""
    monkeypatch.setattr(plan, "LARGE", 0)
    monkeypatch.setattr(plan, "SHORT", 0)
    monkeypatch.setattr(sharing, "WORTH_SHARING", 0)
    monkeypatch.setattr(long_sums, "LONG", 2)
    monkeypatch.setattr(moves, "MANY", 8)
    monkeypatch.setattr(runner, "pages", Dirty)
    monkeypatch.setattr(team, "pages", Dirty)
    monkeypatch.setattr(cores, "usable", lambda: 5)
    monkeypatch.setenv(cache.VARIABLE, "off")  # machine code is found again by what it computes, not by how
    training.compile_loop.cache_clear()
    yield
    training.compile_loop.cache_clear()


def trained(layers: Any, X: Any, y: Any, **options: Any) -> dict[str, Any]:
    network = cr.Network(layers, seed=1, dtype="float64")
    network.fit(X, y, **{"epochs": 3, "batch_size": 40, "progress": False, **options})
    return {f"{a}.{b}": v for a, own in network.parameters.items() for b, v in own.items()}


inside, outside = cr.Dense(70, "tanh"), cr.Dense(3)


def pictures(x: Any) -> Any:
    """Sums over two axes of three."""
    h = np.reshape(inside(x), (-1, 7, 10))
    scale = np.sqrt(1.0 + np.sum(h * h, (1, 2))) + np.mean(h * h, (1, 2)) + 0.1 * np.sum(h, 2)[:, 0]
    return outside(np.reshape(h, (-1, 70)) / scale[:, None])


def all_pictures(x: Any) -> Any:
    """A sum over two axes of three, and one over all."""
    h = np.cos(np.reshape(inside(x), (-1, 7, 10)))
    return outside(x) / (1.0 + np.sum(h, (1, 2))[:, None] ** 2) + np.mean(h)


def pieces(x: Any) -> Any:
    """More arrays joined than are copied in one function, of two shapes."""
    h = inside(x)
    return outside(np.concatenate([*(h[:, i : i + 1] * (1.0 + i) for i in range(10)), np.tanh(h[:, 10:])], axis=1))


CASES: dict[str, tuple[Any, Any, Any, dict[str, Any]]] = {
    "classifier": ([cr.Dense(64, "relu"), cr.Dense(33, "tanh"), cr.Dense(3)], X, LABELS, {}),
    "regression, all rows at once": ([cr.Dense(5, "tanh"), cr.Dense(3)], X, VALUES, {"batch_size": None}),
    "narrow": ([cr.Dense(2, "sigmoid"), cr.Dense(1)], X[:, :2], VALUES[:, :1], {"batch_size": None}),
    "with dropout": ([cr.Dense(40), cr.Dropout(0.2), cr.Dense(3)], X, LABELS, {}),
    "clipped and penalised": (
        [cr.Dense(16, "relu"), cr.Dense(3)],
        X,
        VALUES,
        {"clip_norm": 0.1, "l1": 1e-3, "l2": 1e-3},
    ),
    "weighted": ([cr.Dense(16, "softplus"), cr.Dense(3)], X, LABELS, {"class_weight": "balanced"}),
    "pictures": (pictures, X, VALUES, {"batch_size": None}),
    "all pictures": (all_pictures, X, VALUES, {"batch_size": None}),
    "pieces": (pieces, X, VALUES, {"batch_size": None}),
    "one row at a time": (
        [cr.Dense(6, "tanh"), cr.Dense(3)],
        X[:20],
        LABELS[:20],
        {"batch_size": 1, "optimizer": "sgd"},
    ),
}


@pytest.mark.usefixtures("small_is_large")
@pytest.mark.parametrize("long", [groups.LONG, 1], ids=["one function", "functions of their own"])
@pytest.mark.parametrize("case", sorted(CASES))
def test_any_number_of_threads_gives_the_same_bits(case: str, long: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the step is: that of a deep network is a script of functions."""
    monkeypatch.setattr(groups, "LONG", long)
    same_bits(case)


@pytest.mark.usefixtures("small_is_large")
@pytest.mark.parametrize("case", sorted(CASES))
def test_threads_that_leave_after_any_step_give_the_same_bits(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As they do where one is held up: here whenever one looks twice for another."""
    monkeypatch.setattr(thread_group, "REST", 1)
    monkeypatch.setattr(thread_choice, "PATIENCE", 1)
    monkeypatch.setattr(blocks, "BLOCK_SECONDS", 60.0)  # calls of several steps, however slow the machine
    layers, inputs, targets, options = CASES[case]
    one = trained(layers, inputs, targets, engine="llvm", threads=1, **options)
    held_up, carry_out = [], Team.carry_out
    monkeypatch.setattr(Team, "carry_out", lambda self, *told: (held_up.append(carry_out(self, *told)), held_up[-1])[1])
    monkeypatch.setattr(thread_choice.ThreadChoice, "_were_held_up", lambda *told, **also: False)
    for name, value in trained(layers, inputs, targets, engine="llvm", **options).items():
        np.testing.assert_array_equal(value, one[name], err_msg=name)
    assert any(carried.held_up for carried in held_up)
    assert any(carried.steps < team.NO_END for carried in held_up)


@pytest.mark.usefixtures("small_is_large")
@pytest.mark.parametrize("case", ["pictures", "all pictures"])
def test_sums_that_are_too_short_for_registers(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are collected in memory, where one thread must not begin or end what another one collects."""
    monkeypatch.setattr(long_sums, "LONG", LONG)
    same_bits(case)


def same_bits(case: str) -> None:
    """One thread's bits are those of several, and the numbers NumPy's."""
    layers, inputs, targets, options = CASES[case]
    one = trained(layers, inputs, targets, engine="llvm", threads=1, **options)
    for threads in (2, 3, 5):
        for name, value in trained(layers, inputs, targets, engine="llvm", threads=threads, **options).items():
            np.testing.assert_array_equal(value, one[name], err_msg=f"{threads} threads, {name}")
    for name, value in trained(layers, inputs, targets, engine="numpy", **options).items():
        np.testing.assert_allclose(one[name], value, rtol=1e-7, atol=1e-9, err_msg=name)


@pytest.mark.usefixtures("small_is_large")
@pytest.mark.parametrize(("blocks", "long"), [(4, 1), (10, groups.LONG)])  # 150 rows leave 2 over, or none
@pytest.mark.parametrize("case", sorted(CASES))
def test_rows_in_blocks_give_the_same_bits_too(
    case: str, blocks: int, long: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_blocks, "fits", lambda program, data, target: False)
    monkeypatch.setattr(row_blocks, "blocks_of", lambda region, target: blocks)
    monkeypatch.setattr(groups, "LONG", long)
    same_bits(case)


FUNCTIONS = {
    "product": lambda x, y: np.tanh(x @ y.T) @ y,
    "sums": lambda x, y: (np.sum(np.exp(-x * x), axis=0), np.mean(x @ y.T), np.sum(y, axis=1)),
    "gradient": lambda x, y: cr.grad(lambda y: np.sum(cr.logsumexp(x @ y.T, axis=1)))(y),
    "loop": lambda x, y: cr.scan(lambda state, row: (np.tanh(state + x.T @ (x @ row)), np.sum(state)), y[0], y),
    "rounds": lambda x, y: cr.scan(lambda nothing, row: (nothing, np.tanh(x @ row)), (), y)[1],
}


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_functions_give_the_same_bits_for_any_number_of_threads(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "LARGE", 0)
    monkeypatch.setattr(sharing, "WORTH_SHARING", 0)
    monkeypatch.setattr(cores, "usable", lambda: 5)
    monkeypatch.setenv(cache.VARIABLE, "off")
    x, y = (random.normal(size=(rows, 37)) for rows in (300, 41))
    expected = trees.flatten(FUNCTIONS[name](x, y))[0]
    found = {}
    for threads in (1, 2, 3, 5):
        monkeypatch.setattr(cores, "most", lambda threads=threads: threads)
        fast = cr.jit(FUNCTIONS[name])
        found[threads] = [trees.flatten(fast(x, y))[0] for _ in range(3)]
    for calls in found.values():
        for one in calls:
            for value, first, right in zip(one, found[1][0], expected, strict=True):
                np.testing.assert_array_equal(value, first)
                np.testing.assert_allclose(value, right, rtol=1e-9, atol=1e-12)


def test_a_deep_network_of_layers_that_are_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "usable", lambda: 3)
    layers = [*(cr.Dense(96, "tanh") for _ in range(60)), cr.Dense(3)]
    rows, targets = np.tile(X, (2, 1)), np.tile(VALUES, (2, 1))
    options = {"epochs": 1, "batch_size": 100, "optimizer": "adam"}
    found = [trained(layers, rows, targets, engine="llvm", threads=threads, **options) for threads in (1, 2, 3)]
    plain = trained(layers, rows, targets, engine="numpy", **options)
    for name, value in plain.items():
        np.testing.assert_allclose(found[0][name], value, rtol=1e-5, atol=1e-7, err_msg=name)
        for other in found[1:]:
            np.testing.assert_array_equal(other[name], found[0][name], err_msg=name)


def test_a_large_step_uses_all_cores_and_a_small_one_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    groups: list[int] = []
    together = training.CompiledFunction.together
    monkeypatch.setattr(
        training.CompiledFunction,
        "together",
        lambda f, tables, *rest: groups.append(len(tables)) or together(f, tables, *rest),
    )
    monkeypatch.setenv("OMP_NUM_THREADS", "3,2")  # of threads that start threads themselves: the first number is ours
    monkeypatch.setattr(cores, "usable", lambda: 4)
    trained([cr.Dense(4), cr.Dense(3)], X, VALUES, engine="llvm")
    assert not groups
    rows = np.tile(X, (4, 1))
    trained(
        [cr.Dense(200, "relu"), cr.Dense(200), cr.Dense(3)], rows, np.tile(VALUES, (4, 1)), batch_size=None, epochs=1
    )
    assert set(groups) == {3}


def test_threads_must_be_a_positive_number() -> None:
    with pytest.raises(cr.errors.SettingError, match="threads=0"):
        cr.Network([cr.Dense(1)]).fit(X, VALUES[:, :1], threads=0)


def test_a_training_goes_on_when_the_system_has_no_more_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    from chainrule.engines import workers

    def refuse(_: Any) -> None:
        raise RuntimeError("can't start new thread")

    rows, targets = np.tile(X, (4, 1)), np.tile(VALUES, (4, 1))
    layers = [cr.Dense(200, "relu"), cr.Dense(200), cr.Dense(3)]
    expected = trained(layers, rows, targets, batch_size=None, epochs=2, threads=2)
    monkeypatch.setattr(workers, "_idle", [])
    monkeypatch.setattr(workers.threading.Thread, "start", refuse)
    for name, value in trained(layers, rows, targets, batch_size=None, epochs=2, threads=2).items():
        np.testing.assert_array_equal(value, expected[name])


@pytest.mark.usefixtures("small_is_large")
@pytest.mark.parametrize(
    ("asked", "used"), [(1, {1}), (3, {3}), (9, {5}), (None, {1, 5})], ids=["one", "three", "more than cores", "any"]
)
def test_as_many_threads_as_were_asked_for(asked: int | None, used: set[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a number, one or all, whichever took less time lately."""
    seen: list[int] = []
    carry_out = Team.carry_out

    def watched(self: Team, threads: int, *rest: Any) -> team.Carried:
        seen.append(threads)
        return carry_out(self, threads, *rest)

    monkeypatch.setattr(Team, "carry_out", watched)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    layers, inputs, targets, options = CASES["narrow"]
    trained(layers, inputs, targets, engine="llvm", threads=asked, **options)
    assert set(seen) == used if asked else set(seen) <= used


class Machine:
    """Two cores and their clock: a step takes 1.8 ms in one thread and 0.9 ms in two.

    While `busy` another process takes turns on one of the cores. Who is woken runs at once for 3 ms; then both wait 3.5 ms for one.
    """

    def __init__(self) -> None:
        self.now, self.busy = 0.0, False

    def perf_counter(self) -> float:
        return self.now

    def call(self, choice: ThreadChoice, steps: int) -> dict[int, int]:
        """How many steps were carried out in which number of threads."""
        found = {1: 0, 2: 0}
        for threads, most in choice.parts(steps):
            done, seconds, held_up = most, most * (1.8 if threads == 1 else 0.9), False
            if threads == 2 and self.busy and seconds > 3.0:
                done, seconds, held_up = 4, 7.1, True
            self.now += seconds / 1000
            choice.note(threads, done, seconds / 1000, held_up=held_up)
            found[threads] += done
        assert sum(found.values()) == steps
        return found


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine()
    monkeypatch.setattr(thread_choice, "time", machine)
    return machine


def test_all_threads_where_cores_are_free(machine: Machine) -> None:
    choice = ThreadChoice(2)
    calls = [machine.call(choice, 32) for _ in range(300)]
    assert all(call[2] >= 30 for call in calls)
    assert sum(call[1] for call in calls) <= 40


def test_beside_a_busy_core_a_training_is_hardly_slower_than_in_one_thread(machine: Machine) -> None:
    machine.busy = True
    for fit in range(40):  # what one has found the next one knows
        choice, begun = ThreadChoice(2), machine.now
        for _ in range(10):
            machine.call(choice, 16)
        assert machine.now - begun < 160 * 0.0018 * (1.1 if fit == 0 else 1.02)


def test_cores_that_are_free_again_are_used_again(machine: Machine) -> None:
    choice = ThreadChoice(2)
    for _ in range(5):
        machine.busy = True
        for _ in range(300):
            machine.call(choice, 16)
        machine.busy, begun = False, machine.now
        while machine.call(choice, 16)[2] < 14:
            assert machine.now - begun < 0.6
        assert all(machine.call(choice, 16)[2] >= 14 for _ in range(100))


def test_who_is_held_up_once_goes_on_with_all_threads(machine: Machine) -> None:
    choice = ThreadChoice(2)
    for call in range(300):
        machine.busy = call % 20 == 10
        used = machine.call(choice, 32)
        assert used[1] <= (20 if machine.busy else 2)


def test_steps_that_have_long_waits_by_themselves_keep_their_threads(machine: Machine) -> None:
    """They leave after a step until patience is greater than that."""
    choice, parts = ThreadChoice(2), 0
    for _ in range(100):
        for threads, steps in choice.parts(20):
            leaves = threads == 2 and choice.patience < 5 * thread_choice.PATIENCE
            done = 1 if leaves else steps
            machine.now += done * 0.001
            choice.note(threads, done, done * (0.001 if threads == 2 else 0.0015), held_up=leaves)
            parts += 1
    assert machine.now == pytest.approx(2.0)
    assert parts < 400


def test_one_thread_where_it_is_faster_whatever_the_reason(machine: Machine) -> None:
    choice, used = ThreadChoice(4), []
    for call in range(300):
        seconds = {1: 1.0, 4: 20.0 if 50 <= call < 120 else 0.3}
        parts = dict.fromkeys(seconds, 0)
        for threads, steps in choice.parts(160):
            choice.note(threads, steps, steps * seconds[threads])
            parts[threads] += steps
        used.append(max(parts, key=parts.__getitem__))
    assert set(used[:50]) == {4}
    assert set(used[53:120]) == {1}
    assert set(used[160:]) == {4}


def test_long_steps_are_tried_a_whole_call_at_a_time(machine: Machine) -> None:
    choice, used = ThreadChoice(2), []
    for call in range(300):
        for threads, steps in choice.parts(1):
            assert steps == 1
            used.append(threads)
            choice.note(threads, 1, 1.0 if threads == 1 else 3.0 if 100 <= call < 200 else 0.6)
    assert used[:100].count(1) <= 5
    assert used[104:200].count(2) <= 14
    assert used[240:].count(1) <= 4


def test_a_call_that_was_slow_once_changes_nothing(machine: Machine) -> None:
    choice, used = ThreadChoice(2), []
    for call in range(100):
        for threads, steps in choice.parts(160):
            choice.note(threads, steps, steps * (1.0 if threads == 1 else 9.0 if call in (20, 60) else 0.6))
            if steps > 10:
                used.append(threads)
    assert set(used) == {2}


def test_one_core_is_one_thread() -> None:
    """In one part, also where others keep cores busy."""
    choice = ThreadChoice(1)
    thread_choice._cores.are_busy(2.0)
    for _ in range(40):
        for part in choice.parts(7):
            assert part == (1, 7)
            choice.note(1, 7, 7.0)
