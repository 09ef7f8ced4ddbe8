"""A copy of a process that had worked on tables answers or refuses; it never waits."""

import os
import subprocess
import sys
import textwrap

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no copies of processes here")

BEGINNING = """
    import multiprocessing
    import chainrule as cr
    from chainrule.tables import Preparation, as_table, read, sample, stream

    def in_a_copy(work):
        def tell(): ends.send(told(work))
        here, ends = multiprocessing.Pipe(False)
        copy = multiprocessing.get_context("fork").Process(target=tell)
        copy.start()
        answer = here.recv() if here.poll(60) else "waited"
        copy.kill()
        return answer

    def told(work):
        try:
            return work()
        except cr.tables.TableError as error:
            return "refused" if "spawn" in str(error) and "loky" in str(error) else str(error)

    people = {"age": [20.0, 30.0, 40.0, 50.0] * 5, "town": ["Rome", "Oslo", "Rome", None] * 5, "y": ["a", "a", "b", "b"] * 5}
    one = {"age": 21.0, "town": "Oslo"}
"""


def output(code: str) -> str:
    """What a new process prints."""
    whole = textwrap.dedent(BEGINNING) + textwrap.dedent(code)
    run = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", whole]
    return subprocess.run(run, capture_output=True, text=True, check=True, timeout=300).stdout.strip()


def test_after_a_fit_copies_refuse_tables_and_answer_single_rows() -> None:
    code = """
        model = cr.TableModel(seconds=1, epochs=2, search=False, progress=False).fit(people, "y")
        table = as_table(people)
        few = cr.Network([cr.Dense(1)])
        here = model.predict_proba(one).tolist()
        print(in_a_copy(lambda: model.predict_proba(one).tolist()) == here)
        print(in_a_copy(lambda: few.fit([[1.0], [2.0]], [1.0, 2.0], epochs=1, progress=False).epochs))
        works = [lambda: model.predict(people), lambda: cr.TableModel().fit(people, "y"), lambda: model.evaluate(table),
                 lambda: model.preparation.apply(table), lambda: Preparation.learn(table, "y"), lambda: read(__file__),
                 lambda: next(stream(people)), lambda: sample("none.parquet"), lambda: in_a_copy(lambda: as_table(people))]
        print({in_a_copy(work) for work in works})
    """
    assert output(code.replace("__file__", repr(__file__))).splitlines() == ["True", "1", "{'refused'}"]


def test_copies_made_before_the_first_table_work_on_tables() -> None:
    assert output("print(in_a_copy(lambda: len(as_table(people).frame.filter(age=20.0))))") == "5"


def test_joblib_works_on_tables_in_processes_of_its_own() -> None:
    pytest.importorskip("joblib")
    code = """
        from joblib import Parallel, delayed
        as_table(people).frame.sort("age")
        print(Parallel(2, backend="loky")([delayed(len)([1]), delayed(Preparation.learn)(as_table(people), "y")])[1].target.classes)
        print(told(lambda: Parallel(2, backend="multiprocessing")([delayed(as_table)(people)] * 2)))
    """
    assert output(code).splitlines() == ["('a', 'b')", "refused"]
