"""`cr.TableModel` beside gradient boosting and other networks on real tables: 80 rows of a hundred to learn, 20 to answer.

`python -m benchmarks.tables` takes the tables of installed packages (`table_sources.py` says which packages have some);
`--folder FOLDER` those of a folder with `index.json`, which `--gather FOLDER` makes. There what others answer is kept in
`baselines.json` and not asked again (`--anew` does). Settings alone are compared by
`--means "default; one network; folds=3, seconds=2"`, on some tables by `--only fifa,letter`, and on those that tuning may
look at by `--part work`.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

WRITTEN = Path(__file__).with_name("tables.md")


@dataclass(frozen=True)
class Split:
    """A table with its rows divided, once with every cell as it stands in the file and once with numbers as numbers."""

    name: str
    task: str
    target: str
    part: str
    seed: int
    train: pd.DataFrame
    test: pd.DataFrame
    typed_train: pd.DataFrame
    typed_test: pd.DataFrame

    def score(self, answers: np.ndarray) -> float:
        """Accuracy, or R²; answers that are none are an error."""
        import numpy as np

        truth = self.test[self.target] if self.task == "classification" else self.typed_test[self.target]
        if len(answers) != len(truth):
            raise AssertionError(f"{self.name}: {len(answers)} answers for {len(truth)} rows.")
        if self.task == "classification":
            truth, known = truth.str.strip(), set(self.train[self.target].str.strip())
            given = [str(answer).strip() for answer in answers]
            if not known >= set(given):
                raise AssertionError(
                    f"{self.name}: answers {sorted(set(given) - known)[:3]}, which are no classes of it."
                )
            return float(np.mean(np.array(given) == truth.to_numpy()))
        answers = np.asarray(answers, dtype=float).ravel()
        if not np.isfinite(answers).all():
            raise AssertionError(f"{self.name}: answers that are no numbers.")
        return float(1 - np.mean((answers - truth) ** 2) / np.var(truth.to_numpy()))


def divided(name: str, task: str, target: str, part: str, raw: pd.DataFrame, seed: int = 0) -> Split:
    """The same rows every time, by their seed, with each class in both parts; rows without a target are left out."""
    import io

    import pandas as pd
    from sklearn.model_selection import train_test_split

    from benchmarks.table_sources import MISSING

    raw = raw[~raw[target].isin(MISSING)].reset_index(drop=True)
    types = {target: str} if task == "classification" else {}
    typed = pd.read_csv(io.StringIO(raw.to_csv(index=False)), na_values=MISSING, dtype=types, low_memory=False)
    classes = raw[target] if task == "classification" else None
    rows = train_test_split(range(len(raw)), test_size=0.2, random_state=seed, stratify=classes)
    train, test = (sorted(each) for each in rows)
    return Split(name, task, target, part, seed, raw.iloc[train], raw.iloc[test], typed.iloc[train], typed.iloc[test])


def chosen(text: str, known: Collection[str], kind: str) -> list[str]:
    """Names with commas between them; one that is not known is an error."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    if unknown := [name for name in names if name not in known]:
        raise SystemExit(f"{', '.join(unknown)}: no such {kind}; there are {', '.join(known)}.")
    return names


def tables(folder: Path | None, only: str, part: str | None, splits: int) -> Iterator[list[Split]]:
    """The tables that are asked for, one after the other, each divided in so many ways."""
    from benchmarks.table_sources import SOURCES, Source, read_text

    sources = SOURCES
    if folder:
        entries = json.loads((folder / "index.json").read_text())
        sources = tuple(Source(**{field: entry[field] for field in Source.__dataclass_fields__}) for entry in entries)
    wanted = chosen(only, [source.name for source in sources], "table")
    for source in sources:
        if (wanted and source.name not in wanted) or part not in (None, source.part):
            continue
        frame = read_text(folder / f"{source.name}.csv") if folder else source.read()
        if frame is not None:
            known = (source.name, source.task, source.target, source.part, frame.drop(columns=list(source.drop)))
            yield [divided(*known, seed) for seed in range(splits)]


def timed(answer: Callable[[], np.ndarray], split: Split) -> dict[str, float]:
    """The score, checked, and the seconds of learning and answering."""
    started = time.perf_counter()
    answers = answer()
    seconds = time.perf_counter() - started
    return {"score": split.score(answers), "seconds": seconds}


