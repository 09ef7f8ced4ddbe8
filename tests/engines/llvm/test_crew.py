"""Works that threads take from a list in machine code: all are carried out, each once, however many threads there are."""

import numpy as np
import pytest
from tests.engines.threadless import no_more_threads

from chainrule.engines import Apart, TrainingLoop, make_runner
from chainrule.engines.llvm.runs.shuffling import Shuffling
from chainrule.errors import PositionError
from chainrule.tracing import simplify, trace

ROWS, STEPS = 12, 30
X = np.random.default_rng(0).normal(size=(ROWS, 3)).astype(np.float32)


def _step(state, rows, rate):
    """A step whose numbers tell every order of steps and rows apart."""
    new = state * np.float32(0.9) + rate * np.mean(rows, axis=0)
    return new, np.sum(new)


def _runner(step=_step, data=X):
    program = simplify(trace(step, np.zeros(3, np.float32), data[:4], np.float32(0.0)))
    return make_runner(TrainingLoop(program, None, 1, 4), [data], "llvm")


def _asked(number):
    random = np.random.default_rng(number)
    order = random.permuted(np.tile(np.arange(ROWS, dtype=np.int32), (STEPS // 3, 1)), axis=1)
    return [np.full(3, number, np.float32)], (order, 0, STEPS, [random.uniform(size=STEPS).astype(np.float32)])


def _carried_out(crew, runners, count):
    """What each of so many works reports, in order, as many at a time as there are runners."""
    free, left, under_way, found = list(runners), list(range(count)), {}, {}
    while left or under_way:
        if left and free:
            runner, number = free.pop(), left.pop(0)
            state, call = _asked(number)
            runner.load(state)
            work = runner.begun(*call)
            under_way[work] = number, runner
            crew.put(work)
            continue
        for work in crew.ended():
            number, runner = under_way.pop(work)
            found[number] = work.report, runner.state[0]
            free.append(runner)
    crew.close()
    return [found[number] for number in range(count)]


@pytest.mark.parametrize(("threads", "at_once"), [(1, 1), (1, 5), (2, 7), (5, 3)])
def test_each_is_what_a_runner_gives_by_itself(threads, at_once):
    runners, alone = [_runner() for _ in range(at_once)], _runner()
    assert isinstance(alone, Apart)
    found = _carried_out(runners[0].crew(threads, at_once), runners, 40)
    for number, (report, state) in enumerate(found):
        begin, call = _asked(number)
        alone.load(begin)
        assert np.array_equal(report, alone.run(*call))
        assert np.array_equal(state, alone.state[0])


def test_an_order_is_shuffled_before_steps_read_it():
    runner, alone, random = _runner(), _runner(), np.random.default_rng(3)
    crew = runner.crew(1, 1)
    begin, (_, *rest) = _asked(1)
    order = np.tile(np.arange(ROWS, dtype=np.int32), (STEPS // 3, 1))
    runner.load(begin)
    crew.put(work := runner.begun(order, *rest, Shuffling(random, order)))
    assert crew.ended() == [work]
    crew.close()
    alone.load(begin)
    report = alone.run(random.permuted(np.tile(np.arange(ROWS, dtype=np.int32), (STEPS // 3, 1)), axis=1), *rest)
    assert np.array_equal(work.report, report)
    assert np.array_equal(runner.state[0], alone.state[0])


def test_one_thread_does_all_where_the_system_has_no_more():
    runners = [_runner() for _ in range(3)]
    with no_more_threads():
        assert len(_carried_out(runners[0].crew(4, 3), runners, 9)) == 9


def test_what_is_in_the_list_when_it_is_closed_is_not_begun():
    runner = _runner()
    crew = runner.crew(1, 4)
    state, call = _asked(1)
    runner.load(state)
    work = runner.begun(*call)
    crew.put(work)
    crew.close()
    assert not work.has_ended
    assert np.array_equal(runner.state[0], state[0])


def test_a_position_that_is_not_there_is_told_with_the_report():
    def step(state, rows, rate):
        new = state + rows[0, :3].astype(np.float32) + state[rows[0].astype(np.int64)]
        return new, rate

    runner = _runner(step, np.full((4, 3), 7.0, np.float32))
    crew = runner.crew(1, 1)
    runner.load([np.zeros(3, np.float32)])
    work = runner.begun(np.zeros((1, 4), np.int32), 0, 1, [np.zeros(1, np.float32)])
    crew.put(work)
    assert crew.ended() == [work]
    with pytest.raises(PositionError):
        _ = work.report
    crew.close()


def test_long_steps_are_left_to_threads_of_python():
    wide = np.zeros((64, 512), np.float32)
    program = simplify(
        trace(
            lambda w, x, r: (w - r * (x.T @ (x @ w)), np.sum(w)), np.zeros((512, 512), np.float32), wide, np.float32(0)
        )
    )
    runner = make_runner(TrainingLoop(program, None, 1, 64), [wide], "llvm")
    assert runner.crew(2, 4) is None
