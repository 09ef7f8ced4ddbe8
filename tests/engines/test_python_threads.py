"""Threads of Python: what is handed over is carried out, once, with as many of them as there can be."""

import threading

import numpy as np
import pytest
from tests.engines.threadless import no_more_threads

from chainrule.engines.threads import Threads, possible


@pytest.mark.parametrize("after", [0, 1, 3])
def test_all_is_carried_out_once_with_as_many_as_there_can_be(after):
    seen = []

    def work(number):
        seen.append(number)
        return threading.get_ident(), number**2

    with no_more_threads(after), Threads(3) as threads:
        found = list(threads.map(work, range(20)))
    assert [square for _, square in found] == [n**2 for n in range(20)]
    assert sorted(seen) == list(range(20))
    assert len({thread for thread, _ in found}) <= max(after, 1) + (after > 0)


def test_an_error_is_raised_where_the_result_is_asked_for():
    def broken():
        raise ZeroDivisionError

    for after in (0, 2):
        with no_more_threads(after), Threads(2) as threads:
            future = threads.submit(broken)
            with pytest.raises(ZeroDivisionError):
                future.result()


def test_how_many_there_can_be():
    before = threading.active_count()
    assert possible(4) == 4
    with no_more_threads(2):
        assert possible(4) == 2
    assert threading.active_count() == before


def test_tables_and_searches_go_on_without_them():
    import chainrule as cr
    from chainrule.sklearn import GridSearchCV, MLPRegressor

    X = np.random.default_rng(0).normal(size=(80, 3))
    y = X[:, 0] - X[:, 1]
    rows = {"a": X[:, 0], "b": X[:, 1], "y": y}
    model = cr.TableModel(epochs=2, folds=2, search=False, progress=False)
    with no_more_threads():
        table = model.fit(rows, target="y")
        search = GridSearchCV(
            MLPRegressor(hidden_layer_sizes=(3,), max_iter=20, tol=1.0, n_iter_no_change=3, random_state=0),
            {"alpha": [1e-4, 1.0]},
            cv=2,
        ).fit(X, y)
    assert table.predict(rows).shape == (80,)
    assert set(search.best_params_) == {"alpha"}