def ours(split: Split, settings: dict[str, Any]) -> dict[str, float]:
    """A model of the training file, asked for the test file's rows: reading is part of it."""
    import chainrule as cr

    with tempfile.TemporaryDirectory() as folder:
        train, test = Path(folder, "train.csv"), Path(folder, "test.csv")
        split.train.to_csv(train, index=False)
        split.test.drop(columns=split.target).to_csv(test, index=False)

        def answer() -> np.ndarray:
            return cr.TableModel(**settings).fit(train, target=split.target).predict(test)

        return timed(answer, split)


def theirs(split: Split, name: str) -> dict[str, float]:
    """What a contender of `table_peers.py` makes of the same rows, in one thread."""
    from threadpoolctl import threadpool_limits

    from benchmarks.table_peers import CONTENDERS, load, quiet

    X, y = split.typed_train.drop(columns=split.target), split.typed_train[split.target]
    asked = split.typed_test.drop(columns=split.target)
    load(name)
    with threadpool_limits(1), quiet():
        return timed(lambda: CONTENDERS[name](X, y, asked, split.task), split)


class Baselines:
    """What contenders scored, kept in a folder's baselines.json by the name of the table; of other splits, name#seed."""

    def __init__(self, folder: Path | None) -> None:
        self._path = folder / "baselines.json" if folder else None

    def all(self) -> dict[str, dict[str, dict[str, float]]]:
        """Scores and seconds by table and contender."""
        known: dict[str, dict[str, dict[str, float]]] = {}
        if self._path and self._path.exists():
            known = json.loads(self._path.read_text())
        return known

    def keep(self, table: str, contender: str, figures: dict[str, float]) -> None:
        """Add to what is there, of which another process may have written a part by now."""
        if self._path:
            known = self.all()
            known.setdefault(table, {})[contender] = figures
            fresh = self._path.with_suffix(f".{os.getpid()}")
            fresh.write_text(json.dumps(known, indent=1))
            fresh.replace(self._path)

    def of(self, split: Split, contenders: list[str], anew: bool) -> dict[str, dict[str, float]]:
        """What is known of the table, and what can be found out by asking the contenders."""
        key = f"{split.name}#{split.seed}" if split.seed else split.name
        known = self.all().get(key, {})
        for name in contenders:
            if anew or name not in known:
                known[name] = theirs(split, name)
                self.keep(key, name, known[name])
        return known


MEANS = {
    "default": "",
    "one network": "folds=1, search=False",
    "no search": "search=False",
    "numbers as they are": "search=False, recipe=cr.Recipe(width=0)",
    "no dropout": "search=False, recipe=cr.Recipe(dropout=0.0)",
    "no decay": "search=False, recipe=cr.Recipe(weight_decay=0.0)",
}
"""Names of settings that `--means` knows."""


def settings_of(text: str) -> dict[str, dict[str, Any]]:
    """Keyword arguments of `cr.TableModel` for every one of several means: "default; no search; folds=3, seconds=2"."""
    import chainrule as cr

    means = filter(None, (part.strip() for part in text.split(";")))
    return {each: eval(f"dict({MEANS.get(each, each)})", {"cr": cr}) for each in means}


Figures = dict[str, dict[str, float]]


def averaged(each: list[Figures]) -> Figures:
    """The means over the splits, of those who were asked about all of them."""
    names = [name for name in each[0] if all(name in figures for figures in each)]
    return {
        name: {kind: sum(figures[name][kind] for figures in each) / len(each) for kind in ("score", "seconds")}
        for name in names
    }


def summary(rows: dict[str, Figures], contender: str, beside: str) -> str:
    """Wins, losses, and the differences of two contenders over the tables that both were asked about."""
    import statistics

    both = [figures for figures in rows.values() if contender in figures and beside in figures]
    if not both:
        return ""
    gaps = [round(figures[contender]["score"] - figures[beside]["score"], 6) for figures in both]
    seconds, others = (sum(figures[name]["seconds"] for figures in both) for name in (contender, beside))
    return (
        f"{contender} beside {beside}: {sum(gap > 0 for gap in gaps)} wins, {sum(gap < 0 for gap in gaps)} losses of "
        f"{len(gaps)}, mean {statistics.mean(gaps):+.4f}, median {statistics.median(gaps):+.4f}; "
        f"{seconds:.0f} s and {others:.0f} s."
    )


