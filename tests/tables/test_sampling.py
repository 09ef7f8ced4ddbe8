"""Rows drawn from files that are too large: every one as likely, in one pass."""

import numpy as np
import polars as pl
import pytest

from chainrule.tables import as_table, sample
from chainrule.tables.sources import sampling


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_rows_of_large_files_are_drawn_at_random(kind, tmp_path, monkeypatch):
    rows = 20_000
    for part in range(2):
        numbers = pl.DataFrame({"n": np.arange(part * rows, (part + 1) * rows), "y": np.arange(rows) % 7})
        getattr(numbers, f"write_{kind}")(tmp_path / f"part-{part}.{kind}")
    whole = sample(str(tmp_path / f"*.{kind}"))
    assert len(whole) == 2 * rows
    assert not whole.notes
    monkeypatch.setattr(sampling, "_cells", lambda path: 10**9)  # files thought larger than they are lose no row
    passed = sample(str(tmp_path / f"*.{kind}"))
    assert passed.frame.equals(whole.frame)
    assert passed.notes == whole.notes
    monkeypatch.setattr(sampling, "MOST_CELLS", 8000)
    found = sample(str(tmp_path / f"*.{kind}"), seed=1)
    assert len(found) == 4000
    assert "40,000 rows" in found.notes[-1]
    n = found.column("n").cast(int).to_numpy()
    assert len(set(n)) == 4000
    assert (np.diff(n) > 0).all()
    counts = np.histogram(n, bins=10, range=(0, 2 * rows))[0]
    assert ((counts - 400) ** 2 / 400).sum() < 27.9  # chi squared with 9 degrees of freedom, 99.9 %
    assert found.column("y").cast(int).to_numpy().tolist() == (n % rows % 7).tolist()
    assert found.drawn.rows.tolist() == n.tolist()
    assert (found.drawn.of, whole.drawn) == (2 * rows, None)
    some = found.rows(np.array([5, 7]))
    assert (some.drawn.rows == n[[5, 7]]).all()
    assert some.line(1) == f"row {n[7] + 1:,}"
    assert sample(str(tmp_path / f"*.{kind}"), seed=1).frame.equals(found.frame)
    assert not sample(str(tmp_path / f"*.{kind}"), seed=2).frame.equals(found.frame)


def test_what_is_in_memory_is_taken_whole():
    frame = {"x": [1, 2, 3], "y": ["a", "b", "c"]}
    assert sample(frame).frame.equals(as_table(frame).frame)