def head(names: list[str]) -> list[str]:
    """The first lines of the table that is printed and written."""
    columns = ["table", "", "rows", *names, f"{names[0]} − HGB", *(f"{name}, s" for name in names)]
    return [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]


def line(split: Split, figures: Figures, names: list[str]) -> str:
    """A table's row: scores, the difference from gradient boosting, seconds."""
    known = [figures.get(name) for name in names]
    scores = [f"{each['score']:.3f}" if each else "" for each in known]
    seconds = [f"{each['seconds']:.1f}" if each else "" for each in known]
    first, boosting = known[0], figures.get("HGB")
    gap = f"{first['score'] - boosting['score']:+.3f}" if first and boosting else ""
    kind = "accuracy" if split.task == "classification" else "R²"
    cells = [split.name, kind, str(len(split.train) + len(split.test)), *scores, gap, *seconds]
    return f"| {' | '.join(cells)} |"


def run(arguments: argparse.Namespace) -> str:
    """Ask all contenders about all tables; what is found is printed as it comes, and given back."""
    from benchmarks.table_peers import CONTENDERS, installed

    baselines = Baselines(arguments.folder)
    asked = [name for name in chosen(arguments.peers, CONTENDERS, "contender") if name in installed()]
    kept = {name for figures in baselines.all().values() for name in figures}
    means = {} if arguments.baselines else settings_of(arguments.means)
    names = [*means, *(name for name in CONTENDERS if name in kept | set(asked))]
    told = head(names)
    print(*told, sep="\n", flush=True)
    rows: dict[str, Figures] = {}
    failed: list[str] = []
    kept_back: set[str] = set()
    for splits in tables(arguments.folder, arguments.only, arguments.part, arguments.splits):
        each = [baselines.of(split, asked, arguments.anew) for split in splits]
        for split, (name, settings) in itertools.product(splits, means.items()):
            try:
                each[split.seed][name] = ours(split, settings)
            except Exception as error:  # the other tables are still worth knowing
                failed.append(f"{split.name}, {name}: {type(error).__name__}: {error}")
                print(failed[-1], file=sys.stderr)
        figures = rows[splits[0].name] = averaged(each)
        kept_back |= {split.name for split in splits if split.part == "kept"}
        told.append(line(splits[0], figures, names))
        print(told[-1], flush=True)
    firsts = list(means) or names[:1]
    pairs = [(one, other) for n, one in enumerate(names) if one in firsts for other in names[n + 1 :]]
    ends = [summary(rows, one, other) for one, other in pairs]
    if means and 0 < len(kept_back) < len(rows):
        apart = {name: figures for name, figures in rows.items() if name in kept_back}
        ends += [f"Of those held back, {text}" for one, other in pairs if (text := summary(apart, one, other))]
    ends = [*filter(None, ends), *failed]
    print("", *ends, sep="\n", flush=True)
    return "\n".join([*told, "", *(f"- {text}" for text in ends), ""])


def main() -> None:
    """Read what is asked for, measure, print and write."""
    asked = argparse.ArgumentParser(prog="python -m benchmarks.tables", description=__doc__)
    asked.add_argument("--folder", type=Path, help="a folder of tables with index.json")
    asked.add_argument("--gather", type=Path, metavar="FOLDER", help="write the tables of installed packages there")
    asked.add_argument("--only", default="", help="names of tables, with commas between them")
    asked.add_argument("--part", choices=["work", "kept"], help="tables that tuning may look at, or the others")
    asked.add_argument(
        "--means",
        default="default",
        help=f"settings of TableModel, with semicolons between them, or names: {'; '.join(MEANS)}",
    )
    asked.add_argument("--peers", default="HGB,MLP,linear,commonest", help="whom to ask besides")
    asked.add_argument("--splits", type=int, default=1, help="divide every table so often, and take the means")
    asked.add_argument("--baselines", action="store_true", help="ask the peers alone")
    asked.add_argument("--anew", action="store_true", help="do not take what baselines.json knows of them")
    asked.add_argument("--write", type=Path, help="where the table goes; of a whole run, benchmarks/tables.md")
    arguments = asked.parse_args()
    if arguments.gather:
        from benchmarks.table_sources import gather

        gather(arguments.gather)
        return
    told = run(arguments)
    whole = not (arguments.only or arguments.part or arguments.baselines or arguments.means != "default")
    if path := arguments.write or (WRITTEN if whole else None):
        path.write_text(told)


if __name__ == "__main__":
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read when NumPy is loaded, which is later
    main()
